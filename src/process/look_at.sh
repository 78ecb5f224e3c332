# What shim.sh and keeper.sh share; install_shim.ts puts it at the head of both.
set -u
umask 077

# Sets $state, $parent and $start of process $1: its start time in clock ticks after boot (macOS: its start date), "-"
# if gone.
look_at() {
  state=- parent=- start=-
  if [ -r /proc/self/stat ]; then
    line=
    read -r line <"/proc/$1/stat" || return 0
    # Fields after the command name, which may itself hold spaces and brackets: 3 is the state, 4 the parent, 22 the
    # start time.
    # shellcheck disable=SC2086
    set -- "$1" ${line##*) }
    if [ $# -lt 21 ]; then
      # A name may hold a line feed as well.
      line=$(tr '\n' ' ' <"/proc/$1/stat")
      # shellcheck disable=SC2086
      set -- "$1" ${line##*) }
    fi
    state=${2:--} parent=${3:--} start=${21:--}
  else
    # Every observer must read the same date.
    line=$(LC_ALL=C TZ=UTC0 ps -o state= -o ppid= -o lstart= -p "$1") || return 0
    # shellcheck disable=SC2086
    set -- $line
    state=$1 parent=$2
    shift 2
    start=$(printf '%s_' "$@")
  fi
} 2>/dev/null

# Sets $boot: a process with the right number and start time of another boot is a stranger.
look_at_boot() {
  boot=-
  read -r boot </proc/sys/kernel/random/boot_id || boot=$(sysctl -n kern.bootsessionuuid) || boot=-
} 2>/dev/null

# Succeeds while process $1 that was started at $2, and no stranger with its number, is alive.
lives() {
  look_at "$1"
  [ "$start" != - ] && [ "$start" = "$2" ] || return 1
  # BSD adds flags to the state.
  case $state in [ZX]*) return 1 ;; esac
}

