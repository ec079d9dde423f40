# Finds a program, prints the begin marker, and runs the program. Before and after, it says what the credential's
# file is like, without reading it.
# $1 nonce; $2 terminal, or pipe if there is none, or look to report only on the file; $3 login_shell.sh, $4 the seconds
# it may take; $5 the program's path or -; $6 its name; $7 folders to look for it in, as in PATH; $8 the variable that
# names its home or -; $9 its home if the variable is unset; then the file in its home that names its profile or -; the
# credential's file in its home or -; its words, encoded. A folder that does not begin with a slash is below the home
# directory.
# Sent in single quotes, its lines joined by spaces: so it has no single quote, exclamation mark or backslash, and
# every command ends with a semicolon.
n=$1; t=$2; q=$3; w=$4; h=$5; c=$6; p=$7; v=$8; d=$9; shift 9; x=$1; f=$2; e=$3;
m=hermes-tunnel:$n;
# Where the server has refused the terminal, it may run us all the same, as we were sent along with the request.
# The answers that we send are secret, so the terminal must not echo them. Without one, both outputs are one.
case $t in terminal) [ -t 0 ] || exit 126; stty -echo 2>/dev/null;; pipe) exec 2>&1;; esac;
# The account's login shell is asked at most once, and only if need be: a person's start-up files may take seconds.
k=;
ask() {
  [ -z "$k" ] || return;
  s=setsid; command -v setsid >/dev/null 2>&1 || s="perl -MPOSIX -e setsid;exec@ARGV";
  k=$({ $s sh -c "$q" hermes-tunnel "$m" "$c" "$w" | sed -n "/$m:/,/$m:end/p;/$m:end/q"; } 2>/dev/null);
};
variable() { echo "$k" | sed -n "/$m:env/,/$m:end/s/^$1=//p" | tail -n 1; };
# In its words, what the name is if it is no program.
alias_or_function() {
  s=$(echo "$k" | sed "/$m:env/q" | grep -v "$m" | tr -s "[:space:]" " " | cut -c -500);
  case $s in *"aliased to "*|*" an alias "*|*" function"*|*"() {"*) ;; *) s=;; esac;
};
# Whether a start-up file mentions the variable, or an alias or a function of that name: if none does, the login shell
# need not be asked.
mentioned() {
  set --;
  [ -f "$HOME/.config/fish/functions/$c.fish" ] && return;
  for i in "$HOME"/.*profile* "$HOME"/.*login "$HOME"/.*rc* "$HOME"/.*env* "$HOME"/.*alias* "$HOME"/.*export*
    "$HOME"/.*local "$HOME"/.*.d/* "$HOME"/.zsh/* "$HOME"/.config/zsh/.z* "$HOME"/.config/fish/*
    "$HOME"/.config/fish/conf.d/* /etc/profile /etc/profile.d/* /etc/zsh/* /etc/fish/* /etc/fish/conf.d/*; do
    [ -f "$i" ] && set -- "$@" "$i";
  done;
  grep -q -s -e "$v" -e "alias *$c[ =]" -e "^ *$c *()" "$@" /dev/null;
};
b=;
if [ "$v" = - ]; then d=$HOME/$d; else
  s=$; eval "s=$s$v"; d=${s:-$HOME/$d};
  if mentioned; then
    ask; s=$(variable "$v");
    case $s in ""|"$d") ;; *) d=$s; b=$v; export "$v=$s";; esac;
  fi;
fi;
# A profile is a home below the one that all share, in profiles; unless one is given, a file there names it.
case $f:${d%/*} in
  profiles/*:*/profiles) d=${d%/profiles/*};;
  profiles/*|*:*/profiles) ;;
  *) s=; if [ -f "$d/$x" ]; then s=$(cat "$d/$x" 2>/dev/null); fi;
    case $s in ""|default|.*|*/*) ;; *) if [ -d "$d/profiles/$s" ]; then d=$d/profiles/$s; fi;; esac;;
esac;
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
  # The installers know more places than we do; the person's own shell knows theirs.
  if [ -z "$h" ]; then
    ask; s=$(variable PATH);
    if [ -n "$s" ]; then l="$l:the PATH of its login shell"; PATH=$s; export PATH; h=$(command -v "$c" 2>/dev/null); fi;
  fi;
else l=$h;
fi;
if [ -f "$h" ] && [ -x "$h" ]; then echo "$m:begin:$(id -un 2>/dev/null || id -u):$d:$h";
else
  alias_or_function;
  if [ -n "$s" ]; then echo "$m:alias:$c:$s"; else echo "$m:missing:$c:$l"; fi;
  exit 127;
fi;
[ -z "$b" ] || echo "$m:home:$b:$d";
[ -z "$k" ] || { alias_or_function; [ -z "$s" ] || echo "$m:alias:$s"; };
# A short script that hands over to a container or to another machine.
{
  read -r s; i=0;
  case $s in "#"?*/*)
    while [ "$i" -lt 40 ] && { read -r s || [ -n "$s" ]; }; do
      i=$((i + 1));
      case $s in
        "#"*) ;;
        *"docker "*"$c"*|*"podman "*"$c"*|*"nerdctl "*"$c"*|*"kubectl "*"$c"*|*"ssh "*"$c"*)
          echo "$m:wrapper:$s"; break;;
      esac;
    done;;
  esac;
} <"$h" 2>/dev/null;
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
