"""Stocks of arrears as a chain: what is published telescopes, whatever order the months come in."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.events.tax_feed import ArrearsRecorded, ArrearsSettled
from shared.money import yuan
from tax_feed.collection.rules import Link, chain
from tests.registration_feed.door import Door
from tests.tax_feed.records import arrears, key

Stated = tuple[int, str, str, int]
"""Employer number, month, unit, balance in fen."""

Arrears = ArrearsRecorded | ArrearsSettled


async def push(door: Door, month: str, *stated: Stated) -> dict[str, Any]:
    return await door.push(
        "arrears",
        month,
        [
            arrears(number, month=month, unit=unit, balance=yuan(fen))
            for number, _, unit, fen in stated
        ],
    )


async def published(door: Door) -> dict[str, dict[str, Arrears]]:
    """Employer key → month → the latest fact; each subject's revisions rise by one."""
    latest: dict[str, Arrears] = {}
    facts: list[Any] = await door.facts(ArrearsRecorded, ArrearsSettled)
    assert len({fact.fact_id for fact in facts}) == len(facts)
    for fact in facts:
        before = latest.get(fact.subject)
        assert fact.revision == (before.revision + 1 if before else 1)
        assert fact.correction is (before is not None)
        latest[fact.subject] = fact
    found: dict[str, dict[str, Arrears]] = {}
    for fact in latest.values():
        assert fact.subject == f"arrears:{fact.key}:{fact.month}"
        assert isinstance(fact, ArrearsRecorded) is (fact.balance_fen > 0)
        found.setdefault(fact.key, {})[fact.month] = fact
    return found


def link_of(fact: Arrears) -> Link:
    return Link(fact.month, fact.unit, fact.balance_fen, fact.carried_fen, fact.carried_unit)


async def test_the_first_month_carries_nothing_and_the_next_what_was_owed(door: Door) -> None:
    await push(door, "2008-04", (1, "2008-04", "210502", 50_000))
    await push(door, "2008-05", (1, "2008-05", "210502", 30_000))
    months = (await published(door))[key()]
    assert link_of(months["2008-04"]) == Link("2008-04", "210502", 50_000, 0, None)
    assert link_of(months["2008-05"]) == Link("2008-05", "210502", 30_000, 50_000, None)
    assert months["2008-05"].as_at.isoformat() == "2008-05-31"


async def test_correcting_an_earlier_month_restates_the_one_after(door: Door) -> None:
    await push(door, "2008-03", (1, "2008-03", "210502", 10_000))
    await push(door, "2008-04", (1, "2008-04", "210502", 50_000))
    await push(door, "2008-05", (1, "2008-05", "210502", 0))
    receipt = await push(door, "2008-04", (1, "2008-04", "210502", 20_000))
    facts = await door.facts(ArrearsRecorded, ArrearsSettled)
    assert [(f.kind, f.month, f.revision, f.balance_fen, f.carried_fen) for f in facts[3:]] == [
        ("arrears-recorded", "2008-04", 2, 20_000, 10_000),
        ("arrears-settled", "2008-05", 2, 0, 20_000),
    ]
    assert [fact.record_no for fact in facts[3:]] == [1, 1]
    assert all(fact.delivery_id == receipt["delivery"] for fact in facts[3:])
    assert len({fact.fact_id for fact in facts}) == 5


async def test_a_month_between_is_put_in_between(door: Door) -> None:
    await push(door, "2008-03", (1, "2008-03", "210502", 10_000))
    await push(door, "2008-05", (1, "2008-05", "210502", 40_000))
    await push(door, "2008-04", (1, "2008-04", "210502", 20_000))
    months = (await published(door))[key()]
    assert [fact.carried_fen for _, fact in sorted(months.items())] == [0, 10_000, 20_000]


async def test_a_firm_that_moved_carries_from_where_it_was(door: Door) -> None:
    await push(door, "2008-04", (1, "2008-04", "210502", 50_000))
    await push(door, "2008-05", (1, "2008-05", "210503", 30_000))
    months = (await published(door))[key()]
    assert link_of(months["2008-05"]) == Link("2008-05", "210503", 30_000, 50_000, "210502")


async def test_the_same_stock_again_is_a_duplicate_and_no_fact(door: Door) -> None:
    await push(door, "2008-05", (1, "2008-05", "210502", 30_000))
    receipt = await push(door, "2008-05", (1, "2008-05", "210502", 30_000))
    assert (receipt["applied"], receipt["duplicate"]) == (0, 1)
    assert len(await door.facts(ArrearsRecorded, ArrearsSettled)) == 1


MONTHS = ["2008-01", "2008-02", "2008-03", "2008-04", "2008-05"]
deliveries = st.lists(
    st.tuples(
        st.sampled_from(MONTHS),
        st.lists(
            st.tuples(
                st.integers(0, 1),
                st.sampled_from(["210502", "210503"]),
                st.integers(0, 3).map(lambda thousands: thousands * 100_000),
            ),
            min_size=1,
            max_size=4,
        ),
    ),
    min_size=1,
    max_size=8,
)


_firms = itertools.count(1, 2)
"""Each example has two firms of its own in the one database."""


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sent=deliveries)
async def test_whatever_order_months_and_corrections_come_in(
    door: Door, sent: list[tuple[str, list[tuple[int, str, int]]]]
) -> None:
    first = next(_firms)
    stated: dict[str, dict[str, tuple[str, str, int]]] = {}
    for month, rows in sent:
        await push(door, month, *((first + firm, month, unit, fen) for firm, unit, fen in rows))
        for firm, unit, fen in rows:
            stated.setdefault(key(first + firm), {})[month] = (month, unit, fen)
    facts = await published(door)
    for employer, months in stated.items():
        links = sorted(map(link_of, facts[employer].values()), key=lambda link: link.month)
        assert links == chain(list(months.values()))
        total = 0
        for link in links:
            total += link.balance_fen - link.carried_fen
            assert total == link.balance_fen
