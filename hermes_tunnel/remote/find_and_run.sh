# Finds a program, prints the begin marker, and runs the program. Before and after, it says what the credential's
# file is like, without reading it.
# $1 nonce; $2 terminal, or pipe if there is none, or look to report only on the file; $3 the program's path or -;
# $4 its name; $5 folders to look for it in, as in PATH; $6 the variable that names its home or -; $7 its home if the
# variable is unset; $8 the file in its home or -; $9 its words, encoded. A folder that does not begin with a slash is
# below the home directory.
# Sent in single quotes, its lines joined by spaces: so it has no single quote, exclamation mark or backslash, and
# every command ends with a semicolon.
n=$1; t=$2; h=$3; c=$4; p=$5; v=$6; d=$7; f=$8; e=$9;
m=hermes-tunnel:$n;
# The answers that we send are secret, so the terminal must not echo them. Without one, both outputs are one.
case $t in terminal) stty -echo 2>/dev/null;; pipe) exec 2>&1;; esac;
s=; [ "$v" = - ] || { s=$; eval "s=$s$v"; };
d=${s:-$HOME/$d};
# What changes whenever a file does: its number, its size, its time, to the nanosecond if the system tells. GNU and
# busybox have stat -c, BSD and macOS stat -f.
look() {
  [ "$f" = - ] && return;
  s=$(stat -L -c %U:%a:%i,%s,%.9Z "$d/$f" 2>/dev/null || stat -L -f %Su:%Lp:%i,%z,%Fc "$d/$f" 2>/dev/null) ||
    if [ -e "$d/$f" ]; then s=unseen; else s=absent; fi;
  echo "$m:landed:$s:$d/$f";
};
if [ "$t" = look ]; then look; exit; fi;
# A non-interactive shell does not have ~/.local/bin on its PATH.
if [ "$h" = - ]; then
  l=PATH;
  h=$(command -v "$c" 2>/dev/null) || {
    IFS=:;
    for i in $p; do
      case $i in /*) l=$l:$i;; *) l="$l:~/$i"; i=$HOME/$i;; esac;
      if [ -f "$i/$c" ] && [ -x "$i/$c" ]; then h=$i/$c; break; fi;
    done;
    unset IFS;
  };
else l=$h;
fi;
if [ -f "$h" ] && [ -x "$h" ]; then echo "$m:begin:$(id -un 2>/dev/null || id -u):$d:$h";
else echo "$m:missing:$c:$l"; exit 127;
fi;
# Encoded words have a colon in place of a backslash, which is the character between the brackets.
decode() { printf %b "$(echo "$1" | LC_ALL=C tr %:@ "[-]")"; };
eval "$(decode "$e")";
# SSH_TTY tells Hermes not to open a browser here; sudo may have cleared it.
PYTHONUNBUFFERED=1; SSH_TTY=${SSH_TTY:-/dev/tty}; export PYTHONUNBUFFERED SSH_TTY;
look;
if [ "$t" = terminal ]; then
  # Ctrl-C is for the program; when the terminal hangs up, it ends us both.
  trap : INT;
  "$h" "$@";
  r=$?;
else
  # Input goes through a lifeline, which ends the program when the connection is lost. It signals more than once: the
  # first signal may come before there is a program, or be lost in a shell that is about to become it. The lifeline
  # runs in the background, because some shells wait for a whole pipeline, and in a shell of its own, because some
  # keep copies of redirected descriptors, and then the output would not end with the program.
  p=; last=$(decode p=:0044:0041);
  hang_up() { [ -z "$p" ] || kill "$p"; };
  trap hang_up TERM;
  exec 3<&0;
  { sh -c "cat; for i in 1 2 3; do kill $$ || break; sleep 1; done" <&3 2>/dev/null & } | "$h" "$@" 3<&- &
  # The dollar sign and the exclamation mark: the process started last.
  eval "$last";
  # A signal cuts the wait short.
  while wait "$p"; r=$?; kill -0 "$p" 2>/dev/null; do :; done;
fi;
look;
# End as the program did: by the same signal, if it was one.
trap - INT TERM;
if [ "$r" -gt 128 ] && s=$(kill -l "$r" 2>/dev/null); then kill -s "$s" $$; fi;
exit "$r"
