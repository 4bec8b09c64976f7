"""Every statement on the tables of a delivery. Nothing here decides, nothing here commits."""

from shared.deliveries.store.accepted import (
    ask_for_idle_feed,
    find_by_key,
    insert_delivery,
    insert_done,
    insert_only_segment,
    insert_reading,
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
    "ask_for_idle_feed",
    "chunks_from",
    "find_by_key",
    "find_delivery",
    "find_segment",
    "find_segment_of_record",
    "find_withdrawal",
    "insert_delivery",
    "insert_done",
    "insert_only_segment",
    "insert_reading",
    "list_deliveries",
    "lock_feed",
    "next_delivery",
    "note_failure",
    "problems_of",
    "save_progress",
    "segments_of",
    "versions_of",
    "write_chunk",
    "write_problems",
]
