"""Where the current versions of a feed stand, so that a delivery can be taken back.

Per natural key there are versions in the order of acceptance; the state holds the latest, with
the delivery and record that made it. Declaring where, and what "nothing is left" means, is all a
feed does for withdrawals, superseding, full lists and the effect of a dry run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, LiteralString

from sqlalchemy import Table

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

ENDED_HASH: Final = b"\0" * 16
"""Content hash of a key without a version: no record has it, so whatever comes is news."""

Ended = Callable[[dict[str, Any]], dict[str, Any]]
"""From a record's row by column to the row that says nothing is left of it: what the feed's
``apply`` publishes as ended, cancelled or zero. Pure."""

Refuses = Callable[["AsyncConnection", "UUID"], Awaitable[str | None]]
"""Why a delivery cannot be taken back as things stand (zh · en), or None."""

Lock = Callable[["AsyncConnection"], Awaitable[None]]


@dataclass(frozen=True)
class Standing:
    """Where a feed's versions stand. ``table`` has ``delivery_id`` and ``record_no``."""

    table: Table
    ended: Ended
    key: str = "natural_key"
    gone: LiteralString = "s.content_hash = '\\x00000000000000000000000000000000'"
    """SQL condition on a row ``s`` of the table: nothing is left of its key."""
    figures: Mapping[str, LiteralString] = field(default_factory=dict)
    """Sums a dry run compares, by unit: name → SQL aggregate over rows of the table. Names end in
    ``_fen`` for money and ``_count`` for all else."""
    lasting: bool = False
    """A full list stands for whatever period was told before, as a register does; otherwise only
    for what was delivered for the same period."""
    carried: LiteralString = "false"
    """SQL condition on a row ``s``: its state also carries something told by ``%(delivery)s``,
    though another delivery made it. Taking that one back then works the row out anew, too."""
    refuses: Refuses | None = None
    lock: Lock | None = None
    """Taken before the state is looked at, where other feeds write the table too."""
