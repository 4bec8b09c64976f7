"""Whether the figures can be trusted: what is missing, late, held, lost, unplaced (F1, F8, F56)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from reporting.trust import peers, projections, report, rules, store
from reporting.trust.rules import Came, FeedState, Findings, Owed, Verdict
from shared.clock import FixedClock
from shared.events.deliveries import EnrollmentDeliveryReceived, TaxFeedDeliveryReceived
from shared.settings import Settings
from tests.reporting.conftest import Desk
from tests.reporting.objects import AT, receipt
from tests.reporting.test_figures import linked

DUE = datetime(2008, 6, 10, 16, tzinfo=UTC)


def delivery(number: int = 1, revision: int = 1, **state: Any) -> TaxFeedDeliveryReceived:
    """A delivery of 10 receipts of the first dekad of June, all applied, on its morning."""
    return TaxFeedDeliveryReceived(**_values(number, revision, state))


def applications(number: int = 1, unit: str | None = None, **state: Any) -> Any:
    """The same of person applications, from the desk of a unit."""
    values = _values(
        number, 1, {"feed": "person-applications", "department": "unit", "unit": unit, **state}
    )
    return EnrollmentDeliveryReceived(**values)


def _values(number: int, revision: int, state: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "feed": "receipts",
        "department": "tax",
        "period": "2008-06-D1",
        "received_at": AT,
        "body_sha256": "0" * 64,
        "sent_count": 10,
        "applied_count": 10,
        "duplicate_count": 0,
        "rejected_count": 0,
        "held_count": 0,
        **state,
    }
    return {
        "key": values["feed"],
        "subject": f"delivery:{number}",
        "revision": revision,
        "delivery_id": str(UUID(int=number)),
        "recorded_at": AT,
        **values,
    }


class TestAnExpectedDelivery:
    @pytest.mark.parametrize(
        ("now", "received_at", "nil", "state"),
        [
            (DUE - timedelta(days=1), None, False, FeedState.NOT_DUE),
            (DUE, None, False, FeedState.MISSING),
            (DUE, DUE - timedelta(days=30), False, FeedState.IN),
            (DUE, DUE, False, FeedState.IN),  # at the due moment exactly is in time
            (DUE, DUE + timedelta(seconds=1), False, FeedState.LATE),
            (DUE, DUE, True, FeedState.NIL),
            (DUE, DUE + timedelta(seconds=1), True, FeedState.LATE),
        ],
    )
    def test_stands(
        self, now: datetime, received_at: datetime | None, nil: bool, state: FeedState
    ) -> None:
        came = None if received_at is None else Came(received_at, nil)
        assert rules.feed_state(DUE, now, came) == state


class TestTheVerdict:
    @pytest.mark.parametrize(
        ("found", "verdict", "code"),
        [
            (Findings(), Verdict.YES, None),
            (Findings(missing=[Owed("receipts", "2008-06-D1")]), Verdict.NO, "feeds-missing"),
            (Findings(dead_letters=1), Verdict.NO, "dead-letters"),
            (Findings(gaps=1), Verdict.NO, "gaps"),
            (Findings(stopped=True), Verdict.NO, "consumer-stopped"),
            (Findings(restored=["tax-feed"]), Verdict.NO, "producer-restored"),
            (Findings(late=[Owed("arrears", "2008-05")]), Verdict.RESERVATIONS, "feeds-late"),
            (Findings(held=1), Verdict.RESERVATIONS, "records-held"),
            (Findings(rejected=1), Verdict.RESERVATIONS, "records-rejected"),
            (Findings(on_the_way=1), Verdict.RESERVATIONS, "facts-on-the-way"),
            (Findings(unknown_producers=["tax-feed"]), Verdict.RESERVATIONS, "producers-unknown"),
            (Findings(unplaced_units=["999999"]), Verdict.RESERVATIONS, "units-unknown"),
            (Findings(unknown_employers=1), Verdict.RESERVATIONS, "employers-unknown"),
        ],
    )
    def test_has_a_reason(self, found: Findings, verdict: Verdict, code: str | None) -> None:
        answer, reasons = rules.judge(found)
        assert answer == verdict
        assert [reason.code for reason in reasons] == ([code] if code else [])
        assert all(reason.zh and reason.en for reason in reasons)

    def test_names_each_feed_and_period_once_with_its_units(self) -> None:
        owed = [Owed("arrears", "2008-05")]
        owed += [Owed("applications", "2008-06-D1", f"区{n}", f"District {n}") for n in range(4)]
        _, [reason] = rules.judge(Findings(missing=owed))
        assert reason.count == 5
        assert reason.zh.endswith(":arrears 2008-05, applications 2008-06-D1 (区0, 区1, 区2 …)")
        assert reason.en.endswith(
            ": arrears 2008-05, applications 2008-06-D1 (District 0, District 1, District 2 …)"
        )


class TestWhatCameForAUnit:
    EARLY, LATER = DUE, DUE + timedelta(hours=1)

    @pytest.mark.parametrize(
        ("own", "for_all", "came"),
        [
            (None, None, None),
            (Came(EARLY, True), None, Came(EARLY, True)),
            (None, Came(EARLY, False), Came(EARLY, False)),
            (Came(LATER, True), Came(EARLY, False), Came(EARLY, False)),
            (Came(EARLY, True), Came(LATER, True), Came(EARLY, True)),
        ],
    )
    def test_is_its_own_and_what_came_for_all(
        self, own: Came | None, for_all: Came | None, came: Came | None
    ) -> None:
        assert rules.either(own, for_all) == came


def lines(answer: dict[str, Any], feed: str) -> dict[str, str]:
    return {line["period"]: line["state"] for line in answer["feeds"] if line["feed"] == feed}


def by_unit(answer: dict[str, Any], period: str) -> dict[str, str]:
    return {
        line["unit"]["code"]: line["state"]
        for line in answer["feeds"]
        if line["feed"] == "person-applications" and line["period"] == period and line["owed"]
    }


class Withdrawn(TaxFeedDeliveryReceived, frozen=True, kw_only=True):
    """As a producer that can take deliveries back says so."""

    withdrawn: bool = True


class TestAWithdrawnDelivery:
    async def test_counts_as_if_it_had_never_come(self, desk: Desk, clock: FixedClock) -> None:
        came = delivery(1)
        await desk.take([came])
        assert lines(await desk.get("trust"), "receipts")["2008-06-D1"] == "in"
        state = {"received_at": AT, "recorded_at": AT + timedelta(hours=1)}
        async with desk.runtime.database.transaction() as conn:
            await projections.apply(conn, [Withdrawn(**_values(1, 2, state))])
        assert lines(await desk.get("trust"), "receipts")["2008-06-D1"] == "not-due"
        listed = await desk.all_items("obligations", feed="receipts", period="2008-06-D1")
        assert [(one["state"], one["deliveries"]) for one in listed] == [("received", 1)]
        clock.advance(timedelta(hours=1))
        listed = await desk.all_items("obligations", feed="receipts", period="2008-06-D1")
        assert [(one["state"], one["deliveries"]) for one in listed] == [("due", 0)]


class TestTheAnswer:
    async def test_compares_what_was_due_with_what_came(
        self, desk: Desk, clock: FixedClock
    ) -> None:
        clock.set(datetime(2008, 6, 11, 4, tzinfo=UTC))
        late = datetime(2008, 5, 30, 16, 0, 1, tzinfo=UTC)
        await desk.take(
            [
                delivery(1),
                delivery(2, period="2008-05-D3", received_at=late),
                delivery(3, feed="arrears", period="2008-05", nil=True, sent_count=0),
            ]
        )
        answer = await desk.get("trust")
        assert lines(answer, "receipts") == {
            "2008-05-D2": "missing",
            "2008-05-D3": "late",
            "2008-06-D1": "in",
            "2008-06-D2": "not-due",
        }
        assert lines(answer, "arrears") == {"2008-05": "late", "2008-06": "not-due"}
        assert answer["verdict"] == "no"
        codes = [reason["code"] for reason in answer["reasons"]]
        assert codes[:1] == ["feeds-missing"]
        assert "feeds-late" in codes
        assert answer["not_received_yet"] == []  # every feed of the plan has its service

    async def test_expects_a_delivery_of_each_unit_that_owes_one(
        self, desk: Desk, clock: FixedClock
    ) -> None:
        clock.set(datetime(2008, 6, 11, 4, tzinfo=UTC))
        await desk.take(
            [
                applications(1, "210502"),
                applications(2, "210503", received_at=DUE + timedelta(seconds=1)),
                applications(3, "L-BT", nil=True, sent_count=0, applied_count=0),
            ]
        )
        answer = await desk.get("trust")
        states = by_unit(answer, "2008-06-D1")
        assert states.pop("210502") == "in"
        assert states.pop("210503") == "late"
        assert states.pop("L-BT") == "nil"
        assert (len(states), set(states.values())) == (7, {"missing"})
        reasons = {reason["code"]: reason for reason in answer["reasons"]}
        assert "person-applications 2008-06-D1 (溪湖区)" in reasons["feeds-late"]["zh"]
        assert "person-applications 2008-06-D1 (Xihu District)" in reasons["feeds-late"]["en"]
        assert reasons["feeds-late"]["count"] == 1

    async def test_takes_what_the_agency_gives_for_all_units_for_each(
        self, desk: Desk, clock: FixedClock
    ) -> None:
        clock.set(datetime(2008, 6, 11, 4, tzinfo=UTC))
        late = DUE + timedelta(seconds=1)
        await desk.take(
            [
                applications(1, department="agency"),
                applications(2, "210503", received_at=late),
                applications(3, period="2008-05-D3", department="agency", received_at=late),
                applications(4, "L-BT", period="2008-05-D3", sent_count=4, applied_count=4),
            ]
        )
        answer = await desk.get("trust")
        assert set(by_unit(answer, "2008-06-D1").values()) == {"in"}
        assert set(by_unit(answer, "2008-05-D3").values()) == {"late"}
        extra = [line for line in answer["feeds"] if not line["owed"]]
        assert [(line["period"], line["unit"], line["sent"]) for line in extra] == [
            ("2008-05-D3", None, 10),
            ("2008-06-D1", None, 10),
        ]
        ours = [line for line in answer["feeds"] if line["feed"] == "person-applications"]
        assert sum(line["sent"] for line in ours) == 34
        # Ten owe the one of May, and nobody is late for being covered in June.
        [reason] = [r for r in answer["reasons"] if r["code"] == "feeds-late"]
        assert reason["count"] == 10

    async def test_takes_a_desk_of_several_units_for_none_of_them(
        self, desk: Desk, clock: FixedClock
    ) -> None:
        clock.set(datetime(2008, 6, 11, 4, tzinfo=UTC))
        await desk.take([applications(1)])
        answer = await desk.get("trust")
        assert set(by_unit(answer, "2008-06-D1").values()) == {"missing"}
        [line] = [line for line in answer["feeds"] if not line["owed"]]
        assert (line["unit"], line["sent"]) == (None, 10)

    async def test_follows_held_records_as_they_resolve(self, desk: Desk) -> None:
        await desk.take([delivery(1, applied_count=7, held_count=2, rejected_count=1)])
        answer = await desk.get("trust")
        assert (answer["held"], answer["rejected"]) == (2, 1)
        await desk.take([delivery(1, 2, applied_count=9, rejected_count=1)])
        answer = await desk.get("trust")
        assert (answer["held"], answer["rejected"]) == (0, 1)

    async def test_names_money_of_employers_and_units_nobody_knows(self, desk: Desk) -> None:
        await desk.take([receipt(1), receipt(2, key="lic:9"), receipt(3, unit="999999")])
        await desk.take([linked("oc:D2143569X")])
        money = (await desk.get("trust"))["unknown_money"]
        assert money == {
            "employers": 1,
            "employers_fen": 100_000,
            "unit_codes": {"999999": 100_000},
        }

    @pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 0, 1), (2, 0, 3, 1), (0, 2, 1, 3)])
    async def test_a_key_that_went_and_came_back_is_known_in_any_order(
        self, order: tuple[int, ...], desk: Desk
    ) -> None:
        """emp-1 took over the key of emp-2 and gave it back; each tells of itself in its order."""
        key = "oc:D2143569X"
        told = [
            msgspec.structs.replace(linked(*keys), key=who, subject=f"link:{who}", **state)
            for who, revision, keys in (
                ("emp-1", 1, (key, "lic:9")),
                ("emp-1", 2, ("lic:9",)),
                ("emp-2", 2, ()),
                ("emp-2", 3, (key,)),
            )
            for state in ({"employer_id": who, "revision": revision, "name": who},)
        ]
        await desk.take([receipt(1, key=key)])
        for at in order:
            await desk.take([told[at]])
        assert (await desk.get("trust"))["unknown_money"]["employers"] == 0
        async with desk.runtime.database.read() as conn:
            assert await store.employer_names(conn, [key]) == {key: "emp-2"}

    async def test_a_first_link_told_twice_leaves_the_others_of_its_batch_as_they_are(
        self, desk: Desk
    ) -> None:
        one, other = (
            msgspec.structs.replace(linked(f"lic:{who}"), subject=f"link:{who}", employer_id=who)
            for who in ("emp-1", "emp-2")
        )
        await desk.take([one])
        await desk.take([msgspec.structs.replace(one, name="其他", employer_keys=["lic:x"]), other])
        async with desk.runtime.database.read() as conn:
            found = await store.employer_names(conn, ["lic:emp-1", "lic:emp-2", "lic:x"])
        assert found == {"lic:emp-1": one.name, "lic:emp-2": other.name}

    async def test_says_so_when_a_producer_cannot_be_asked(self, desk: Desk) -> None:
        answer = await desk.get("trust")
        assert [line["known"] for line in answer["producers"]] == [False, False, False]
        assert "producers-unknown" in [reason["code"] for reason in answer["reasons"]]


class TestProducers:
    SETTINGS = Settings(
        service_urls={"tax-feed": "http://tax.test", "enrollment": "http://enrollment.test/"},
        service_token="secret",
    )

    async def test_are_asked_with_the_service_token(self) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            assert request.headers["Authorization"] == "Bearer secret"
            if request.url.host == "tax.test":
                assert request.url.path == "/tax-feed/v1/status"
                outbox = {"heads": {"0": 7, "1": 3}, "unsent_facts": 2, "unplaced_facts": 1}
                return httpx.Response(
                    200, json={"outbox": {**outbox, "oldest_unsent_seconds": 1.5}}
                )
            raise httpx.ConnectError("nobody there")

        found = await peers.ask(self.SETTINGS, httpx.MockTransport(answer))
        assert found == {
            "registration-feed": None,
            "tax-feed": peers.Sent({0: 7, 1: 3}, 2, 1, 1.5),
            "enrollment": None,
        }

    @pytest.mark.parametrize(
        "answer",
        [
            httpx.Response(403, json={}),
            httpx.Response(200, text="<html>"),
            httpx.Response(200, json=[]),
            httpx.Response(200, json={"outbox": None}),
            httpx.Response(200, json={"outbox": {"heads": {"x": 1}}}),
        ],
    )
    async def test_that_answer_nonsense_are_unknown(self, answer: httpx.Response) -> None:
        found = await peers.ask(self.SETTINGS, httpx.MockTransport(lambda request: answer))
        assert found["tax-feed"] is None

    @pytest.mark.parametrize(
        ("had", "behind_bus", "restored"),
        [
            ([(0, 7), (1, 3)], False, False),
            ([(0, 8)], False, True),
            ([(0, 6), (5, 1)], False, True),
            ([], False, False),
            ([(0, 7)], True, True),
        ],
    )
    def test_more_here_than_it_has_given_means_it_was_restored(
        self, had: list[tuple[int, int]], behind_bus: bool, restored: bool
    ) -> None:
        sent = peers.Sent({0: 7, 1: 3}, 0, 0, None, behind_bus)
        assert peers.was_restored(sent, had) is restored

    async def test_one_taken_back_is_a_grave_reason(self, desk: Desk) -> None:
        await desk.take([receipt(1)])
        async with desk.runtime.database.read() as conn:
            seen = await report.look(conn, desk.runtime)
        for head, restored in ((1, False), (0, True)):
            said = {"tax-feed": peers.Sent({0: head}, 0, 0, None)}
            answer = report.trust_answer(desk.runtime, seen, said, seen.inbox.marks)
            assert ("producer-restored" in [one.code for one in answer.reasons]) is restored

    def test_lag_is_what_was_placed_and_not_applied(self) -> None:
        sent = peers.Sent({0: 7, 1: 3, 2: 5}, 0, 0, None)
        assert peers.behind(sent, [(0, 7), (1, 1)]) == {1: 2, 2: 5}
