"""What the tax office's further lists do to leads: registrations, the unenrolled, pre-levies."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from enrollment.leads.worth.projections import assess_employers
from shared.bus.contract import partition_of
from shared.events import Fact
from shared.events.enrollment import LeadAdvanced, LeadClosed, LeadOpened
from shared.events.registration_feed import EnterpriseChanged, EnterpriseDeregistered
from shared.events.tax_feed import (
    HeadcountDeclared,
    PreLevied,
    PreLevySettled,
    TaxDeregistered,
    TaxRegistered,
    UnenrolledReported,
)
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    at,
    employer_application,
    headcount,
    licence,
    org_code,
    registered,
)


def cause(n: int, subject: str, day: int, revision: int = 1) -> dict[str, Any]:
    return {
        "key": f"oc:{org_code(n)}",
        "subject": f"{subject}:{n}",
        "revision": revision,
        "delivery_id": f"00000000-0000-4000-8000-0000000009{day:02d}",
        "record_no": n,
        "recorded_at": at(day),
        "correction": revision > 1,
        "unit": "210502",
        "org_code": org_code(n),
        "name": f"本溪第{n}厂",
    }


def tax_registration(n: int, day: int, gone: bool = False) -> Fact:
    return (TaxDeregistered if gone else TaxRegistered)(
        **cause(n, "tax-registration", day, 2 if gone else 1),
        feed="tax-registrations",
        registered_on=date(2008, 5, 12),
        effective_on=date(2008, 5, 20) if gone else date(2008, 5, 12),
    )


def unenrolled(n: int, day: int, insured: int = 0, revision: int = 1) -> Fact:
    return (UnenrolledReported if insured < 9 else HeadcountDeclared)(
        **cause(n, "unenrolled", day, revision),
        feed="unenrolled-employers",
        period="2008-05",
        taxable_headcount=9,
        insured_headcount=insured,
        effective_on=date(2008, 5, 31),
    )


def pre_levy(n: int, day: int, revision: int = 1, **more: Any) -> Fact:
    kind = PreLevySettled if "settled_on" in more else PreLevied
    return kind(
        **cause(n, "pre-levy", day, revision),
        month="2008-05",
        levied_on=date(2008, 5, 16),
        pooled_fen=396_000,
        taxable_headcount=9,
        headcount_gap=9,
        **more,
    )


OPENS: list[tuple[Fact, date, str]] = [
    (tax_registration(1, 1), date(2008, 5, 12), "tax-registrations"),
    (unenrolled(1, 1), date(2008, 5, 31), "unenrolled-employers"),
    (pre_levy(1, 1), date(2008, 5, 16), "pre-levies"),
]


@pytest.mark.parametrize(("fact", "on", "source"), OPENS, ids=[row[2] for row in OPENS])
async def test_each_opens_a_lead_that_the_register_closes(
    world: World, fact: Fact, on: date, source: str
) -> None:
    await world.hear([fact])
    (opened,) = await world.facts(LeadOpened)
    assert (opened.opened_on, opened.sources) == (on, [source])
    await world.push("employer-applications", [employer_application(1)])
    (closed,) = await world.facts(LeadClosed)
    assert closed.outcome == "enrolled"


ENDS: list[tuple[Fact, Fact, str]] = [
    (tax_registration(1, 1), tax_registration(1, 2, gone=True), "ceased"),
    (unenrolled(1, 1), unenrolled(1, 2, insured=9, revision=2), "evidence-withdrawn"),
    (pre_levy(1, 1), pre_levy(1, 2, revision=2, cancelled=True), "evidence-withdrawn"),
    (
        tax_registration(1, 1),
        replace(tax_registration(1, 2, gone=True), withdrawn=True),
        "evidence-withdrawn",
    ),
]


@pytest.mark.parametrize(
    ("told", "then", "outcome"), ENDS, ids=[f"{type(row[1]).__name__}-{row[2]}" for row in ENDS]
)
async def test_what_is_taken_back_closes_it(
    world: World, told: Fact, then: Fact, outcome: str
) -> None:
    await world.hear([told])
    await world.hear([then])
    (closed,) = await world.facts(LeadClosed)
    assert closed.outcome == outcome


async def test_a_registration_that_never_was_leaves_other_evidence_standing(world: World) -> None:
    await world.hear([tax_registration(1, 1), pre_levy(1, 2)])
    await world.hear([replace(tax_registration(1, 3, gone=True), withdrawn=True)])
    assert await world.facts(LeadClosed) == []
    assert (await world.facts(LeadAdvanced))[-1].sources == ["pre-levies"]


async def test_a_settled_pre_levy_stays_evidence_until_the_register_has_it(world: World) -> None:
    await world.hear([pre_levy(1, 1)])
    settled = {"settled_on": date(2008, 6, 4), "individual_fen": 158_400}
    await world.hear([pre_levy(1, 2, revision=2, **settled)])
    assert await world.facts(LeadClosed) == []


async def test_they_attach_to_the_lead_there_is(world: World) -> None:
    await world.hear([registered(1, day=1), tax_registration(1, 2), pre_levy(1, 3)])
    (opened,) = await world.facts(LeadOpened)
    last = [opened, *await world.facts(LeadAdvanced)][-1]
    assert last.sources == ["business-licences", "tax-registrations", "pre-levies"]
    assert last.headcount_gap == 9


async def test_a_check_s_word_on_headcounts_goes_before_a_list_s(world: World) -> None:
    await world.hear([headcount(1, taxable=12, insured=0, day=1), unenrolled(1, day=2)])
    last = [*await world.facts(LeadOpened), *await world.facts(LeadAdvanced)][-1]
    assert last.headcount_gap == 12


async def test_new_employers_are_worth_what_a_test_of_them_reads(world: World) -> None:
    place = partition_of(f"oc:{org_code(3)}", 2)
    beside = next(no for no in map(licence, range(40, 99)) if partition_of(f"lic:{no}", 2) == place)
    await world.hear(
        [
            registered(1, headcount=7, reg_type="173", industry="67"),
            registered(2, household=True),
            registered(3),
            registered(4, key=f"lic:{beside}", licence_no=beside, org_code=None),
            registered(3, subject="org-code:3", licence_no=beside),  # says that both are one
            headcount(5, 12, 0),
            headcount(6, 0, 0),
            unenrolled(7, 1),
            registered(8),
            tax_registration(8, 2),
        ]
    )
    query = "SELECT * FROM lead_worth ORDER BY lead_id"
    at_first = await world.rows(query)
    assert {row["reasons"] for row in at_first} >= {"", "staff-unknown"}
    assert any("identity-unsettled" in row["reasons"] for row in at_first)
    employers = [row["employer_id"] for row in await world.rows("SELECT * FROM employers")]
    async with world.runtime.database.transaction() as conn:
        await assess_employers(conn, employers, at(30))
    assert await world.rows(query) == at_first


_TOLD = (
    *("employers", "employer_keys", "match_queue", "link_conflicts", "sightings"),
    *("lead_events", "leads", "lead_worth", "evidence_traits", "lead_notices"),
)


async def _told(world: World) -> tuple[dict[str, list[str]], list[str]]:
    """All that is kept, and the facts of it, employers by a key instead of their numbers."""
    by_key = {
        row["employer_id"]: row["key"]
        for row in await world.rows("SELECT * FROM employer_keys ORDER BY key DESC")
    }

    def named(text: str) -> str:
        for employer, key in by_key.items():
            text = text.replace(employer, key)
        return text

    kept = {}
    for table in _TOLD:
        rows = await world.rows(f"SELECT * FROM {table}")
        kept[table] = sorted(named(str({**row, "due_since": None, "id": None})) for row in rows)
    facts = [named(repr(fact)) for fact in await world.facts(Fact)]
    return kept, sorted(facts)


async def test_new_employers_are_the_same_told_together_one_by_one_or_beside_known_ones(
    world: World,
) -> None:
    """What is new to a batch is written without being compared with what is kept."""
    facts: list[Fact] = [
        registered(1, headcount=7, reg_type="173", industry="67", notified_on=date(2008, 5, 11)),
        registered(2, household=True, org_code=None, key=f"lic:{licence(2)}"),
        registered(3, what=EnterpriseDeregistered),
        registered(4, revision=2, what=EnterpriseChanged, address="东明路4号"),
        registered(5, withdrawn=True, notified_on=date(2008, 5, 12)),
        headcount(6, 12, 0),
        headcount(7, 0, 0),
        unenrolled(8, 1),
        tax_registration(9, 2),
        registered(10, licence_no=licence(40), headcount=0),
    ]
    known: Fact = registered(11, headcount=3)
    ways = []
    for batches in ([[known], facts], [[fact] for fact in [known, *facts]], [[known, *facts]]):
        for batch in batches:
            await world.hear(batch)
        ways.append(await _told(world))
        async with world.runtime.database.transaction() as conn:
            await conn.execute(sa.text(f"TRUNCATE {', '.join(_TOLD)}, outbox_blocks"))
    assert ways[1] == ways[0]
    assert ways[2] == ways[0]
    kept, told = ways[0]
    written = {table: len(rows) for table, rows in kept.items() if "conflict" not in table}
    assert written == {
        **dict.fromkeys(("employers", "match_queue", "sightings", "lead_events"), 11),
        "employer_keys": 17,
        "evidence_traits": 3,
        "lead_notices": 2,
        **dict.fromkeys(("leads", "lead_worth"), 8),
    }
    assert len(told) == 11 + 8  # links and leads
