"""Every count the services tell, and the list it is the length (or the sum) of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tests.e2e.counted import REPORTING, Counted, Query

_STANDING: Final[Query] = {"status": "standing"}
_NOT_RULED_OUT: Final[Query] = {**_STANDING, "effective": ("effective", "unclear")}
_ENTERED: Final = ("enrolled", "suspended")
_FEEDS: Final = (
    "business-licences",
    "employer-checks",
    "unenrolled-employers",
    "headcounts",
    "census-persons",
    "complaints",
    "inspection-findings",
)


def _leads() -> Iterator[Counted]:
    for query in ("", "?status=standing"):
        path, same = f"leads/effectiveness{query}", _STANDING if query else {}
        for name in ("effective", "not_effective", "unclear"):
            effect = {"effective": name.replace("_", "-")}
            yield Counted(path, name, "leads", {**same, **effect})
        yield Counted(path, "reasons[code].leads", "leads", {**same, "reason": "{code}"})
    groups = ("unit", "kind", "household", "ownership", "trade")
    for by, name in (*zip(groups, groups, strict=True), ("effect", "effective")):
        for where, key in (("rows[key].", {name: "{key}"}), ("total.", {})):
            path, asked = f"leads/potential?by={by}", {**_STANDING, **key}
            yield Counted(path, f"{where}leads", "leads", asked)
            yield Counted(path, f"{where}persons", "leads", asked, total="persons")
            yield Counted(path, f"{where}pooled_fen", "leads", asked, total="pooled_fen")
            yield Counted(path, f"{where}leads_unknown", "leads", asked, without="persons")
    for feed in _FEEDS:
        path, rows, of = f"leads/feedback?feed={feed}", "leads/feedback/rows", {"feed": feed}
        yield Counted(path, "rows", rows, of)
        yield Counted(path, "opened", rows, {**of, "part": "opened"})
        yield Counted(path, "joined", rows, {**of, "part": "joined"})
        yield Counted(path, "outcomes{outcome}", rows, {**of, "outcome": "{outcome}"})
        yield Counted(path, "leads", rows, of, distinct="lead_id")
        enrolled = {**of, "outcome": "enrolled"}
        yield Counted(path, "leads_enrolled", rows, enrolled, distinct="lead_id")


def _coverage() -> Iterator[Counted]:
    by_unit = "coverage?by=unit"
    entered: Query = {"status": _ENTERED}
    of_unit: Query = {"unit": "{key}"}
    for where, unit in (("rows[key].", of_unit), ("total.", {})):
        firms, persons = f"employers.{where}", f"persons.{where}"
        missing = {**_NOT_RULED_OUT, **unit}
        unenrolled = {**missing, "kind": "unenrolled-employer"}
        yield Counted(by_unit, f"{firms}enrolled", "register/employers", {**entered, **unit})
        yield Counted(by_unit, f"{firms}missing", "leads", unenrolled)
        active = {"status": "active", **unit}
        yield Counted(by_unit, f"{persons}enrolled", "register/persons", active)
        yield Counted(by_unit, f"{persons}missing", "leads", missing, total="persons")
        yield Counted(by_unit, f"{persons}leads_unknown", "leads", missing, without="persons")
    yield Counted(by_unit, "sources[feed].leads", "leads", {**_NOT_RULED_OUT, "source": "{feed}"})
    yield Counted(by_unit, "census_frame.entries", "census/units")
    for by in ("ownership", "trade"):
        key = {**entered, by: "{key}"}
        yield Counted(
            f"coverage?by={by}", "employers.rows[key].enrolled", "register/employers", key
        )
        missing = {**_NOT_RULED_OUT, "kind": "unenrolled-employer", by: "{key}"}
        yield Counted(f"coverage?by={by}", "employers.rows[key].missing", "leads", missing)
        active = {"status": "active", by: "{key}"}
        yield Counted(f"coverage?by={by}", "persons.rows[key].enrolled", "register/persons", active)


def _lead_work() -> Iterator[Counted]:
    path, rows = "lead-work/summary", "lead-work"
    flags = ("never_contacted", "overdue", "excluding")
    yield Counted(path, "total.standing", rows)
    for name, asked in (("stages", "stage"), ("ages", "age"), ("levels", "level")):
        yield Counted(path, f"total.{name}{{{asked}}}", rows, {asked: f"{{{asked}}}"})
    for name in flags:
        yield Counted(path, f"total.{name}", rows, {name: "true"})
    officer: Query = {"assignee": "{officer}"}
    yield Counted(path, "total.officers[officer].standing", rows, officer)
    yield Counted(path, "total.officers[officer].overdue", rows, {**officer, "overdue": "true"})
    unit: Query = {"unit": "{unit}"}
    yield Counted(path, "units[unit].standing", rows, unit)
    yield Counted(path, "units[unit].stages{stage}", rows, {**unit, "stage": "{stage}"})
    for name in flags:
        yield Counted(path, f"units[unit].{name}", rows, {**unit, name: "true"})


def _employers() -> Iterator[Counted]:
    path, rows, where = "headcounts/summary?month=2008-06", "headcounts", "items[month,unit]."
    of = {"month": "{month}", "unit": "{unit}"}
    yield Counted(path, f"{where}employers", rows, of)
    for name in ("taxable", "contributing", "found_persons"):
        yield Counted(path, f"{where}{name}", rows, of, total=name)
    gap = {**of, "gap_at_least": "{threshold}"}
    yield Counted(path, f"{where}with_gap", rows, gap)
    yield Counted(path, f"{where}gap", rows, gap, total="gap")
    for name in ("taxable_over_contributing", "found_by_census"):
        cause = {**of, "cause": name.replace("_", "-")}
        yield Counted(path, f"{where}{name}", rows, cause)
    for status in ("open", "set-aside", "gone"):
        asked = {"status": status, "unit": "{unit}", "kind": "{kind}"}
        path = f"employers/conflicts/summary?status={status}"
        yield Counted(path, "[unit,kind].count", "employers/conflicts", asked)
    active = {"status": "active", "employer_id": "{employer_id}"}
    path = "employers?unit=L-KF&limit=1000"
    yield Counted(path, "items[employer_id].active_count", "register/persons", active)


def _register() -> Iterator[Counted]:
    groups = {
        "persons": ("worker-class", "ownership", "trade"),
        "employers": ("ownership", "trade", "township"),
    }
    status: Query = {"status": "{status}"}
    measure: Query = {"measure": "{measure}"}
    for of, names in groups.items():
        by_unit = f"register/counts?of={of}&by=unit"
        yield Counted(by_unit, "total.count", f"register/{of}")
        yield Counted(by_unit, "total.statuses{status}", f"register/{of}", status)
        yield Counted(by_unit, "rows[members].count", "{members}")
        for name in names:
            # Of one unit: the lists of the whole city are long.
            path = f"register/counts?of={of}&by={name}&unit=L-SJ"
            yield Counted(path, "rows[members].count", "{members}")
            yield Counted(path, "rows[members].statuses{status}", "{members}", status)
    persons = "register/counts?of=persons&by=unit"
    yield Counted(persons, "rows[members].measures{measure}", "{members}", measure)
    path, rows = "register/applications/statistics", "register/applications/statistics/applications"
    of_unit: Query = {"unit": "{unit}"}
    for name, asked in (
        ("count", {}),
        ("decided_count", {"decided": "true"}),
        ("pending_count", {"decided": "false"}),
        ("late_count", {"decided": "true", "late": "true"}),
        ("overdue_count", {"decided": "false", "late": "true"}),
    ):
        yield Counted(path, f"units[unit].{name}", rows, {**of_unit, **asked})
    path, rows = "register/employed-not-enrolled/counts", "register/employed-not-enrolled"
    for name, still in (("open_count", "true"), ("closed_count", "false")):
        yield Counted(path, f"[unit].{name}", rows, {"unit": "{unit}", "open": still})
    path, rows = "register/enrolment-findings/counts", "register/enrolment-findings"
    of_both: Query = {"unit": "{unit}", "finding": "{finding}"}
    yield Counted(path, "[unit,finding].count", rows, of_both)


def _progress(path: str, items: str) -> Iterator[Counted]:
    """How far the census is, against a frame whose entries are ``items``; in one unit by street."""
    unit, street = {"unit": "{unit}"}, {"unit": "{unit}", "street": "{street}"}
    for more, where, of in (
        ("", "", {}),
        ("", "units[unit].", unit),
        ("&unit=L-KF", "units[unit].streets[street].", street),
    ):
        yield from _progress_at(f"{path}{more}", where, items, of)


def _progress_at(path: str, where: str, items: str, of: Mapping[str, str]) -> Iterator[Counted]:
    done = {"visited": "true"}
    yield Counted(path, f"{where}frame", items, of)
    yield Counted(path, f"{where}visited", items, {**of, **done})
    yield Counted(path, f"{where}refused", items, {**of, **done, "outcome": "refused"})
    on_visits = {**of, **done}
    yield Counted(path, f"{where}counted_on_visits", items, on_visits, total="persons_found")
    if items != "census/units":
        yield Counted(path, f"{where}gone", items, {**of, "gone": "true"})
        outside = {**of, "outside": "true"}
        yield Counted(path, f"{where}outside", items, outside)
        yield Counted(path, f"{where}outside_visited", items, {**outside, **done})
    able, old_enough = {"can_pay": "true"}, {"eligible": "true"}
    for name, more in (
        ("found", {}),
        ("eligible", old_enough),
        ("able_to_pay", able),
        ("eligible_able_to_pay", {**able, **old_enough}),
        ("by_reason{reason}", {"reason": "{reason}"}),
    ):
        yield Counted(path, f"{where}{name}", "census/persons", {**of, **more})


def _census(frames: tuple[int, int]) -> Iterator[Counted]:
    earlier, later = frames
    yield from _progress("census/progress?frame=0", "census/units")
    yield from _progress(f"census/progress?frame={later}", f"census/frames/{later}/entries")
    series, entries = (
        f"census/progress/series?by=dekad&frame={later}",
        f"census/frames/{later}/entries",
    )
    until = {"visited": "true", "visited_to": "{last_on}"}
    yield Counted(series, "items[last_on].visited_to_date", entries, until)
    met = {"found_to": "{last_on}"}
    yield Counted(series, "items[last_on].found_to_date", "census/persons", met)
    yield Counted("census/frames", "items[version].entry_count", "census/frames/{version}/entries")
    one = f"census/frames/{later}"
    yield Counted(one, "entry_count", "census/frames/{version}/entries")
    path, changed = f"{one}/difference?with={earlier}", f"{one}/difference/entries"
    between = {"with": str(earlier), "change": "{change}"}
    yield Counted(path, "totals{change}", changed, between)
    yield Counted(path, "changes[unit,change].entries", changed, {**between, "unit": "{unit}"})
    where, unit = "units[unit].", {"unit": "{unit}"}
    yield Counted("census/roster", f"{where}enumerators", "census/roster/enumerators", unit)
    seen = {**unit, "visited_from": "2008-01-01"}
    yield Counted("census/roster", f"{where}visits", "census/units", seen)
    for name in ("not_in_roster", "outside_dates", "other_street"):
        finding = {**unit, "finding": name.replace("_", "-")}
        yield Counted("census/roster", f"{where}{name}", "census/roster/findings", finding)


def _compared(runs: tuple[int, int]) -> Iterator[Counted]:
    earlier, later = runs
    for path, where, unit in (
        ("census/comparisons", "items[run_no].counts.", {}),
        (f"census/comparisons/{later}", "counts.", {}),
        (f"census/comparisons/{later}", "units[unit].", {"unit": "{unit}"}),
    ):
        lines, new = "census/comparisons/{run_no}/persons", {**unit, "outcome": "new"}
        yield Counted(path, f"{where}compared", lines, unit)
        yield Counted(path, f"{where}outcomes{{outcome}}", lines, {**unit, "outcome": "{outcome}"})
        cause = {**unit, "outcome": "{outcome}", "cause": "{cause}"}
        yield Counted(path, f"{where}causes{{outcome}}.{{cause}}", lines, cause)
        yield Counted(path, f"{where}new_by_reason{{reason}}", lines, {**new, "reason": "{reason}"})
        yield Counted(path, f"{where}new_able_to_pay", lines, {**new, "can_pay": "true"})
        yield Counted(path, f"{where}new_eligible", lines, {**new, "eligible": "true"})
        yield Counted(path, f"{where}potential", lines, {**unit, "potential": "true"})
    path = f"census/comparisons/{later}/difference?with={earlier}"
    moved = f"census/comparisons/{later}/difference/persons"
    yield Counted(path, "moved", moved, {"with": str(earlier)})
    turned = {"with": str(earlier), "before": "{before}", "after": "{after}"}
    yield Counted(path, "moves[before,after].persons", moved, turned)


def _reporting(units: Mapping[str, str]) -> Iterator[Counted]:
    for name in ("obligations", "obligations/reminders"):
        key = "kind" if name.endswith("reminders") else "state"
        yield Counted(f"{name}?limit=1", "total", name, service=REPORTING)
        counts, asked = f"counts{{{key}}}", {key: f"{{{key}}}"}
        yield Counted(f"{name}?limit=1", counts, name, asked, service=REPORTING)
    counted = [("leads-open", unit) for unit in units]
    counted += [("census-visited", unit) for unit, kind in units.items() if kind == "county"]
    for measure, unit in counted:
        figure = f"figures/{measure}.{unit}.2008-11-D3.cumulative"
        members, entries = f"{figure}/members", f"{figure}/entries"
        yield Counted(figure, "value", members, total="quantity", service=REPORTING)
        yield Counted(figure, "value", entries, total="quantity", service=REPORTING)
        yield Counted(f"{members}?limit=1", "count", members, service=REPORTING)


def table(
    frames: tuple[int, int], runs: tuple[int, int], units: Mapping[str, str]
) -> list[Counted]:
    """All lines. ``frames`` are two frozen versions and ``runs`` two comparisons, the earlier one
    first; ``units`` the codes and kinds of the units."""
    return [
        *_leads(),
        *_coverage(),
        *_lead_work(),
        *_employers(),
        *_register(),
        *_census(frames),
        *_compared(runs),
        *_reporting(units),
    ]


EXCEPTIONS: Final[Mapping[str, str]] = {
    "leads/{lead_id}": "one lead: its gap, persons and records are told there",
    "leads/{lead_id}/work": "one lead's own log is in the answer",
    "lead-work": "contact_count is of the log at leads/{lead_id}/work",
    "census/roster/budgets": "fen, as finance told them",
    "employers/{employer_id}": "one employer: everything is in the answer",
    "employers/{employer_id}/headcounts": "persons of one employer, as departments tell them",
    "employers/{employer_id}/record": "one employer: what departments say of it",
    "identity/conflicts/{conflict_id}": "headcounts that two employers' departments told",
    "identity/links/{link_id}": "points of evidence of one pair",
    "identity/matching": "a queue of the service's own workers",
}
"""Paths of enrollment that have numbers which are no list's length, and why."""
