# Runs a script in a container, as the owner of the program's home there, and ends it there when this script ends:
# the engine's own exec would leave it running.
# $1 nonce; $2 terminal, or pipe if there is none, or - for what asks nothing and ends soon; for a person's own command
# screen if there is a terminal, and plain if there is none; $3 container; $4 user or -; $5 the variable that names the home and $6 the home if it is unset, or - and - if no home is looked for; then
# three scripts: one finds the home and its owner, one ends what was started, one is run; then the words of the last.
# Sent like find_and_run.sh.
n=$1; t=$2; c=$3; u=$4; v=$5; d=$6; f=$7; k=$8; s=$9; shift 9;
# As in find_and_run.sh.
if [ "$t" = terminal ]; then [ -t 0 ] || exit 126; stty -echo 2>/dev/null; fi;
for e in docker podman "sudo -n docker" "sudo -n podman"; do
  r=$($e container inspect -f "{{.State.Running}}" "$c" 2>/dev/null) && break;
  r=;
done;
if [ "$r" = true ]; then :; else
  w=; [ -z "$r" ] || w="$c is not running";
  for e in docker podman "sudo -n docker" "sudo -n podman"; do
    if [ -z "$r" ] && command -v "${e##* }" >/dev/null 2>&1; then
      o=$($e container inspect "$c" 2>&1 >/dev/null | tail -n 1);
      case $o in *"o such container"*) w=$o; break;; esac;
      w=${w:-$o};
    fi;
  done;
  w=${w:-there is neither docker nor podman};
  case $t in screen|plain) echo "$w" >&2;; *) echo "hermes-tunnel:$n:no-container:$w";; esac;
  exit 127;
fi;
# A container that hangs would hang the engine's client with it. A relay may take 30 seconds to begin, and its
# listener 60 to answer.
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
# The lifeline runs beside the program. Its input is a pipe that only this shell holds, so it notices however this
# shell ends, and then ends what is left in the container. Otherwise it reads the program's exit status, and exits
# with that. It has a session of its own, out of reach of the terminal's hang-up; to see the environment of root's
# processes it needs privileges.
exec 3<&0 4>&1;
l=$(command -v setsid); m=dumb;
[ "$t" = screen ] && m=${TERM:-dumb};
g=; case $u in 0|0:*|root) g=--privileged;; esac;
case $t in pipe|plain) i=;; *) i=-t;; esac;
{
  $x $i ${d:+-e "$v=$d"} -e TERM="$m" -e HERMES_TUNNEL="$n" "$c" sh -c "$s" hermes-tunnel "$@" <&3 >&4;
  echo $?;
} | $l $x $g "$c" sh -c "$k" hermes-tunnel "$n" 2>/dev/null 3<&- 4>&-
