# A mailbox program for Kimlik in Windows PowerShell 5.1, to begin one's own from. docs/operators/exchange.md says what each
# operation, state and exit status means.
#
# NEVER EXECUTED. It was written against Microsoft's documentation of these cmdlets and has not been run against any Exchange
# server, nor by PowerShell at all. Kimlik's tests parse it by a grammar of the language (tree-sitter-powershell) and
# hold what it reads and answers against the contract. Read it, try each operation by hand with a test account, and only then let Kimlik
# start it:
#   Get-Content request.json -Raw | powershell.exe -NoProfile -File exchange.ps1 -Server ex1.csb.test
#
# Mailboxes on the ministry's own servers: Enable-Mailbox, Update-Recipient, Disable-Mailbox.
#   arguments = ['-NoProfile', '-NonInteractive', '-File', 'C:\Kimlik\exchange.ps1', '-Server', 'ex1.csb.test']
# Mailboxes in the cloud, made from the ministry's management server: with -RoutingDomain; Enable-RemoteMailbox,
# Update-Recipient, Disable-RemoteMailbox. (`mailboxes = "remote"` needs no program: Kimlik writes the same attributes itself.)
#   arguments = [..., '-Server', 'ex1.csb.test', '-RoutingDomain', 'csb.mail.onmicrosoft.com']
#
# Roles: Mail Recipients and Mail Recipient Creation, over the accounts' OU only. Kerberos: no password stands anywhere.
param(
    [Parameter(Mandatory = $true)] [string] $Server,
    # What stands behind the @ of routing addresses. Given: mailboxes are made in the cloud.
    [string] $RoutingDomain,
    # The controller that Kimlik writes to, so that an account that was opened a moment ago is known.
    [string] $DomainController,
    # Where new mailboxes are made; left out, Exchange chooses. Only on the ministry's own servers.
    [string] $Database,
    # Which mailbox a closed account had, one file each: after Disable-Mailbox the account does not tell it any more.
    [string] $Memory = (Join-Path $PSScriptRoot 'closed-mailboxes')
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$utf8 = New-Object System.Text.UTF8Encoding($false)
$inCloud = [bool] $RoutingDomain

# --- Kimlik's side -------------------------------------------------------------------------------------------------------------

# 75: nothing happened, later it may. 65: nothing happened, nor will it as things are. Any other: perhaps it happened.
function Stop-Kimlik([int] $Status, [string] $Why) {
    [Console]::Error.WriteLine(($Why -replace '\s+', ' '))
    exit $Status
}

# Why by octets, here and below: the console's own code page would spoil Turkish letters.
function Read-Request {
    $reader = New-Object System.IO.StreamReader([Console]::OpenStandardInput(), $utf8)
    $request = $reader.ReadToEnd() | ConvertFrom-Json
    if ($request.version -ne 1) { Stop-Kimlik 65 "version $($request.version) of requests is not known" }
    return $request
}

# States: NONE OPEN HIDDEN CLOSED, or WAITING with what is waited for.
function Write-Answer([string] $State, [string] $WaitingFor) {
    $answer = @{ version = 1; requestId = $request.requestId; state = $State }
    if ($WaitingFor) { $answer.waitingFor = $WaitingFor }
    $octets = $utf8.GetBytes(($answer | ConvertTo-Json -Compress))
    $out = [Console]::OpenStandardOutput()
    $out.Write($octets, 0, $octets.Length)
    $out.Flush()
    exit 0
}

# --- Exchange's side -----------------------------------------------------------------------------------------------------------

# Nothing, where there is no such object; every other failure is one. Why told apart: an account whose server is away is not
# an account without a mailbox.
function Find-One([scriptblock] $Ask) {
    try { & $Ask } catch {
        if ($_.CategoryInfo.Reason -ne 'ManagementObjectNotFoundException') { throw }
    }
}

function Get-Own {
    if ($inCloud) { Find-One { Get-RemoteMailbox -Identity $id @at } } else { Find-One { Get-Mailbox -Identity $id @at } }
}

# What stands: the answer to `status`, and asked before and after everything else.
function Get-State {
    $own = Get-Own
    if ($own) {
        if ($own.HiddenFromAddressListsEnabled) { return 'HIDDEN' }
        return 'OPEN'
    }
    # A mailbox in the cloud leaves nothing behind in the directory; the cloud keeps its mail for its own retention.
    if (-not $inCloud -and (Get-Closed)) { return 'CLOSED' }
    return 'NONE'
}

# The mailbox that Disable-Mailbox has left in its database, as long as the database keeps it.
function Get-Closed {
    if (-not (Test-Path $kept)) { return }
    $guid, $where = Get-Content $kept
    # Without @at: Get-MailboxStatistics asks the mailbox server, not a controller's copy of the account.
    Find-One { Get-MailboxStatistics -Database $where -StoreMailboxIdentity $guid -ErrorAction Stop } |
        Where-Object { $_.DisconnectReason -eq 'Disabled' }
}

function Open-Mailbox {
    $alias = $account.primaryAddress.Split('@')[0]
    if (-not (Get-Own)) {
        $names = @{ Alias = $alias; PrimarySmtpAddress = $account.primaryAddress }
        $before = if (-not $inCloud) { Get-Closed }
        if ($inCloud) {
            Enable-RemoteMailbox -Identity $id -RemoteRoutingAddress "$alias@$RoutingDomain" @names @at | Out-Null
        } elseif ($before) {
            # Of somebody who has come back: the same mailbox, with its mail.
            Connect-Mailbox -Identity $before.MailboxGuid -Database $before.Database -User $id -Alias $alias @at | Out-Null
        } else {
            if ($Database) { $names.Database = $Database }
            Enable-Mailbox -Identity $id @names @at | Out-Null
        }
    }
    # Kimlik owns the addresses: without this Exchange's policy would write them, too, and the two would fight.
    Set-Own @{ EmailAddressPolicyEnabled = $false; HiddenFromAddressListsEnabled = $false }
    Update-Lists
}

function Set-Own([hashtable] $Values) {
    if ($inCloud) { Set-RemoteMailbox -Identity $id @Values @at } else { Set-Mailbox -Identity $id @Values @at }
}

# Kimlik writes addresses, company, department and custom attributes by LDAP; membership in address lists is Exchange's to write.
function Update-Lists { Update-Recipient -Identity $id @at }

function Close-Mailbox {
    if ($inCloud) {
        Disable-RemoteMailbox -Identity $id -Confirm:$false @at
        return
    }
    $own = Get-Own
    New-Item -ItemType Directory -Force $Memory | Out-Null
    # Why before: what is closed and not remembered could not be given back.
    Set-Content -Path $kept -Value @("$($own.ExchangeGuid)", "$($own.Database)")
    Disable-Mailbox -Identity $id -Confirm:$false @at
}

# --- One request ---------------------------------------------------------------------------------------------------------------

$request = Read-Request
$account = $request.account
# By objectGUID: names change, and two people may have one.
$id = ([guid] $account.guid).ToString()
$kept = Join-Path $Memory $id
$at = @{ ErrorAction = 'Stop' }
if ($DomainController) { $at.DomainController = $DomainController }
try {
    $uri = "http://$Server/PowerShell/"
    $session = New-PSSession -ConfigurationName Microsoft.Exchange -ConnectionUri $uri -Authentication Kerberos
    Import-PSSession $session -DisableNameChecking -AllowClobber | Out-Null
} catch {
    Stop-Kimlik 75 "Exchange cannot be reached: $($_.Exception.Message)"
}
try {
    # Each operation asks for a state, not for a change: done twice, it is done once.
    $state = Get-State
    switch ($request.operation) {
        'status' { }
        'open'   { if ($state -ne 'OPEN') { Open-Mailbox } }
        'reopen' { if ($state -ne 'OPEN') { Open-Mailbox } }
        'update' { if ($state -eq 'OPEN') { Update-Lists } }
        'hide'   { if ($state -eq 'OPEN') { Set-Own @{ HiddenFromAddressListsEnabled = $true }; Update-Lists } }
        'close'  { if ($state -in 'OPEN', 'HIDDEN') { Close-Mailbox } }
        default  { Stop-Kimlik 65 "operation $($request.operation) is not known" }
    }
    $state = Get-State
} catch {
    # Why neither 75 nor 65: some of it may have been done. Kimlik asks for the status and goes on from there.
    Stop-Kimlik 1 $_.Exception.Message
} finally {
    Remove-PSSession $session
}
if ($request.operation -in 'open', 'reopen' -and $state -eq 'NONE') {
    Write-Answer 'WAITING' 'the account to be replicated to the controller that Exchange asks'
}
Write-Answer $state
