# Reads its input to the end: an exit status, which it exits with, or nothing; then it ends every process that was
# started with the nonce in its environment. $1 nonce. Sent like find_and_run.sh.
r=$(cat);
[ -z "$r" ] || exit "$r";
for s in TERM KILL; do
  g=;
  for p in /proc/[0-9]*; do
    if grep -q "HERMES_TUNNEL=$1" "$p/environ" 2>/dev/null; then kill -$s "${p#/proc/}" 2>/dev/null && g=$p; fi;
  done;
  [ -n "$g" ] || break;
  sleep 1;
done;
exit 143
