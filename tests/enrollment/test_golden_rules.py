"""Whose word counts for a field, and what counts as a contradiction: tables of cases."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any

import pytest

from enrollment.golden import rules
from enrollment.golden.rules import STANDING, STRUCK_OFF, WITHDRAWN, Outside, Sighting
from enrollment.identity.rules import grams, plain
from shared.plan import Plan

PLAN = Plan.default()
RANKS = PLAN.field_ranks(date(2008, 6, 1))
NOBODY = Outside()
LICENCE, CODE, TAX = "business-licences", "organisation-codes", "tax-registrations"


def said(feed: str, day: int = 1, *, status: str = STANDING, **more: Any) -> Sighting:
    """What a feed says, in effect since a day of June."""
    given: dict[str, Any] = dict.fromkeys(Sighting._fields)
    given |= {
        "subject": f"{feed}:1",
        "revision": 1,
        "employer_id": "E1",
        "department": feed,
        "feed": feed,
        "status": status,
        "unit": "210502",
        "effective_on": date(2008, 6, day),
        "recorded_at": datetime(2008, 6, day, tzinfo=UTC),
    }
    return Sighting(**{**given, **more})


NAME = [
    # who says what, and whose name counts
    ([said(LICENCE, name="甲"), said(CODE, 9, name="乙")], "甲"),
    ([said(TAX, name="丙"), said(CODE, name="乙")], "乙"),
    ([said(LICENCE, name="甲"), said("employers", name="社")], "社"),
    ([said("employer-applications", name="社"), said(LICENCE, 9, name="甲")], "社"),
    # within a rank the newest; a source the plan does not rank comes last
    ([said(TAX, name="旧"), said("headcounts", 2, name="新")], "新"),
    ([said("complaints", 9, name="举"), said(TAX, name="税")], "税"),
    # nobody is believed that took it back; who was struck off only where no other speaks
    ([said(LICENCE, status=WITHDRAWN, name="甲"), said(TAX, name="税")], "税"),
    ([said(LICENCE, status=STRUCK_OFF, name="甲"), said(TAX, name="税")], "税"),
    ([said(LICENCE, status=STRUCK_OFF, name="甲"), said(TAX)], "甲"),
    ([said(LICENCE, status=WITHDRAWN, name="甲")], None),
]


@pytest.mark.parametrize(("sightings", "name"), NAME)
def test_the_name_by_precedence_in_whatever_order(
    sightings: list[Sighting], name: str | None
) -> None:
    for order in itertools.permutations(sightings):
        believed = rules.golden(order, RANKS).get("name")
        assert (believed.name if believed else None) == name


def test_each_field_has_an_order_of_its_own() -> None:
    told = [
        said(LICENCE, org_code="A", licence_no="1", headcount=3),
        said(CODE, org_code="B", licence_no="2"),
        said("headcounts", org_code="C", licence_no="3", headcount=12),
    ]
    believed = rules.golden(told, RANKS)
    assert (believed["org_code"].org_code, believed["licence_no"].licence_no) == ("B", "1")
    assert believed["headcount"].headcount == 12


def test_a_plan_without_ranks_believes_the_newest_and_compares_all() -> None:
    told = [said(LICENCE, name="甲"), said("complaints", 2, name="举")]
    assert rules.golden(told, {})["name"].name == "举"
    assert [one.kind for one in _conflicts(told, ranks={})] == ["name-differs"]
    assert _conflicts(told) == []  # with the plan's ranks a complaint contradicts no office


def _conflicts(
    told: list[Sighting], ranks: rules.Ranks = RANKS, outside: Outside = NOBODY
) -> list[rules.Conflict]:
    return rules.conflicts_of(told, ranks, outside, PLAN.ownership_of)


CONFLICTS: list[tuple[list[Sighting], Outside, list[str]]] = [
    ([], NOBODY, []),
    ([said(LICENCE, name="甲厂", unit="210502", address="解放路1号")], NOBODY, []),
    (
        [said(LICENCE, address="解放路1号"), said(CODE, address="平山路2号")],
        NOBODY,
        ["address-differs"],
    ),
    # the same place, told with the city and in wide characters
    ([said(LICENCE, address="解放路1号"), said(CODE, address="本溪市解放路１号")], NOBODY, []),
    # the newest word of an office is its word
    (
        [
            said(LICENCE, address="甲路"),
            said(LICENCE, 2, subject="l:2", address="乙路"),
            said(CODE, address="乙路"),
        ],
        NOBODY,
        [],
    ),
    ([said(LICENCE), said(TAX, unit="210503")], NOBODY, ["unit-differs"]),
    ([said(LICENCE), said("complaints", unit="210503")], NOBODY, []),
    ([said(LICENCE, name="本溪甲厂"), said(TAX, name="本溪乙厂")], NOBODY, ["name-differs"]),
    ([said(LICENCE, name="本溪(甲)厂"), said(TAX, name="本溪（甲） 厂")], NOBODY, []),
    ([said(LICENCE, org_code="A"), said(TAX, org_code="B")], NOBODY, ["two-codes"]),
    ([said(LICENCE, org_code="A"), said(TAX, org_code="A")], NOBODY, []),
    ([said(LICENCE, org_code="A")], Outside(0, [("oc:B", "E2")]), ["two-codes"]),
    # 110 is state-owned, 120 collective, 171 private
    ([said(LICENCE, reg_type="110"), said(TAX, reg_type="171")], NOBODY, ["private-firm-differs"]),
    ([said(LICENCE, reg_type="110"), said(TAX, reg_type="120")], NOBODY, ["reg-type-differs"]),
    ([said(LICENCE, industry="67"), said(TAX, industry="47")], NOBODY, ["industry-differs"]),
    ([said(LICENCE, status=STRUCK_OFF), said(TAX)], NOBODY, ["struck-off-elsewhere"]),
    ([said(LICENCE, status=STRUCK_OFF), said(TAX, status=STRUCK_OFF)], NOBODY, []),
    # one licence given up while another of the same office stands
    ([said(LICENCE, 9, status=STRUCK_OFF), said(LICENCE, subject="l:2")], NOBODY, []),
    ([said(LICENCE, status=WITHDRAWN), said(TAX)], NOBODY, []),
    (
        [said(LICENCE, status=STRUCK_OFF), said("employers")],
        Outside(3),
        ["struck-off-elsewhere", "deregistered-with-insured"],
    ),
    # off the tax office's books only: the firm is there
    ([said(TAX, status=STRUCK_OFF), said("employers")], Outside(3), ["struck-off-elsewhere"]),
    # what an office says of a firm it has struck off contradicts nobody
    (
        [said(LICENCE, status=STRUCK_OFF, name="甲厂"), said(CODE, status=STRUCK_OFF, name="乙厂")],
        NOBODY,
        [],
    ),
]


@pytest.mark.parametrize(("told", "outside", "kinds"), CONFLICTS)
def test_contradictions_in_whatever_order(
    told: list[Sighting], outside: Outside, kinds: list[str]
) -> None:
    found = _conflicts(told, outside=outside)
    assert [one.kind for one in found] == kinds
    assert set(kinds) <= set(rules.KINDS)
    for order in itertools.permutations(told):
        assert _conflicts(list(order), outside=outside) == found


@pytest.mark.parametrize(
    ("name", "form", "pairs"),
    [
        ("本溪 第1厂", "本溪第1厂", ["1厂", "本溪", "溪第", "第1"]),
        ("ＡＢＣ（本）", "ABC本", ["AB", "BC", "C本"]),
        ("厂", "厂", ["厂"]),
        ("··", "", []),
    ],
)
def test_what_names_are_searched_by(name: str, form: str, pairs: list[str]) -> None:
    assert plain(name) == form
    assert sorted(grams(name)) == sorted(pairs)
