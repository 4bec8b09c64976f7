"""A progress answer put together: figures from the store, judgements from the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures import views
from reporting.figures.lookup import calendar_of
from reporting.figures.rules import Account, FigureId, Kind, Measure, Window, window_of
from reporting.figures.schemas import FigureValue, MarkPosition
from reporting.figures.store import reading
from reporting.progress import rules, schemas
from shared.periods import Dekad, days_elapsed_share, local_date
from shared.plan import Plan, PlanLookupError, Target

SAMPLE_ZH = "分单位任务为示例数据:方案只列全市任务"
SAMPLE_EN = "Per-unit targets are SAMPLE data: the plan gives the city's only"

Sums = Mapping[tuple[str, Kind], Mapping[str, int]]
"""(measure, kind) → unit code → quantity."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is the same for every row of an answer."""

    plan: Plan
    period: Dekad
    paced_on: date
    left: int

    def pace(self, measure: Measure) -> Fraction:
        plan = self.plan
        if measure.flow:
            return days_elapsed_share(self.paced_on, plan.campaign_from, plan.campaign_to)
        return rules.gain_pace(self.paced_on, plan.opening_on, plan.campaign_to)


async def read_sums(
    conn: AsyncConnection, plan: Plan, period: Dekad, measures: Sequence[Measure]
) -> Sums:
    """Opening, this dekad and cumulative of every unit: one statement per account."""
    calendar = calendar_of(plan)
    wanted: dict[Account, list[tuple[tuple[str, Kind], Measure, Window]]] = defaultdict(list)
    for measure in measures:
        for kind in Kind:
            label = (measure.name, kind)
            wanted[measure.account].append(
                (label, measure, window_of(measure, kind, period, calendar))
            )
    sums: dict[tuple[str, Kind], dict[str, int]] = {}
    for spans in wanted.values():
        sums |= await reading.sums_by_unit(conn, spans)
    return sums


def progress_of(
    plan: Plan, period: Dekad, measures: Sequence[Measure], sums: Sums, now: datetime
) -> list[schemas.MeasureProgress]:
    """The measures' tables."""
    frame = _frame(plan, period, now)
    return [_measure(frame, measure, sums) for measure in measures]


async def progress_answer(
    conn: AsyncConnection,
    plan: Plan,
    period: Dekad,
    measures: Sequence[Measure],
    now: datetime,
    clock: str,
) -> schemas.Progress:
    """Everything ``GET /progress`` says; costs units × days, not facts."""
    sums = await read_sums(conn, plan, period, measures)
    tables = progress_of(plan, period, measures, sums, now)
    sample = any(row.target and row.target.sample for table in tables for row in table.rows)
    return schemas.Progress(
        period=period_shown(plan, period, now),
        plan_version=plan.version,
        plan_zh=plan.identity.name.zh,
        plan_en=plan.identity.name.en,
        opening_on=plan.opening_on,
        asked_at=now,
        clock=clock,
        note=schemas.SampleNote(
            sample=sample, zh=SAMPLE_ZH if sample else "", en=SAMPLE_EN if sample else ""
        ),
        measures=tables,
        definitions=[
            schemas.DefinitionShown(id=definition.id, zh=definition.zh, en=definition.en)
            for definition in rules.DEFINITIONS
        ],
        as_of=[
            MarkPosition(producer=producer, partition=partition, position=position)
            for producer, partition, position in await reading.marks(conn)
        ],
    )


def period_shown(plan: Plan, period: Dekad, now: datetime) -> schemas.PeriodShown:
    """The dekad with its three days kept apart: period, cut-off, due moment."""
    frame = _frame(plan, period, now)
    after_on, cut_off_on = period.window(plan.cutoffs)
    elapsed = rules.time_progress(frame.paced_on, plan.campaign_from, plan.campaign_to)
    return schemas.PeriodShown(
        period=str(period),
        previous=str(period.previous()),
        next=str(period.next()),
        after_on=after_on,
        cut_off_on=cut_off_on,
        due_at=period.due_at(plan.cutoffs, inclusive=plan.calendar.due_inclusive.value),
        still_open=local_date(now) <= cut_off_on,
        paced_on=frame.paced_on,
        time_progress=rules.shown(elapsed) or "0.0",
        dekads_left=frame.left,
    )


def _frame(plan: Plan, period: Dekad, now: datetime) -> _Frame:
    cut_off_on, today = period.cutoff_on(plan.cutoffs), local_date(now)
    still_open = today <= cut_off_on
    # An open dekad is judged by the days that have passed, not by those to come.
    return _Frame(
        plan,
        period,
        min(cut_off_on, today),
        rules.dekads_left(period, plan.campaign_to, still_open=still_open),
    )


def _measure(frame: _Frame, measure: Measure, sums: Sums) -> schemas.MeasureProgress:
    plan = frame.plan
    by_kind = {kind: sums[measure.name, kind] for kind in Kind}
    units = [unit.code for unit in plan.units]
    own = {*units, plan.city.code}
    city = {kind: sum(found.get(code, 0) for code in own) for kind, found in by_kind.items()}
    shares = [
        rules.completion(by_kind[Kind.CUMULATIVE].get(code, 0), _duty(plan, measure, code))
        for code in units
    ]
    places = rules.ranks(shares)
    rows = [
        _row(frame, measure, code, {kind: by_kind[kind].get(code, 0) for kind in Kind}, place)
        for code, place in zip(units, places, strict=True)
    ]
    rows.append(_row(frame, measure, plan.city.code, city, None))
    unplaced = {
        code: value
        for code, value in sorted(by_kind[Kind.CUMULATIVE].items())
        if code not in own and value
    }
    return schemas.MeasureProgress(
        measure=views.measure_definition(measure, plan),
        name=measure.name,
        quantity=measure.quantity,
        pace=rules.shown(frame.pace(measure)) or "0.0",
        rows=rows,
        cascade=cascade_of(plan, measure.name),
        unplaced=unplaced,
    )


def _row(
    frame: _Frame, measure: Measure, code: str, values: Mapping[Kind, int], place: int | None
) -> schemas.Row:
    plan = frame.plan
    target = plan.find_target(measure.name, code)
    duty = target.duty if target else None
    opening, now = values[Kind.OPENING], values[Kind.CUMULATIVE]
    gained = rules.net_gain_completion(opening, now, duty)
    points = rules.against_pace(gained, frame.pace(measure))
    missing = rules.shortfall(now, duty)

    def figure(kind: Kind) -> FigureValue:
        return views.figure_value(FigureId(measure, code, frame.period, kind), values[kind])

    return schemas.Row(
        unit=views.unit_name(code, plan),
        city=code == plan.city.code,
        opening=figure(Kind.OPENING),
        this_dekad=figure(Kind.THIS_DEKAD),
        cumulative=figure(Kind.CUMULATIVE),
        target=target_shown(target),
        completion=rules.shown(rules.completion(now, duty)),
        completion_stretch=rules.shown(rules.completion(now, target.stretch if target else None)),
        completion_net_gain=rules.shown(gained),
        against_pace=rules.shown(points),
        ahead=None if points is None else points >= 0,
        shortfall=missing,
        needed_per_dekad=rules.needed_per_dekad(missing, frame.left),
        projected_end=rules.projected(opening, now, frame.pace(measure)) if target else None,
        rank=place,
    )


def target_shown(target: Target | None) -> schemas.TargetShown | None:
    """A target with where it comes from; samples are marked."""
    if target is None:
        return None
    return schemas.TargetShown(
        duty=target.duty,
        stretch=target.stretch,
        status=target.status,
        source=target.source,
        sample=target.status == "sample",
    )


def cascade_of(plan: Plan, measure: str) -> list[schemas.CascadeShown]:
    """The sum check of each line the city has a figure for (O21)."""
    found = []
    for line in ("duty", "stretch"):
        try:
            check = plan.cascade_check(measure, line)
        except PlanLookupError:
            continue
        found.append(
            schemas.CascadeShown(
                line=line,
                city=check.city,
                parts_sum=check.parts_sum,
                difference=check.difference,
                ok=check.ok,
                missing=list(check.missing),
            )
        )
    return found


def _duty(plan: Plan, measure: Measure, code: str) -> int | None:
    target = plan.find_target(measure.name, code)
    return target.duty if target else None
