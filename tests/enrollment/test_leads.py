"""Facts of two feeds and the register, in any order, on a real database."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest

from shared.events import Fact
from shared.events.enrollment import EmployerLinked, LeadAdvanced, LeadClosed, LeadOpened
from shared.events.registration_feed import EnterpriseChanged, EnterpriseDeregistered
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    at,
    employer,
    employer_application,
    headcount,
    licence,
    org_code,
    person,
    registered,
)

LEADS = (LeadOpened, LeadAdvanced, LeadClosed)


async def leads(world: World) -> list[dict[str, Any]]:
    return await world.rows(
        "SELECT kind, status, outcome, gap, unit FROM leads "
        "WHERE NOT void ORDER BY employer_id, kind, ordinal"
    )


async def test_a_new_enterprise_is_a_lead_until_the_register_has_it(world: World) -> None:
    await world.hear([registered(1, day=1)])
    (opened,) = await world.facts(LeadOpened)
    assert (opened.lead_kind, opened.unit, opened.sources) == (
        "unenrolled-employer",
        "210502",
        ["business-licences"],
    )
    assert (opened.delivery_id, opened.record_no) == (registered(1, day=1).delivery_id, 1)
    assert opened.opened_on == opened.effective_on == date(2008, 5, 10)

    await world.hear([headcount(1, taxable=9, insured=0, day=2)])
    (advanced,) = await world.facts(LeadAdvanced)
    assert (advanced.headcount_gap, advanced.revision) == (9, 2)
    assert advanced.sources == ["business-licences", "employer-checks"]

    sent = await world.push("employer-applications", [employer_application(1)])
    (closed,) = await world.facts(LeadClosed)
    assert (closed.outcome, closed.effective_on, closed.revision) == (
        "enrolled",
        date(2008, 6, 5),
        3,
    )
    assert (closed.delivery_id, closed.record_no) == (sent["delivery"], 1)
    gap = (await world.facts(LeadOpened))[-1]
    assert (gap.lead_kind, gap.headcount_gap) == ("not-fully-enrolled", 9)


async def test_the_register_s_persons_close_the_gap(world: World) -> None:
    await world.push("employers", [employer(1)])
    await world.push("insured-persons", [person(n, 1) for n in range(3)])
    await world.hear([headcount(1, taxable=5, insured=3)])
    (opened,) = await world.facts(LeadOpened)
    assert (opened.headcount_gap, opened.opened_on) == (2, date(2008, 5, 28))
    await world.push("insured-persons", [person(3, 1)])
    (advanced,) = await world.facts(LeadAdvanced)
    assert advanced.headcount_gap == 1
    tried = await world.push("insured-persons", [person(4, 1)], dry_run=True)
    assert tried["receipt"]["effect"]["leads"] == {"closed": 1}
    assert await world.facts(LeadClosed) == []
    await world.push("insured-persons", [person(4, 1)])
    (closed,) = await world.facts(LeadClosed)
    assert (closed.outcome, closed.revision) == ("enrolled", 3)


async def test_a_corrected_finding_and_a_struck_off_enterprise(world: World) -> None:
    await world.hear([headcount(1, 9, 0, day=1)])
    await world.hear([headcount(1, 9, 9, day=2, revision=2)])
    await world.hear([registered(2, day=1)])
    await world.hear([registered(2, day=3, revision=2, what=EnterpriseDeregistered)])
    closed = await world.facts(LeadClosed)
    assert sorted(str(fact.outcome) for fact in closed) == ["ceased", "evidence-withdrawn"]


async def test_a_household_is_one_employer_by_its_owner(world: World) -> None:
    """The licence names number and owner, the tax number only the owner; the register both."""
    owner = "own:v1-" + "a" * 26
    household: dict[str, Any] = {"org_code": None, "owner_key": owner, "household": True}
    await world.hear([headcount(1, 2, 0, key=owner, licence_no=None, **household)])
    await world.hear([registered(1, key=f"lic:{licence(1)}", **household)])
    (linked,) = (await world.facts(EmployerLinked))[-1:]
    assert linked.employer_keys == [f"lic:{licence(1)}", owner]
    assert linked.rule == "owner"
    assert len(await world.rows("SELECT * FROM employers")) == 1


async def test_two_that_turn_out_to_be_one_are_left_to_people(world: World) -> None:
    await world.hear([registered(1, org_code=None, key=f"lic:{licence(1)}")])
    await world.hear([headcount(1, 5, 0)])
    assert len(await world.rows("SELECT * FROM employers")) == 2
    await world.hear([registered(1, day=5, revision=2, what=EnterpriseChanged)])
    (conflict,) = await world.rows("SELECT key, owner_id, employer_id FROM link_conflicts")
    assert conflict["key"] == f"lic:{licence(1)}"
    # The licence's newest state is about the employer of the code: the other one's lead ends.
    found = await leads(world)
    assert sorted((lead["status"], lead["outcome"]) for lead in found) == [
        ("advanced", None),
        ("closed", "evidence-withdrawn"),
    ]


async def test_the_same_facts_again_change_nothing(world: World) -> None:
    facts: list[Fact] = [registered(1), headcount(1, 9, 0)]
    await world.hear(facts)
    before = await world.rows("SELECT * FROM leads")
    await world.hear(facts)
    assert await world.rows("SELECT * FROM leads") == before
    assert len(await world.facts(*LEADS)) == 2


_FACTS: list[list[Fact]] = [
    [registered(n, day=1) for n in range(1, 6)],
    [registered(n, day=1, feed="organisation-codes", subject=f"org-code:{org_code(n)}")
     for n in range(2, 5)],
    [headcount(n, 9, 0, day=3) for n in (1, 3, 5, 6)],
    [headcount(3, 9, 9, day=6, revision=2)],
    [headcount(n, 4, 2, day=5, period="2008-06") for n in (2, 4, 7)],
    [registered(5, day=7, revision=2, what=EnterpriseDeregistered)],
]  # fmt: skip


async def _register(world: World, step: int) -> None:
    if step == 0:
        await world.push("employers", [employer(n, enrolled_on="2008-05-20") for n in (2, 7)])
    else:
        await world.push("insured-persons", [person(n, 7) for n in range(3)])


def _orders() -> list[list[int]]:
    """Every fact's own order is kept (revisions of one key), the rest is shuffled."""
    orders = []
    for seed in range(6):
        order = [*range(len(_FACTS)), -1, -2]
        random.Random(seed).shuffle(order)
        # Revisions of one subject come in order (one key, one partition); persons after employers.
        for first, then in ((2, 3), (0, 5), (-1, -2)):
            one, other = order.index(first), order.index(then)
            if one > other:
                order[one], order[other] = order[other], order[one]
        orders.append(order)
    return orders


async def _end_of(world: World, order: list[int]) -> list[dict[str, Any]]:
    world.runtime.clock.set(at(4))  # type: ignore[attr-defined]
    for step in order:
        if step < 0:
            await _register(world, -1 - step)
        else:
            await world.hear(_FACTS[step])
    return await world.rows(
        "SELECT k.key, l.kind, l.status = 'closed' AS closed, l.outcome, l.gap, l.unit, "
        "l.sources FROM leads l JOIN employer_keys k USING (employer_id) "
        "WHERE NOT l.void AND k.key LIKE 'oc:%' "
        "AND (l.kind = 'unenrolled-employer' OR l.status <> 'closed') "
        "ORDER BY 1, 2, l.ordinal"
    )


_KNOWN: list[list[dict[str, Any]]] = []


@pytest.mark.parametrize("order", _orders(), ids=str)
async def test_every_interleaving_ends_in_the_same_leads(world: World, order: list[int]) -> None:
    """Two producers and the register in any order: the same leads stand, closed the same way."""
    found = await _end_of(world, order)
    _KNOWN.append(found)
    assert found == _KNOWN[0]
    assert {(row["kind"], row["closed"], row["outcome"]) for row in found} == {
        ("unenrolled-employer", False, None),
        ("unenrolled-employer", True, "enrolled"),
        ("unenrolled-employer", True, "ceased"),
        ("not-fully-enrolled", False, None),
    }


async def test_one_batch_or_many_the_same_facts_count(world: World) -> None:
    """Revisions of every lead are gapless, and the last fact is the state."""
    random.Random(1).shuffle(order := list(range(len(_FACTS))))
    await _end_of(world, [*(step for step in order if step not in (3, 5)), 3, 5, -1, -2])
    last: dict[str, int] = {}
    status: dict[str, str] = {}
    for fact in await world.facts(*LEADS):
        assert fact.revision == last.get(fact.lead_id, 0) + 1
        last[fact.lead_id], status[fact.lead_id] = fact.revision, fact.status
    rows = await world.rows("SELECT lead_id, revision, status FROM leads")
    assert {row["lead_id"]: (row["revision"], row["status"]) for row in rows} == {
        lead_id: (revision, status[lead_id]) for lead_id, revision in last.items()
    }
