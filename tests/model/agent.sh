# A Codex for random histories: plain sh, so that hundreds of them start and end within seconds. The installer puts
# $MODEL, a directory, in front of this. Each line of the prompt that begins with `model:` names a request; the last one
# steers it:
#   model: key=K1 hold=1 signals=int,term child=1 code=0 turn=completed
# key: names the request; hold: it works until the file $MODEL/go/KEY holds CODE and TURN, and asks no clock for that;
# signals: those that it heeds, the others are ignored; child: it starts one in a session of its own, and leaves it;
# code, turn: how it ends, `turn` being its last event: completed, failed, none, or killed for one that kills itself.
# What really happened goes into $MODEL/ledger:
#   start KEYS TASK PID START THREAD    clash PID START THREAD, two on one thread
#   end KEYS PID START CODE TURN BY     by the signal that ended it, or `self`

case "$*" in
  --version) printf 'codex-cli 0.169.0\n'; exit 0 ;;
  'exec --help') exec cat "$MODEL_HELP/exec.txt" ;;
  'exec resume --help') exec cat "$MODEL_HELP/resume.txt" ;;
esac

keys='' key='' hold=0 signals=int,term child=0 code=0 turn=completed thread='' previous=''
while IFS= read -r line || [ -n "$line" ]; do
  case $line in model:*) ;; *) continue ;; esac
  hold=0 signals=int,term child=0 code=0 turn=completed
  for word in ${line#model:}; do
    case $word in
      key=*) key=${word#*=} keys=${keys:+$keys,}$key ;;
      hold=*) hold=${word#*=} ;;
      signals=*) signals=${word#*=} ;;
      child=*) child=${word#*=} ;;
      code=*) code=${word#*=} ;;
      turn=*) turn=${word#*=} ;;
    esac
  done
done
for argument do
  [ "$previous" != resume ] || thread=$argument
  previous=$argument
done

read -r stat </proc/$$/stat
# shellcheck disable=SC2086
set -- ${stat##*) }
start=${20}

# Says last what becomes of it, so that whoever kills it before leaves no end in the ledger.
finish() {
  trap '' INT TERM
  case $turn in
    completed)
      printf '{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"answer of %s"}}\n' "$key"
      printf '{"type":"turn.completed","usage":{"input_tokens":9,"cached_input_tokens":0,"output_tokens":1}}\n'
      ;;
    failed) printf '{"type":"turn.failed","error":{"message":"failure of %s"}}\n' "$key" ;;
  esac
  printf 'end %s %s %s %s %s %s\n' "$keys" $$ "$start" "$code" "$turn" "$1" >>"$MODEL/ledger"
  [ "$turn" != killed ] || kill -s KILL $$
  exit "$code"
}
heed() {
  case ,$signals, in *",$2,"*) trap "code=$3 turn=none; finish $1" "$1" ;; *) trap '' "$1" ;; esac
}
heed INT int 130
heed TERM term 143

if [ -z "$thread" ]; then
  read -r uuid </proc/sys/kernel/random/uuid
  # Its day stands in front, as in Codex's own: there its record is looked for.
  thread=$MODEL_DAY-7${uuid#????????-????-?}
  printf '{"type":"session_meta","payload":{"id":"%s","cwd":"%s"}}\n' "$thread" "$PWD" \
    >"$MODEL_SESSIONS/rollout-2026-01-01T00-00-00-$thread.jsonl"
fi
# Nobody can know of the thread before it is told here.
printf '{"type":"thread.started","thread_id":"%s"}\n{"type":"turn.started"}\n' "$thread"
printf 'start %s %s %s %s %s\n' "$keys" "${CODEX_SWARM_TASK_ID:--}" $$ "$start" "$thread" >>"$MODEL/ledger"
exec 5>>"$MODEL/threads/$thread"
flock -n 5 || printf 'clash %s %s %s\n' $$ "$start" "$thread" >>"$MODEL/ledger"
printf '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"work on %s"}}\n' "$key"
if [ "$child" = 1 ]; then
  # As Codex does it: its commands are left no descriptor of its own.
  setsid sleep 1000 </dev/null >/dev/null 2>&1 5>&- 7>&- 8>&- 9>&- &
fi
if [ "$hold" = 1 ]; then
  # Both ends, so that neither side waits for the other to open it; and open before the look, so that no call is missed.
  mkfifo "$MODEL/hold/$key"
  exec 4<>"$MODEL/hold/$key"
  [ -e "$MODEL/go/$key" ] || read -r _ <&4
  read -r code turn <"$MODEL/go/$key"
fi
finish self
