# Asks the account's login shell, started as it is for a person, what a name means to it and what its environment is;
# prints the answers between marks. $1 mark; $2 name; $3 seconds it may take. Sent like find_and_run.sh.
# Runs in a session of its own: so a start-up file has no terminal to take, and what it has started ends with this
# script, unless it has left the session. Without pkill only this process group does.
stop() { trap "" PIPE; echo "$1:end"; pkill -KILL -s 0; kill -KILL 0; };
{ sleep "$3"; stop "$1"; } &
export LC_ALL=C;
: "${SHELL:=sh}";
q=type; case $SHELL in *zsh|*csh) q=which;; esac;
q="echo $1:; $q $2; echo $1:env; env; echo $1:end";
case $SHELL in
  # csh is a login shell only if it has no other words.
  *csh) echo "$q" | "$SHELL" -l;;
  *) "$SHELL" -l -i -c "$q" </dev/null;;
esac;
stop "$1"
