"""How everything owed stood at a moment, put together from the plan, arrivals and marks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.schemas import UnitName
from reporting.figures.views import unit_name
from reporting.obligations import rules, schemas, store
from reporting.obligations.rules import Owed, Standing, State
from shared.money import percent
from shared.plan import Plan, PlanLookupError

Marks: TypeAlias = Mapping[tuple[str, str], store.Mark]
"""Standing marks by obligation and kind."""


@dataclass(frozen=True)
class Wanted:
    """Which obligations were asked for; None or empty for any. Days are of the period's cut-off,
    both included."""

    feed: str | None = None
    department: str | None = None
    unit: str | None = None
    period: str | None = None
    from_on: date | None = None
    to_on: date | None = None
    states: frozenset[State] = field(default_factory=frozenset)

    def has(self, owed: Owed) -> bool:
        """Whether it is one of those, leaving its state aside."""
        return (
            self.feed in (None, owed.feed)
            and self.department in (None, owed.department)
            and self.unit in (None, owed.unit)
            and self.period in (None, owed.period)
            and (self.from_on is None or self.from_on <= owed.cut_off_on)
            and (self.to_on is None or owed.cut_off_on <= self.to_on)
        )


@dataclass(frozen=True)
class Stood:
    """Obligations at a moment, in the order of lists, with the marks on them."""

    as_of: datetime
    standings: Sequence[Standing]
    marks: Marks

    def counts(self) -> dict[State, int]:
        """How many stand in each state; every state is named."""
        found = Counter(one.state for one in self.standings)
        return {state: found[state] for state in State}


async def stood(
    conn: AsyncConnection, plan: Plan, as_of: datetime, wanted: Wanted | None = None
) -> Stood:
    """Everything wanted as it stood at ``as_of``, whatever its state.

    By the receipt clock: a delivery received by then counts even where its fact came here later.
    """
    asked = wanted or Wanted()
    came = await store.arrivals(conn, as_of)
    marks = await store.marks_at(conn, as_of)
    owers = {feed.name: plan.owers(feed.name) for feed in plan.feeds}
    standings = []
    for owed in rules.owed_until(plan, as_of):
        if asked.has(owed):
            reason, excuse = marks.get((owed.id, "reason")), marks.get((owed.id, "excuse"))
            standings.append(
                rules.standing_of(
                    owed,
                    as_of,
                    rules.came_for(owed, came, owers[owed.feed]),
                    reason.id if reason else None,
                    excuse.id if excuse else None,
                )
            )
    return Stood(as_of, standings, marks)


def find_owed(plan: Plan, as_of: datetime, obligation: str) -> Owed | None:
    """The obligation of the id, None where there is none by then."""
    return next((owed for owed in rules.owed_until(plan, as_of) if owed.id == obligation), None)


def shown(plan: Plan, one: Standing, marks: Marks) -> schemas.Obligation:
    """As the API shows it."""
    owed, came = one.owed, one.came
    return schemas.Obligation(
        id=owed.id,
        feed=owed.feed,
        department=department_named(plan, owed.department),
        unit=unit_named(plan, owed.unit),
        period=owed.period,
        cut_off_on=owed.cut_off_on,
        due_at=owed.due_at,
        state=one.state,
        received_at=came.received_at if came else None,
        delivery=schemas.DeliveryLink(
            id=UUID(came.delivery), href=f"/{came.producer}/v1/deliveries/{came.delivery}"
        )
        if came
        else None,
        deliveries=came.deliveries if came else 0,
        days_late=one.days_late,
        reason=mark_shown(plan, marks.get((owed.id, "reason"))),
        excuse=mark_shown(plan, marks.get((owed.id, "excuse"))),
    )


def mark_shown(plan: Plan, mark: store.Mark | None) -> schemas.Mark | None:
    """A mark with the words of its code, as far as the plan still has it."""
    if mark is None:
        return None
    zh, en = _reason_words(plan, mark.code)
    return schemas.Mark(
        code=mark.code, zh=zh, en=en, words=mark.words, by=mark.made_by, at=mark.made_at
    )


def past_mark_shown(plan: Plan, mark: store.Mark) -> schemas.PastMark:
    """The same with its kind and end."""
    zh, en = _reason_words(plan, mark.code)
    return schemas.PastMark(
        code=mark.code,
        zh=zh,
        en=en,
        words=mark.words,
        by=mark.made_by,
        at=mark.made_at,
        kind="excuse" if mark.kind == "excuse" else "reason",
        undone_by=mark.undone_by,
        undone_at=mark.undone_at,
    )


def department_named(plan: Plan, code: str) -> schemas.Named:
    """A department of the plan; one it has no more goes by its code."""
    try:
        found = plan.department(code)
    except PlanLookupError:
        return schemas.Named(code=code, zh=code, en=code)
    return schemas.Named(code=code, zh=found.zh, en=found.en)


def unit_named(plan: Plan, code: str | None) -> UnitName | None:
    """A unit of the plan; None for none, or one the plan has no more."""
    return unit_name(code, plan) if code is not None and plan.has_unit(code) else None


_BY: dict[str, Callable[[Owed], str | None]] = {
    "feed": lambda owed: owed.feed,
    "department": lambda owed: owed.department,
    "unit": lambda owed: owed.unit,
    "period": lambda owed: owed.period,
}


def metrics(found: Stood, by: Sequence[str]) -> tuple[schemas.Metrics, list[schemas.Metrics]]:
    """The rates of all of it, and of each group by the named properties, in the order in which a
    group first stands in the list. Each obligation is in one group."""
    groups: dict[tuple[str | None, ...], list[Standing]] = {}
    for one in found.standings:
        groups.setdefault(tuple(_BY[name](one.owed) for name in by), []).append(one)
    parts = [
        _metrics(standings, found.as_of, dict(zip(by, key, strict=True)))
        for key, standings in groups.items()
    ]
    return _metrics(found.standings, found.as_of, {}), parts


def _metrics(
    standings: Iterable[Standing], as_of: datetime, of: dict[str, str | None]
) -> schemas.Metrics:
    listed = list(standings)
    rates = rules.rates_of(listed, as_of)
    over = Counter(one.state for one in listed if one.owed.due_at < as_of)
    return schemas.Metrics(
        **of,
        expected=rates.expected,
        actual=rates.actual,
        actual_on_time=rates.actual_on_time,
        reporting_rate=_percent(rates.reporting_rate),
        reporting_rate_on_time=_percent(rates.reporting_rate_on_time),
        missing=over[State.MISSING],
        late=over[State.LATE],
        excused=over[State.EXCUSED],
    )


def _percent(rate: Fraction | None) -> str | None:
    return None if rate is None else percent(rate, 1)


def _reason_words(plan: Plan, code: str) -> tuple[str, str]:
    found = plan.find_late_reason(code)
    return (found.zh, found.en) if found else (code, code)
