#!/bin/sh
# Print .env.example with every empty secret filled in:
#   sh deploy/compose/make-env.sh > .env
set -eu
umask 077

example=$(dirname "$0")/../../.env.example
random() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }
key() { printf '1:%s' "$(head -c 32 /dev/urandom | base64 | tr -d '\n')"; }

while IFS= read -r line; do
    case $line in
        *_PASSWORD=) printf '%s%s\n' "$line" "$(random 24)" ;;
        DATA_KEYS= | HASH_KEYS= | RECEIPT_SIGNING_KEYS=) printf '%s%s\n' "$line" "$(key)" ;;
        *) printf '%s\n' "$line" ;;
    esac
done <"$example"
