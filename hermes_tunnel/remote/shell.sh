# Prints the account's login shell. $1 nonce. Sent like find_and_run.sh.
echo "hermes-tunnel:$1:shell:$SHELL"
