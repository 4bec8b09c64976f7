#!/bin/sh
# Take a base backup of the whole server while it serves, and check it file by file:
#   PGHOST=… PGUSER=… sh backup.sh /backup/base-2008-06-10
# Connects as libpq does (PGHOST, PGPORT, PGUSER, PGPASSFILE …) with a role that may replicate.
# The folder must not exist; it appears under its name only when it is whole. Together with the
# archive (archive.sh) it restores every moment after its end; without the archive, its end.
set -eu
umask 077

[ $# -eq 1 ] || { echo "usage: backup.sh NEW_FOLDER" >&2; exit 2; }
backup=$1
say() { printf '%s  %s\n' "$(date -u '+%Y-%m-%d %H:%M:%SZ')" "$*"; }

[ ! -e "$backup" ] || { echo "$backup is there already" >&2; exit 1; }
rm -rf "$backup.part"
say "backup: copying to $backup"
pg_basebackup --pgdata="$backup.part" --format=plain --wal-method=stream --checkpoint=fast \
    --manifest-checksums=SHA256 --no-password
pg_verifybackup --quiet "$backup.part"
sync
mv "$backup.part" "$backup"
say "backup: whole and verified, $(du -sk "$backup" | cut -f1) KiB"
