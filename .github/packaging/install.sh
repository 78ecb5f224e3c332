#!/bin/sh
# Installs codex-swarm for the user who runs this: downloads the archive for this machine from the release page, holds
# it against the release's SHA256SUMS, and puts the program into ~/.local/bin. Nothing is left there if any of it fails.

# All of it is one function, called on the last line: a script that was cut off on its way does nothing.
main() {
  set -eu
  umask 022
  version=${CODEX_SWARM_INSTALL_VERSION:-}
  directory=${CODEX_SWARM_INSTALL_DIR:-}
  base=${CODEX_SWARM_INSTALL_BASE:-https://github.com/codex-swarm/codex-swarm/releases}
  read_arguments "$@"
  version=${version#v}
  case $version in
    *[!0-9A-Za-z.+-]*) fail "\"$version\" is no version. Name one such as 0.1.0, or none for the newest." ;;
  esac
  if [ -z "$directory" ]; then
    [ -n "${HOME:-}" ] || fail "there is no HOME. Say where the program shall go: --dir DIR."
    directory=$HOME/.local/bin
  fi
  find_target
  find_tools
  make_stage
  find_archive
  install_program
}

read_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --version | --dir)
        [ $# -gt 1 ] || fail "$1 needs a value."
        if [ "$1" = --dir ]; then directory=$2; else version=$2; fi
        shift 2
        ;;
      --version=*) version=${1#*=} && shift ;;
      --dir=*) directory=${1#*=} && shift ;;
      -h | --help) usage && exit 0 ;;
      *) fail "unknown argument $1. Known are --version VERSION and --dir DIR." ;;
    esac
  done
}

usage() {
  cat <<'END'
Usage: install.sh [--version VERSION] [--dir DIR]

--version VERSION  what to install; default the newest. Or CODEX_SWARM_INSTALL_VERSION
--dir DIR          where to; default ~/.local/bin. Or CODEX_SWARM_INSTALL_DIR

CODEX_SWARM_INSTALL_BASE names a mirror of the release page: below it lie download/vVERSION/FILE and
latest/download/SHA256SUMS.
END
}

say() {
  printf '%s\n' "$*"
}

fail() {
  printf 'Cannot install codex-swarm: %s\n' "$*" >&2
  exit 1
}

# Sets target, as the names of the archives tell it.
find_target() {
  system=$(uname -s)
  machine=$(uname -m)
  case $system in
    Linux) system=linux ;;
    Darwin)
      system=macos
      # A shell that is itself translated is told of the other kind of machine.
      [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || :)" != 1 ] || machine=arm64
      ;;
    MINGW* | MSYS* | CYGWIN*) fail "this is Windows. Use install.ps1 in PowerShell, or Scoop." ;;
    *) fail "there is no binary for $system. Run it from its sources, as the README says." ;;
  esac
  case $machine in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "there is no binary for $machine machines. Run it from its sources, as the README says." ;;
  esac
  target=$system-$machine
}

find_tools() {
  if has curl; then
    # A server that is asked over TLS is not to lead elsewhere.
    case $base in https:*) protocols='=https' ;; *) protocols='=http,https' ;; esac
  elif ! has wget; then
    fail "neither curl nor wget is there. Install one of them, and try again."
  fi
  has sha256sum || has shasum ||
    fail "neither sha256sum nor shasum is there, so nothing could be verified. Install one of them, and try again."
  has tar || fail "tar is not there. Install it, and try again."
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# Makes a directory for all that is not finished, on the file system on which the program will lie.
make_stage() {
  case $directory in /*) ;; *) directory=$PWD/$directory ;; esac
  [ ! -d "$directory/codex-swarm" ] || fail "$directory/codex-swarm is a directory. Move it away, or choose another --dir."
  place=$directory
  while [ ! -e "$place" ]; do place=$(dirname "$place"); done
  stage=$place/.codex-swarm-install.$$
  trap 'rm -rf "$stage"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mkdir "$stage" 2>/dev/null || {
    trap - EXIT
    fail "$place cannot be written. Choose another directory with --dir DIR."
  }
}

# Sets version, archive and expected from the release's sums.
find_archive() {
  if [ -n "$version" ]; then
    page=$base/download/v$version
  else
    page=$base/latest/download
  fi
  download "$page/SHA256SUMS" "$stage/SHA256SUMS" ||
    fail "$page/SHA256SUMS could not be downloaded. Check the version and the network, then try again."
  archive=
  end=$(printf '\r')
  while read -r sum name || [ -n "$sum" ]; do
    name=${name#\*}
    name=${name%"$end"}
    found=${name#codex-swarm-}
    found=${found%"-$target.tar.gz"}
    # It becomes part of an address and of a path.
    case $found in *[!0-9A-Za-z.+-]*) continue ;; esac
    if [ "codex-swarm-$found-$target.tar.gz" = "$name" ] && [ "${version:-$found}" = "$found" ]; then
      version=$found archive=$name expected=$sum
      break
    fi
  done <"$stage/SHA256SUMS"
  [ -n "$archive" ] ||
    fail "$page/SHA256SUMS names no archive for $target. Choose another --version, or run it from its sources."
  case $expected in *[!0-9a-f]*) expected= ;; esac
  [ ${#expected} = 64 ] || fail "$page/SHA256SUMS is damaged. Try again, or choose another --version."
}

install_program() {
  url=$base/download/v$version/$archive
  say "Downloading $url"
  download "$url" "$stage/$archive" || fail "$url could not be downloaded whole. Check the network, then try again."
  actual=$(sha256 "$stage/$archive")
  [ "$actual" = "$expected" ] ||
    fail "$archive is not what the release has: its SHA-256 is $actual, expected was $expected. Nothing was installed. Try again; if it stays so, report it."
  tar -xzf "$stage/$archive" -C "$stage" codex-swarm || fail "$archive has no program in it that tar could take out."
  chmod 755 "$stage/codex-swarm"
  said=$("$stage/codex-swarm" --version 2>&1) ||
    fail "the program is whole, but does not run here: ${said:-it says nothing}. It needs a system with glibc, or macOS; elsewhere run it from its sources, as the README says."
  [ "$said" = "codex-swarm $version" ] || fail "$archive holds another version: $said. Choose another --version."
  mkdir -p "$directory" || fail "$directory cannot be made. Choose another directory with --dir DIR."
  mv -f "$stage/codex-swarm" "$directory/codex-swarm" || fail "$directory cannot be written. Choose another --dir."
  say "Installed codex-swarm $version as $directory/codex-swarm"
  case :$PATH: in
    *":$directory:"*) program=codex-swarm ;;
    *)
      program=$directory/codex-swarm
      say "$directory is not in your PATH. To call it by its name: export PATH=\"$directory:\$PATH\""
      ;;
  esac
  say "Next: $program doctor, then $program install CLIENT"
}

# download URL FILE
download() {
  if has curl; then
    curl --fail --silent --show-error --location --proto "$protocols" --connect-timeout 30 --speed-limit 1 --speed-time 60 --output "$2" "$1"
  else
    wget -q -t 3 -T 60 -O "$2" "$1"
  fi
}

sha256() {
  if has sha256sum; then
    sum=$(sha256sum <"$1")
  else
    sum=$(shasum -a 256 <"$1")
  fi
  say "${sum%% *}"
}

main "$@"
