#!/bin/sh
# Make the topics named as arguments, or leave them alone when they are there. Repeatable.
set -eu

for topic in "$@"; do
    "${KAFKA_HOME:-/opt/kafka}/bin/kafka-topics.sh" --bootstrap-server "$KAFKA_BOOTSTRAP_SERVERS" \
        --create --if-not-exists --topic "$topic" \
        --partitions "$TOPIC_PARTITIONS" --replication-factor "$KAFKA_REPLICATION_FACTOR" \
        --config compression.type=zstd
done
