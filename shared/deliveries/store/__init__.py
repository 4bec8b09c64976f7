"""Every statement on the tables of a delivery. Nothing here decides, nothing here commits."""

from shared.deliveries.store.accepted import (
    find_by_key,
    insert_body,
    insert_delivery,
    insert_done,
    take_idle_feed,
)
from shared.deliveries.store.lookup import (
    chunks_from,
    find_delivery,
    find_segment,
    find_segment_of_record,
    list_deliveries,
    problems_of,
    segments_of,
    versions_of,
)
from shared.deliveries.store.progress import (
    lock_feed,
    next_delivery,
    note_failure,
    save_progress,
    write_chunk,
    write_problems,
)
from shared.deliveries.store.rows import CHANNEL, DeliveryRow, NewDelivery
from shared.deliveries.store.withdrawals import find_withdrawal

__all__ = [
    "CHANNEL",
    "DeliveryRow",
    "NewDelivery",
    "chunks_from",
    "find_by_key",
    "find_delivery",
    "find_segment",
    "find_segment_of_record",
    "find_withdrawal",
    "insert_body",
    "insert_delivery",
    "insert_done",
    "list_deliveries",
    "lock_feed",
    "next_delivery",
    "note_failure",
    "problems_of",
    "save_progress",
    "segments_of",
    "take_idle_feed",
    "versions_of",
    "write_chunk",
    "write_problems",
]
