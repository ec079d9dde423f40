# Becomes the program that its words are, and ends it when the input of what started it ends: with the connection.
# That input is descriptor 4. Sent like find_and_run.sh. A shell of its own, for some keep copies of what they have
# redirected, and the output would not end with the program.
sh -c "read -r x; kill $$" <&4 >/dev/null 2>&1 &
exec "$@"
