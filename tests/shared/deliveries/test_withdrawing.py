"""Deliveries taken back, superseded, and full lists: what stands afterwards, and who says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shared.clock import FixedClock
from shared.deliveries import withdrawing
from shared.deliveries.feed import Feed
from shared.events.deliveries import DeliveryReceived
from shared.events.registration_feed import EnterpriseRegistered
from shared.signing import verify
from tests.shared.deliveries import made_service
from tests.shared.deliveries.conftest import Door
from tests.shared.deliveries.made_service import LICENCES_FEED, licence, lines

A, B, C = (licence(1, capital=capital) for capital in ("1", "2", "3"))


async def withdraw(
    door: Door, delivery: dict[str, Any], *, work: bool = True, **caller: Any
) -> dict[str, Any]:
    answer = await door.http.post(
        f"/deliveries/{delivery['delivery']}/withdrawal",
        json={"reason": "sent by mistake"},
        headers=door.token(**caller),
    )
    assert answer.status_code in (200, 202), answer.text
    if work:
        await door.worker.drain()
    found: dict[str, Any] = (await door.get(f"/deliveries/{delivery['delivery']}")).json()
    return found


async def capitals(door: Door) -> dict[str, int]:
    """Licence number → capital in fen, of what stands."""
    return {row["licence_no"]: row["capital_fen"] for row in await door.rows("licences")}


async def standing_by(door: Door) -> set[tuple[str, int]]:
    return {(str(row["delivery_id"]), row["record_no"]) for row in await door.rows("licences")}


class TestWithdrawal:
    async def test_brings_back_what_stood_before(self, door: Door) -> None:
        first = await door.push(lines(A, licence(2)))
        second = await door.push(lines(B))
        after = await withdraw(door, second)
        assert await capitals(door) == {"1": 100, "2": 0}
        assert await standing_by(door) == {(first["delivery"], 1), (first["delivery"], 2)}
        assert after["withdrawn_at"] is not None
        assert after["withdrawal"]["status"] == "done"
        facts = [fact for fact in await door.facts(EnterpriseRegistered) if fact.key == "lic:1"]
        assert [fact.revision for fact in facts] == [1, 2, 3]
        assert (facts[-1].delivery_id, facts[-1].record_no) == (first["delivery"], 1)
        ids = [fact.fact_id for fact in await door.facts()]
        assert len(ids) == len(set(ids))

    async def test_of_the_earlier_one_changes_nothing_that_stands(self, door: Door) -> None:
        first = await door.push(lines(A))
        second = await door.push(lines(B))
        await withdraw(door, first)
        assert await capitals(door) == {"1": 200}
        await withdraw(door, second)
        (state,) = await door.rows("licences")
        assert (state["capital_fen"], state["content_hash"]) == (0, b"\0" * 16)

    async def test_what_another_stated_too_stays_and_is_its_own(self, door: Door) -> None:
        first = await door.push(lines(A))
        second = await door.push(lines(A))
        assert second["receipt"]["duplicate"] == 1
        before = len(await door.facts(EnterpriseRegistered))
        after = await withdraw(door, first)
        assert await capitals(door) == {"1": 100}
        assert await standing_by(door) == {(second["delivery"], 1)}
        assert len(await door.facts(EnterpriseRegistered)) == before
        assert after["receipts"][-1]["withdrawal"]["unchanged_count"] == 1
        versions = (await door.get(f"/deliveries/{second['delivery']}/records/1")).json()
        assert [one["delivery"] for one in versions["versions"]] == [
            first["delivery"],
            second["delivery"],
        ]

    async def test_the_same_again_after_it_is_news(self, door: Door) -> None:
        await withdraw(door, await door.push(lines(A)))
        receipt = (await door.push(lines(A)))["receipt"]
        assert receipt["applied"] == 1
        assert await capitals(door) == {"1": 100}

    async def test_asked_for_again_changes_nothing(self, door: Door) -> None:
        delivery = await door.push(lines(A))
        first = await withdraw(door, delivery)
        facts = len(await door.facts())
        assert await withdraw(door, delivery) == first
        assert len(await door.facts()) == facts

    async def test_its_held_records_end_rejected_and_it_counts_as_not_received(
        self, door: Door
    ) -> None:
        delivery = await door.push(lines(A, licence(2, shop_no="s1")))
        after = await withdraw(door, delivery)
        assert after["counts"] == {"applied": 1, "duplicate": 0, "rejected": 1, "held": 0}
        assert after["problems"] == {"record-withdrawn": 1}
        assert (await door.get("/held-records")).json()["items"] == []
        received = await door.facts(DeliveryReceived)
        assert [getattr(fact, "withdrawn", None) for fact in received] == [False, True]
        await door.push(lines({"shop_no": "s1"}), "shops", period="2008-06-D1")
        assert (await capitals(door)).keys() == {"1"}

    async def test_a_held_record_older_than_what_was_withdrawn_stands_when_it_resolves(
        self, door: Door
    ) -> None:
        held = await door.push(lines(licence(1, capital="1", shop_no="s1")))
        await withdraw(door, await door.push(lines(B)))
        assert await capitals(door) == {"1": 0}
        await door.push(lines({"shop_no": "s1"}), "shops", period="2008-06-D1")
        assert await capitals(door) == {"1": 100}
        assert await standing_by(door) == {(held["delivery"], 1)}

    @pytest.mark.parametrize(
        ("no_more", "expected", "counts"),
        [
            # What would stand again is judged otherwise now; of the others all goes its way.
            ({100}, {"1": 200, "2": 0, "3": 400}, {"kept": 1, "restored": 1, "ended": 1}),
            # The record that is to end is.
            ({500}, {"1": 100, "2": 500, "3": 400}, {"kept": 1, "restored": 2}),
        ],
    )
    async def test_keeps_what_rests_on_a_record_that_is_judged_otherwise_now(
        self, door: Door, no_more: set[int], expected: dict[str, int], counts: dict[str, int]
    ) -> None:
        await door.push(lines(A, licence(3, capital="4")))
        second = await door.push(lines(B, licence(2, capital="5"), licence(3, capital="6")))
        made_service.no_more |= no_more
        after = await withdraw(door, second)
        assert await capitals(door) == expected
        assert after["withdrawal"]["status"] == "done"
        told = after["receipts"][-1]["withdrawal"]
        assert {how: told[f"{how}_count"] for how in counts} == counts
        shown = await door.get(f"/deliveries/{second['delivery']}/withdrawal")
        assert shown.json()["keys"]["kept_count"] == 1
        # The feed goes on.
        await door.push(lines(C))
        assert (await capitals(door))["1"] == 300

    async def test_is_not_before_the_delivery_though_the_clock_was_set_back(
        self, door: Door, clock: FixedClock
    ) -> None:
        delivery = await door.push(lines(A, licence(2, shop_no="s1"), licence(3, shop_no="s1")))
        clock.advance(-timedelta(days=1))
        reject = await door.http.post(
            f"/deliveries/{delivery['delivery']}/records/2/resolution",
            json={"action": "reject", "reason": "no such shop"},
            headers=door.token(),
        )
        assert reject.json()["disposition"] == "rejected", reject.text
        await door.push(lines({"shop_no": "s1"}), "shops", period="2008-06-D1")
        after = await withdraw(door, delivery)
        first, *linked = after["receipts"]
        assert [one["kind"] for one in linked] == ["resolved", "resolved", "withdrawn"]
        assert {one["made_at"] for one in linked} == {first["completed_at"]}
        assert after["withdrawn_at"] == first["completed_at"]

    async def test_a_chain_of_signed_receipts_tells_of_it(self, door: Door) -> None:
        after = await withdraw(door, await door.push(lines(A)))
        jwks = (await door.http.get("/receipt-keys")).json()
        first, linked = (verify(receipt, jwks) for receipt in after["receipts"])
        assert linked.document["previous_sha256"] == first.sha256
        assert (linked.document["kind"], linked.document["no"]) == ("withdrawn", 1)
        assert linked.document["withdrawal"]["ended_count"] == 1
        assert linked.document["withdrawal"]["reason"] == "sent by mistake"
        assert linked.document["withdrawal"]["by"] == "tester"

    async def test_is_for_the_sender_and_the_agency(self, door: Door) -> None:
        delivery = await door.push(lines(A))
        for department, units, status in (
            ("tax", None, 404),
            ("auditor", None, 403),
            ("operator", None, 403),
            ("industry-commerce", ["210502"], 404),
            ("agency", None, 202),
        ):
            answer = await door.http.post(
                f"/deliveries/{delivery['delivery']}/withdrawal",
                json={"reason": "sent by mistake"},
                headers=door.token(department, units),
            )
            assert answer.status_code == status, department

    async def test_of_a_dry_run_or_one_still_running_is_refused(self, door: Door) -> None:
        tried = await door.push(lines(A), dry_run=True)
        running = (await door.post(lines(A))).json()
        for delivery, code in ((tried, "withdrawal-refused"), (running, "delivery-running")):
            answer = await door.http.post(
                f"/deliveries/{delivery['delivery']}/withdrawal",
                json={"reason": "sent by mistake"},
                headers=door.token(),
            )
            assert (answer.status_code, answer.json()["code"]) == (409, code)

    async def test_goes_on_after_a_crash_at_any_step(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await door.push(lines(*(licence(no, capital="1") for no in range(1, 36))))
        second = await door.push(lines(*(licence(no, capital="2") for no in range(1, 41))))
        await withdraw(door, second, work=False)
        real, calls = withdrawing.step, 0

        async def breaking(*args: Any) -> bool:
            """Every second step is rolled back after it was done."""
            nonlocal calls
            calls += 1
            more = await real(*args)
            if calls % 2:
                raise ZeroDivisionError
            return more

        monkeypatch.setattr(withdrawing, "step", breaking)
        for _ in range(100):
            try:
                await (await door.fresh_worker()).drain()
                break
            except ZeroDivisionError:
                continue
        found = await capitals(door)
        assert found == {str(no): 100 if no < 36 else 0 for no in range(1, 41)}
        assert calls > 10
        facts = [fact for fact in await door.facts(EnterpriseRegistered) if fact.revision == 3]
        assert len(facts) == 35
        ids = [fact.fact_id for fact in await door.facts()]
        assert len(ids) == len(set(ids))

    async def test_goes_first_even_when_it_was_noted_since_the_worker_looked(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = await door.push(lines(A))
        await withdraw(door, first, work=False)
        later = (await door.post(lines(B))).json()

        async def busy(feed: Feed) -> bool:
            """Another worker has the feed just now, and lets go of it right after."""
            return False

        with monkeypatch.context() as patch:
            patch.setattr(door.worker, "_take_back", busy)
            assert not await door.worker.step(LICENCES_FEED)
        assert (await door.delivery(later["delivery"]))["status"] == "accepted"
        await door.worker.drain()
        assert (await door.delivery(later["delivery"]))["status"] == "done"
        assert await capitals(door) == {"1": 200}


class TestSuperseding:
    async def test_replaces_what_it_names_and_withdraws_the_rest(self, door: Door) -> None:
        old = await door.push(lines(A, licence(2, capital="5"), licence(3, capital="7")))
        new = await door.push(lines(B, licence(3, capital="7")), supersedes=old["delivery"])
        assert await capitals(door) == {"1": 200, "2": 0, "3": 700}
        assert new["receipt"]["supersedes"] == old["delivery"]
        told = (await door.delivery(new["delivery"]))["receipts"][-1]
        assert (told["kind"], told["withdrawal"]["delivery"]) == ("superseding", old["delivery"])
        counts = told["withdrawal"]
        assert (counts["ended_count"], counts["unchanged_count"]) == (1, 1)
        before = await door.delivery(old["delivery"])
        assert before["withdrawal"]["superseded_by"] == new["delivery"]
        assert before["receipts"][-1]["withdrawal"]["superseded_by"] == new["delivery"]
        last = {fact.delivery_id: fact for fact in await door.facts(DeliveryReceived)}
        assert last[old["delivery"]].superseded_by == new["delivery"]
        assert last[new["delivery"]].superseded_by is None

    async def test_is_refused_for_what_is_not_the_senders_own(self, door: Door) -> None:
        old = await door.push(lines(A))
        body = lines(B)
        unit: dict[str, Any] = {"department": "unit", "units": ["210502"]}
        other = await door.post(body, supersedes=old["delivery"], **unit)
        assert (other.status_code, other.json()["code"]) == (404, "delivery-unknown")
        shops = await door.push(lines({"shop_no": "s"}), "shops", period="2008-06-D1")
        wrong = await door.post(body, supersedes=shops["delivery"])
        assert (wrong.status_code, wrong.json()["code"]) == (409, "conflict")
        await withdraw(door, old)
        gone = await door.post(body, supersedes=old["delivery"])
        assert (gone.status_code, gone.json()["code"]) == (409, "conflict")

    @pytest.mark.parametrize("record", [b"{}", licence(1, shop_no="unheard-of")])
    async def test_by_what_does_not_count_leaves_it_standing(self, door: Door, record: Any) -> None:
        old = await door.push(lines(A, licence(2, capital="5")))
        for dry_run in (True, False):
            new = await door.push(lines(record), supersedes=old["delivery"], dry_run=dry_run)
            assert "none of its records counts" in new["receipt"]["supersedes_refusal"]
            assert new["receipt"].get("effect", {}).get("removed_count", 0) == 0
        assert await capitals(door) == {"1": 100, "2": 500}
        assert await door.rows("withdrawals") == []
        better = await door.push(lines(B), supersedes=old["delivery"])
        assert "supersedes_refusal" not in better["receipt"]
        assert await capitals(door) == {"1": 200, "2": 0}

    async def test_is_for_one_only(self, door: Door) -> None:
        old = await door.push(lines(A))
        await door.push(lines(B), supersedes=old["delivery"], dry_run=True)

        async def overtaken() -> AsyncIterator[bytes]:
            """While this body is on its way, another delivery comes in between."""
            quick = await door.post(lines(B), supersedes=old["delivery"])
            assert quick.status_code == 202
            yield lines(A)

        slow = await door.post(overtaken(), supersedes=old["delivery"])
        assert (slow.status_code, slow.json()["code"]) == (409, "conflict")
        third = await door.post(lines(C), supersedes=old["delivery"])
        assert (third.status_code, third.json()["code"]) == (409, "conflict")
        await door.worker.drain()
        assert await capitals(door) == {"1": 200}

    async def test_is_refused_while_it_is_being_taken_back(self, door: Door) -> None:
        old = await door.push(lines(A))
        await withdraw(door, old, work=False)
        late = await door.post(lines(B), supersedes=old["delivery"])
        assert (late.status_code, late.json()["code"]) == (409, "conflict")

    async def test_takes_it_back_after_a_refusal(self, door: Door) -> None:
        old = await door.push(lines(A, licence(2, capital="5")))
        await withdraw(door, old, work=False)
        async with door.runtime.database.transaction() as conn:
            await conn.execute(sa.text("UPDATE withdrawals SET status = 'refused'"))
        new = await door.push(lines(B), supersedes=old["delivery"])
        assert await capitals(door) == {"1": 200, "2": 0}
        taken = (await door.delivery(old["delivery"]))["withdrawal"]
        assert (taken["status"], taken["superseded_by"]) == ("done", new["delivery"])

    async def test_repeated_is_the_same_delivery(self, door: Door) -> None:
        old = await door.push(lines(A))
        new = await door.push(lines(B), supersedes=old["delivery"], key="k")
        again = await door.post(lines(B), supersedes=old["delivery"], key="k")
        assert (again.status_code, again.json()["delivery"]) == (201, new["delivery"])


class TestFullList:
    async def test_removes_what_it_does_not_name_when_confirmed(self, door: Door) -> None:
        await door.push(lines(A, licence(2, capital="5"), licence(3, capital="7")))
        refused = await door.push(lines(A), mode="replace")
        assert refused["receipt"]["removals"] == {
            "found_count": 2,
            "scope_count": 3,
            "confirmed": False,
        }
        assert await capitals(door) == {"1": 100, "2": 500, "3": 700}
        done = await door.push(lines(A), mode="replace", confirm_removals=2)
        assert await capitals(door) == {"1": 100, "2": 0, "3": 0}
        told = (await door.delivery(done["delivery"]))["receipts"][-1]
        assert (told["kind"], told["withdrawal"]["ended_count"]) == ("removals", 2)

    async def test_a_few_need_no_word(self, door: Door) -> None:
        await door.push(lines(*(licence(no, capital="1") for no in range(1, 31))))
        await door.push(lines(*(licence(no, capital="1") for no in range(3, 31))), mode="replace")
        found = await capitals(door)
        assert [no for no, capital in found.items() if not capital] == ["1", "2"]
        removed = [f for f in await door.facts(EnterpriseRegistered) if f.key in ("lic:1", "lic:2")]
        assert [fact.record_no for fact in removed] == [1, 2, 29, 30]

    async def test_is_for_its_own_period_and_sender(self, door: Door) -> None:
        await door.push(lines(A), period="2008-05")
        await door.post(lines(licence(2, capital="5")), department="unit", units=["210502"])
        await door.push(lines(licence(3, capital="7")))
        full = await door.push(lines(licence(4, capital="9")), mode="replace", confirm_removals=9)
        removals = full["receipt"]["removals"]
        assert (removals["found_count"], removals["scope_count"]) == (1, 2)
        assert await capitals(door) == {"1": 100, "2": 500, "3": 0, "4": 900}

    async def test_leaves_alone_what_was_accepted_after_it(self, door: Door) -> None:
        await door.push(lines(A, licence(2, capital="5")))
        full = await door.post(lines(A), mode="replace", confirm_removals=1)
        await door.worker.step(LICENCES_FEED)
        assert (await door.delivery(full.json()["delivery"]))["status"] == "done"
        set_status = sa.text("UPDATE withdrawals SET status = :status")
        async with door.runtime.database.transaction() as conn:
            await conn.execute(set_status, {"status": "done"})
        await door.push(lines(licence(3, capital="7")))  # overtakes the removals
        async with door.runtime.database.transaction() as conn:
            await conn.execute(set_status, {"status": "requested"})
        await door.worker.drain()
        assert await capitals(door) == {"1": 100, "2": 0, "3": 700}

    async def test_taken_back_brings_back_what_it_removed(self, door: Door) -> None:
        await door.push(lines(A, licence(2, capital="5")))
        full = await door.push(lines(A), mode="replace", confirm_removals=1)
        assert await capitals(door) == {"1": 100, "2": 0}
        await withdraw(door, full)
        assert await capitals(door) == {"1": 100, "2": 500}

    async def test_what_it_removed_stays_removed_when_a_later_one_goes(self, door: Door) -> None:
        await door.push(lines(A, licence(2, capital="5")))
        full = await door.push(lines(A), mode="replace", confirm_removals=1)
        later = await door.push(lines(licence(2, capital="6")))
        assert await capitals(door) == {"1": 100, "2": 600}
        await withdraw(door, later)
        assert await capitals(door) == {"1": 100, "2": 0}
        # The list answers for it, under a number after its one record.
        assert (full["delivery"], 2) in await standing_by(door)

    async def test_a_held_record_before_it_does_not_come_alive_after_it(self, door: Door) -> None:
        held = licence(1, capital="1", shop_no="s1")
        many = [licence(no, shop_no="s1") for no in range(20, 35)]
        old = await door.push(lines(held, *many))
        other = await door.push(lines(held), period="2008-05")
        theirs = await door.post(
            lines(licence(2, shop_no="s1")), department="unit", units=["210502"]
        )
        full = await door.push(
            lines(licence(3), licence(4, shop_no="s1")), mode="replace", confirm_removals=0
        )
        after = await door.delivery(old["delivery"])
        assert after["counts"] == {"applied": 0, "duplicate": 0, "rejected": 16, "held": 0}
        assert after["problems"] == {"record-replaced": 16}
        last = after["receipts"][-1]
        assert (last["kind"], last["rejected"]) == ("resolved", 16)
        assert last["replaced_by"] == full["delivery"]
        await door.push(lines({"shop_no": "s1"}), "shops", period="2008-06-D1")
        assert (await capitals(door)).keys() == {"1", "2", "3", "4"}
        assert {by for by, _ in await standing_by(door)} == {
            *(other["delivery"], full["delivery"], theirs.json()["delivery"])
        }

    async def test_of_nothing_or_unnamed_confirmations_are_refused(self, door: Door) -> None:
        nothing = await door.post(b"", mode="replace", nil=True)
        assert nothing.json()["code"] == "conflict"
        odd = await door.post(lines(A), confirm_removals=3)
        assert odd.json()["code"] == "conflict"
        assert (await door.post(lines(A), mode="all")).status_code == 422


class TestNil:
    async def test_is_refused_where_records_stand_and_gives_way_to_later_ones(
        self, door: Door
    ) -> None:
        nil = await door.push(b"", nil=True, key="nil")
        assert (await door.post(lines(A), nil=True)).json()["code"] == "conflict"
        records = await door.push(lines(A))
        again = await door.post(b"", nil=True, key="nil")
        assert (again.status_code, again.json()["delivery"]) == (201, nil["delivery"])
        refused = await door.post(b"", nil=True)
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        await withdraw(door, records)
        assert (await door.push(b"", nil=True))["receipt"]["nil"] is True


class TestDryRun:
    async def test_tells_the_effect_and_has_none(self, door: Door) -> None:
        old = await door.push(lines(A, licence(2, capital="5"), licence(3)))
        before = await door.rows("licences", "1")
        body = lines(B, licence(3), licence(4, capital="9"))
        tried = await door.push(body, dry_run=True, supersedes=old["delivery"])
        assert tried["receipt"]["void"] is True
        assert tried["receipt"]["effect"] == {
            "facts": {"enterprise-registered": 2},
            "leads": {"may_open": 2},
            "unchanged_count": 1,
            "new_count": 1,
            "corrected_count": 1,
            "removed_count": 1,
            "figures": [
                {"unit": "210502", "figure": "capital_fen", "before": 600, "after": 1600},
                {"unit": "210502", "figure": "licence_count", "before": 3, "after": 4},
            ],
        }
        assert await door.rows("licences", "1") == before
        assert await door.rows("withdrawals") == []
        assert await door.rows("delivery_keys") == []

    async def test_of_a_full_list_tells_what_it_would_remove(self, door: Door) -> None:
        await door.push(lines(A, licence(2), licence(3)))
        tried = await door.push(lines(A), mode="replace", dry_run=True)
        assert tried["receipt"]["removals"]["found_count"] == 2
        assert tried["receipt"]["effect"]["removed_count"] == 0
        meant = await door.push(lines(A), mode="replace", dry_run=True, confirm_removals=2)
        assert meant["receipt"]["effect"]["removed_count"] == 2


async def test_no_key_of_a_list_is_left_behind(door: Door) -> None:
    await door.push(lines(A, B, C), mode="replace")
    refused = await door.push(lines(licence(2)), mode="replace")
    assert not refused["receipt"]["removals"]["confirmed"]
    async with door.runtime.database.read() as conn:
        assert await conn.scalar(sa.text("SELECT count(*) FROM delivery_keys")) == 0
