# Prints the command lines of all processes above $1, nearest first, one per line: /bin/sh ancestor_commands.sh PID
# By /proc where there is one: a slim system has no ps(1), and that of busybox takes other options.
set -u

# Sets $parent and $command of process $1; fails if it is gone.
look_at() {
  parent=0
  if [ -r /proc/self/status ]; then
    while read -r key value; do
      [ "$key" = PPid: ] && parent=$value && break
    done <"/proc/$1/status" || return
    command=$(tr '\0\n' '  ' <"/proc/$1/cmdline")
  else
    line=$(ps -ww -o ppid= -o args= -p "$1") || return
    line=${line#"${line%%[! ]*}"}
    parent=${line%% *} command=${line#* }
  fi
} 2>/dev/null

look_at "$1"
while [ "$parent" -gt 1 ] && look_at "$parent"; do
  printf '%s\n' "$command"
done
