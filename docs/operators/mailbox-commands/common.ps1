# What both PowerShell examples share: reading Kimlik's request, answering it, and saying how something failed.
# Windows PowerShell 5.1. docs/operators/exchange.md says what each operation and exit status means.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$Utf8 = New-Object System.Text.UTF8Encoding($false)

# The request, whole, from standard input. Why by octets: the console's own code page would spoil Turkish letters.
function Read-KimlikRequest {
    $reader = New-Object System.IO.StreamReader([Console]::OpenStandardInput(), $Utf8)
    $request = $reader.ReadToEnd() | ConvertFrom-Json
    if ($request.version -ne 1) { Stop-Kimlik 65 "version $($request.version) of requests is not known" }
    return $request
}

# States: NONE OPEN HIDDEN CLOSED, or WAITING with what is waited for.
function Write-KimlikAnswer($Request, [string] $State, [string] $WaitingFor) {
    $answer = @{ version = 1; requestId = $Request.requestId; state = $State }
    if ($WaitingFor) { $answer.waitingFor = $WaitingFor }
    $octets = $Utf8.GetBytes(($answer | ConvertTo-Json -Compress))
    $out = [Console]::OpenStandardOutput()
    $out.Write($octets, 0, $octets.Length)
    $out.Flush()
    exit 0
}

# 75: nothing happened, later it may. 65: nothing happened, nor will it as things are. Any other: perhaps it happened.
function Stop-Kimlik([int] $Status, [string] $Why) {
    [Console]::Error.WriteLine(($Why -replace '\s+', ' '))
    exit $Status
}

# The management session. Nothing has happened yet where it cannot be had. Kerberos, so no password stands anywhere.
function Connect-KimlikExchange([string] $Server) {
    try {
        $uri = "http://$Server/PowerShell/"
        $session = New-PSSession -ConfigurationName Microsoft.Exchange -ConnectionUri $uri -Authentication Kerberos
        Import-PSSession $session -DisableNameChecking -AllowClobber | Out-Null
    } catch {
        Stop-Kimlik 75 "Exchange cannot be reached: $($_.Exception.Message)"
    }
}
