"""From counts to the receipt. Pure; a receipt that does not add up cannot be made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.deliveries.feed import Disposition
from shared.signing import canonical

CODES: Final[dict[Disposition, int]] = {
    Disposition.APPLIED: 1,
    Disposition.DUPLICATE: 2,
    Disposition.REJECTED: 3,
    Disposition.HELD: 4,
}
"""The byte that stands for a disposition in ``delivery_chunks.dispositions``."""

DISPOSITIONS: Final = {code: disposition for disposition, code in CODES.items()}

FIRST_PROBLEMS: Final = 20
"""So many problems stand on the receipt itself; all of them can be listed."""


_LEFT_STANDING: Final = (
    "没有一条记录入账，原报送不撤回 · none of its records counts: what it was to supersede stands"
)


class NotConserved(AssertionError):
    """Records were lost or counted twice; nothing may be committed."""


@dataclass(frozen=True)
class Counts:
    """How the records of a delivery, or a part of it, ended."""

    applied: int = 0
    duplicate: int = 0
    rejected: int = 0
    held: int = 0

    @classmethod
    def of(cls, dispositions: bytes | bytearray) -> Counts:
        """Counted from packed bytes. Raises NotConserved for a byte that says nothing."""
        counts = cls(*(dispositions.count(code) for code in CODES.values()))
        if counts.total != len(dispositions):
            raise NotConserved("a record without a disposition")
        return counts

    @property
    def total(self) -> int:
        return self.applied + self.duplicate + self.rejected + self.held

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.applied + other.applied,
            self.duplicate + other.duplicate,
            self.rejected + other.rejected,
            self.held + other.held,
        )

    def __sub__(self, other: Counts) -> Counts:
        return self + Counts(-other.applied, -other.duplicate, -other.rejected, -other.held)

    def conserve(self, sent: int) -> None:
        """sent = applied + duplicate + rejected + held, none negative; else NotConserved."""
        if self.total != sent or min(self.as_dict().values()) < 0:
            raise NotConserved(f"{sent} records were sent, {self} accounted for")

    def as_dict(self) -> dict[str, int]:
        return {
            "applied": self.applied,
            "duplicate": self.duplicate,
            "rejected": self.rejected,
            "held": self.held,
        }


def pack(count: int, first_no: int, dispositions: Mapping[int, Disposition]) -> bytearray:
    """One byte per record from ``first_no`` on; what is not named was applied.

    Raises NotConserved for a number outside.
    """
    packed = bytearray([CODES[Disposition.APPLIED]]) * count
    for no, disposition in dispositions.items():
        if not 0 <= no - first_no < count:
            raise NotConserved(f"record {no} is not among {first_no}…{first_no + count - 1}")
        packed[no - first_no] = CODES[disposition]
    return packed


@dataclass(frozen=True)
class ReceiptFacts:
    """What a receipt states besides the counts."""

    delivery: str
    feed: str
    period: str
    department: str
    idempotency_key: str
    received_at: datetime
    clock: str
    sha256: bytes
    size: int
    content_type: str
    nil: bool
    dry_run: bool
    completed_at: datetime
    reading: Mapping[str, Any] | None = None
    """Of a table: how it was understood."""
    mode: str = "append"
    supersedes: str | None = None
    left_standing: bool = False
    """Whether what it was to supersede stands, since none of its records counts."""
    removals: Mapping[str, Any] | None = None
    """Of a full list: what it does not name (``following.Removals``)."""
    effect: Mapping[str, Any] | None = None
    """Of a dry run: what it would have changed (``effects``)."""


def receipt_of(
    facts: ReceiptFacts,
    sent: int,
    counts: Counts,
    problems: Mapping[str, int],
    first_problems: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The receipt (F3, F5). A dry run's is marked void. Raises NotConserved."""
    counts.conserve(sent)
    return {
        "delivery": facts.delivery,
        "feed": facts.feed,
        "period": facts.period,
        "department": facts.department,
        "idempotency_key": facts.idempotency_key,
        "received_at": timestamp(facts.received_at),
        "clock": facts.clock,
        "body": {
            "sha256": facts.sha256.hex(),
            "size": facts.size,
            "content_type": facts.content_type,
        },
        **({"reading": facts.reading} if facts.reading is not None else {}),
        "nil": facts.nil,
        "mode": facts.mode,
        "supersedes": facts.supersedes,
        **({"supersedes_refusal": _LEFT_STANDING} if facts.left_standing else {}),
        "removals": None if facts.removals is None else dict(facts.removals),
        "sent": sent,
        **counts.as_dict(),
        "problems": dict(sorted(problems.items())),
        "first_problems": list(first_problems)[:FIRST_PROBLEMS],
        "dry_run": facts.dry_run,
        "void": facts.dry_run,
        "completed_at": timestamp(facts.completed_at),
        **({} if facts.effect is None else {"effect": dict(facts.effect)}),
    }


@dataclass(frozen=True)
class LinkedFacts:
    """What a further receipt of a delivery states besides the counts of now."""

    delivery: str
    feed: str
    period: str
    department: str
    no: int
    kind: str
    """``resolved``: held records ended; ``withdrawn``: the delivery was taken back;
    ``superseding``: the one it supersedes was; ``removals``: what a full list does not name was."""
    previous: bytes
    """SHA-256 of the receipt before it."""
    made_at: datetime
    clock: str
    details: Mapping[str, Any]


def linked_receipt_of(
    facts: LinkedFacts, sent: int, counts: Counts, problems: Mapping[str, int]
) -> dict[str, Any]:
    """A receipt that follows another of the same delivery. Raises NotConserved."""
    counts.conserve(sent)
    return {
        "delivery": facts.delivery,
        "feed": facts.feed,
        "period": facts.period,
        "department": facts.department,
        "no": facts.no,
        "kind": facts.kind,
        "previous_sha256": facts.previous.hex(),
        "sent": sent,
        **counts.as_dict(),
        "problems": dict(sorted(problems.items())),
        "made_at": timestamp(facts.made_at),
        "clock": facts.clock,
        "void": False,
        **facts.details,
    }


def digest(receipt: Mapping[str, Any]) -> bytes:
    """SHA-256 of the canonical bytes, by which a receipt can be shown to be unchanged."""
    return hashlib.sha256(canonical(receipt)).digest()


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.isoformat().replace("+00:00", "Z")


def merged(counts: Mapping[str, int], codes: Iterable[str], sign: int = 1) -> dict[str, int]:
    """Problem counts with so many more (or, ``sign`` −1, fewer); codes at zero are left out."""
    total = dict(counts)
    for code in codes:
        total[code] = total.get(code, 0) + sign
    return {code: count for code, count in total.items() if count}
