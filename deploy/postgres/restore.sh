#!/bin/sh
# Make a data folder as the server was at a moment, from a base backup and the archive:
#   sh restore.sh /backup/base-2008-06-10 /backup/wal /var/lib/postgresql/data '2008-06-10 16:00:00+08'
# Run it as the user the server runs under. Without a moment: up to the end of the archive. The
# folder must be absent or empty. It ends with the server stopped: start it as you always do. A
# moment the archive does not reach is an error, never a silent best effort. Nothing connects from
# outside meanwhile. RESTORE_SECONDS bounds the replay (3600).
set -eu
umask 077

[ $# -eq 3 ] || [ $# -eq 4 ] || { echo "usage: restore.sh BACKUP ARCHIVE FOLDER [MOMENT]" >&2; exit 2; }
backup=$1 archive=$2 data=$3 moment=${4:-}
seconds=${RESTORE_SECONDS:-3600}
say() { printf '%s  %s\n' "$(date -u '+%Y-%m-%d %H:%M:%SZ')" "$*"; }

case "$archive$moment" in *"'"*) echo "no quotes in names, please" >&2; exit 2 ;; esac
if [ -d "$data" ] && [ -n "$(ls -A "$data")" ]; then
    echo "$data is not empty" >&2
    exit 1
fi
say "restore: checking $backup"
pg_verifybackup --quiet "$backup"
mkdir -p "$data"
chmod 700 "$data"
cp -a "$backup/." "$data/"
rm -f "$data/postmaster.pid"

sockets=$(mktemp -d)
trap 'rm -rf "$sockets"' EXIT
settings=$data/postgresql.auto.conf
cp -a "$settings" "$settings.kept"
{
    printf "restore_command = 'cp \"%s/%%f\" \"%%p\"'\n" "$archive"
    printf "recovery_target_action = 'promote'\n"
    [ -z "$moment" ] || printf "recovery_target_time = '%s'\n" "$moment"
    printf "listen_addresses = ''\nunix_socket_directories = '%s'\n" "$sockets"
} >>"$settings"
touch "$data/recovery.signal"

say "restore: replaying up to ${moment:-the end of the archive}"
log=$data/restore.log
fail() {
    tail -n 20 "$log" >&2
    pg_ctl stop --silent --pgdata="$data" --mode=immediate >/dev/null 2>&1 || true
    echo "restore: failed, $data is not usable" >&2
    exit 1
}
# It answers as soon as it is consistent; the control file says when the replay is over. A server
# whose archive ends before the moment gives itself up.
pg_ctl start --silent --wait --timeout="$seconds" --pgdata="$data" --log="$log" || fail
waited=0
until [ ! -e "$data/recovery.signal" ] &&
    pg_controldata "$data" | grep -q 'cluster state: *in production'; do
    [ "$waited" -lt "$seconds" ] || fail
    pg_ctl status --pgdata="$data" >/dev/null || fail
    sleep 1
    waited=$((waited + 1))
done
pg_ctl stop --silent --wait --pgdata="$data" --mode=fast
mv "$settings.kept" "$settings"
grep -E 'recovery stopping|last completed transaction|archive recovery complete' "$log" |
    sed 's/^.*LOG: *//' | while IFS= read -r line; do say "restore: $line"; done
say "restore: $data is ready to be started"
