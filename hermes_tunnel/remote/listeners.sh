# Prints what listens on TCP ports of this machine, without connecting to any. $1 nonce. Sent like find_and_run.sh.
# ss(8) knows the programs as well; else the kernel's own table, and on other systems netstat(1).
echo "hermes-tunnel:$1:listeners";
ss -Hltnp 2>/dev/null || cat /proc/net/tcp /proc/net/tcp6 2>/dev/null || netstat -an -p tcp 2>/dev/null
