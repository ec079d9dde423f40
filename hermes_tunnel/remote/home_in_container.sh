# Prints the owner of a program's home, as UID:GID, and the home. $1 the variable that names it or -, $2 where it is
# below a home directory if the variable is unset. Sent like find_and_run.sh.
s=; [ "$1" = - ] || { s=$; eval "s=$s$1"; };
for d in "$s" "$HOME/$2" /home/*/"$2" ~root/"$2"; do
  if [ -d "$d" ]; then set -- $(ls -ldn "$d"); echo "$3:$4 $d"; exit; fi;
done;
