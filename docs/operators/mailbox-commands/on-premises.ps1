# Mailboxes on the ministry's own Exchange servers: Enable-Mailbox, Update-Recipient, Disable-Mailbox.
#
#   program   = 'C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe'   (where Kimlik runs on Windows)
#   arguments = ['-NoProfile', '-NonInteractive', '-File', 'C:\Kimlik\on-premises.ps1', '-Server', 'ex1.csb.test']
#
# Needs the management roles Mail Recipients and Mail Recipient Creation, over the accounts' OU only. -DomainController: the
# controller that Kimlik writes to, so that an account that was opened a moment ago is known.
param(
    [Parameter(Mandatory = $true)] [string] $Server,
    [string] $DomainController,
    [string] $Database
)
. "$PSScriptRoot\common.ps1"

$request = Read-KimlikRequest
$account = $request.account
Connect-KimlikExchange $Server
$at = @{}
if ($DomainController) { $at.DomainController = $DomainController }
$id = $account.guid

# What stands: asked before and after, and the answer to `status`.
function Get-State {
    $user = Get-User -Identity $id -ErrorAction SilentlyContinue @at
    if (-not $user) { return 'NONE' }
    $mailbox = Get-Mailbox -Identity $id -ErrorAction SilentlyContinue @at
    if ($mailbox) {
        if ($mailbox.HiddenFromAddressListsEnabled) { return 'HIDDEN' }
        return 'OPEN'
    }
    # Disable-Mailbox takes the attributes away and leaves the mailbox in its database until the deleted-mailbox retention ends.
    if (Get-Disconnected) { return 'CLOSED' }
    return 'NONE'
}

function Get-Disconnected {
    $databases = Get-MailboxDatabase -Status @at | Where-Object { $_.Mounted }
    foreach ($database in $databases) {
        $found = Get-MailboxStatistics -Database $database.Name |
            Where-Object { $_.DisconnectReason -eq 'Disabled' -and $_.LegacyDN -and $_.DisplayName -eq $account.displayName } |
            Where-Object { $_.MailboxGuid -eq (Get-KeptGuid) }
        if ($found) { return $found }
    }
}

# The mailbox's own GUID is kept in a file: after Disable-Mailbox the account does not tell it any more, and two people may
# have one name.
$kept = Join-Path $PSScriptRoot "mailbox-guids\$id"
function Get-KeptGuid { if (Test-Path $kept) { [guid] (Get-Content $kept -TotalCount 1) } else { [guid]::Empty } }
function Set-KeptGuid($Guid) {
    New-Item -ItemType Directory -Force (Split-Path $kept) | Out-Null
    Set-Content -Path $kept -Value $Guid
}

function Open-Mailbox {
    $alias = $account.primaryAddress.Split('@')[0]
    if (-not (Get-Mailbox -Identity $id -ErrorAction SilentlyContinue @at)) {
        $before = Get-Disconnected
        if ($before) {
            Connect-Mailbox -Identity $before.MailboxGuid -Database $before.Database -User $id -Alias $alias @at | Out-Null
        } else {
            $where = @{}
            if ($Database) { $where.Database = $Database }
            Enable-Mailbox -Identity $id -Alias $alias -PrimarySmtpAddress $account.primaryAddress @where @at | Out-Null
        }
    }
    # Kimlik owns the addresses: without this Exchange's policy would write them, too, and the two would fight.
    Set-Mailbox -Identity $id -EmailAddressPolicyEnabled $false -HiddenFromAddressListsEnabled $false @at
    Update-Recipient -Identity $id @at
}

try {
    $state = Get-State
    switch ($request.operation) {
        'status' { }
        'open'   { if ($state -ne 'OPEN') { Open-Mailbox } }
        'reopen' { if ($state -ne 'OPEN') { Open-Mailbox } }
        'update' { if ($state -eq 'OPEN') { Update-Recipient -Identity $id @at } }
        'hide'   {
            if ($state -eq 'OPEN') {
                Set-Mailbox -Identity $id -HiddenFromAddressListsEnabled $true @at
                Update-Recipient -Identity $id @at
            }
        }
        'close'  {
            if ($state -in 'OPEN', 'HIDDEN') {
                Set-KeptGuid (Get-Mailbox -Identity $id @at).ExchangeGuid
                Disable-Mailbox -Identity $id -Confirm:$false @at
            }
        }
        default  { Stop-Kimlik 65 "operation $($request.operation) is not known" }
    }
    $after = Get-State
} catch {
    # Why neither 75 nor 65: some of it may have been done. Kimlik asks for the status and goes on from there.
    Stop-Kimlik 1 $_.Exception.Message
}
if ($request.operation -in 'open', 'reopen' -and $after -eq 'NONE') {
    Write-KimlikAnswer $request 'WAITING' 'the account to be replicated to the controller that Exchange asks'
}
Write-KimlikAnswer $request $after
