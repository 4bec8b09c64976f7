"""A feed declared as data: who pushes what, how a record is judged, how it becomes state.

A service lists its feeds; everything else about receiving (spooling, hashing, receipts,
chunks, resuming, records, content) is done once, in this package.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import msgspec

from shared.crypto import Secrecy
from shared.deliveries.standing import Standing
from shared.events import Fact
from shared.identifiers import Problem
from shared.plan import Plan

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from shared.runtime import Runtime


class Disposition(StrEnum):
    """How a record ended; the four counts of a delivery add up to what was sent, for ever."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    HELD = "held"


class RowProblem(msgspec.Struct, frozen=True, array_like=True):
    """Why a record was rejected or held: a stable code a department can quote on the phone.

    ``pointer`` is the JSON pointer of the field (``""`` for the whole record). Messages are
    rendered from ``shared.problems`` texts by code, with ``params`` filled in.
    """

    code: str
    pointer: str = ""
    params: dict[str, str] = {}


Findings: TypeAlias = list[Problem | None]
"""One per record: what is wrong with its number, None where it is right or not given."""


@dataclass(frozen=True)
class DeliveryInfo:
    """What judging and applying may know of the delivery a record came in. Picklable."""

    id: str
    feed: str
    department: str
    units: frozenset[str] | None
    """Units the sender may speak for; None for all."""
    period: str
    received_at: datetime
    dry_run: bool = False
    seq: int = 0
    """Order of acceptance within the service."""


@dataclass(frozen=True)
class JudgeContext:
    """All a judge may look at besides the records: values only. Picklable."""

    delivery: DeliveryInfo
    plan: Plan
    secrecy: Secrecy
    today: date
    """The local day the delivery was received on."""
    numbers: Mapping[str, Findings] = field(default_factory=dict)
    """By field, of the records being judged: what is wrong with the number of each."""


class Verdict(NamedTuple):
    """A judged record: either ``row`` (values in the order of ``Feed.columns``) with its
    natural ``key`` and ``content_hash``, or ``problems``."""

    key: str = ""
    row: tuple[Any, ...] = ()
    content_hash: bytes = b""
    """16 bytes over what the record states, so that "same content" is one comparison."""
    problems: tuple[RowProblem, ...] = ()


class JudgedRow(NamedTuple):
    """An acceptable record on its way into the state."""

    no: int
    key: str
    content_hash: bytes
    row: tuple[Any, ...]


JudgedTuple = tuple[int, str, bytes, tuple[Any, ...]]
"""The same as it travels between processes."""


class Changed(NamedTuple):
    """A key whose state a chunk changed, in its final state (``shared.deliveries.state``)."""

    no: int
    """The record that made it so."""
    key: str
    row: tuple[Any, ...]
    revision: int
    previous: tuple[Any, ...] | None
    """The columns as they stood before the chunk; None for a new key."""
    ended: bool = False
    """Nothing is left of it: ``row`` is what ``Standing.ended`` made of the version taken back."""


class Recording(NamedTuple):
    """The delivery that facts come of, and the moment they are recorded at."""

    delivery: DeliveryInfo
    recorded_at: datetime
    restates: bool = False
    """As ``ApplyContext.restates``."""


class New(NamedTuple):
    """What rows of new keys come to."""

    rows: list[tuple[Any, ...]]
    """Values of ``Fresh.columns``, the key first; in any order."""
    shared: tuple[Any, ...]
    """Values of ``Fresh.shared``."""
    facts: Sequence[Fact]
    """In record order."""
    rest: Any = None
    """What there is to do beside, for ``Fresh.follow``. Picklable; None: nothing."""


@dataclass(frozen=True)
class Fresh:
    """What rows come to whose keys the state does not know yet, told ahead of the apply: the
    judging process then prepares state and facts as they are sent to the database.

    What ``make`` and ``follow`` do is what ``apply`` would do with the same rows, all of them
    applied, none of them releasing others. Rows of known keys, of keys that stand twice in a
    chunk, or that ``make`` leaves alone, go through ``apply`` as ever. Functions are importable
    by name. ``shared.deliveries.state.fresh_in`` makes the one of ``apply_state``.
    """

    table: str
    columns: Mapping[str, str]
    """Those each row has its own value of, the key first → PostgreSQL's types."""
    shared: Mapping[str, str]
    """Those all rows of a delivery have the same value of, likewise."""
    make: Callable[[Recording, Sequence[JudgedTuple], Any], New | None]
    """Of rows in record order and what ``ahead`` gave. Pure. None where only ``apply`` can tell
    what they come to."""
    unknown: tuple[tuple[str, str], ...] = ()
    """Further (table, column) that hold none of the keys, or ``apply`` has more to do."""
    ahead: Callable[[AsyncConnection, range, bytes], Awaitable[Any]] | None = None
    """Reads what ``make`` has to know of the state, before judging begins: of a segment's record
    numbers and text. Picklable; may be out of date when ``make``'s rows are written."""
    begin: Callable[[ApplyContext, Any], Awaitable[bool]] | None = None
    """Before the first rows are written: takes the locks that ``apply`` takes, and says whether
    what ``ahead`` gave is still so."""
    follow: Callable[[ApplyContext, Sequence[Any]], Awaitable[list[Fact]]] | None = None
    """After the last rows: does what their ``rest``, in record order, asks for. More facts."""


@dataclass
class Outcome:
    """What applying a chunk came to. Records not named in ``dispositions`` were applied."""

    dispositions: dict[int, Disposition] = field(default_factory=dict)
    problems: dict[int, tuple[RowProblem, ...]] = field(default_factory=dict)
    waiting_for: dict[int, str] = field(default_factory=dict)
    """For held records: the token whose arrival (see ``released``) lets them be judged again."""
    facts: list[Fact] = field(default_factory=list)
    """In record order; written to the outbox in the same transaction."""
    released: set[str] = field(default_factory=set)
    """Tokens this chunk made known; records of any feed of this service held for one of them
    are judged again through the same gate, after this chunk."""


@dataclass(frozen=True)
class ApplyContext:
    """The open transaction of one chunk and what it needs."""

    conn: AsyncConnection
    runtime: Runtime
    delivery: DeliveryInfo
    feed: Feed
    recorded_at: datetime
    replay: bool = False
    """Rows of this call were held before: state may meanwhile hold a version accepted later,
    which they must not undo (``upsert_state`` sees to it)."""
    restates: bool = False
    """What stood after these rows, or they themselves, was withdrawn: it never was true."""

    def is_behind(self, no: int, seq: int, record_no: int) -> bool:
        """Whether record ``no``, held before, comes too late: what stands was made by record
        ``record_no`` of the delivery accepted as ``seq``, after it."""
        return self.replay and (seq, record_no) > (self.delivery.seq, no)


Judge = Callable[[Sequence[Any], JudgeContext], list[Verdict]]
"""Pure: records of ``Feed.record`` in, one verdict each out, same order. Runs in a worker
process; must be importable by name."""

Apply = Callable[[ApplyContext, Sequence[JudgedRow]], Awaitable[Outcome]]
"""Rows of one chunk, in record order, into state and facts, inside the chunk's transaction.
The feed's advisory lock is held, so deliveries of one feed are applied one after another in
the order they were accepted."""


@dataclass(frozen=True)
class Feed:
    """A standing flow of records from one department."""

    name: str
    title_zh: str
    title_en: str
    departments: frozenset[str]
    """Departments (token claim) that may push it."""
    record: type[msgspec.Struct]
    """The record's shape: strict, unknown fields forbidden, every field documented."""
    period_kind: Literal["month", "dekad", "day"]
    columns: tuple[str, ...]
    """Columns of ``Verdict.row``."""
    judge: Judge
    apply: Apply
    example: Mapping[str, Any]
    """A record that would be applied, shown by GET /v1/feeds/{feed}."""
    obligation: str
    """The O-number it meets."""
    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Row problem codes of this feed: code → (zh, en) templates over ``RowProblem.params``."""
    personal: frozenset[str] = frozenset()
    """Fields masked wherever a record is shown."""
    standing: Standing | None = None
    """Where its versions stand; without it no delivery of the feed can be withdrawn."""
    fresh: Fresh | None = None
    """A quicker way for rows of new keys, with the same effect as ``apply``; None: there is
    none."""
    coded: Mapping[str, str] = field(default_factory=dict)
    """Field → the plan's coded list its codes stand in (``Plan.codes``)."""
    protected: frozenset[str] = frozenset()
    """Personal fields of which nothing at all is shown, not even a first character."""
    headings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field → the Chinese headings under which tables give it, besides the field's own Chinese
    name (the part of its description before " · "), the usual one first."""
