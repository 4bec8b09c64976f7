"""Whether today's figures can be trusted, and why not. Pure.

Lateness is judged by the receipt clock only, and only of feeds that figures are made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

FIGURE_FEEDS: Final = (
    "business-licences",
    "organisation-codes",
    "employer-checks",
    "receipts",
    "arrears",
    "employers",
    "insured-persons",
    "employer-applications",
    "person-applications",
)
"""Feeds that figures are made of, directly or by way of leads."""

LIST_FEEDS: Final = (
    "tax-registrations",
    "unenrolled-employers",
    "headcounts",
    "clearing-plans",
    "base-audits",
    "no-wage-persons",
    "deduction-reviews",
    "pre-levies",
    "census-units",
    "census-persons",
    "complaints",
    "inspection-findings",
)
"""Lists that are received and do not weigh in the verdict; what else the plan expects is not
received yet."""

SUBMITTED_FEEDS: Final = ("dekad-reports", "monthly-reports", "activities")
"""What reporting receives itself: no figure is made of it, so it does not weigh in the verdict."""

RECEIVED_FEEDS: Final = frozenset((*FIGURE_FEEDS, *LIST_FEEDS, *SUBMITTED_FEEDS))


class FeedState(StrEnum):
    """How one expected delivery stands."""

    IN = "in"
    NIL = "nil"
    LATE = "late"
    MISSING = "missing"
    NOT_DUE = "not-due"


class Came(NamedTuple):
    """What has come for one feed and period."""

    first_received_at: datetime
    all_nil: bool


def feed_state(due_at: datetime, now: datetime, came: Came | None) -> FeedState:
    """In time at the due moment exactly; early is never penalised."""
    if came is None:
        return FeedState.MISSING if due_at <= now else FeedState.NOT_DUE
    if came.first_received_at > due_at:
        return FeedState.LATE
    return FeedState.NIL if came.all_nil else FeedState.IN


def either(own: Came | None, for_all: Came | None) -> Came | None:
    """What has come for a unit: its own deliveries, and those that one sender gave for all."""
    if own is None or for_all is None:
        return own or for_all
    first = min(own.first_received_at, for_all.first_received_at)
    return Came(first, own.all_nil and for_all.all_nil)


class Owed(NamedTuple):
    """One expected delivery by name; without names of a unit where the feed is not by unit."""

    feed: str
    period: str
    unit_zh: str = ""
    unit_en: str = ""


class Verdict(StrEnum):
    """The answer to "can today's 旬报 be trusted?"."""

    YES = "yes"
    RESERVATIONS = "with-reservations"
    NO = "no"


VERDICT_WORDS: Final = {
    Verdict.YES: ("可以采信", "can be trusted"),
    Verdict.RESERVATIONS: ("可以采信,但有保留", "can be trusted, with reservations"),
    Verdict.NO: ("暂不可采信", "cannot be trusted yet"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands against the figures."""

    code: str
    grave: bool
    count: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What was looked at, as counts."""

    missing: Sequence[Owed] = ()
    late: Sequence[Owed] = ()
    held: int = 0
    rejected: int = 0
    dead_letters: int = 0
    gaps: int = 0
    stopped: bool = False
    on_the_way: int = 0
    restored: Sequence[str] = ()
    """Producers whose database was taken back to an earlier moment."""
    unknown_producers: Sequence[str] = field(default=())
    unplaced_units: Sequence[str] = field(default=())
    unknown_employers: int = 0
    """Payers the register does not know and whose money counts."""


def judge(found: Findings) -> tuple[Verdict, list[Reason]]:
    """No if something due is absent or lost; reservations if something is late, open or unsure."""
    reasons = list(_reasons(found))
    if any(reason.grave for reason in reasons):
        return Verdict.NO, reasons
    return (Verdict.RESERVATIONS if reasons else Verdict.YES), reasons


def _reasons(found: Findings) -> Iterable[Reason]:
    if found.missing:
        zh, en = _which(found.missing)
        yield Reason(
            "feeds-missing",
            True,
            len(found.missing),
            f"{len(found.missing)} 项到期报送未收到:{zh}",
            f"{len(found.missing)} deliveries due have not come: {en}",
        )
    if found.stopped:
        yield Reason(
            "consumer-stopped",
            True,
            1,
            "死信过多,事实的处理已停止",
            "too many dead letters: facts are no longer applied",
        )
    if found.dead_letters:
        yield Reason(
            "dead-letters",
            True,
            found.dead_letters,
            f"{found.dead_letters} 条事实无法处理,未计入",
            f"{found.dead_letters} facts could not be applied and do not count",
        )
    if found.gaps:
        yield Reason(
            "gaps",
            True,
            found.gaps,
            f"{found.gaps} 处事实缺号",
            f"{found.gaps} stretches of facts were never received",
        )
    if found.restored:
        names = _some(found.restored)
        yield Reason(
            "producer-restored",
            True,
            len(found.restored),
            f"{names} 的数据库曾恢复到更早时刻:此处已有其尚未发出的事实",
            f"the database of {names} was restored to an earlier moment: facts count here that it"
            " has not given",
        )
    yield from _reservations(found)


def _reservations(found: Findings) -> Iterable[Reason]:
    if found.late:
        zh, en = _which(found.late)
        yield Reason(
            "feeds-late",
            False,
            len(found.late),
            f"{len(found.late)} 项报送逾期收到:{zh}",
            f"{len(found.late)} deliveries came late: {en}",
        )
    if found.held:
        yield Reason(
            "records-held",
            False,
            found.held,
            f"{found.held} 条记录待查,尚未计入",
            f"{found.held} records are held and do not count yet",
        )
    if found.rejected:
        yield Reason(
            "records-rejected",
            False,
            found.rejected,
            f"{found.rejected} 条记录被退回",
            f"{found.rejected} records were rejected",
        )
    if found.on_the_way:
        yield Reason(
            "facts-on-the-way",
            False,
            found.on_the_way,
            f"{found.on_the_way} 条事实在途,尚未计入",
            f"{found.on_the_way} facts are on the way and do not count yet",
        )
    if found.unknown_producers:
        names = _some(found.unknown_producers)
        yield Reason(
            "producers-unknown",
            False,
            len(found.unknown_producers),
            f"无法查询 {names} 的发送情况",
            f"could not ask {names} what it has sent",
        )
    if found.unplaced_units:
        names = _some(found.unplaced_units)
        yield Reason(
            "units-unknown",
            False,
            len(found.unplaced_units),
            f"有数量记在方案之外的单位代码上:{names}",
            f"something stands under unit codes the plan does not know: {names}",
        )
    if found.unknown_employers:
        yield Reason(
            "employers-unknown",
            False,
            found.unknown_employers,
            f"{found.unknown_employers} 个有征缴金额的缴费单位尚未与参保登记关联",
            f"money was collected from {found.unknown_employers} employers not in the register",
        )


def _which(owed: Sequence[Owed]) -> tuple[str, str]:
    """Feed and period with the units it is of, each feed and period once; in zh and en."""
    units: dict[str, list[Owed]] = {}
    for one in owed:
        units.setdefault(f"{one.feed} {one.period}", []).append(one)
    zh = [name + _in_brackets([one.unit_zh for one in of]) for name, of in units.items()]
    en = [name + _in_brackets([one.unit_en for one in of]) for name, of in units.items()]
    return _some(zh), _some(en)


def _in_brackets(units: Sequence[str]) -> str:
    named = [unit for unit in units if unit]
    return f" ({_some(named, 3)})" if named else ""


def _some(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} …" if len(names) > most else shown
