#Requires -Version 5.1
<#
.SYNOPSIS
Installs codex-swarm for the user who runs this.
.DESCRIPTION
Downloads the archive for this machine from the release page, holds it against the release's SHA256SUMS, and puts the
program into a directory of the user's. Nothing is left there if any of it fails.
.PARAMETER Version
What to install; default the newest. Or CODEX_SWARM_INSTALL_VERSION.
.PARAMETER Dir
Where to; default %LOCALAPPDATA%\Programs\codex-swarm. Or CODEX_SWARM_INSTALL_DIR.
.NOTES
CODEX_SWARM_INSTALL_BASE names a mirror of the release page: below it lie download/vVERSION/FILE and
latest/download/SHA256SUMS.
#>
param(
    [string] $Version = $env:CODEX_SWARM_INSTALL_VERSION,
    [string] $Dir = $env:CODEX_SWARM_INSTALL_DIR
)

function Stop-Install([string] $Reason) {
    throw "Cannot install codex-swarm: $Reason"
}

function Get-Target {
    # Not .NET's RuntimeInformation: in some sessions of Windows PowerShell it has nothing to say. A shell that is itself
    # emulated on Arm gets the program of its own kind, which runs there.
    $machine = $env:PROCESSOR_ARCHITEW6432
    if (-not $machine) { $machine = $env:PROCESSOR_ARCHITECTURE }
    switch ($machine) {
        'AMD64' { return 'windows-x64' }
        'ARM64' { return 'windows-arm64' }
        default { Stop-Install "there is no binary for $machine machines. Run it from its sources, as the README says." }
    }
}

function Save-File([string] $Url, [string] $Path) {
    try {
        Invoke-WebRequest -UseBasicParsing -Uri $Url -OutFile $Path
    } catch {
        Stop-Install "$Url could not be downloaded: $($_.Exception.Message) Check the version and the network, then try again."
    }
}

function Find-Archive([string] $SumsFile, [string] $Wanted, [string] $Target, [string] $Page) {
    foreach ($line in Get-Content -LiteralPath $SumsFile) {
        if ($line -cmatch '^([0-9a-f]{64}) [ *](codex-swarm-([0-9A-Za-z.+-]+)-(windows-\w+)\.zip)$') {
            if ($Matches[4] -ceq $Target -and (-not $Wanted -or $Matches[3] -ceq $Wanted)) {
                return @{ Sum = $Matches[1]; Name = $Matches[2]; Version = $Matches[3] }
            }
        }
    }
    Stop-Install "$Page/SHA256SUMS names no archive for $Target. Choose another -Version, or run it from its sources."
}

function Install-CodexSwarm([string] $Version, [string] $Dir) {
    $ErrorActionPreference = 'Stop'
    # The bar takes longer than the download.
    $ProgressPreference = 'SilentlyContinue'
    [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor 'Tls12'
    $base = $env:CODEX_SWARM_INSTALL_BASE
    if (-not $base) { $base = 'https://github.com/codex-swarm/codex-swarm/releases' }
    $Version = $Version -replace '^v', ''
    if ($Version -notmatch '^[0-9A-Za-z.+-]*$') {
        Stop-Install "`"$Version`" is no version. Name one such as 0.1.0, or none for the newest."
    }
    if (-not $Dir) { $Dir = Join-Path $env:LOCALAPPDATA 'Programs\codex-swarm' }
    $Dir = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Dir)
    $program = Join-Path $Dir 'codex-swarm.exe'
    $target = Get-Target
    $isNew = -not (Test-Path -LiteralPath $Dir)
    $stage = Join-Path $Dir ".codex-swarm-install.$PID"
    try {
        New-Item -ItemType Directory -Path $stage | Out-Null
    } catch {
        Stop-Install "$Dir cannot be written. Choose another directory with -Dir."
    }
    try {
        if ($Version) { $page = "$base/download/v$Version" } else { $page = "$base/latest/download" }
        $sums = Join-Path $stage 'SHA256SUMS'
        Save-File "$page/SHA256SUMS" $sums
        $found = Find-Archive $sums $Version $target $page
        $url = "$base/download/v$($found.Version)/$($found.Name)"
        Write-Output "Downloading $url"
        $archive = Join-Path $stage $found.Name
        Save-File $url $archive
        $actual = (Get-FileHash -LiteralPath $archive -Algorithm SHA256).Hash.ToLowerInvariant()
        if ($actual -cne $found.Sum) {
            Stop-Install "$($found.Name) is not what the release has: its SHA-256 is $actual, expected was $($found.Sum). Nothing was installed. Try again; if it stays so, report it."
        }
        $inside = Join-Path $stage 'inside'
        Expand-Archive -LiteralPath $archive -DestinationPath $inside
        $staged = Join-Path $inside 'codex-swarm.exe'
        if (-not (Test-Path -LiteralPath $staged)) { Stop-Install "$($found.Name) has no program in it." }
        try {
            $said = (& $staged --version) -join ' '
        } catch {
            Stop-Install "the program is whole, but does not run here: $($_.Exception.Message)"
        }
        if ($LASTEXITCODE -ne 0) { Stop-Install "the program is whole, but does not run here: $said" }
        if ($said -cne "codex-swarm $($found.Version)") {
            Stop-Install "$($found.Name) holds another version: $said. Choose another -Version."
        }
        # A program that runs cannot be replaced, but renamed; servers of several versions may run.
        $old = "$program.old.$PID"
        try {
            if (Test-Path -LiteralPath $program) { Move-Item -Force -LiteralPath $program -Destination $old }
            Move-Item -LiteralPath $staged -Destination $program
        } catch {
            if (-not (Test-Path -LiteralPath $program) -and (Test-Path -LiteralPath $old)) {
                Move-Item -LiteralPath $old -Destination $program
            }
            Stop-Install "$program cannot be written. Choose another directory with -Dir."
        }
        # What still runs stays until another time.
        Get-ChildItem -LiteralPath $Dir -Filter 'codex-swarm.exe.old*' |
            Remove-Item -Force -ErrorAction SilentlyContinue
        $isNew = $false
        Write-Output "Installed codex-swarm $($found.Version) as $program"
        if (($env:PATH -split ';') -notcontains $Dir) {
            Write-Output "$Dir is not in your PATH. To call it by its name: `$env:PATH = `"$Dir;`$env:PATH`""
        }
        Write-Output "Next: & `"$program`" doctor, then & `"$program`" install CLIENT"
    } finally {
        Remove-Item -Recurse -Force -ErrorAction SilentlyContinue -LiteralPath $stage
        if ($isNew) { Remove-Item -ErrorAction SilentlyContinue -LiteralPath $Dir }
    }
}

Install-CodexSwarm $Version $Dir
