# Mailboxes in the cloud, made from the ministry's own Exchange management server: Enable-RemoteMailbox, Disable-RemoteMailbox.
# For ministries that want Exchange's own commands to write what `mailboxes = "remote"` writes by itself.
#
#   arguments = ['-NoProfile', '-NonInteractive', '-File', 'C:\Kimlik\remote.ps1', '-Server', 'ex1.csb.test',
#                '-RoutingDomain', 'csb.mail.onmicrosoft.com']
param(
    [Parameter(Mandatory = $true)] [string] $Server,
    [Parameter(Mandatory = $true)] [string] $RoutingDomain,
    [string] $DomainController
)
. "$PSScriptRoot\common.ps1"

$request = Read-KimlikRequest
$account = $request.account
Connect-KimlikExchange $Server
$at = @{}
if ($DomainController) { $at.DomainController = $DomainController }
$id = $account.guid

# A closed remote mailbox leaves nothing behind in the directory: NONE. The cloud keeps the mail for its own retention.
function Get-State {
    $mailbox = Get-RemoteMailbox -Identity $id -ErrorAction SilentlyContinue @at
    if (-not $mailbox) { return 'NONE' }
    if ($mailbox.HiddenFromAddressListsEnabled) { return 'HIDDEN' }
    return 'OPEN'
}

function Open-Mailbox {
    $alias = $account.primaryAddress.Split('@')[0]
    if (-not (Get-RemoteMailbox -Identity $id -ErrorAction SilentlyContinue @at)) {
        Enable-RemoteMailbox -Identity $id -Alias $alias -PrimarySmtpAddress $account.primaryAddress `
            -RemoteRoutingAddress "$alias@$RoutingDomain" @at | Out-Null
    }
    # Kimlik owns the addresses: without this Exchange's policy would write them, too, and the two would fight.
    Set-RemoteMailbox -Identity $id -EmailAddressPolicyEnabled $false -HiddenFromAddressListsEnabled $false @at
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
                Set-RemoteMailbox -Identity $id -HiddenFromAddressListsEnabled $true @at
                Update-Recipient -Identity $id @at
            }
        }
        'close'  { if ($state -ne 'NONE') { Disable-RemoteMailbox -Identity $id -Confirm:$false @at } }
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
