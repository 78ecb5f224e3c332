# The shim: one small process per run, between the server and Codex.
#
#   sh shim.sh run   DIR RUN LIMIT GRACE BELL INPUT SLOT CAP N ROOT… COMMAND…  runs COMMAND for the task directory DIR
#   sh shim.sh agent DIR RUN LOCKS SHIM SHIM_START COMMAND…  (used by `run`) notes who it is, then becomes COMMAND
#
# It owns the exit code, the wall clock (LIMIT, seconds) and the locks, so that a crash of the server can neither kill
# nor block an agent and any later server can tell who lives; what else is done to a run stands in keeper.sh. COMMAND
# reads DIR/INPUT and writes straight into DIR/events.jsonl and DIR/stderr.log. With GRACE other than "-", standard
# input is a lifeline to the server: when it ends, the task is ended GRACE seconds later, unless another server drives
# it by then. Files of DIR, each one line ending with a newline (a line without one is half written):
#   process    RUN SHIM_PID SHIM_START AGENT_PID AGENT_START BOOT_ID LOCKS
#   stop       REASON, the first that came, for ever
#   interrupt  RUN, the latest that was to end before its task
#   exit       RUN STATUS [OOM], with "-" for an agent that was stopped before it could start
#   oom        RUN COUNT, of processes that the system had killed for lack of memory when the run was a second old
#   owner      PID START BOOT_ID of the server that drives the task, where LOCKS cannot tell
#   mounts     (several lines) "=BELL", then each place of a mount point in the N directories ROOT: "+PATH" for one that
#              was not there before the run, "-PATH" for one that was
# shim.lock is held while the shim lives, tree.lock while it or the agent lives, and so is the file SLOT, unless it is
# "-"; when somebody else holds that, the shim exits with 73 and leaves no trace. The first line of SLOT is `RUN SHIM_PID
# NAME_OF_DIR` of its last holder; while there is a SLOT.stale it is being replaced, see slot_files.ts. LOCKS is `flock`, or `none` where there
# is no flock(1) and only process ids and start times can tell. BELL/<name of DIR> is written last, BELL/slots when SLOT
# is free again. The middle of an events.jsonl or stderr.log of more than CAP bytes is dropped.
#
# The environment of the shim itself is the server's choice; that of COMMAND comes aside, see hand_over.ts, so that
# nothing in it, be it PATH, ENV or a function for bash, has a say before COMMAND itself runs.

# Seconds after which a helper looks whether it is still needed, for the first time and from then on.
first=1 slice=60
keeper=${0%/*}/keeper-${0##*/shim-}

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
dismissed='' killed='' full=''

# Lets $1 seconds pass, with $2 after each slice, or ends the helper when nobody is left whom it could end.
let_pass() {
  rest=${1%%.*} step=$first
  fraction=${1#"$rest"}
  while [ "$rest" -gt "$step" ]; do
    accompany sleep "$step" || return
    is_needed || exit 0
    $2
    rest=$((rest - step)) step=$slice
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

# Becomes the keeper that ends the task for the reason $1. The end of the agent dismisses it no more: there is more to
# be ended than the agent.
end_task() {
  is_needed || exit 0
  trap '' TERM
  [ -r "$keeper" ] || keeper=/dev/fd/5
  exec /bin/sh "$keeper" stop "$dir" "$1" >/dev/null
}

# Keeps the keeper within reach of end_task, should somebody remove it meanwhile.
hold_keeper() {
  [ ! -r "$keeper" ] || exec 5<"$keeper"
}

# Lives as long as the server does. A shell gives what it runs in the background /dev/null to read unless it is told.
lifeline() {
  exec cat <&3 >/dev/null
}

# Succeeds when somebody holds the lock of the task at this moment.
is_driven() {
  # Let go at once: for a server that tries it meanwhile it is taken.
  { flock -n 6; [ $? = 1 ]; } 6>>"$dir/task.lock"
}

# Succeeds while another server drives the task.
is_adopted() {
  if [ "$locks" = flock ]; then
    # A server that only looks whether anybody drives it has its lock for a moment. Not every sleep(1) knows fractions.
    is_driven && { accompany sleep 0.3 || accompany sleep 1; } && is_driven
  else
    read -r owner owner_start owner_boot <"$dir/owner" || return 1
    look_at_boot
    [ "$boot" = "$owner_boot" ] && lives "$owner" "$owner_start"
  fi
} 2>/dev/null

# Waits until no other server drives the task any more.
until_abandoned() {
  while is_adopted; do
    if [ "$locks" = flock ] && { accompany flock -w "$slice" 6; } 6>>"$dir/task.lock"; then return; fi
    # Not every flock(1) knows -w.
    accompany sleep 5
    is_needed || exit 0
  done
}

# What the clock does beside waiting: it drops the middle of what the agent writes where there is too much of it, and
# looks at that again only when it has grown by a quarter of what may be there. The first time
# it counts whom the system has killed: not at the start, which is to be fast, and still before the agent can be one.
look_after() {
  if [ -z "$killed" ]; then
    count_killed
    echo "$run $killed" >"$dir/oom"
  fi
  # shellcheck disable=SC2046
  set -- $(cd "$dir" && wc -c events.jsonl stderr.log)
  # The fifth word is their sum.
  [ "${5:-0}" -gt "${full:=$cap}" ] || return 0
  full=$(($5 + cap / 4))
  accompany /bin/sh "$keeper" trim "$dir" "$cap"
} 2>/dev/null

# Locks descriptor $1. A server that looks whether we live holds the lock for a moment.
take() {
  flock -w 10 "$1" && return
  # Not every flock(1) knows -w.
  for _ in 1 2 3 4 5; do
    flock -n "$1" && return
    sleep 1
  done
  return 1
} 2>/dev/null

# Locks descriptor 8 anew when an earlier run holds the lock of which no agent lives any more: one may have left it to
# what it has left behind.
take_from_earlier() {
  if read -r _ _ _ agent agent_start _ <"$dir/process" && lives "$agent" "$agent_start"; then return 1; fi
  rm -f "$dir/tree.lock"
  exec 8>>"$dir/tree.lock"
  flock -n 8
} 2>/dev/null

# Succeeds when one of the files "$@" is of a later run, whose notes this one must not touch.
is_outrun() {
  for file; do
    latest=0
    ! [ -e "$dir/$file" ] || read -r latest _ <"$dir/$file"
    if [ "${latest:-0}" -gt "$run" ]; then return 0; fi
  done
  return 1
} 2>/dev/null

# Sets $killed to the number of processes that the system has killed for lack of memory, counted as near as possible.
count_killed() {
  killed=-
  group=
  while IFS=: read -r hierarchy _ path; do [ "$hierarchy" != 0 ] || group=$path; done </proc/self/cgroup
  for file in "/sys/fs/cgroup$group/memory.events" /proc/vmstat; do
    [ ! -r "$file" ] || while read -r name count; do
      [ "$name" != oom_kill ] || { killed=$count && return; }
    done <"$file"
  done
} 2>/dev/null

# Writes $1 into the file of the exit.
note_exit() {
  printf '%s\n' "$1" >"$dir/exit" && return
  # On a full disk in the room of a file that nobody needs any more; longer than what was in it.
  [ -s "$dir/oom" ] && printf '%-40s\n' "$1" 1<>"$dir/oom" && mv -f "$dir/oom" "$dir/exit"
} 2>/dev/null

# Notes in which of the $1 directories that follow a sandbox would make which mount points.
note_mounts() {
  n=$1 mounts="=$bell
"
  while [ "$n" -gt 0 ]; do
    shift
    n=$((n - 1))
    # One line would become two.
    case $1 in *'
'*) continue ;; esac
    for name in .git .codex .agents .aws; do
      sign=+
      if [ -e "$1/$name" ] || [ -L "$1/$name" ]; then sign=-; fi
      mounts="$mounts$sign$1/$name
"
    done
  done
  printf %s "$mounts" >"$dir/mounts"
}

case $1 in
agent)
  dir=$2 run=$3 locks=$4 shim=$5 shim_start=$6
  shift 6
  look_at $$
  look_at_boot
  ! is_outrun process exit interrupt || exit 75
  printf '%s %s %s %s %s %s %s\n' "$run" "$shim" "$shim_start" $$ "$start" "$boot" "$locks" >"$dir/process" || exit 70
  # Whoever ends a task or a run writes `stop` or `interrupt` before it reads `process`: one of the two sees the other.
  interrupted=
  if [ -e "$dir/interrupt" ]; then read -r interrupted <"$dir/interrupt"; fi
  if [ -e "$dir/stop" ] || [ "$interrupted" = "$run" ]; then
    printf '%s -\n' "$run" >"$dir/exit"
    exit 71
  fi
  eval "${SHIM_RESTORE-}" 2>/dev/null
  exec "$@"
  ;;

run)
  dir=$2 run=$3 limit=$4 grace=$5 bell=$6 input=$7 slot=$8 cap=$9
  shift 9
  exec 3<&0 </dev/null
  locks=none
  if command -v flock >/dev/null; then
    locks=flock
    if [ "$slot" != - ]; then
      exec 7<>"$slot"
      flock -n 7
      case $? in 0) ;; 1) exit 73 ;; *) exit 75 ;; esac
      # Who replaces a slot says so before it reads who holds it: one of the two sees the other.
      holder="$run $$ ${dir##*/}" noted=
      if printf '%s\n' "$holder" >&7; then
        [ -e "$slot.stale" ] || read -r noted <"$slot"
        [ "$noted" = "$holder" ] || exit 73
      fi
    fi
    exec 8>>"$dir/tree.lock" 9>>"$dir/shim.lock"
    take 9 || exit 75
    flock -n 8 || take_from_earlier || exit 75
  fi
  # It may have waited for long.
  ! is_outrun process exit interrupt || exit 75
  look_at $$
  (
    hold_keeper
    let_pass "$limit" look_after || give_up "time limit"
    end_task timeout
  ) 3<&- 7>&- 8>&- 9>&- &
  helpers=$!
  if [ "$grace" != - ]; then
    (
      hold_keeper
      accompany lifeline || give_up "tie to the server"
      while :; do
        let_pass "$grace" : || give_up "tie to the server"
        # Without a grace nobody can adopt it in time.
        { [ "$grace" != 0 ] && is_adopted; } || end_task server_gone
        until_abandoned
      done
    ) 7>&- 8>&- 9>&- &
    helpers="$helpers $!"
  fi
  # Who interrupted an earlier run may still be at it: what that has left must not be taken for somebody's own.
  [ ! -s "$dir/mounts" ] || /bin/sh "$keeper" clear "$dir"
  [ "$1" = 0 ] || note_mounts "$@"
  shift $(($1 + 1))
  # Not '': an ignored signal would stay ignored in Codex. And not before the helpers, which would inherit this trap for
  # an instant and lose the signal that dismisses them.
  trap : TERM INT HUP
  # In the foreground, because a shell makes what it runs in the background ignore SIGINT.
  /bin/sh "$0" agent "$dir" "$run" $locks $$ "$start" "$@" <"$dir/$input" >>"$dir/events.jsonl" 2>>"$dir/stderr.log" 3<&- 9>&-
  status=$?
  for helper in $helpers; do
    look_at "$helper"
    # One that gave up long ago may have left its number to a stranger.
    case $parent in $$ | -) kill "$helper" 2>/dev/null ;; esac
  done
  oom=
  if [ "$status" = 137 ]; then
    oom=' unknown' noted='' before=-
    read -r noted before 2>/dev/null <"$dir/oom"
    count_killed
    if [ "$noted" = "$run" ] && [ "$before" != - ] && [ "$killed" != - ]; then
      oom=' no'
      [ "$killed" = "$before" ] || oom=' yes'
    fi
  fi
  # An agent that was stopped before it could start has no status of its own, and has said so itself.
  ended=
  read -r ended _ 2>/dev/null <"$dir/exit"
  [ "$ended" = "$run" ] || is_outrun process exit || note_exit "$run $status$oom"
  # Not `:`, with which a shell would end here if somebody had removed the place.
  true >"$bell/${dir##*/}"
  if [ "$slot" != - ] && [ "$locks" = flock ]; then
    # Also for those whom the agent has left the descriptor.
    flock -u 7
    true >"$bell/slots"
  fi
  for list in "$bell/mounts" "$bell"/mounts.*; do
    if [ -s "$list" ]; then /bin/sh "$keeper" tidy "$dir" "$bell/mounts" && break; fi
  done
  # shellcheck disable=SC2086
  wait $helpers
  exit 0
  ;;
esac
