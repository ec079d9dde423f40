# Becomes what a person typed. $1 program: the words are a program and its own; line: the first is a command line for the
# account's shell; shell: that shell itself. $2 the words, encoded, or -; $3 the values of BROWSER and of the variable
# that it needs, encoded, or -. Sent like find_and_run.sh.
k=$1; w=$2; b=$3;
# Encoded words have a colon in place of a backslash, which is the character between the brackets.
decode() { printf %b "$(echo "$1" | LC_ALL=C tr %:@ "[-]")"; };
case $b in
  -) ;;
  *) eval "$(decode "$b")"; BROWSER=$1; HERMES_TUNNEL_PAGE=$2; export BROWSER HERMES_TUNNEL_PAGE;;
esac;
case $w in -) set --;; *) eval "$(decode "$w")";; esac;
# In a container, SHELL is rarely set.
s=${SHELL:-$(command -v bash || echo sh)};
case $k in line) exec "$s" -c "$1";; shell) exec "$s" -l;; esac;
exec "$@"
