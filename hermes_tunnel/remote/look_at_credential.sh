# Prints the path, owner, mode and times of a credential's file; reads nothing of it.
# $1 nonce, $2 profile or -, $3 the file below Hermes' home. Sent like find_and_run.sh.
d=${HERMES_HOME:-$HOME/.hermes}; [ "$2" = - ] || d=$d/profiles/$2; f=$d/$3;
# GNU and busybox have stat -c, BSD and macOS stat -f. Both times are by this machine's own clock.
s=$(stat -c %U:%a:%Y "$f" 2>/dev/null || stat -f %Su:%Lp:%m "$f" 2>/dev/null) || exit 1;
echo "hermes-tunnel:$1:landed:$s:$(date +%s):$f"
