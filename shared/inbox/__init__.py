"""A message applied once, with its effect; dead letters, gaps, replay."""

from shared.inbox.receiving import (
    Applied,
    BadMessage,
    Dismissed,
    Effect,
    FactBatch,
    GapSeen,
    Inbox,
    Received,
    Replayed,
    TooManyDeadLetters,
)
from shared.inbox.store import (
    DeadLetter,
    Gap,
    InboxStatus,
    Mark,
    inbox_tables,
    list_letters,
)

__all__ = [
    "Applied",
    "BadMessage",
    "DeadLetter",
    "Dismissed",
    "Effect",
    "FactBatch",
    "Gap",
    "GapSeen",
    "Inbox",
    "InboxStatus",
    "Mark",
    "Received",
    "Replayed",
    "TooManyDeadLetters",
    "inbox_tables",
    "list_letters",
]
