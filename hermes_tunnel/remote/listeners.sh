# Lists what listens on TCP ports of this machine, without connecting to any. $1 nonce. Sent like find_and_run.sh.
# ss(8) also names the programs; failing that, the kernel's own table, or netstat(1) on other systems.
echo "hermes-tunnel:$1:listeners";
ss -Hltnp 2>/dev/null || cat /proc/net/tcp /proc/net/tcp6 2>/dev/null || netstat -an -p tcp 2>/dev/null
