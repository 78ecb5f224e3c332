# The shim: one small process per run, between the server and Codex.
#
#   sh shim.sh run   DIR RUN LIMIT GRACE BELL COMMAND…   runs COMMAND for the task directory DIR
#   sh shim.sh agent DIR RUN LOCKS SHIM SHIM_START COMMAND…  (used by `run`) notes who it is, then becomes COMMAND
#   sh shim.sh stop  DIR REASON                          ends COMMAND from any other process
#   sh shim.sh sight DIR                                 prints `shim`, `agent` or `gone`: who of a run still lives
#
# It owns the exit code, the wall clock (LIMIT, seconds) and the locks, so that a crash of the server can neither kill
# nor block an agent and any later server can tell who lives. COMMAND reads DIR/prompt.txt and writes straight into
# DIR/events.jsonl and DIR/stderr.log. With GRACE other than "-", standard input is a lifeline to the server: when it
# ends, the agent is stopped GRACE seconds later. Files of DIR, each one line ending with a newline (a line without one
# is half written):
#   process   RUN SHIM_PID SHIM_START AGENT_PID AGENT_START BOOT_ID LOCKS
#   stop      REASON, the first that came
#   exit      RUN STATUS, with "-" for an agent that was stopped before it could start
# shim.lock is held while the shim lives, tree.lock while it or the agent lives; LOCKS is `flock`, or `none` where there
# is no flock(1) and only process ids and start times can tell. BELL/<name of DIR> is written last.
#
# The environment of the shim itself is the server's choice; that of COMMAND comes aside, see hand_over.ts, so that
# nothing in it, be it PATH, ENV or a function for bash, has a say before COMMAND itself runs.
set -u
umask 077

# Seconds after which a helper looks whether it is still needed.
slice=60

# Sets $state, $parent and $start of process $1: its start time in clock ticks after boot (macOS: its start date), "-"
# if gone.
look_at() {
  state=- parent=- start=-
  if [ -r /proc/self/stat ]; then
    line=
    read -r line <"/proc/$1/stat" || return 0
    # Fields after the command name, which may itself hold spaces and brackets: 3 is the state, 4 the parent, 22 the
    # start time.
    line=${line##*) }
    # shellcheck disable=SC2086
    set -- $line
    state=$1 parent=$2 start=${20}
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
  case $state in Z*) return 1 ;; esac
}

# Ends the agent for the reason $1: SIGINT, after 2 s SIGTERM, after 2 s SIGKILL.
stop_agent() {
  (set -C && printf '%s\n' "$1" >"$dir/stop") 2>/dev/null
  # An agent that has not noted itself yet will see the stop file instead.
  read -r _ _ _ agent agent_start agent_boot _ <"$dir/process" 2>/dev/null || return 0
  look_at_boot
  [ "$boot" = "$agent_boot" ] || return 0
  for signal in INT TERM KILL; do
    lives "$agent" "$agent_start" || return 0
    kill -s "$signal" "$agent" 2>/dev/null
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      sleep 0.1
      lives "$agent" "$agent_start" || return 0
    done
  done
}

# Runs "$@" beside the agent until the helper is dismissed, which ends both, or it ends by itself.
accompany() {
  companion=''
  trap 'dismissed=1; [ -z "$companion" ] || kill -s KILL "$companion"' TERM
  "$@" &
  companion=$!
  # KILL, because a child that has only just been forked still has our trap and would lose a TERM.
  [ -z "$dismissed" ] || kill -s KILL "$companion"
  wait "$companion"
  status=$?
  if [ -n "$dismissed" ]; then
    # The signal ended the first wait; an unreaped child would stay behind under an init that reaps none.
    wait "$companion"
    exit 0
  fi
  companion=''
  return "$status"
} 2>/dev/null
dismissed=

# Lets $1 seconds pass, or ends the helper when nobody is left whom it could end.
let_pass() {
  rest=${1%%.*}
  fraction=${1#"$rest"}
  while [ "$rest" -gt "$slice" ]; do
    accompany sleep "$slice" || return
    is_needed || exit 0
    rest=$((rest - slice))
  done
  accompany sleep "$rest$fraction"
}

# Succeeds while the agent lives or is still to come. A shim that was killed dismisses nobody.
is_needed() {
  if read -r noted _ _ agent agent_start _ <"$dir/process" && [ "$noted" = "$run" ]; then
    lives "$agent" "$agent_start"
  else
    kill -s 0 $$
  fi
} 2>/dev/null

# Ends a helper whose companion could not do its work: a clock that does not run is no reason to end an agent.
give_up() {
  echo "WARNING: codex-swarm: this run goes on without its $1: a helper command ended with status $status" >>"$dir/stderr.log"
  exit 0
}

# Lives as long as the server does. A shell gives what it runs in the background /dev/null to read unless it is told.
lifeline() {
  exec cat <&3 >/dev/null
}

case $1 in
stop)
  dir=$2
  stop_agent "$3"
  ;;

sight)
  sighting=gone
  if read -r _ shim shim_start agent agent_start agent_boot _ <"$2/process"; then
    look_at_boot
    if [ "$boot" = "$agent_boot" ]; then
      if lives "$agent" "$agent_start"; then sighting=agent; fi
      if lives "$shim" "$shim_start"; then sighting=shim; fi
    fi
  fi
  echo "$sighting"
  ;;

agent)
  dir=$2 run=$3 locks=$4 shim=$5 shim_start=$6
  shift 6
  look_at $$
  look_at_boot
  printf '%s %s %s %s %s %s %s\n' "$run" "$shim" "$shim_start" $$ "$start" "$boot" "$locks" >"$dir/process" || exit 70
  # Whoever stops a task writes `stop` before it reads `process`: one of the two sees the other.
  if [ -e "$dir/stop" ]; then
    printf '%s -\n' "$run" >"$dir/exit"
    exit 71
  fi
  eval "${SHIM_RESTORE-}" 2>/dev/null
  exec "$@"
  ;;

run)
  dir=$2 run=$3 limit=$4 grace=$5 bell=$6
  shift 6
  exec 3<&0 </dev/null 8>>"$dir/tree.lock" 9>>"$dir/shim.lock"
  locks=none
  if command -v flock >/dev/null; then
    locks=flock
    # A server that looks whether we live holds the lock for a moment.
    flock -w 10 9 && flock -w 10 8 || exit 75
  fi
  look_at $$
  (
    let_pass "$limit" || give_up "time limit"
    stop_agent timeout
  ) 3<&- 8>&- 9>&- &
  helpers=$!
  if [ "$grace" != - ]; then
    (
      { accompany lifeline && let_pass "$grace"; } || give_up "tie to the server"
      stop_agent server_gone
    ) 8>&- 9>&- &
    helpers="$helpers $!"
  fi
  # Not '': an ignored signal would stay ignored in Codex. And not before the helpers, which would inherit this trap for
  # an instant and lose the signal that dismisses them.
  trap : TERM INT HUP
  # In the foreground, because a shell makes what it runs in the background ignore SIGINT.
  /bin/sh "$0" agent "$dir" "$run" $locks $$ "$start" "$@" <"$dir/prompt.txt" >>"$dir/events.jsonl" 2>>"$dir/stderr.log" 3<&- 9>&-
  status=$?
  for helper in $helpers; do
    look_at "$helper"
    # One that gave up long ago may have left its number to a stranger.
    case $parent in $$ | -) kill "$helper" 2>/dev/null ;; esac
  done
  # An agent that was stopped before it could start has no status of its own, and has said so itself.
  ended=
  read -r ended _ 2>/dev/null <"$dir/exit"
  [ "$ended" = "$run" ] || printf '%s %s\n' "$run" "$status" >"$dir/exit"
  : >"$bell/${dir##*/}"
  # shellcheck disable=SC2086
  wait $helpers
  ;;
esac
