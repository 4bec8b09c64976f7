"""The ledger against an independent recount: whatever the order, the corrections, the repeats and
the places where batches are cut (obligations O7–O11, features F55 and F56)."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from reporting.figures.rebuild import figures_hash, rebuild
from reporting.figures.rules import MEASURES, Measure, Segments, Window
from reporting.figures.store import members as members_store
from reporting.figures.store import reading
from reporting.figures.store.reading import Span
from shared.database import Database
from shared.events import Fact
from shared.events.enrollment import PersonChanged, PersonEnrolled
from shared.plan import Plan
from tests.conftest import PostgresForTests
from tests.reporting.objects import apply, arrears, person, receipt
from tests.reporting.recount import recount

UNITS = ("210502", "210503", "L-BG")
FIRST = date(2008, 5, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(60)]
LAST = date(2999, 12, 31)


def random_persons(chance: random.Random) -> list[Fact]:
    """Lives of some persons, interleaved: moves, changes of status and class, corrections,
    states that change nothing, older revisions coming again, effective days in any order."""
    facts: list[Fact] = []
    revisions: dict[int, int] = defaultdict(int)
    for _ in range(chance.randrange(40, 160)):
        number = chance.randrange(25)
        revisions[number] += 1
        facts.append(
            person(
                number,
                revisions[number],
                unit=chance.choice(UNITS),
                status=chance.choice(("active", "suspended", "retired", "ended")),
                worker_class=chance.choice(("employee", "migrant")),
                effective_on=chance.choice(DAYS),
                correction=revisions[number] > 1 and chance.random() < 0.3,
            )
        )
        if chance.random() < 0.1:
            facts.append(chance.choice(facts))
    return facts


def random_money(chance: random.Random) -> list[Fact]:
    """Receipts corrected and cancelled, moving between employers and units; arrears chains."""
    facts: list[Fact] = []
    revisions: dict[int, int] = defaultdict(int)
    for _ in range(chance.randrange(30, 120)):
        number = chance.randrange(30)
        revisions[number] += 1
        pooled = chance.randrange(5) * 10_000
        facts.append(
            receipt(
                number,
                revisions[number],
                key=chance.choice(("oc:1", "oc:2", "lic:3")),
                unit=chance.choice((*UNITS, "UNKNOWN")),
                received_on=chance.choice(DAYS),
                pooled_fen=pooled,
                individual_fen=pooled // 2,
                arrears_pooled_fen=pooled // 10,
            )
        )
    balance, unit = 0, UNITS[0]
    for month in ("2008-04", "2008-05", "2008-06"):
        earlier, before = balance, unit
        balance, unit = chance.randrange(4) * 5_000, chance.choice(UNITS)
        facts.append(arrears(month, balance, earlier, unit=unit, carried_unit=before))
    return facts


async def apply_in_batches(
    database: Database, facts: Sequence[Fact], chance: random.Random | None
) -> None:
    """One batch, or cut at random places."""
    position = 1
    rest = list(facts)
    while rest:
        size = len(rest) if chance is None else chance.randrange(1, 12)
        await apply(database, rest[:size], first_position=position)
        position += len(rest[:size])
        rest = rest[size:]


async def ledger_lines(database: Database, table: str) -> dict[tuple[Any, ...], int]:
    """(measure, unit, segments, day) → sum in one of the tables. Holdings have no day and day
    totals no segments."""
    found: dict[tuple[Any, ...], int] = {}
    day = "NULL::date" if table == "holdings" else "effective_on"
    segments = ", ".join(f"s.{name}" for name in Segments._fields)
    join = "JOIN segment_sets s ON s.id = t.segment"
    if table == "day_totals":
        segments, join = "NULL::text", ""
    groups = f"1, 2, {segments}" if table != "day_totals" else "1, 2"
    async with database.read() as conn:
        for measure in MEASURES.values():
            rows = await conn.execute(
                text(
                    f"SELECT code, {day} AS day, sum(q{measure.slot})::int8, {segments}"
                    f" FROM {table} t JOIN unit_codes u ON u.id = t.unit {join}"
                    f" WHERE account = :account GROUP BY {groups}"
                ),
                {"account": int(measure.account)},
            )
            for code, on, quantity, *names in rows:
                if quantity:
                    own = None if table == "day_totals" else Segments(*names)
                    found[measure.name, code, own, on] = quantity
    return found


def _collapsed(
    counted: dict[tuple[Any, ...], int], *, segments: bool, days: bool
) -> dict[tuple[Any, ...], int]:
    found: dict[tuple[Any, ...], int] = defaultdict(int)
    for (measure, unit, _, own, day), quantity in counted.items():
        found[measure, unit, own if segments else None, day if days else None] += quantity
    return {key: quantity for key, quantity in found.items() if quantity}


def by_day(lines: dict[tuple[Any, ...], int]) -> dict[tuple[Any, ...], int]:
    """(measure, unit, day) → sum."""
    return {(measure, unit, day): n for (measure, unit, _, day), n in lines.items()}


@pytest.mark.parametrize("seed", range(8))
class TestEveryTableSaysTheSame:
    async def test_as_an_independent_recount(
        self, seed: int, database: Database, plan: Plan
    ) -> None:
        chance = random.Random(seed)
        facts = random_persons(chance) if seed % 2 else random_money(chance)
        await apply_in_batches(database, facts, chance)
        counted = recount(facts, plan)
        for table, segments, days in (
            ("entries", True, True),
            ("rollups", True, True),
            ("day_totals", False, True),
            ("holdings", True, False),
        ):
            expected = _collapsed(counted, segments=segments, days=days)
            assert await ledger_lines(database, table) == expected, table

    async def test_however_batches_are_cut_and_when_rebuilt(
        self, seed: int, postgres: PostgresForTests, reporting_template: str, plan: Plan
    ) -> None:
        chance = random.Random(seed)
        facts = random_persons(chance) if seed % 2 else random_money(chance)
        hashes = set()
        for cut in (None, random.Random(1), random.Random(2)):
            database = Database(postgres.fresh_database(reporting_template), 2, "cut")
            try:
                await apply_in_batches(database, facts, cut)
                hashes.add(await figures_hash(database))
                rebuilt = await rebuild(database, plan)
                assert rebuilt.identical
                assert rebuilt.facts == len(facts)
                hashes.add(await figures_hash(database))
            finally:
                await database.close()
        assert len(hashes) == 1

    async def test_members_and_entries_make_the_value_on_any_day(
        self, seed: int, database: Database, plan: Plan
    ) -> None:
        chance = random.Random(seed)
        facts = random_persons(chance) if seed % 2 else random_money(chance)
        await apply_in_batches(database, facts, chance)
        counted = recount(facts, plan)
        async with database.read(snapshot=True) as conn:
            numbers = await reading.units_by_code(conn)
            for measure in MEASURES.values():
                for window in (
                    Window(None, chance.choice(DAYS)),
                    Window(None, LAST),
                    Window(chance.choice(DAYS[:20]), chance.choice(DAYS[20:])),
                ):
                    for codes in ([chance.choice(list(numbers))], list(numbers)):
                        units = tuple(numbers[code] for code in codes)
                        span = Span(measure, units, window)
                        await _check_figure(conn, span, _expected(counted, measure, codes, window))


def _expected(
    counted: dict[tuple[Any, ...], int], measure: Measure, codes: Sequence[str], window: Window
) -> dict[str, int]:
    members: dict[str, int] = defaultdict(int)
    for (name, unit, subject, _, day), quantity in counted.items():
        inside = day <= window.up_to_on and (window.after_on is None or day > window.after_on)
        if inside and name == measure.name and unit in codes:
            members[subject] += quantity
    return {subject: quantity for subject, quantity in sorted(members.items()) if quantity}


async def _check_figure(conn: Any, span: Span, expected: dict[str, int]) -> None:
    value = await reading.value_of(conn, span)
    assert value == sum(expected.values())
    for near, page in ((members_store.NEAR_ENTRIES, 3), (4, 1), (0, 3)):
        assert await _walked(conn, span, near, page) == expected
    assert await members_store.count_members(conn, span) == len(expected)
    total, place = 0, None
    while lines := await reading.entries_of(conn, span, place, 4):
        total += sum(line.quantity for line in lines)
        place = (lines[-1].effective_on, lines[-1].id)
    assert total == value
    for subject, quantity in list(expected.items())[:3]:
        own = await reading.entries_of_subject(conn, span, subject, None, 1000)
        assert sum(line.quantity for line in own) == quantity
        assert await reading.value_of_subject(conn, span, subject) == quantity


async def _walked(conn: Any, span: Span, near_entries: int, limit: int) -> dict[str, int]:
    """Members page by page, by each of the ways to look for them."""
    members: dict[str, int] = {}
    after = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members_store, "NEAR_ENTRIES", near_entries)
        while page := await members_store.members_of(conn, span, after, limit):
            members.update({member.subject: member.quantity for member in page})
            after = page[-1].subject
    return members


class TestOrderlyLives:
    """Where effective days rise and nothing is corrected, a figure on a day is simply how many
    were in that state on that day."""

    @pytest.mark.parametrize("seed", range(4))
    async def test_a_past_day_shows_who_was_in_then(
        self, seed: int, database: Database, plan: Plan
    ) -> None:
        chance = random.Random(seed)
        lives: dict[int, list[PersonEnrolled | PersonChanged]] = {}
        for number in range(20):
            days = sorted(chance.sample(DAYS, chance.randrange(1, 5)))
            lives[number] = [
                person(
                    number,
                    revision,
                    unit=chance.choice(UNITS),
                    status=chance.choice(("active", "retired", "ended")),
                    effective_on=day,
                )
                for revision, day in enumerate(days, 1)
            ]
        facts = [state for life in lives.values() for state in life]
        await apply_in_batches(database, facts, chance)
        async with database.read() as conn:
            numbers = await reading.units_by_code(conn)
            for on in chance.sample(DAYS, 10):
                for unit in numbers:
                    then = {
                        state.person_id
                        for life in lives.values()
                        for state in [s for s in life if s.effective_on <= on][-1:]
                        if state.unit == unit and plan.counts_in("insured-total", state.status)
                    }
                    span = Span(MEASURES["insured-total"], (numbers[unit],), Window(None, on))
                    assert await reading.value_of(conn, span) == len(then)
                    members = await members_store.members_of(conn, span, None, 100)
                    assert {member.subject for member in members} == then


class TestOneHolder:
    async def test_a_move_posts_minus_one_and_plus_one_on_its_day(self, database: Database) -> None:
        await apply(database, [person(1), person(1, 2, unit="L-BG", effective_on=date(2008, 6, 5))])
        lines = by_day(await ledger_lines(database, "entries"))
        assert {key: n for key, n in lines.items() if key[0] == "insured-total"} == {
            ("insured-total", "210502", date(2008, 4, 30)): 1,
            ("insured-total", "210502", date(2008, 6, 5)): -1,
            ("insured-total", "L-BG", date(2008, 6, 5)): 1,
        }

    async def test_a_correction_takes_back_what_never_was_at_its_own_day(
        self, database: Database
    ) -> None:
        await apply(database, [receipt(1), receipt(1, 2, received_on=date(2008, 6, 12))])
        assert by_day(await ledger_lines(database, "day_totals")) == {
            (name, "210502", date(2008, 6, 12)): fen
            for name, fen in (
                ("pooled-fund", 100_000),
                ("individual-fund", 40_000),
                ("arrears-collected", 20_000),
            )
        }

    async def test_a_state_that_moves_no_figure_posts_nothing(self, database: Database) -> None:
        await apply(database, [person(1), person(1, 2, effective_on=date(2008, 6, 1))])
        async with database.read() as conn:
            assert (await conn.execute(text("SELECT count(*) FROM entries"))).scalar_one() == 1

    async def test_the_first_day_of_all_is_in_what_counts_from_ever(
        self, database: Database
    ) -> None:
        await apply(database, [person(1, effective_on=date.min)])
        measure, window = MEASURES["insured-total"], Window(None, date(2008, 6, 10))
        async with database.read(snapshot=True) as conn:
            unit = (await reading.units_by_code(conn))["210502"]
            await _check_figure(conn, Span(measure, (unit,), window), {person(1).person_id: 1})
            sums = await reading.sums_by_unit(conn, [("x", measure, window)])
        assert sums == {"x": {"210502": 1}}

    async def test_a_lower_revision_that_comes_late_is_left_out(self, database: Database) -> None:
        await apply(database, [person(1, 3, status="ended")])
        await apply(database, [person(1, 2)], first_position=2)
        assert await ledger_lines(database, "day_totals") == {}

    async def test_an_equal_revision_is_left_out_whatever_it_says(self, database: Database) -> None:
        await apply(database, [person(1)])
        await apply(database, [person(1, unit="L-BG")], first_position=2)
        assert {unit for _, unit, _ in by_day(await ledger_lines(database, "holdings"))} == {
            "210502"
        }

    async def test_a_first_state_told_twice_leaves_the_others_of_its_batch_as_they_are(
        self, database: Database
    ) -> None:
        """The ledger takes first states for unknown; here it finds one that is not."""
        await apply(database, [person(1), person(2)])
        again = [person(1, unit="L-BG"), person(3, unit="L-BG"), person(2, 2, status="ended")]
        await apply(database, again, first_position=3)
        for table in ("holdings", "entries", "rollups", "day_totals"):
            lines = await ledger_lines(database, table)
            sums = {unit: n for (name, unit, *_), n in lines.items() if name == "insured-total"}
            assert sums == {"210502": 1, "L-BG": 1}, table

    async def test_a_first_state_that_counts_nowhere_is_held_and_posts_nothing(
        self, database: Database
    ) -> None:
        await apply(database, [person(1, status="ended")])
        async with database.read() as conn:
            for table, rows in (("holdings", 1), ("entries", 0), ("rollups", 0)):
                found = await conn.execute(text(f"SELECT count(*) FROM {table}"))
                assert found.scalar_one() == rows, table

    async def test_a_change_of_status_moves_between_segments_on_one_day(
        self, database: Database
    ) -> None:
        await apply(database, [person(1), person(1, 2, status="retired")])
        found = await ledger_lines(database, "rollups")
        assert {(name, own.status): n for (name, _, own, _), n in found.items()} == {
            ("insured-total", "retired"): 1
        }

    async def test_arrears_follow_a_firm_that_moved(self, database: Database) -> None:
        await apply(
            database,
            [
                arrears("2008-04", 5_000, 0, unit="210502"),
                arrears("2008-05", 7_000, 5_000, unit="L-BG", carried_unit="210502"),
            ],
        )
        assert by_day(await ledger_lines(database, "holdings")) == {
            ("arrears-balance", "L-BG", None): 7_000
        }

    async def test_money_of_an_unknown_unit_is_kept_under_it(self, database: Database) -> None:
        await apply(database, [receipt(1, unit="999999")])
        lines = by_day(await ledger_lines(database, "day_totals"))
        assert lines["pooled-fund", "999999", date(2008, 6, 2)] == 100_000


class TestRebuilding:
    async def test_tells_how_far_it_is_and_keeps_recorded_days(
        self, database: Database, plan: Plan
    ) -> None:
        for day in range(3):
            at = person().recorded_at + timedelta(days=day)
            await apply(database, [person(day)], first_position=day + 1, at=at)
        told: list[tuple[int, int]] = []
        rebuilt = await rebuild(database, plan, lambda done, total: told.append((done, total)))
        assert (told[-1], rebuilt.blocks, rebuilt.identical) == ((3, 3), 3, True)
        async with database.read() as conn:
            days = (await conn.execute(text("SELECT DISTINCT recorded_on FROM rollups"))).all()
        assert len(days) == 3

    async def test_repairs_projections_that_were_tampered_with(
        self, database: Database, plan: Plan
    ) -> None:
        await apply(database, [person(1), person(2)])
        sound = await figures_hash(database)
        async with database.transaction() as conn:
            await conn.execute(text("UPDATE holdings SET q1 = 5"))
        assert await figures_hash(database) != sound
        rebuilt = await rebuild(database, plan, accept=True)
        assert not rebuilt.identical
        assert await figures_hash(database) == sound

    async def test_an_interruption_leaves_the_old_figures(
        self, database: Database, plan: Plan
    ) -> None:
        await apply(database, [person(1)])
        before = await figures_hash(database)

        def stop(done: int, total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await rebuild(database, plan, stop)
        assert await figures_hash(database) == before
