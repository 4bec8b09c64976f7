"""Ages at the limit, and what a visit told again does: tables, no database."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from enrollment.census import rules
from enrollment.census.rules import Frame
from enrollment.complaints.rules import informant_fault, natural_key
from enrollment.frames.progress import by_unit
from enrollment.policy.rules import ages
from enrollment.policy.rules.ages import AgeLimits
from shared.plan import Plan

ON = date(2008, 6, 10)
LIMITS = AgeLimits(18, 60, 55, 50, birthday_included=False, woman_migrant=55)
COUNTING = {"done", "refused", "vacant"}


@pytest.mark.parametrize(
    ("sex", "post", "birth", "finding", "with_birthday"),
    [
        # The lower limit: eighteen today counts, tomorrow does not.
        ("M", None, "1990-06-10", "of-working-age", "of-working-age"),
        ("M", None, "1990-06-11", "too-young", "too-young"),
        ("F", "worker", "1990-06-11", "too-young", "too-young"),
        ("F", None, "1990-06-10", "of-working-age", "of-working-age"),
        # Men at 60: the day before, the birthday itself, the day after.
        ("M", "worker", "1948-06-11", "of-working-age", "of-working-age"),
        ("M", "worker", "1948-06-10", "too-old", "of-working-age"),
        ("M", "cadre", "1948-06-09", "too-old", "too-old"),
        # Women cadres at 55.
        ("F", "cadre", "1953-06-11", "of-working-age", "of-working-age"),
        ("F", "cadre", "1953-06-10", "too-old", "of-working-age"),
        ("F", "cadre", "1953-06-09", "too-old", "too-old"),
        # Women workers at 50.
        ("F", "worker", "1958-06-11", "of-working-age", "of-working-age"),
        ("F", "worker", "1958-06-10", "too-old", "of-working-age"),
        ("F", "worker", "1958-06-09", "too-old", "too-old"),
        # A woman without a post: told where both limits agree, and only there.
        ("F", None, "1958-06-11", "of-working-age", "of-working-age"),
        ("F", None, "1958-06-10", "post-unknown", "of-working-age"),
        ("F", None, "1953-06-11", "post-unknown", "post-unknown"),
        ("F", None, "1953-06-10", "too-old", "post-unknown"),
        ("F", None, "1953-06-09", "too-old", "too-old"),
    ],
)
def test_age_at_the_limit(
    sex: str, post: str | None, birth: str, finding: str, with_birthday: str
) -> None:
    born = date.fromisoformat(birth)
    assert ages.age_finding(born, sex, post, ON, LIMITS) == finding
    included = LIMITS._replace(birthday_included=True)
    assert ages.age_finding(born, sex, post, ON, included) == with_birthday


@pytest.mark.parametrize(("years", "full_on"), [(18, date(2006, 3, 1)), (20, date(2008, 2, 29))])
def test_the_birthday_of_a_leap_day(years: int, full_on: date) -> None:
    assert ages.birthday(date(1988, 2, 29), years) == full_on


def test_the_limits_and_the_day_are_the_plans() -> None:
    plan = Plan.default()
    assert ages.age_limits(plan, ON) == LIMITS
    assert rules.reference_day(plan, ON) == ON
    changed = plan.content.model_copy(
        update={
            "parameters": tuple(
                one
                if one.name != "age-at-census-on-day-found"
                else one.model_copy(
                    update={"values": (one.values[0].model_copy(update={"value": False}),)}
                )
                for one in plan.parameters
            )
        }
    )
    assert rules.reference_day(Plan(changed, "changed"), ON) == date(2008, 5, 1)


def frame(**more: Any) -> Frame:
    base = Frame(
        "210502", "7", "平山街道", None, "enterprise", "某厂", None, None, False,
        None, None, None, 0, 0, False,
    )  # fmt: skip
    return base._replace(**more)


VISIT: dict[str, Any] = {
    "visited_on": ON, "visitor": "P1", "outcome": "done", "persons_found": 9, "uninsured_found": 2,
}  # fmt: skip


def test_a_frame_told_again_keeps_its_visit() -> None:
    visited = rules.with_visit(frame(), frame(**VISIT), COUNTING)
    assert visited.visited
    again = rules.with_visit(visited, frame(street="明山街道"), COUNTING)
    assert again == visited._replace(street="明山街道")
    assert not rules.with_visit(None, frame(), COUNTING).visited


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [("done", True), ("refused", True), ("vacant", True), ("absent", False), ("mistaken", False)],
)
def test_which_outcomes_count_is_the_plans(outcome: str, counts: bool) -> None:
    counting = {one.code for one in Plan.default().codes("visit-outcomes") if one.counts}
    told = frame(**{**VISIT, "outcome": outcome})
    assert rules.with_visit(None, told, counting).visited is counts


def test_out_of_the_frame_and_in_again() -> None:
    visited = rules.with_visit(None, frame(**VISIT), COUNTING)
    out = rules.with_visit(visited, frame(void=True), COUNTING)
    assert (out.visited, out.visited_on) == (False, ON)
    assert rules.with_visit(out, frame(), COUNTING) == visited


@pytest.mark.parametrize(
    ("before", "after", "corrects"),
    [
        (None, ON, False),
        (ON, date(2008, 6, 11), False),  # somebody went again
        (ON, ON, True),
        (ON, date(2008, 6, 9), True),
    ],
)
def test_a_later_day_is_another_visit(before: date | None, after: date, corrects: bool) -> None:
    old = frame(**{**VISIT, "visited_on": before}) if before else frame()
    assert rules.corrects(old, frame(**{**VISIT, "visited_on": after})) is corrects
    assert rules.corrects(None, frame(**VISIT)) is False


def test_progress_adds_up() -> None:
    visits = [
        {"unit": "b", "street": "s", "frame": 3, "visited": 2, "refused": 1,
         "counted_on_visits": 9, "gone": 1, "outside": 4, "outside_visited": 1},
        {"unit": "a", "street": "t", "frame": 5, "visited": 0, "refused": 0,
         "counted_on_visits": 0, "gone": 0, "outside": 0, "outside_visited": 0},
    ]  # fmt: skip
    found = [
        {"unit": "b", "street": street, "reason": reason, "found": n, "eligible": n - 1,
         "able_to_pay": 2, "eligible_able_to_pay": 1}
        for street, reason, n in (("s", "other", 2), ("s", "no-means", 3), ("u", "other", 4))
    ]  # fmt: skip
    whole = by_unit(visits, found, ["a", "b", "c"])
    assert (whole["frame"], whole["visited"], whole["refused"]) == (8, 2, 1)
    assert (whole["found"], whole["eligible"], whole["eligible_able_to_pay"]) == (9, 6, 3)
    assert (whole["outside"], whole["visited_rate"]) == (4, "25.0")
    assert whole["by_reason"] == {"no-means": 3, "other": 6}
    assert [(one["unit"], [s["street"] for s in one["streets"]]) for one in whole["units"]] == [
        ("a", ["t"]),
        ("b", ["s", "u"]),
    ]


@pytest.mark.parametrize(
    ("anonymous", "name", "contact", "fault"),
    [
        (True, None, None, None),
        (True, "某", None, "anonymous-named"),
        (True, None, "电话", "anonymous-named"),
        (False, "某", None, None),
        (False, "某", "电话", None),
        (False, None, None, "field-missing"),
        (False, None, "电话", "field-missing"),
    ],
)
def test_the_informant(
    anonymous: bool, name: str | None, contact: str | None, fault: str | None
) -> None:
    assert informant_fault(anonymous, name, contact) == fault


def test_bodies_number_for_themselves() -> None:
    keys = {
        natural_key(department, unit, "1")
        for department in ("group-body", "agency", "unit")
        for unit in ("210502", "210503")
    }
    assert keys == {"group-body.1", "agency.1", "unit.210502.1", "unit.210503.1"}
