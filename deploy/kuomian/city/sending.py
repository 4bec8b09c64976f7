"""What is pushed, by whom and when; and what mess was planted in it on purpose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Literal

import msgspec

from shared.periods import LOCAL

Kind = Literal["ordinary", "again", "cut", "nil"]

SERVICE_OF = {
    "business-licences": "registration-feed",
    "organisation-codes": "registration-feed",
    "tax-registrations": "tax-feed",
    "employer-checks": "tax-feed",
    "unenrolled-employers": "tax-feed",
    "headcounts": "tax-feed",
    "receipts": "tax-feed",
    "arrears": "tax-feed",
    "clearing-plans": "tax-feed",
    "base-audits": "tax-feed",
    "no-wage-persons": "tax-feed",
    "deduction-reviews": "tax-feed",
    "pre-levies": "tax-feed",
    "employers": "enrollment",
    "insured-persons": "enrollment",
    "employer-applications": "enrollment",
    "person-applications": "enrollment",
    "dekad-reports": "reporting",
    "monthly-reports": "reporting",
    "activities": "reporting",
    "census-units": "enrollment",
    "census-persons": "enrollment",
    "complaints": "enrollment",
    "inspection-findings": "enrollment",
}

_line = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Planned:
    """One push: ``again`` repeats an earlier key and body, ``cut`` breaks off in its last
    record, ``nil`` states that there is nothing to report."""

    send_at: datetime
    role: str
    feed: str
    period: str
    key: str
    title: str
    records: int
    body: Callable[[], Iterator[bytes]]
    kind: Kind = "ordinary"
    expect: Counter[str] = field(default_factory=Counter)
    """Dispositions on the receipt; what is not named was applied."""
    plants: str = ""
    """The kind of mess that every record is, where none leaves another trace than being applied."""

    @property
    def service(self) -> str:
        """The service that receives the feed."""
        return SERVICE_OF[self.feed]

    @property
    def applied(self) -> int:
        """How many records the receipt should call applied."""
        return self.records - sum(self.expect.values())


@dataclass(frozen=True, slots=True)
class Planted:
    """One kind of mess: how often it was planted and what must become of it."""

    zh: str
    en: str
    count: int
    outcome_zh: str
    outcome_en: str


Body = Callable[[], Iterator[bytes]]


def ndjson(records: Iterable[Mapping[str, Any]]) -> Body:
    """A body of one JSON object a line, encoded now, so that later turns of the story do not
    change what was sent."""
    encoded = [_line(record) + b"\n" for record in records]
    return lambda: iter(encoded)


def lazy_ndjson(records: Callable[[], Iterable[Mapping[str, Any]]]) -> Body:
    """The same for a body too large to keep, of records that never change."""
    return lambda: (_line(record) + b"\n" for record in records())


def cut_off(whole: Body) -> Body:
    """The same body, broken off in the middle of its last record."""

    def lines() -> Iterator[bytes]:
        body = list(whole())
        yield from body[:-1]
        yield body[-1][: len(body[-1]) // 2]

    return lines


def local(on: date, hour: int, minute: int = 0) -> datetime:
    """A wall-clock moment in the city."""
    return datetime.combine(on, time(hour, minute), LOCAL)
