"""What is owed, through the real application on a real database (F1, F2, F8, F9, F44)."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from reporting.obligations import chasing
from reporting.obligations.rules import State
from reporting.trust.store import feeds_came
from shared.clock import FixedClock
from shared.events import decode
from shared.events.deliveries import (
    BY_OFFICER,
    DeliveryReceived,
    ReportingDeliveryReceived,
)
from shared.events.reporting import ObligationOverdue, ObligationReminded
from shared.outbox import Block
from tests.reporting.conftest import Desk
from tests.reporting.test_trust import applications, delivery, lines

TICK = timedelta(microseconds=1)
DUE = datetime(2008, 6, 10, 16, tzinfo=UTC)
RECEIPTS = "receipts.tax.2008-06-D1"
COUNTIES = ("210502", "210503", "210504", "210505", "210521", "210522")


def form(number: int, period: str, unit: str | None, **state: Any) -> ReportingDeliveryReceived:
    """A delivery of a dekad's form, from a county or from tax."""
    made: DeliveryReceived = delivery(
        number,
        feed="dekad-reports",
        department="unit" if unit else "tax",
        unit=unit,
        period=period,
        **state,
    )
    values = {name: getattr(made, name) for name in made.__struct_fields__}
    return ReportingDeliveryReceived(**values)


def replaced(number: int, by: int, at: datetime, **state: Any) -> DeliveryReceived:
    """A delivery that came then and was superseded by another."""
    told = {"withdrawn": True, "superseded_by": str(UUID(int=by)), **state}
    return delivery(number, 2, received_at=at, **told)


async def state(desk: Desk, obligation: str, as_of: datetime | None = None) -> Any:
    query = {"as_of": as_of.isoformat()} if as_of else {}
    return (await desk.get(f"obligations/{obligation}", **query))["obligation"]


class TestTheList:
    async def test_counts_are_the_lengths_of_the_lists(self, desk: Desk) -> None:
        await desk.take(
            [
                delivery(1),
                delivery(2, period="2008-05-D2", received_at=DUE - timedelta(days=12)),  # late
                delivery(3, period="2008-05-D3", nil=True, received_at=DUE - timedelta(days=12)),
            ]
        )
        await desk.take([applications(4, "210502"), applications(5, "210503")])
        for query in ({}, {"feed": "receipts"}, {"department": "tax"}, {"unit": "210502"}):
            whole = await desk.get("obligations", **query)
            everything = await desk.all_items("obligations", limit=37, **query)
            assert len(everything) == whole["total"] == sum(whole["counts"].values())
            assert Counter(one["state"] for one in everything) == {
                name: count for name, count in whole["counts"].items() if count
            }
            assert len({one["id"] for one in everything}) == len(everything)
            for name in State:
                listed = await desk.all_items("obligations", limit=50, state=name, **query)
                assert len(listed) == whole["counts"][name]
                assert listed == [one for one in everything if one["state"] == name]
        states = {
            o["period"]: o["state"] for o in await desk.all_items("obligations", feed="receipts")
        }
        assert states == {"2008-05-D2": "late", "2008-05-D3": "nil", "2008-06-D1": "received"}

    async def test_what_officers_decided_on_is_nobodys_delivery(self, desk: Desk) -> None:
        """One application approved at a desk is not the desk's return of the dekad."""
        await desk.take([applications(4, "210502", mode=BY_OFFICER, sent_count=1)])
        query = {"unit": "210502", "period": "2008-06-D1", "feed": "person-applications"}
        (owed,) = await desk.all_items("obligations", **query)
        assert owed["state"] == "due"
        async with desk.runtime.database.read() as conn:
            assert await feeds_came(conn, ["person-applications"]) == {}
        await desk.take([applications(5, "210502")])
        (owed,) = await desk.all_items("obligations", **query)
        assert owed["state"] == "received"
        assert owed["delivery"]["href"].endswith(str(UUID(int=5)))

    async def test_pages_are_all_of_the_moment_of_the_first(
        self, desk: Desk, clock: FixedClock
    ) -> None:
        first = await desk.get("obligations", limit=20)
        clock.advance(timedelta(days=30))
        items, body = list(first["items"]), first
        while body["next"]:
            body = await desk.get(body["next"])
            assert body["as_of"] == first["as_of"]
            items += body["items"]
        assert len(items) == first["total"]
        assert (await desk.get("obligations"))["total"] > first["total"]

    async def test_any_past_moment_gives_the_answer_of_then(
        self, desk: Desk, clock: FixedClock
    ) -> None:
        await desk.take([delivery(1, received_at=DUE - timedelta(hours=2))])
        clock.set(DUE + timedelta(days=9))
        await desk.take([delivery(2, received_at=DUE + timedelta(days=1))])
        async with desk.runtime.database.transaction() as conn:  # as a withdrawal's fact leaves it
            await conn.execute(
                sa.text("UPDATE delivery_facts SET withdrawn_at = :at WHERE delivery_id = :id"),
                {"at": DUE + timedelta(days=2), "id": UUID(int=1)},
            )
        for as_of, expected, late in [
            (DUE - timedelta(days=1), "due", 0),
            (DUE - timedelta(days=1) - TICK, "not-due", 0),
            (DUE - timedelta(hours=2) - TICK, "due", 0),
            (DUE - timedelta(hours=2), "received", 0),
            (DUE + timedelta(days=1), "received", 0),
            (DUE + timedelta(days=2), "late", 2),  # only the second one stands
            (None, "late", 2),
        ]:
            found = await state(desk, RECEIPTS, as_of)
            assert (found["state"], found["days_late"]) == (expected, late), as_of
        assert found["delivery"]["href"] == f"/tax-feed/v1/deliveries/{UUID(int=2)}"
        before = datetime(2008, 5, 13, 15, 59, tzinfo=UTC).isoformat()
        assert (await desk.get("obligations", as_of=before))["total"] == 0
        future = await desk.ask("obligations", as_of=(DUE + timedelta(days=10)).isoformat())
        assert future.status_code == 422
        assert (await desk.ask("obligations", as_of="2008-06-10T00:00:00")).status_code == 422
        assert (await desk.ask("obligations/receipts.tax.2008-07-D1")).status_code == 404

    @pytest.mark.parametrize(
        ("counts", "expected"),
        [
            ({"applied_count": 0, "rejected_count": 3}, "due"),
            ({"applied_count": 1, "rejected_count": 2}, "received"),
            ({"applied_count": 0, "held_count": 3}, "received"),
            ({"applied_count": 0, "duplicate_count": 3}, "received"),
        ],
    )
    async def test_a_delivery_of_which_all_was_refused_has_brought_nothing(
        self, desk: Desk, counts: dict[str, int], expected: str
    ) -> None:
        await desk.take([delivery(1, sent_count=3, **counts)])
        assert (await state(desk, RECEIPTS))["state"] == expected

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
    async def test_a_correction_is_as_late_as_what_it_corrects(
        self, desk: Desk, clock: FixedClock, order: tuple[int, ...]
    ) -> None:
        clock.set(DUE + timedelta(days=9))
        at = [DUE - timedelta(hours=2), DUE + timedelta(days=1), DUE + timedelta(days=2)]
        heard = [
            replaced(1, 2, at[0], recorded_at=at[1]),
            replaced(2, 3, at[1], recorded_at=at[2]),
            delivery(3, received_at=at[2]),
        ]
        await desk.take([heard[i] for i in order])
        for as_of in (at[0], at[1] - TICK, at[1], at[2], None):
            found = await state(desk, RECEIPTS, as_of)
            assert (found["state"], found["days_late"]) == ("received", 0), as_of
        assert datetime.fromisoformat(found["received_at"]) == at[0]
        assert found["delivery"]["href"] == f"/tax-feed/v1/deliveries/{UUID(int=3)}"
        assert lines(await desk.get("trust"), "receipts")["2008-06-D1"] == "in"
        await desk.take([delivery(3, 2, received_at=at[2], recorded_at=at[2], withdrawn=True)])
        assert (await state(desk, RECEIPTS))["state"] == "missing"

    async def test_what_replaces_another_period_s_delivery_came_itself(
        self, desk: Desk, clock: FixedClock
    ) -> None:
        clock.set(DUE + timedelta(days=9))
        at = [DUE - timedelta(hours=2), DUE + timedelta(days=1)]
        wrong = replaced(1, 2, at[0], recorded_at=at[1], period="2008-05-D3")
        await desk.take([wrong, delivery(2, received_at=at[1])])
        assert (await state(desk, RECEIPTS))["state"] == "late"

    async def test_counties_and_tax_owe_the_form_each_for_itself(self, desk: Desk) -> None:
        await desk.take([form(1, "2008-05-D2", "210502"), form(2, "2008-05-D2", None)])
        items = await desk.all_items("obligations", feed="dekad-reports", period="2008-05-D2")
        assert {(o["unit"] or o["department"])["code"]: o["state"] for o in items} == {
            **dict.fromkeys(COUNTIES, "missing"),
            "210502": "late",
            "tax": "late",
        }
        assert {o["department"]["code"] for o in items if o["unit"]} == {"county-governments"}


class TestRates:
    async def test_are_dhis2s_five_and_add_up_over_any_group(self, desk: Desk) -> None:
        await desk.take(
            [
                delivery(1, period="2008-05-D2", received_at=DUE - timedelta(days=22)),
                delivery(2, period="2008-05-D3", received_at=DUE - timedelta(days=1)),
                delivery(3, received_at=DUE - timedelta(days=1)),  # early, not yet expected
            ]
        )
        body = await desk.get("obligations/metrics", feed="receipts")
        assert body["groups"] == [{**body["total"], "feed": "receipts"}]
        assert {name: value for name, value in body["total"].items() if value is not None} == {
            "expected": 2,
            "actual": 2,
            "actual_on_time": 1,
            "missing": 0,
            "late": 1,
            "excused": 0,
            "reporting_rate": "100.0",
            "reporting_rate_on_time": "50.0",
        }
        for by in (["feed"], ["department"], ["unit"], ["period"], ["feed", "unit", "period"]):
            body = await desk.get("obligations/metrics", by=by)
            for name in ("expected", "actual", "actual_on_time", "missing", "late"):
                assert sum(g[name] for g in body["groups"]) == body["total"][name], (by, name)
        ranged = await desk.get("obligations/metrics", from_on="2008-05-21", to_on="2008-05-31")
        assert ranged["total"]["expected"] < body["total"]["expected"]
        none = await desk.get("obligations/metrics", feed="activities")
        assert none["total"]["reporting_rate"] is None


class TestTheOfficesWord:
    MISSING = "receipts.tax.2008-05-D2"

    async def put(self, desk: Desk, what: str, body: Any, who: str = "leading-group") -> Any:
        return await desk.http.put(
            f"/reporting/v1/obligations/{what}", json=body, headers=desk.token(who)
        )

    async def undo(self, desk: Desk, what: str) -> Any:
        return await desk.http.delete(
            f"/reporting/v1/obligations/{what}", headers=desk.token("leading-group")
        )

    async def test_excuses_and_undoes_it_with_who_and_when(
        self, desk: Desk, clock: FixedClock
    ) -> None:
        before = clock.now()
        clock.advance(timedelta(hours=1))
        given = {"code": "disaster", "words": "停电,证件 210502197001019805"}
        answer = await self.put(desk, f"{self.MISSING}/excuse", given)
        assert answer.status_code == 200, answer.text
        shown = answer.json()["obligation"]
        assert shown["state"] == "excused"
        assert (shown["excuse"]["by"], shown["excuse"]["zh"]) == ("tester", "自然灾害或突发事件")
        assert "197001019805" not in answer.text  # an identity number is masked
        again = await self.put(desk, f"{self.MISSING}/excuse", given)
        assert len(again.json()["history"]) == 1
        metrics = await desk.get("obligations/metrics", feed="receipts")
        assert (metrics["total"]["expected"], metrics["total"]["excused"]) == (1, 1)
        clock.advance(timedelta(hours=1))
        answer = await self.undo(desk, f"{self.MISSING}/excuse")
        assert answer.json()["obligation"]["state"] == "missing"
        [past] = answer.json()["history"]
        assert (past["undone_by"], past["kind"]) == ("tester", "excuse")
        assert (await self.undo(desk, f"{self.MISSING}/excuse")).status_code == 404
        assert (await state(desk, self.MISSING, before))["state"] == "missing"
        then = before + timedelta(hours=1)
        assert (await state(desk, self.MISSING, then))["state"] == "excused"

    async def test_a_clock_set_back_finds_the_mark_of_later_all_the_same(
        self, desk: Desk, clock: FixedClock
    ) -> None:
        now = clock.now()
        clock.advance(timedelta(hours=2))
        await self.put(desk, f"{self.MISSING}/excuse", {"code": "disaster"})
        clock.set(now)
        given = {"code": "disaster", "words": "停电"}
        assert (await self.put(desk, f"{self.MISSING}/excuse", given)).status_code == 200
        assert (await state(desk, self.MISSING))["excuse"]["words"] == "停电"

    async def test_gives_a_coded_reason_for_what_is_late_only(
        self, desk: Desk, clock: FixedClock
    ) -> None:
        for code in ("signature", "staff"):
            clock.advance(timedelta(minutes=1))
            answer = await self.put(desk, f"{self.MISSING}/reason", {"code": code})
            assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["obligation"]["reason"]["code"] == "staff"
        assert [(m["code"], m["undone_by"]) for m in body["history"]] == [
            ("signature", "tester"),
            ("staff", None),
        ]
        listed = await desk.all_items("obligations", feed="receipts", state="missing")
        assert listed[0]["reason"]["code"] == "staff"
        not_late = await self.put(desk, f"{RECEIPTS}/reason", {"code": "staff"})
        assert (not_late.status_code, not_late.json()["code"]) == (409, "conflict")

    @pytest.mark.parametrize(
        ("what", "body", "who", "status"),
        [
            (f"{MISSING}/reason", {"code": "weather"}, "leading-group", 422),
            (f"{MISSING}/reason", {"code": "other"}, "leading-group", 422),  # needs words
            (f"{MISSING}/excuse", {"code": "holiday"}, "leading-group", 422),  # does not excuse
            (f"{MISSING}/excuse", {"code": "disaster"}, "tax", 403),
            ("receipts.tax.2008-09-D1/excuse", {"code": "disaster"}, "leading-group", 404),
        ],
    )
    async def test_is_refused_otherwise(
        self, desk: Desk, what: str, body: Any, who: str, status: int
    ) -> None:
        assert (await self.put(desk, what, body, who)).status_code == status
        assert (await state(desk, self.MISSING))["state"] == "missing"

    async def test_codes_are_the_plans(self, desk: Desk) -> None:
        reasons = await desk.get("obligations/reasons", "tax")
        assert {one["code"] for one in reasons} >= {"disaster", "other"}


class TestChasing:
    async def facts(self, desk: Desk) -> list[Any]:
        async with desk.runtime.database.read() as conn:
            found = await conn.execute(sa.text("SELECT * FROM outbox_blocks ORDER BY id"))
            rows = found.mappings().all()
        made = []
        for row in rows:
            firsts = {int(partition): 1 for partition in row["counts"]}
            block = Block(row["id"], row["fact_count"], firsts, bytes(row["payload"]))
            made += [decode(m.type, m.data) for part in block.messages().values() for m in part]
        return made

    async def test_tells_each_thing_once_however_often_it_runs(
        self, desk: Desk, clock: FixedClock
    ) -> None:
        first = await chasing.tell(desk.runtime)
        assert first > 0
        # Two processes at once, and again: nothing more.
        assert await asyncio.gather(*(chasing.tell(desk.runtime) for _ in range(4))) == [0] * 4
        made = await self.facts(desk)
        assert len(made) == len({fact.fact_id for fact in made}) == first
        body = await desk.get("obligations/reminders")
        listed = await desk.all_items("obligations/reminders", limit=7)
        assert len(listed) == body["total"] == sum(body["counts"].values()) == first
        chased = {fact.obligation for fact in made if isinstance(fact, ObligationOverdue)}
        missing = await desk.all_items("obligations", state="missing")
        assert chased == {one["id"] for one in missing}
        reminded = {fact.obligation for fact in made if isinstance(fact, ObligationReminded)}
        due = await desk.all_items("obligations", state="due")
        assert reminded == {one["id"] for one in due} != set()
        clock.advance(timedelta(days=1))
        second = await chasing.tell(desk.runtime)
        assert len(await self.facts(desk)) == first + second
        levels = {
            one["period"]: one["level"]
            for one in await desk.all_items(
                "obligations/reminders", kind="overdue", feed="receipts"
            )
        }
        assert levels == {"2008-05-D2": 1, "2008-05-D3": 2, "2008-06-D1": 3}

    async def test_takes_back_what_had_come_in_time(self, desk: Desk, clock: FixedClock) -> None:
        clock.set(DUE + timedelta(hours=8))
        await chasing.tell(desk.runtime)
        await desk.take([delivery(1, received_at=DUE)])  # its fact was a night on the way
        assert await chasing.tell(desk.runtime) == 1
        assert await chasing.tell(desk.runtime) == 0
        fact = (await self.facts(desk))[-1]
        assert isinstance(fact, ObligationOverdue)
        assert (fact.obligation, fact.standing, fact.revision) == (RECEIPTS, False, 2)
        [taken_back] = await desk.all_items("obligations/reminders", standing=False)
        assert taken_back["obligation"] == RECEIPTS
        assert taken_back["to"]["code"] == fact.level_code == "main-leader"

    async def test_waits_while_another_process_is_at_it(self, desk: Desk) -> None:
        async with desk.runtime.database.transaction() as conn:
            await conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": 0x6368617365})
            assert await chasing.tell(desk.runtime) == 0
        assert await chasing.tell(desk.runtime) > 0

    async def test_a_run_that_fails_leaves_nothing_told(self, desk: Desk) -> None:
        async with desk.runtime.database.transaction() as conn:
            await conn.execute(sa.text("ALTER TABLE outbox_blocks RENAME TO elsewhere"))
        with pytest.raises(Exception, match="outbox_blocks"):
            await chasing.tell(desk.runtime)
        assert (await desk.get("obligations/reminders"))["total"] == 0
