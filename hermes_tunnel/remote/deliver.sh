# Gives its standard input, one HTTP request, to a port of this machine, and prints what is answered.
# $1 nonce, $2 port, then the loopback addresses to try. Sent like find_and_run.sh. By the first of python3,
# curl and nc that is here; the request stands in no argument, where everybody could read it.
m=hermes-tunnel:$1:; p=$2; shift 2;
if command -v python3 >/dev/null 2>&1; then
  echo "$m"relay;
  exec python3 -c "import socket, sys; r = sys.stdin.buffer.read();
    c = [(h, socket.socket(socket.AF_INET6 if chr(58) in h else socket.AF_INET)) for h in sys.argv[2:]];
    s = next(s for h, s in c if s.connect_ex((h, int(sys.argv[1]))) == 0); s.settimeout(30); s.sendall(r);
    [sys.stdout.buffer.write(d) for d in iter(lambda: s.recv(65536), bytes())]" "$p" "$@";
fi;
if command -v curl >/dev/null 2>&1; then
  echo "$m"relay;
  read -r a t a; read -r a o; o=$(printf %s "$o" | tr -d "[:cntrl:]");
  for h in "$@"; do
    case $h in *:*) h="[$h]";; esac;
    # The address is in a configuration on its standard input.
    echo "url = http://$h:$p$t" | curl -q -s -i -g -m 30 --noproxy "*" -H "Host: $o" -K -; r=$?;
    [ $r = 7 ] || exit $r;
  done;
  exit 7;
fi;
if command -v nc >/dev/null 2>&1; then
  echo "$m"relay;
  r=$(cat; echo .);
  for h in "$@"; do printf %s "${r%.}" | nc -w 30 "$h" "$p" && exit; done;
  exit 1;
fi;
echo "$m"none;
