"""Receipts that follow the first: what became of a delivery after it was answered.

A receipt never changes. What happens later (held records end, the delivery is withdrawn, what a
full list does not name is removed) is stated by a further signed receipt of the same delivery,
which names the SHA-256 of the one before: a chain whose last link adds up like the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.deliveries.receipts import LinkedFacts, digest, linked_receipt_of
from shared.deliveries.store import DeliveryRow, linked
from shared.runtime import Runtime


def sealed(runtime: Runtime, row: DeliveryRow) -> DeliveryRow:
    """The row with its first receipt signed, where a key is configured."""
    if runtime.signer is None or row.receipt is None:
        return row
    return replace(row, receipt_seal=cast("dict[str, Any]", runtime.signer.sign(row.receipt)))


async def link_receipt(
    conn: AsyncConnection,
    runtime: Runtime,
    row: DeliveryRow,
    kind: str,
    now: datetime,
    details: Mapping[str, Any],
) -> None:
    """A further receipt with the counts of now. ``row``: done, and locked in this transaction."""
    if row.receipt_sha256 is None:
        raise ValueError(f"delivery {row.id} has no receipt yet")
    no, previous = await linked.last_receipt(conn, row.id) or (0, bytes(row.receipt_sha256))
    facts = LinkedFacts(
        delivery=str(row.id),
        feed=row.feed,
        period=row.period,
        department=row.department,
        no=no + 1,
        kind=kind,
        previous=previous,
        made_at=row.not_before(now),
        clock=row.clock,
        details=details,
    )
    receipt = linked_receipt_of(facts, row.sent_count, row.counts, row.problem_counts)
    seal = None if runtime.signer is None else dict(runtime.signer.sign(receipt))
    await linked.insert_receipt(conn, row.id, no + 1, receipt, digest(receipt), seal)
