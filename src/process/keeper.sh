# The keeper: what is done to a run from outside, whoever started it. shim.sh says what the files of DIR hold.
#
#   sh keeper.sh stop DIR REASON SIGNAL:MS…    ends the task for good, with all that belongs to it; prints a report
#   sh keeper.sh interrupt DIR RUN SIGNAL:MS…  ends one run and nobody but its agent; prints a report
#   sh keeper.sh sight DIR                     prints `shim`, `agent` or `gone`: who of the latest run still lives
#   sh keeper.sh observe DIR…                  prints a line `PLACE STATE CPU_MS PROCESSES` for each agent that lives
#   sh keeper.sh remember DIR…                 notes all that descend from each agent that lives, while that can be told
#   sh keeper.sh left DIR                      prints how many processes an ended run has left behind
#   sh keeper.sh adopt DIR PID                 makes PID the server that drives the task, where locks cannot tell
#   sh keeper.sh trim DIR CAP                  drops the middle of an events.jsonl or stderr.log of more than CAP bytes
#   sh keeper.sh clear DIR                     removes the mount points that an earlier run of the task has left
#   sh keeper.sh tidy DIR LIST                 removes the mount points in LIST that nobody needs any more
#
# A report is `gone` or `alive`, of the agent; the number of other processes that were killed; and the signals sent.
#
# A process belongs to a task when its environment says so, by our own mark or, unless that names another task or the time
# of its start says that it is of others who work on the thread, by Codex's; when it is the agent; when it descends from
# one that does; or when it once did and no mark names another task. What it is is looked up before each signal.

# Used where none is given: the default of run_host.ts.
ladder='INT:2000 TERM:2000 KILL:2000'
# For how many looks a sweep goes on: 4 s, should something outrun it or be beyond killing.
max_looks=80
# For how many of these only because of a process that shows no environment yet.
max_patient_looks=10

# Prints `process PID PARENT GROUP STATE START CPU_MS` for each process there is.
list_processes() {
  if [ -r /proc/self/stat ]; then
    awk -v ticks="$ticks" 'BEGIN {
      for (i = 1; i < ARGC; i++) {
        line = ""
        while ((getline part < ARGV[i]) > 0) line = line part " "
        close(ARGV[i])
        if (!sub(/.*\) /, "", line)) continue
        split(line, field, " ")
        pid = ARGV[i]
        gsub(/[^0-9]/, "", pid)
        used = field[12] + field[13] + field[14] + field[15]
        printf "process %s %s %s %s %s %.0f\n", pid, field[2], field[3], field[1], field[20], used * 1000 / ticks
      }
    }' /proc/[0-9]*/stat
  else
    LC_ALL=C TZ=UTC0 ps -A -o pid= -o ppid= -o pgid= -o state= -o time= -o lstart= | awk '{
      start = ""
      for (i = 6; i <= NF; i++) start = start $i "_"
      days = sub(/-/, ":", $5)
      n = split($5, part, ":")
      used = part[n] + 60 * part[n - 1] + (n > 2 ? 3600 * part[n - 2] : 0) + (days ? 86400 * part[1] : 0)
      printf "process %s %s %s %s %s %.0f\n", $1, $2, $3, $4, start, used * 1000
    }'
  fi
} 2>/dev/null

# Prints `/proc/PID/environ:NAME=VALUE` for each process that says to which task or thread it belongs.
list_marks() {
  if [ ! -r /proc/self/stat ]; then
    # Where only ps(1) can tell, it puts the environment behind the command, and so does each of its kinds otherwise.
    plain=$(ps -A -ww -o pid= -o command=)
    full=$(ps -A -E -ww -o pid= -o command=) || full=$(ps axeww -o pid= -o command=)
    printf '%s\n=\n%s\n' "$plain" "$full" | awk '
      $0 == "=" { second = 1; next }
      !second { command[$1] = $0; next }
      ($1 in command) && index($0, command[$1]) == 1 {
        n = split(substr($0, length(command[$1]) + 1), word, " ")
        for (i = 1; i <= n; i++)
          if (word[i] ~ /^CODEX_(SWARM_TASK|THREAD)_ID=/) print "/proc/" $1 "/environ:" word[i]
      }'
  else
    set -- -e '^CODEX_SWARM_TASK_ID=' -e '^CODEX_THREAD_ID='
    # It finds itself at least, unless it does not know -z.
    found=$(CODEX_THREAD_ID=none grep -Haz "$@" /proc/[0-9]*/environ /proc/self/environ | tr '\n\0' '\1\n')
    printf '%s\n' "$found"
    if [ -n "$found" ]; then return; fi
    for environ in $(grep -l -e CODEX_SWARM_TASK_ID= -e CODEX_THREAD_ID= /proc/[0-9]*/environ); do
      tr '\n\0' '\1\n' <"$environ" | grep -a "$@" | sed "s|^|$environ:|"
    done
  fi
} 2>/dev/null

# Looks for the living processes of tasks: of each line `task PLACE ID THREAD FROM TO` in $1, where the last two are "-"
# or the clock ticks between which one was started that nothing but its thread marks, and what descends from those of
# each line `root PLACE PID START`, which may be gone; with ` once` behind it if it counts only when no mark says that it
# is of another task. Prints
#   `member PID START` for each, `group PGID START` for each process group that holds nobody else, with the start of its
#   leader or "-", `again - -` when more have come meanwhile, and `young PID START` for each that belongs to nobody
#   known, may show no mark yet and is no older than the first root; never those from whom this process itself descends,
#   nor the shim $2 that was started at $3
# or, when $2 is "-", `PLACE STATE CPU_MS PROCESSES` for each task, with the state of its first root.
# Processes are listed before marks, so that no stranger can have taken the number of one that is marked.
list_members() {
  {
    printf '%s\n' "$1"
    list_processes
    [ "$with_marks" = 0 ] || list_marks
  } | awk -v self=$$ -v shim="$2" -v shim_start="$3" -v with_marks="$with_marks" '
    $1 == "task" { place[++tasks] = $2; id[tasks] = $3; thread[tasks] = $4; from[tasks] = $5; to[tasks] = $6; next }
    $1 == "root" {
      roots[$2] = roots[$2] $3 " " $4 " " (NF > 4 ? "once" : "always") " "
      if ($4 ~ /^[0-9]+$/ && (oldest == "" || $4 + 0 < oldest)) oldest = $4 + 0
      next
    }
    $1 == "process" {
      parent[$2] = $3; group[$2] = $4; state[$2] = $5; start[$2] = $6; used[$2] = $7
      children[$3] = children[$3] $2 " "
      next
    }
    /^\/[a-z]+\/[0-9]+\/environ:/ {
      pid = entry = $0
      sub(/^\/[a-z]+\//, "", pid)
      sub(/\/.*/, "", pid)
      sub(/^[^:]*:/, "", entry)
      marked[pid]
      if (entry ~ /^CODEX_SWARM/) owned[pid]
      says[pid, entry]
    }
    function is_dead(pid) { return state[pid] ~ /^[ZX]/ }
    function add(pid) {
      if (!(pid in start) || (pid in member)) return
      member[pid]
      queue[++last] = pid
    }
    # Whoever works on the thread without us, before the task or after it, gives his processes its mark as well.
    function is_marked(pid, t) {
      if ((pid, "CODEX_SWARM_TASK_ID=" id[t]) in says) return 1
      if (pid in owned || !((pid, "CODEX_THREAD_ID=" thread[t]) in says)) return 0
      if (from[t] != "-" && (pid in start) && start[pid] + 0 < from[t] + 0) return 0
      return to[t] == "-" || ((pid in start) && start[pid] + 0 <= to[t] + 0)
    }
    function is_others(pid, t) { return pid in owned && !((pid, "CODEX_SWARM_TASK_ID=" id[t]) in says) }
    function find(t,    n, i, root, pid, child, at) {
      split("", member)
      last = 0
      n = split(roots[place[t]], root, " ")
      for (i = 1; i < n; i += 3)
        if (root[i] in start && start[root[i]] == root[i + 1] && (root[i + 2] == "always" || !is_others(root[i], t)))
          add(root[i])
      for (pid in marked)
        if (is_marked(pid, t)) {
          if (pid in start) add(pid)
          else has_more = 1
        }
      for (at = 1; at <= last; at++) {
        # What lists them would always find itself.
        if (queue[at] == self) continue
        n = split(children[queue[at]], child, " ")
        for (i = 1; i <= n; i++) add(child[i])
      }
    }
    function observe(t,    at, cpu, count) {
      for (at = 1; at <= last; at++) if (!is_dead(queue[at])) { cpu += used[queue[at]]; count++ }
      if (count) printf "%s %s %.0f %d\n", place[t], substr(state[queue[1]], 1, 1), cpu, count
    }
    function list(    pid, at, mixed, whole) {
      for (pid = self; pid in parent; pid = parent[pid]) kept[pid]
      if (shim in start && start[shim] == shim_start) kept[shim]
      for (pid in start) if (!is_dead(pid) && (!(pid in member) || pid in kept)) mixed[group[pid]]
      for (at = 1; at <= last; at++) {
        pid = queue[at]
        if (is_dead(pid) || pid in kept) continue
        print "member", pid, start[pid]
        if (group[pid] > 1 && !(group[pid] in mixed)) whole[group[pid]]
      }
      for (pid in whole) print "group", pid, (pid in start) ? start[pid] : "-"
      if (has_more) print "again - -"
      if (!with_marks || oldest == "") return
      # Those without a group are the own ones of the system.
      for (pid in start)
        if (start[pid] >= oldest && group[pid] > 1 && !(pid in member) && !(pid in marked) && !(pid in kept) &&
            !is_dead(pid)) print "young", pid, start[pid]
    }
    END {
      for (t = 1; t <= tasks; t++) {
        find(t)
        if (shim == "-") observe(t)
      }
      if (shim != "-") list()
    }'
}

# Sets who takes part in the latest run of $dir; fails when nobody has noted himself.
read_process() {
  read -r noted shim shim_start agent agent_start agent_boot _ <"$dir/process"
} 2>/dev/null

# Does the same where no note is left: of those that bear the mark the first one is taken for the agent.
guess_process() {
  noted=0 shim=0 shim_start=- agent=0 agent_start=- agent_boot='' thread=- from=- to=-
  # shellcheck disable=SC2046
  set -- $(list_family)
  while [ $# -gt 2 ]; do
    # Two that were started within one tick of the clock have their numbers in their order.
    if [ "$1" = member ] && { [ "$agent" = 0 ] || [ "$3" -lt "$agent_start" ] ||
      { [ "$3" -eq "$agent_start" ] && [ "$2" -lt "$agent" ]; }; }; then
      agent=$2 agent_start=$3 agent_boot=$boot
    fi
    shift 3
  done
} 2>/dev/null

# Succeeds while the agent that read_process found is alive, and no process of another boot.
agent_lives() {
  look_at_boot
  [ "$boot" = "$agent_boot" ] && lives "$agent" "$agent_start"
}

# Sets $thread to the thread that the task works on, "-" where there is none yet or none whose mark tells anything, and
# $from and $to to the clock ticks between which a process was started that nothing else marks.
read_thread() {
  thread=$(head -c 1000 "$dir/events.jsonl" 2>/dev/null)
  thread=${thread%%
*}
  case $thread in *'"thread_id":"'*) thread=${thread#*'"thread_id":"'} ;; *) thread= ;; esac
  thread=${thread%%'"'*}
  case $thread in '' | *[!0-9A-Za-z-]*) thread=- ;; esac
  from=- to=-
  # Before its first agent nobody belonged to the task.
  case $noted:$agent_start in *[!0-9:]*) ;; 1:*) from=$agent_start ;; esac
  agent_lives || find_end || thread=-
}

# Sets $to to the end of the run that read_process found, and a second more, since clocks tell that by the second; fails
# where it cannot be told.
find_end() {
  [ "$boot" = "$agent_boot" ] || return 1
  last=$dir/exit ended=0
  read -r ended _ <"$last"
  # Its shim was killed: then the last thing that it wrote is as near as can be.
  [ "$ended" -ge "$noted" ] || last=$dir/events.jsonl
  written=$(stat -c %Y "$last") && now=$(date +%s) && read -r uptime _ </proc/uptime || return 1
  ticks=$(getconf CLK_TCK) || ticks=100
  # Hundredths, to which that 1 adds the second.
  to=$((((${uptime%.*} - now + written) * 100 + 1${uptime#*.}) * ticks / 100))
} 2>/dev/null

# Prints what list_members does of the task in $dir: its agent, what descends from $family, and what is marked.
list_family() {
  roots=$family
  [ "$agent_boot" != "$boot" ] || roots="$roots
root 1 $agent $agent_start"
  list_members "task 1 ${dir##*/} $thread $from $to$roots" "$shim" "$shim_start"
}

# Sleeps for $1 hundredths of a second.
nap() {
  case $1 in ?) hundredths=0$1 ;; *) hundredths=$1 ;; esac
  # Not every sleep(1) knows fractions.
  sleep "0.$hundredths" 2>/dev/null || sleep 1
}

# Adds all that descends from the agent to $family: when it has ended, only their marks tell whose they were, if any.
remember() {
  # shellcheck disable=SC2046
  set -- $(with_marks=0 && list_family)
  while [ $# -gt 2 ]; do
    [ "$1" != member ] || family="$family
root 1 $2 $3"
    shift 3
  done
}

# Adds to $family whom `remember` has found.
recall() {
  while read -r noted_boot pid start; do
    [ "$noted_boot" != "$boot" ] || family="$family
root 1 $pid $start once"
  done <"$dir/family"
} 2>/dev/null

# Sends the agent the signals in "$@" until it has ended. Sets $end to `gone` or `alive`, and $signals to those sent.
climb() {
  end=gone signals=
  for rung; do
    agent_lives || return 0
    if [ "$is_for_good" = 1 ]; then
      remember
      lives "$agent" "$agent_start" || return 0
    fi
    kill -s "${rung%:*}" "$agent" 2>/dev/null && signals="$signals ${rung%:*}"
    left=$((${rung#*:} / 10)) pace=1
    while lives "$agent" "$agent_start"; do
      [ "$left" -gt 0 ] || continue 2
      [ "$pace" -le "$left" ] || pace=$left
      nap "$pace"
      left=$((left - pace))
      [ "$pace" -ge 8 ] || pace=$((pace * 2))
    done
    return 0
  done
  end=alive
}

# Kills all that belong to the task, and what they start meanwhile. Sets $swept to their number; fails when some are left.
sweep() {
  swept=0 killed=' ' looks=0 patient_looks=0
  while [ "$looks" -lt "$max_looks" ]; do
    looks=$((looks + 1)) found=''
    # shellcheck disable=SC2046
    set -- $(list_family)
    while [ $# -gt 2 ]; do
      case $1 in
      member) found=1 && kill_member "$2" "$3" ;;
      group) kill_group "$2" "$3" ;;
      again) found=1 ;;
      young) if [ -z "$found" ] && is_becoming "$2" "$3"; then found=young; fi ;;
      esac
      shift 3
    done
    case $found in
    '') return 0 ;;
    young) [ $((patient_looks += 1)) -le "$max_patient_looks" ] || return 0 ;;
    esac
    # Some take their time to go.
    [ "$looks" -lt 3 ] || nap 5
  done
  return 1
}

# Succeeds for process $1 that was started at $2 while it becomes another program: until that is there it shows no
# environment, and with its parent gone nothing tells whose it is.
is_becoming() {
  shown=
  [ -r "/proc/$1/environ" ] && { read -r shown || :; } <"/proc/$1/environ" && [ -z "$shown" ] && lives "$1" "$2"
} 2>/dev/null

# Kills process $1 that was started at $2, and counts it once.
kill_member() {
  lives "$1" "$2" && kill -s KILL "$1" || return 0
  case $killed in *" $1:$2 "*) return 0 ;; esac
  killed="$killed$1:$2 "
  if [ "$1:$2" != "$agent:$agent_start" ]; then
    swept=$((swept + 1))
  else
    case $signals in *KILL*) ;; *) signals="$signals KILL" ;; esac
  fi
} 2>/dev/null

# Kills process group $1, so that none of it can start another one meanwhile. As long as there is such a group no other
# process can get its number: when that of its leader is not $2, "-" for one that is gone, it is another group.
kill_group() {
  look_at "$1"
  [ "$start" != "$2" ] || kill -s KILL -- "-$1"
} 2>/dev/null

# Succeeds while there is a mount at $1, in the eyes of any process: to remove its place would take it away.
is_mounted() {
  # In front of it may stand another root, as long as a sandbox is being made.
  place=$(printf %s "$1" | sed -e 's/\\/\\134/g' -e 's/ /\\040/g' -e 's/	/\\011/g')
  grep -qsF -e "$place " /proc/[0-9]*/mountinfo
}

# Sets $is_ours when $1 was made for a run, that of $dir or one beside it, and $is_shared while another such run lives.
ask_others() {
  is_ours=0 is_shared=0
  place=$1 mine=$dir
  found=$(cd "${mine%/*}" && printf '%s\n' */mounts | xargs grep -HxF -e "+$place" -e "-$place" 2>/dev/null)
  while IFS= read -r line; do
    dir=${mine%/*}/${line%%/*}
    sign=${line#*:}
    if [ "$dir" = "$mine" ]; then
      case $sign in +*) is_ours=1 ;; esac
    elif read_process && agent_lives; then
      is_shared=1
      case $sign in +*) is_ours=1 ;; esac
    elif [ -e "$dir/exit" ] && ! [ "$dir/exit" -ot "$mine/mounts" ]; then
      case $sign in +*) is_ours=1 ;; esac
    fi
  done <<EOT
$found
EOT
  dir=$mine
}

# Succeeds for a directory without anything in it.
is_empty() {
  [ -d "$1" ] && [ ! -L "$1" ] || return 1
  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [ -e "$entry" ] || [ -L "$entry" ]; then return 1; fi
  done
}

# Removes the empty mount points that the run in $dir has left. What is still in use is noted for the next who tidies.
tidy_run() {
  [ -s "$dir/mounts" ] && [ -r /proc/self/mountinfo ] || return 0
  while IFS= read -r line; do
    path=${line#?}
    case $line in =*) bell=$path && continue ;; esac
    is_empty "$path" || continue
    ask_others "$path"
    [ "$is_ours" = 1 ] || continue
    for _ in 1 2 3 4 5; do
      # The sandbox of an agent that has just ended may still be ending.
      if [ "$is_shared" = 1 ] || ! is_mounted "$path"; then break; fi
      nap 10
    done
    if [ "$is_shared" = 1 ] || is_mounted "$path"; then
      printf '%s\n' "$path" >>"$bell/mounts"
    else
      rmdir "$path" 2>/dev/null
    fi
  done <"$dir/mounts"
}

# Removes the mount points in the list $1 that nobody needs any more.
tidy_list() {
  for left in "$1".*; do
    # Who was at it may have been killed. Twice in the list does no harm.
    [ ! -f "$left" ] || kill -s 0 "${left##*.}" 2>/dev/null || { cat "$left" >>"$1" && rm -f "$left"; }
  done
  mv "$1" "$1.$$" 2>/dev/null || return 0
  while IFS= read -r path; do
    is_empty "$path" || continue
    ask_others "$path"
    if [ "$is_shared" = 1 ] || is_mounted "$path"; then
      printf '%s\n' "$path" >>"$1"
    else
      rmdir "$path" 2>/dev/null
    fi
  done <"$1.$$"
  rm -f "$1.$$"
}

# Drops the middle of the file $1 when more than $3 bytes of it are there, and tells in the file $2 which bytes.
trim() {
  log=$dir/$1 told=$dir/$2
  [ -s "$log" ] && command -v fallocate >/dev/null || return 0
  exec 6<"$log"
  # Another one may be at it.
  if command -v flock >/dev/null; then flock -n 6 || return 0; fi
  size=$(wc -c <&6) from='' to=0
  read -r from to 2>/dev/null <"$told"
  [ $((size - to + ${from:-0})) -gt "$3" ] || return 0
  head=$(($3 / 4)) tail=$(($3 / 2))
  [ "$head" -le 16777216 ] || head=16777216
  [ "$tail" -le 67108864 ] || tail=67108864
  head=$((head / 4096 * 4096)) end=$(((size - tail) / 4096 * 4096))
  [ "${from:-$head}" -ge "$head" ] || head=$from
  aside=$told.$$
  # Whether a hole can be made is tried where there is nothing to lose, and told before it is made.
  if : >"$aside" && fallocate --punch-hole --offset 0 --length 4096 "$aside" &&
    echo "$head $end" >"$aside" && mv -f "$aside" "$told"; then
    fallocate --punch-hole --offset "$head" --length $((end - head)) "$log"
    # For people; nobody who reads this one asks what was dropped.
    [ "$1" != stderr.log ] || printf '\nWARNING: codex-swarm: the middle of this file was dropped\n' >>"$log"
  else
    rm -f "$aside"
  fi
} 2>/dev/null

family='' ticks=100 with_marks=1
case $1 in
stop | interrupt)
  dir=$2 what=$3 end=gone signals='' swept=0 is_for_good=0
  [ "$1" = interrupt ] || is_for_good=1
  shift 3
  # The end of the server, or of the shim, must not end it halfway.
  trap '' TERM INT HUP
  if [ "$is_for_good" = 1 ]; then
    (set -C && printf '%s\n' "$what" >"$dir/stop") 2>/dev/null
  else
    printf '%s\n' "$what" >"$dir/interrupt"
  fi
  # shellcheck disable=SC2086
  [ $# -gt 0 ] || set -- $ladder
  look_at_boot
  # An agent that has not noted itself yet will see that file instead.
  if [ "$is_for_good" = 1 ]; then
    if read_process; then read_thread; else guess_process; fi
    climb "$@"
    recall
    if sweep || [ "$noted" != 0 ]; then end=gone; else end=alive; fi
    if agent_lives; then end=alive; fi
    if [ "$end" = gone ]; then tidy_run; fi
  elif read_process && [ "$noted" = "$what" ]; then
    climb "$@"
    agent_lives || end=gone
    if [ "$end" = gone ]; then tidy_run; fi
  fi
  echo "$end $swept$signals"
  ;;

sight)
  dir=$2 sighting=gone
  if read_process; then
    if agent_lives; then sighting=agent; fi
    if [ "$boot" = "$agent_boot" ] && lives "$shim" "$shim_start"; then sighting=shim; fi
  fi
  echo "$sighting"
  ;;

observe)
  shift
  place=0 ticks=$(getconf CLK_TCK 2>/dev/null) || ticks=100
  for dir; do
    place=$((place + 1))
    if read_process && agent_lives; then
      family="$family
task $place ${dir##*/} - - -
root $place $agent $agent_start"
    fi
  done
  list_members "$family" - -
  ;;

remember)
  shift
  with_marks=0 thread=- from=- to=-
  for dir; do
    family=''
    if read_process && agent_lives; then
      recall
      list_family | sed -n "s/^member/$boot/p" >"$dir/family.$$" && mv -f "$dir/family.$$" "$dir/family"
    fi
  done
  ;;

left)
  dir=$2 count=0
  if read_process; then
    look_at_boot
    read_thread
    recall
    # shellcheck disable=SC2046
    set -- $(list_family)
    while [ $# -gt 2 ]; do
      [ "$1" != member ] || count=$((count + 1))
      shift 3
    done
  fi
  echo "$count"
  ;;

adopt)
  dir=$2
  look_at "$3"
  look_at_boot
  echo "$3 $start $boot" >"$dir/owner.$$" && mv -f "$dir/owner.$$" "$dir/owner"
  ;;

trim)
  dir=$2
  trim events.jsonl events.dropped "$3"
  trim stderr.log stderr.dropped "$3"
  ;;

clear)
  dir=$2
  tidy_run
  ;;

tidy)
  dir=$2
  tidy_list "$3"
  ;;
esac
