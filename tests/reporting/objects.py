"""One function per thing a reporting test needs, with sensible defaults."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from reporting.figures import projections
from reporting.figures.postings import Counting
from reporting.figures.store import posting
from reporting.trust import projections as trust
from shared.bus import Message
from shared.database import Database
from shared.events import Fact, encode
from shared.events.enrollment import PersonChanged, PersonEnrolled
from shared.events.tax_feed import ArrearsRecorded, ContributionCollected
from shared.inbox import FactBatch, Received
from shared.plan import load_plan

AT = datetime(2008, 6, 10, 4, 0, tzinfo=UTC)
DELIVERY = str(UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0001))


def person(number: int = 1, revision: int = 1, **state: Any) -> PersonEnrolled | PersonChanged:
    """The state of a person: active employee of a private caterer in 平山区 since the opening."""
    kind = PersonEnrolled if revision == 1 else PersonChanged
    values: dict[str, Any] = {
        "unit": "210502",
        "status": "active",
        "worker_class": "employee",
        "ownership": "private",
        "trade": "catering",
        "enrolled_on": date(2008, 4, 30),
        "effective_on": date(2008, 4, 30),
        "delivery_id": DELIVERY,
        "record_no": number,
        **state,
    }
    name = f"person-{number:06d}"
    return kind(key=name, subject=name, person_id=name, revision=revision, recorded_at=AT, **values)


def receipt(number: int = 1, revision: int = 1, **state: Any) -> ContributionCollected:
    """A receipt of 1,000 yuan pooled and 400 individual, 200 of it arrears, on 2 June 2008."""
    values: dict[str, Any] = {
        "key": "oc:D2143569X",
        "unit": "210502",
        "month_for": "2008-05",
        "received_on": date(2008, 6, 2),
        "pooled_fen": 100_000,
        "individual_fen": 40_000,
        "arrears_pooled_fen": 20_000,
        "payer_count": 5,
        "delivery_id": DELIVERY,
        "record_no": number,
        "correction": revision > 1,
        **state,
    }
    return ContributionCollected(
        subject=f"receipt:{number}",
        receipt_no=str(number),
        revision=revision,
        recorded_at=AT,
        **values,
    )


def arrears(month: str, balance: int, carried: int, **state: Any) -> ArrearsRecorded:
    """The stock of arrears of one employer at the end of a month."""
    from shared.periods import Month

    values: dict[str, Any] = {
        "key": "oc:D2143569X",
        "unit": "210502",
        "revision": 1,
        "delivery_id": DELIVERY,
        "record_no": 1,
        **state,
    }
    return ArrearsRecorded(
        subject=f"arrears:{values['key']}:{month}",
        recorded_at=AT,
        month=month,
        as_at=Month.parse(month).last_on,
        balance_fen=balance,
        carried_fen=carried,
        **values,
    )


def message(fact: Fact, position: int) -> Message:
    return Message(
        id=fact.fact_id,
        type=fact.type_name(),
        source=fact.producer,
        key=fact.key,
        position=position,
        time="2008-06-10T04:00:00Z",
        traceparent=None,
        data=encode(fact),
    )


def batch(facts: Sequence[Fact], first_position: int = 1, partition: int = 0) -> FactBatch:
    """The facts as the inbox hands them to a handler."""
    received = [
        Received(first_position + i, message(fact, first_position + i), fact)
        for i, fact in enumerate(facts)
    ]
    return FactBatch(facts[0].producer, partition, first_position, received)


async def apply(
    database: Database,
    facts: Sequence[Fact],
    *,
    first_position: int = 1,
    partition: int = 0,
    at: datetime = AT,
) -> None:
    """Apply the facts as one batch, as the handler does."""
    counting = Counting.of(load_plan())
    given = batch(facts, first_position, partition)
    async with database.transaction() as conn:
        await posting.lock_shared(conn)
        await projections.apply(conn, counting, [given], at)
        await trust.apply(conn, facts)
