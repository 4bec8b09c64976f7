#!/bin/sh
# Keep one finished WAL file for ever; PostgreSQL calls it:
#   archive_mode = on
#   archive_timeout = 60
#   archive_command = 'sh /etc/kuomian/archive.sh %p %f /backup/wal'
# Succeeds only once the file is whole and durable under its name; never overwrites another one.
set -eu

[ $# -eq 3 ] || { echo "usage: archive.sh FILE NAME ARCHIVE" >&2; exit 2; }
file=$1 name=$2 archive=$3

if [ -e "$archive/$name" ]; then
    cmp -s "$file" "$archive/$name" && exit 0
    echo "$archive/$name is there already and differs: two servers must not share an archive" >&2
    exit 1
fi
cp "$file" "$archive/.$name.part"
sync "$archive/.$name.part"
mv "$archive/.$name.part" "$archive/$name"
sync "$archive"
