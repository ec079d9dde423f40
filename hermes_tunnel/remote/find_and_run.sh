# Finds a program, prints the begin marker, runs the program, and tells before and after it what the file of its
# credential is like; reads nothing of that file.
# $1 nonce; $2 terminal, or pipe where there is none, or look to tell only of the file; $3 the path of the program or
# -; $4 its name; $5 folders to look for it, as in PATH; $6 the variable that names its home or -; $7 its home
# without that; $8 the file in its home or -; $9 its words, encoded. A folder without a slash before it is below the
# home directory.
# Sent in single quotes, its lines joined by blanks: so no single quote, exclamation mark or backslash, and every
# command ends with a semicolon.
n=$1; t=$2; h=$3; c=$4; p=$5; v=$6; d=$7; f=$8; e=$9;
m=hermes-tunnel:$n;
# Answers that we send are secrets; the terminal need not repeat them. Without one, both outputs are heard.
case $t in terminal) stty -echo 2>/dev/null;; pipe) exec 2>&1;; esac;
s=; [ "$v" = - ] || { s=$; eval "s=$s$v"; };
d=${s:-$HOME/$d};
# What changes with every change of a file: its number, its size, the time to the nanosecond where that is told. GNU
# and busybox have stat -c, BSD and macOS stat -f.
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
# What is encoded has a colon for a backslash, which is what is between the brackets here.
decode() { printf %b "$(echo "$1" | LC_ALL=C tr %:@ "[-]")"; };
eval "$(decode "$e")";
# SSH_TTY tells Hermes that no browser can be opened there, also where sudo has cleared the environment.
PYTHONUNBUFFERED=1; SSH_TTY=${SSH_TTY:-/dev/tty}; export PYTHONUNBUFFERED SSH_TTY;
look;
if [ "$t" = terminal ]; then
  # Ctrl-C is for the program; a terminal that is hung up ends us both.
  trap : INT;
  "$h" "$@";
  r=$?;
else
  # What is typed goes through a lifeline, which ends the program when the connection is gone; more than once, for one
  # signal may come before there is a program, or be forgotten by a shell that is about to become it. The lifeline is no
  # part of the pipeline, of which some shells would wait for all; and a shell of its own, for some keep copies of what
  # they have redirected, and the output would not end with the program.
  p=; last=$(decode p=:0044:0041);
  hang_up() { [ -z "$p" ] || kill "$p"; };
  trap hang_up TERM;
  exec 3<&0;
  { sh -c "cat; for i in 1 2 3; do kill $$ || break; sleep 1; done" <&3 2>/dev/null & } | "$h" "$@" 3<&- &
  # A dollar and an exclamation mark: the process that was started last.
  eval "$last";
  # A signal ends the waiting early.
  while wait "$p"; r=$?; kill -0 "$p" 2>/dev/null; do :; done;
fi;
look;
# As the program ended, so do we: of the same signal, if it was one.
trap - INT TERM;
if [ "$r" -gt 128 ] && s=$(kill -l "$r" 2>/dev/null); then kill -s "$s" $$; fi;
exit "$r"
