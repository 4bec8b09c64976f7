"""Made records of the feeds, as many as wanted, each with keys nobody has used before.

Firms carry registration numbers of the county offices with serial numbers from 1; persons carry
order numbers 980–995, which are not issued (``shared.identifiers.made``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any, Final

import msgspec

from kuomian.city.shape import COUNTY_PREFIXES
from shared.identifiers import make_identity_no, make_org_code, make_reg_no
from shared.periods import Month

PERIOD: Final = "2008-06"
LAST_ON: Final = Month.parse(PERIOD).last_on
ENROLLED_BY: Final = date(2008, 3, 31)
"""Before any period persons are reported for."""
_line = msgspec.json.Encoder().encode
_BORN_FROM, _BIRTH_DAYS, _ORDERS = date(1950, 1, 1), 14_000, range(980, 996)

Record = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """A kind of record: what it is pushed to, and a plain table of the same columns."""

    service: str
    feed: str
    department: str
    key: str
    columns: dict[str, str]
    """Name → PostgreSQL type; ``key`` is the primary key."""
    make: Callable[[int], Record]

    def records(self, first: int, size: int) -> list[Record]:
        """Records number ``first`` and on; every number makes a record of its own."""
        return [self.make(number) for number in range(first, first + size)]

    def tuples(self, records: Sequence[Record]) -> list[tuple[Any, ...]]:
        """The same as rows of the plain table."""
        return [tuple(record.get(name) for name in self.columns) for record in records]


def licence(number: int) -> Record:
    """A business licence of about 315 bytes."""
    unit = COUNTY_PREFIXES[number % len(COUNTY_PREFIXES)]
    on = LAST_ON - timedelta(days=number % 28)
    return {
        "licence_no": make_reg_no(f"{unit}2{number:07d}"),
        "name": f"本溪市示例第{number:07d}号商贸有限公司",
        "reg_type": "173",
        "industry": "65",
        "unit": unit,
        "licensed_on": on,
        "event": "registered",
        "event_on": on,
        "address": f"本溪市示例路{number % 997}号",
        "commitment_letter": number % 3 == 0,
        "notified_on": on,
        "headcount": number % 60,
    }


def person(number: int) -> Record:
    """An insured person without an employer, so that nothing has to be sent before."""
    order, rest = number % len(_ORDERS), number // len(_ORDERS)
    which, rest = rest % len(COUNTY_PREFIXES), rest // len(COUNTY_PREFIXES)
    if rest >= _BIRTH_DAYS:
        raise ValueError(f"no made identity number {number}")
    unit = COUNTY_PREFIXES[which]
    born = _BORN_FROM + timedelta(days=rest)
    return {
        "identity_no": make_identity_no(unit, born, _ORDERS[order]),
        "name": f"示例{number}",
        "unit": unit,
        "status": "retired" if number % 7 == 0 else "active",
        "worker_class": "flexible",
        "post": "worker",
        "enrolled_on": ENROLLED_BY - timedelta(days=number % 3650),
    }


def receipt(number: int) -> Record:
    """Money received on some day of the month's last dekad."""
    unit = COUNTY_PREFIXES[number % len(COUNTY_PREFIXES)]
    return {
        "receipt_no": f"SP-{number:09d}",
        "name": f"本溪市示例第{number % 5000:07d}号商贸有限公司",
        "month_for": PERIOD,
        "received_on": LAST_ON - timedelta(days=number % 9),
        "collecting_unit": unit,
        "pooled": f"{1000 + number % 9000}.50",
        "individual": f"{400 + number % 900}.00",
        "of_which_arrears": "0",
        "payer_count": number % 60,
        "tax_no": unit + make_org_code(f"{number % 5000:08d}"),
    }


LICENCES: Final = Made(
    "registration-feed",
    "business-licences",
    "industry-commerce",
    "licence_no",
    {
        "licence_no": "text",
        "name": "text",
        "reg_type": "text",
        "industry": "text",
        "unit": "text",
        "licensed_on": "date",
        "event": "text",
        "event_on": "date",
        "address": "text",
        "commitment_letter": "boolean",
        "notified_on": "date",
        "headcount": "int4",
    },
    licence,
)
PERSONS: Final = Made(
    "enrollment",
    "insured-persons",
    "agency",
    "identity_no",
    {
        "identity_no": "text",
        "name": "text",
        "unit": "text",
        "status": "text",
        "worker_class": "text",
        "post": "text",
        "enrolled_on": "date",
    },
    person,
)
RECEIPTS: Final = Made(
    "tax-feed",
    "receipts",
    "tax",
    "receipt_no",
    {
        "receipt_no": "text",
        "name": "text",
        "month_for": "text",
        "received_on": "date",
        "collecting_unit": "text",
        "pooled": "numeric",
        "individual": "numeric",
        "of_which_arrears": "numeric",
        "payer_count": "int4",
        "tax_no": "text",
    },
    receipt,
)


class Numbers:
    """Hands out numbers of records, none twice in a run."""

    def __init__(self, first: int = 1) -> None:
        self._next = first

    def take(self, size: int) -> int:
        """The first of ``size`` unused numbers."""
        first, self._next = self._next, self._next + size
        return first


def bodies(records: Sequence[Record], size: int) -> list[bytes]:
    """NDJSON bodies of ``size`` records each."""
    return [b"".join(_line(one) + b"\n" for one in part) for part in parts(records, size)]


def parts(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The rows in pieces of ``size``."""
    return (rows[at : at + size] for at in range(0, len(rows), size))


_keys = count(1)


def new_key() -> str:
    """An idempotency key nobody has used in this run."""
    return f"bench-{next(_keys):08d}"
