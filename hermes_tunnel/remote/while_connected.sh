# Becomes the program named by its words, and ends it when descriptor 4, the input of what started it, ends: with the
# connection. Sent like find_and_run.sh. The watcher is a shell of its own, because some shells keep copies of
# redirected descriptors, and then the output would not end with the program.
sh -c "read -r x; kill $$" <&4 >/dev/null 2>&1 &
exec "$@"
