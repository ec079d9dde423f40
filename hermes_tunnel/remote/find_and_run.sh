# Finds Hermes, prints the begin marker and becomes Hermes.
# $1 nonce, $2 its path or -, then Hermes' words. Sent in single quotes, its lines joined by blanks: so no
# single quote, exclamation mark or backslash, and every command ends with a semicolon.
n=$1; h=$2; shift 2;
# Answers that we send are secrets; the terminal need not repeat them.
stty -echo 2>/dev/null;
# A non-interactive shell does not have ~/.local/bin on its PATH. The places are those of the installers.
if [ "$h" = - ]; then
  h=$(command -v hermes 2>/dev/null) ||
  for d in "$HOME/.local/bin" "$HOME/.hermes/hermes-agent/venv/bin" "$HOME/.hermes/hermes-agent/.venv/bin"
    /usr/local/bin /opt/hermes /opt/hermes/bin /opt/hermes/.venv/bin; do
    if [ -f "$d/hermes" ] && [ -x "$d/hermes" ]; then h=$d/hermes; break; fi;
  done;
fi;
if [ -f "$h" ] && [ -x "$h" ]; then
  echo "hermes-tunnel:$n:begin:$(id -un 2>/dev/null || id -u):${HERMES_HOME:-$HOME/.hermes}:$h";
else
  echo "hermes-tunnel:$n:missing:${h:-PATH, ~/.local/bin, ~/.hermes/hermes-agent, /usr/local/bin, /opt/hermes}";
  exit 127;
fi;
# SSH_TTY tells Hermes that no browser can be opened there, also where sudo has cleared the environment.
PYTHONUNBUFFERED=1; SSH_TTY=${SSH_TTY:-/dev/tty}; export PYTHONUNBUFFERED SSH_TTY;
exec "$h" "$@"
