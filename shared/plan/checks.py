"""What must agree between the rows of a plan file. Each problem names its place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from shared.periods import LOCAL, PeriodError, due_moment
from shared.plan.document import Place, Problem
from shared.plan.due import begins_on, cutoffs_of, due_of, first_period, last_period
from shared.plan.records import Dated, DueRule, Feed, PlanContent, UnitKind

_DUE_KINDS = {
    "dekad": {"cut-off"},
    "month": {"day-of-next-month", "day-of-same-month"},
    "day": {"next-day"},
    "once": {"fixed"},
    "event": {"none"},
}


def problems_of(content: PlanContent) -> Iterator[Problem]:
    """Everything in the plan that contradicts something else in it; nothing for a sound plan."""
    yield from _duplicates(content)
    calendar = list(_calendar(content))
    yield from calendar
    yield from _units(content)
    yield from _measures(content)
    yield from _targets(content)
    for index, parameter in enumerate(content.parameters):
        yield from _validity(("parameters", index, "values"), parameter.values)
    if not calendar:  # due moments cannot be told from a calendar that is wrong
        yield from _feeds(content)
    yield from _chasing(content)
    yield from _obligations(content)
    yield from _coded_lists(content)
    yield from _field_precedence(content)


def _duplicates(content: PlanContent) -> Iterator[Problem]:
    lists: list[tuple[Place, str, Sequence[str]]] = [
        (("units",), "code", [content.city.code, *(row.code for row in content.units)]),
        (("measures",), "name", [row.name for row in content.measures]),
        (("parameters",), "name", [row.name for row in content.parameters]),
        (("departments",), "code", [row.code for row in content.departments]),
        (("feeds",), "name", [row.name for row in content.feeds]),
        (("late_reasons",), "code", [row.code for row in content.late_reasons]),
        (("obligations",), "id", [row.id for row in content.obligations]),
        (
            ("registration_types", "rows"),
            "code",
            [row.code for row in content.registration_types.rows],
        ),
        (("industries", "sections"), "code", [row.code for row in content.industries.sections]),
        (("industries", "divisions"), "code", [row.code for row in content.industries.divisions]),
        (("coded_lists",), "name", [row.name for row in content.coded_lists]),
        *(
            (("coded_lists", index, "rows"), "code", [row.code for row in listed.rows])
            for index, listed in enumerate(content.coded_lists)
        ),
    ]
    for place, field, names in lists:
        shift = 1 if place == ("units",) else 0  # the city's own code stands before the units'
        seen: set[str] = set()
        for index, name in enumerate(names):
            if name in seen:
                yield Problem(
                    (*place, index - shift, field), f"重复:{name}", f"stands twice: {name}"
                )
            seen.add(name)


def _field_precedence(content: PlanContent) -> Iterator[Problem]:
    """Ranks of one field do not overlap in time, and a source stands in them once."""
    rows = content.field_precedence
    for field in dict.fromkeys(row.field for row in rows):
        same = [(index, row) for index, row in enumerate(rows) if row.field == field]
        yield from _validity(("field_precedence",), [row for _, row in same])
        for index, row in same:
            sources = [source for rank in row.ranks for source in rank]
            for source in sorted({one for one in sources if sources.count(one) > 1}):
                place = ("field_precedence", index, "ranks")
                yield Problem(place, f"重复:{source}", f"stands twice: {source}")


def _calendar(content: PlanContent) -> Iterator[Problem]:
    identity, calendar = content.identity, content.calendar
    if calendar.time_zone.value != LOCAL.key:
        yield Problem(
            ("calendar", "time_zone", "value"), f"只能是 {LOCAL.key}", f"must be {LOCAL.key}"
        )
    try:
        cutoffs_of(calendar)
    except PeriodError as error:
        yield Problem(("calendar", "dekad_cutoff_days", "value"), "截止日须递增", str(error))
    for field in ("monthly_feed_due_day", "pre_levy_list_day", "written_report_day"):
        if not 1 <= getattr(calendar, field).value <= 31:
            yield Problem(("calendar", field, "value"), "应为 1 至 31", "must be 1 to 31")
    spans: tuple[tuple[Place, date, date], ...] = (
        (("identity", "campaign_to"), identity.campaign_from.value, identity.campaign_to.value),
        (("calendar", "census_to"), calendar.census_from.value, calendar.census_to.value),
        (
            ("calendar", "inspection_to"),
            calendar.inspection_from.value,
            calendar.inspection_to.value,
        ),
        (("identity", "opening_on"), identity.opening_on.value, identity.campaign_to.value),
    )
    for place, start, end in spans:
        if end < start:
            yield Problem((*place, "value"), "结束早于开始", "ends before it starts")


def _units(content: PlanContent) -> Iterator[Problem]:
    if content.city.kind != "city":
        yield Problem(("city", "kind"), "应为 city", "must be city")
    codes = {unit.code for unit in content.units}
    for index, unit in enumerate(content.units):
        if unit.kind == "city":
            yield Problem(
                ("units", index, "kind"),
                "市本身不是填报单位",
                "the city itself is not one of its units",
            )
        if unit.within is not None and (unit.within not in codes or unit.within == unit.code):
            yield _unknown(("units", index, "within"), "单位", "unit", unit.within)


def _measures(content: PlanContent) -> Iterator[Problem]:
    for index, measure in enumerate(content.measures):
        if (measure.definition is not None) != (measure.quantity == "ratio"):
            yield Problem(
                ("measures", index, "definition"),
                "比率须有定义,其他指标不得有",
                "a ratio needs a definition, nothing else has one",
            )
        if bool(measure.counts) != (measure.quantity == "persons"):
            yield Problem(
                ("measures", index, "counts"),
                "人数指标须列明人员状态,其他指标不得有",
                "persons are counted by status, nothing else is",
            )


def _targets(content: PlanContent) -> Iterator[Problem]:
    units = {content.city.code, *(unit.code for unit in content.units)}
    measures = {measure.name: measure for measure in content.measures}
    of_city = {row.measure for row in content.targets if row.unit == content.city.code}
    groups: dict[tuple[str, str], list[int]] = {}
    for index, target in enumerate(content.targets):
        groups.setdefault((target.measure, target.unit), []).append(index)
        if target.unit not in units:
            yield _unknown(("targets", index, "unit"), "单位", "unit", target.unit)
        if target.measure not in measures or measures[target.measure].quantity == "ratio":
            yield _unknown(("targets", index, "measure"), "任务指标", "measure", target.measure)
        if target.stretch is not None and target.stretch < target.duty:
            yield Problem(
                ("targets", index, "stretch"),
                "奋斗目标低于确保目标",
                "the stretch is below the duty",
            )
        if target.measure not in of_city:
            yield Problem(
                ("targets", index),
                f"指标 {target.measure} 没有全市任务",
                f"measure {target.measure} has no row for the city {content.city.code}",
            )
    for rows in groups.values():
        yield from _overlaps([(("targets", index), content.targets[index]) for index in rows])


def _feeds(content: PlanContent) -> Iterator[Problem]:
    departments = {row.code for row in content.departments}
    kinds = {unit.kind for unit in content.units}
    issued_at = due_moment(content.identity.issued_on.value, inclusive=False)
    for index, feed in enumerate(content.feeds):
        place: Place = ("feeds", index)
        for position, department in enumerate(feed.departments):
            if department not in departments:
                yield _unknown((*place, "departments", position), "部门", "department", department)
        for position, kind in enumerate(feed.unit_kinds):
            if kind not in kinds:
                yield _unknown((*place, "unit_kinds", position), "单位类别", "unit kind", kind)
        yield from _owed_by(place, feed, kinds)
        if feed.due.kind not in _DUE_KINDS[feed.period] or not _fits(feed.due):
            yield Problem(
                (*place, "due"),
                f"到期规则不适用于 {feed.period}",
                f"due rule {feed.due.kind} does not suit period {feed.period}",
            )
            continue
        try:
            first, last = first_period(feed), last_period(feed)
        except ValueError as error:
            yield Problem((*place, "first_period"), "报送期无法识别", str(error))
            continue
        if first is None:
            yield from _no_first_period(place, feed)
        elif due_of(feed, first, content.calendar).due_at <= issued_at:
            yield Problem(
                (*place, "first_period"),
                "首期到期日早于方案发布",
                "the first period falls due before the plan was issued",
            )
        elif last is not None and begins_on(last) < begins_on(first):
            yield Problem(
                (*place, "last_period"), "末期早于首期", "the last period lies before the first"
            )


def _owed_by(place: Place, feed: Feed, kinds: set[UnitKind]) -> Iterator[Problem]:
    """What ``owed_by`` says is the whole of who owes the feed, each once."""
    if not feed.owed_by:
        return
    owing = [one.department for one in feed.owed_by]
    if feed.unit_kinds or sorted(owing) != sorted(feed.departments):
        yield Problem(
            (*place, "owed_by"),
            "须与 departments 一一对应,且不得另有 unit_kinds",
            "must name each of departments once, and nothing stands in unit_kinds beside it",
        )
    for index, one in enumerate(feed.owed_by):
        for position, kind in enumerate(one.unit_kinds):
            if kind not in kinds:
                where: Place = (*place, "owed_by", index, "unit_kinds", position)
                yield _unknown(where, "单位类别", "unit kind", kind)


def _chasing(content: PlanContent) -> Iterator[Problem]:
    chasing = content.chasing
    if chasing is None:
        return
    for field in ("remind_days_before", "chase_hours_after"):
        if getattr(chasing, field).value < 0:
            yield Problem(("chasing", field, "value"), "不得为负", "must not be negative")
    seen: set[str] = set()
    for index, level in enumerate(chasing.levels.rows):
        if level.code in seen:
            place: Place = ("chasing", "levels", "rows", index, "code")
            yield Problem(place, f"重复:{level.code}", f"stands twice: {level.code}")
        seen.add(level.code)


def _no_first_period(place: Place, feed: Feed) -> Iterator[Problem]:
    if feed.period != "event":
        yield Problem((*place, "first_period"), "缺少首个报送期", "has no first period")


def _fits(rule: DueRule) -> bool:
    if (rule.due_on is not None) != (rule.kind == "fixed"):
        return False
    if rule.kind == "day-of-same-month":
        return rule.day is not None
    return rule.day is None or rule.kind == "day-of-next-month"


def _obligations(content: PlanContent) -> Iterator[Problem]:
    departments = {row.code for row in content.departments}
    feeds = {row.name for row in content.feeds}
    for index, obligation in enumerate(content.obligations):
        place: Place = ("obligations", index)
        for position, actor in enumerate(obligation.actors):
            if actor not in departments:
                yield _unknown((*place, "actors", position), "部门", "department", actor)
        for position, name in enumerate(obligation.met_by):
            if name not in feeds:
                yield _unknown((*place, "met_by", position), "报送", "feed", name)
        when = obligation.when
        if when.day is not None and when.kind != "monthly":
            yield Problem(
                (*place, "when", "day"), "仅按月的职责有日", "only a monthly duty has a day"
            )
        if when.to_on is not None and when.to_on < when.from_on:
            yield Problem((*place, "when", "to"), "结束早于开始", "ends before it starts")


def _coded_lists(content: PlanContent) -> Iterator[Problem]:
    types = {row.code for row in content.registration_types.rows}
    for index, row in enumerate(content.registration_types.rows):
        if row.parent is not None and row.parent not in types:
            yield _unknown(
                ("registration_types", "rows", index, "parent"), "登记类型", "type", row.parent
            )
    sections = {row.code for row in content.industries.sections}
    for index, division in enumerate(content.industries.divisions):
        place: Place = ("industries", "divisions", index)
        if division.section not in sections:
            yield _unknown((*place, "section"), "门类", "section", division.section)
        if (division.scope is None) != (division.trade == "none"):
            yield Problem(
                (*place, "scope"),
                "有行业分组时须注明口径,无则不得有",
                "a trade needs a scope, no trade has none",
            )


def _validity(place: Place, rows: Sequence[Dated]) -> Iterator[Problem]:
    yield from _overlaps([((*place, index), row) for index, row in enumerate(rows)])


def _overlaps(rows: Iterable[tuple[Place, Dated]]) -> Iterator[Problem]:
    """No day may have two values; a row must not end before it starts."""
    ordered = sorted(rows, key=lambda row: row[1].from_on or date.min)
    reached: date | None = None
    for place, row in ordered:
        if row.from_on is not None and row.to_on is not None and row.to_on < row.from_on:
            yield Problem((*place, "to"), "结束早于开始", "ends before it starts")
        if reached is not None and (row.from_on or date.min) <= reached:
            yield Problem(
                place, "有效期与另一值重叠", "its validity overlaps that of another value"
            )
        reached = max(reached or date.min, row.to_on or date.max)


def _unknown(place: Place, zh: str, en: str, name: str) -> Problem:
    return Problem(place, f"未知{zh}:{name}", f"unknown {en}: {name}")
