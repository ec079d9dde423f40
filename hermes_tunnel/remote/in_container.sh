# Runs a script in a container, as the owner of the program's home there, and ends it there when this is ended here:
# the engine's own exec leaves it running.
# $1 nonce; $2 terminal, or pipe where there is none, or - for what asks nothing and ends soon; $3 container; $4 user
# or -; $5 the variable that names the home, $6 the home without that, - and - if there is none to look for; then three
# scripts: one finds the home and its owner, one ends what was started, one is to be run; then its words.
# Sent like find_and_run.sh.
n=$1; t=$2; c=$3; u=$4; v=$5; d=$6; f=$7; k=$8; s=$9; shift 9;
[ "$t" = terminal ] && stty -echo 2>/dev/null;
for e in docker podman "sudo -n docker" "sudo -n podman"; do
  r=$($e container inspect -f "{{.State.Running}}" "$c" 2>/dev/null) && break;
  r=;
done;
if [ "$r" = true ]; then :; else
  w=; [ -z "$r" ] || w="$c does not run";
  for e in docker podman "sudo -n docker" "sudo -n podman"; do
    if [ -z "$r" ] && command -v "${e##* }" >/dev/null 2>&1; then
      o=$($e container inspect "$c" 2>&1 >/dev/null | tail -n 1);
      case $o in *"o such container"*) w=$o; break;; esac;
      w=${w:-$o};
    fi;
  done;
  echo "hermes-tunnel:$n:no-container:${w:-there is neither docker nor podman}";
  exit 127;
fi;
# A container that hangs would hold the engine's client, and with it what is to be ended. A relay may take 30 seconds
# to begin, and its listener 60 to answer.
w=; if command -v timeout >/dev/null 2>&1; then w="timeout 120"; fi;
q=$d; d=;
if [ "$u" = - ] && [ "$q" = - ]; then u=;
elif [ "$u" = - ]; then
  o=$($w $e exec "$c" sh -c "$f" hermes-tunnel "$v" "$q" 2>/dev/null);
  u=${o%% *}; d=${o#"$u"}; d=${d# };
fi;
[ "$v" = - ] && d=;
x="$e exec -i ${u:+-u $u}";
if [ "$t" = - ]; then exec $w $x ${d:+-e "$v=$d"} "$c" sh -c "$s" hermes-tunnel "$@"; fi;
# Beside the program a lifeline: its input is a pipe that this shell alone holds, so it ends with this shell, however
# that ends, and then ends what is left in the container. Else it is told the program's exit status, and has the same.
# It has a session of its own, where the terminal's hang-up does not reach it; and of root's processes it sees the
# environment only with privileges.
exec 3<&0 4>&1;
l=$(command -v setsid);
g=; case $u in 0|0:*|root) g=--privileged;; esac;
i=; [ "$t" = pipe ] || i=-t;
{
  $x $i ${d:+-e "$v=$d"} -e TERM=dumb -e HERMES_TUNNEL="$n" "$c" sh -c "$s" hermes-tunnel "$@" <&3 >&4;
  echo $?;
} | $l $x $g "$c" sh -c "$k" hermes-tunnel "$n" 2>/dev/null 3<&- 4>&-
