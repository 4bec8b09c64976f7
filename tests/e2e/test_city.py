"""The whole way of a record: what the made city knows to be true is what the figures say."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from kuomian.city.wrongs import PLANTED_TEXTS
from kuomian.demo.drain import flow_of
from kuomian.demo.driver import known_truth
from kuomian.demo.gather import all_traces_of, feed_sums, mess_of
from kuomian.demo.offices import Office
from kuomian.demo.state import Loaded
from kuomian.demo.whoiswho import who_is_who
from shared.periods import Dekad
from tests.e2e.conftest import Whole
from tests.e2e.recount import Recount

ENROLLMENT = "/enrollment/v1"
FIRST, LAST = Dekad.parse("2008-05-D1"), Dekad.parse("2008-11-D3")
MEASURES = ("insured-total", "insured-active", "pooled-fund", "arrears-balance")


def dekads() -> Iterator[Dekad]:
    dekad = FIRST
    while dekad <= LAST:
        yield dekad
        dekad = dekad.next()


async def cumulative(whole: Whole, dekad: Dekad) -> dict[tuple[str, str], int]:
    """(measure, unit) → the figure."""
    progress = await whole.api.get(
        "/reporting/v1/progress", period=str(dekad), measure=list(MEASURES)
    )
    return {
        (table["name"], row["unit"]["code"]): row["cumulative"]["value"]
        for table in progress["measures"]
        for row in table["rows"]
    }


class TestLoading:
    async def test_every_push_was_answered(self, whole: Whole) -> None:
        assert len(whole.answers) == len(whole.city.deliveries)

    async def test_every_receipt_says_what_was_planted(self, whole: Whole) -> None:
        wrong = [answer for answer in whole.answers.values() if not answer.as_expected]
        # A push whose answer the kill swallowed is answered with its first receipt: the same.
        assert wrong == []

    async def test_every_deed_was_done_or_refused_as_it_must_be(self, whole: Whole) -> None:
        assert len(whole.done) == len(whole.city.deeds)
        assert [one for one in whole.done.values() if one.refused != one.expected] == []
        refused = {"same-person", "precondition-failed", "refusal-forbidden"}
        assert {one.refused for one in whole.done.values()} == {"", *refused}

    async def test_a_deed_that_was_done_is_not_repeated(self, whole: Whole) -> None:
        """As after a start that was killed before it noted what it had done."""
        done = {(deed.what, deed.path): deed for deed in whole.city.deeds if not deed.refused}
        office = Office(whole.api, whole.tokens)
        contact = done["lead", "contacts"]
        log = f"{ENROLLMENT}/lead-work/entries"
        before = [one async for one in whole.api.items(log, kind="contact")]
        again = [contact, done["apply", ""], done["decide", ""], done["pair", ""]]
        assert [await office.do(deed) for deed in again] == [""] * 4
        assert [one async for one in whole.api.items(log, kind="contact")] == before

    async def test_nothing_is_on_its_way_any_more(self, whole: Whole) -> None:
        async with whole.api_as("operator") as api:
            flow = await flow_of(api)
        assert flow is not None
        assert (flow.waiting, flow.broken) == ((), ())
        assert flow.applied == flow.published > 0


class TestFigures:
    async def test_equal_the_truth_for_all_units_and_dekads(self, whole: Whole) -> None:
        differences = []
        for dekad in dekads():
            on = dekad.cutoff_on(whole.plan.cutoffs)
            for (measure, unit), figure in (await cumulative(whole, dekad)).items():
                true = whole.city.truth.at(measure, unit, on)
                if figure != true:
                    differences.append((str(dekad), measure, unit, true, figure))
        assert differences == []

    async def test_equal_an_independent_recount_of_the_raw_deliveries(self, whole: Whole) -> None:
        recount = await Recount.of(whole.api)
        differences = []
        for dekad in dekads():
            counted = recount.at(dekad.cutoff_on(whole.plan.cutoffs), whole.plan.city.code)
            figures = await cumulative(whole, dekad)
            for (measure, unit), figure in figures.items():
                if measure != "arrears-balance" and counted.get((measure, unit), 0) != figure:
                    found = counted.get((measure, unit), 0)
                    differences.append((str(dekad), measure, unit, found, figure))
        assert differences == []

    @pytest.mark.parametrize(
        "figure_id",
        [
            "insured-total.210505.2008-11-D3.cumulative",
            "insured-active.210505.2008-11-D3.cumulative",
            "insured-active.L-KF.2008-07-D1.this-dekad",
            "pooled-fund.210505.2008-07-D2.cumulative",
            "arrears-balance.210504.2008-10-D1.cumulative",
            "leads-open.210503.2008-11-D3.cumulative",
        ],
    )
    async def test_open_into_members_and_entries(self, whole: Whole, figure_id: str) -> None:
        figure = await whole.api.get(f"/reporting/v1/figures/{figure_id}")
        members = [m async for m in whole.api.items(figure["links"]["members"], limit=1000)]
        entries = [e async for e in whole.api.items(figure["links"]["entries"], limit=1000)]
        assert sum(member["quantity"] for member in members) == figure["value"]
        assert sum(entry["quantity"] for entry in entries) == figure["value"]
        assert all(member["quantity"] for member in members)
        by_subject: Counter[str] = Counter()
        for entry in entries:
            by_subject[entry["subject"]] += entry["quantity"]
        assert {m["subject"]: m["quantity"] for m in members} == {
            subject: quantity for subject, quantity in by_subject.items() if quantity
        }

    async def test_each_entry_leads_to_the_record_that_was_sent(self, whole: Whole) -> None:
        path = "/reporting/v1/figures/pooled-fund.210505.2008-07-D2.this-dekad/entries"
        entries = [entry async for entry in whole.api.items(path, limit=100)]
        assert entries
        for entry in entries[:10]:
            record = await whole.api.get(entry["delivery"]["href"])
            content = record["content"]
            assert record["disposition"] == "applied"
            assert content["collecting_unit"] == entry["unit"]
            assert content["received_on"] == entry["effective_on"]

    async def test_hide_who_is_insured(self, whole: Whole) -> None:
        path = "/reporting/v1/figures/insured-total.210505.2008-11-D3.cumulative/entries"
        entry = (await whole.api.get(path, limit=1))["items"][0]
        record = await whole.api.get(entry["delivery"]["href"])
        assert "*" in record["content"]["identity_no"]


class TestCensus:
    async def test_figures_and_progress_are_the_truth(self, whole: Whole) -> None:
        """What was visited by dekad, as a figure; in the end also as enrollment's own progress,
        with everybody found, by unit, street and reason."""
        truth = whole.city.truth
        units = [unit.code for unit in whole.plan.units if unit.kind in ("county", "zone")]
        for dekad in (Dekad.parse("2008-05-D3"), Dekad.parse("2008-07-D2"), LAST):
            progress = await whole.api.get(
                "/reporting/v1/progress", period=str(dekad), measure=["census-visited"]
            )
            rows = {
                row["unit"]["code"]: row["cumulative"]["value"]
                for row in progress["measures"][0]["rows"]
            }
            on = dekad.cutoff_on(whole.plan.cutoffs)
            for unit in (*units, whole.plan.city.code):
                assert rows[unit] == truth.at("census-visited", unit, on), (dekad, unit)
        progress = await whole.api.get("/enrollment/v1/census/progress")
        assert [one["unit"] for one in progress["units"]] == units
        assert 0 < progress["visited"] < progress["frame"]
        last_on = LAST.cutoff_on(whole.plan.cutoffs)
        for one in progress["units"]:
            assert one["visited"] == truth.at("census-visited", one["unit"], last_on)
            assert one["found"] == truth.at("census-found", one["unit"], last_on)
            assert sum(one["by_reason"].values()) == one["found"]
            for name in ("frame", "visited", "found"):
                assert sum(street[name] for street in one["streets"]) == one[name]

    async def test_every_complaint_is_there_and_nobody_behind_it(self, whole: Whole) -> None:
        listed = [one async for one in whole.api.items("/enrollment/v1/complaints", limit=1000)]
        on = LAST.cutoff_on(whole.plan.cutoffs)
        assert len(listed) == whole.city.truth.at("complaints", whole.plan.city.code, on) > 0
        assert "informant" not in str(listed)

    async def test_every_employer_inspected_is_there_and_a_source_of_its_lead(
        self, whole: Whole
    ) -> None:
        planned = [one for one in whole.city.deliveries if one.feed == "inspection-findings"]
        path = "/enrollment/v1/inspections"
        listed = [one async for one in whole.api.items(path, limit=1000)]
        assert len(listed) == sum(one.records for one in planned) > 0
        asked = {"source": "inspection-findings", "limit": 1000}
        leads = [one async for one in whole.api.items("/enrollment/v1/leads", **asked)]
        assert 0 < len(leads) <= len(listed)


class TestConservation:
    async def test_holds_for_every_feed(self, whole: Whole) -> None:
        pushed: dict[str, Counter[str]] = defaultdict(Counter)
        for planned in whole.city.deliveries:
            if planned.kind in ("ordinary", "nil"):
                pushed[planned.feed].update(deliveries=1, sent=planned.records)
        for deed in whole.city.deeds:
            if deed.given.get("decision") == "approve" and not deed.refused:
                pushed["person-applications"].update(deliveries=1, sent=1)
        for one in await feed_sums(whole.api):
            assert one.sent == sum(one.counts.values()), one
            expected = pushed[one.feed]
            assert (one.deliveries, one.sent) == (expected["deliveries"], expected["sent"]), one

    async def test_holds_for_every_receipt(self, whole: Whole) -> None:
        for service in ("registration-feed", "tax-feed", "enrollment"):
            async for delivery in whole.api.items(f"/{service}/v1/deliveries", limit=1000):
                for shown in (delivery["receipt"], delivery["counts"]):
                    counts = [shown[n] for n in ("applied", "duplicate", "rejected", "held")]
                    assert sum(counts) == delivery["records_sent"]

    async def test_all_planted_mess_is_found(self, whole: Whole) -> None:
        loaded = known_truth(Loaded(0, 0, ""), whole.city, whole.plan)
        given = (loaded, whole.answers, whole.done, LAST, whole.plan)
        traces = await all_traces_of(whole.api, *given)
        mess = mess_of(loaded, whole.answers.values(), await feed_sums(whole.api), traces)
        unplanted = {texts[1] for texts in PLANTED_TEXTS.values()} - {one.en for one in mess}
        # Whether somebody applies for a firm that never comes is chance in so small a city.
        assert unplanted <= {PLANTED_TEXTS["held-forever"][1]}
        assert [one for one in mess if not one.ok] == []
        # A firm that hides people from every office leaves no trace to count.
        assert [one.en for one in mess if one.found is None] == [PLANTED_TEXTS["understated"][1]]
        assert (traces["late"], traces["missing"]) == (3, 1)


class TestWhoIsWho:
    async def test_no_two_firms_are_taken_for_one_and_none_is_lost(self, whole: Whole) -> None:
        who = await who_is_who(whole.api)
        assert (who.false, who.precision) == (0, 1.0)
        numbers, *others = who.matches
        # A number that a record names beside another leaves nothing to guess.
        assert numbers.joined == numbers.firms > 100
        assert len(others) > 5
        assert sum(one.firms for one in others) > 10
        assert who.recall is not None
        assert who.recall >= 0.94

    async def test_each_rule_says_how_often_it_was_right(self, whole: Whole) -> None:
        rules = (await who_is_who(whole.api)).rules
        linked = sum(rule.true + rule.false for rule in rules)
        # Two firms of one name and one representative were taken for one until they were split.
        assert sum(rule.false for rule in rules) == sum(rule.decided["split"] for rule in rules) > 0
        assert sum(rule.true for rule in rules) >= 0.94 * linked > 10
        represented = [rule for rule in rules if "legal-representative" in rule.beside]
        assert any(rule.true for rule in represented)
        assert any(rule.asked_one for rule in rules)
        assert any(rule.asked_two for rule in rules)
        decided = {what for rule in rules for what, count in rule.decided.items() if count}
        assert decided == {"confirmed", "refused", "split"}

    async def test_firms_struck_off_with_staff_are_conflicts_of_that_kind(
        self, whole: Whole
    ) -> None:
        english = PLANTED_TEXTS["struck-off-staffed"][1]
        [planted] = [one.count for one in whole.city.planted if one.en == english]
        path, kind = "/enrollment/v1/employers/conflicts", "deregistered-with-insured"
        listed = [one async for one in whole.api.items(path, kind=kind, limit=1000)]
        assert len({one["employer_id"] for one in listed}) == len(listed) == planted > 0

    async def test_firms_that_moved_house_are_conflicts_of_address(self, whole: Whole) -> None:
        path, kind = "/enrollment/v1/employers/conflicts", "address-differs"
        [one, *_] = (await whole.api.get(path, kind=kind))["items"]
        said = {said["source"]: said["value"] for said in one["evidence"]}
        assert said.keys() == {"business-licences", "organisation-codes"}
        assert len(set(said.values())) == 2


class TestALongList:
    async def test_is_the_same_read_in_short_pages(self, whole: Whole) -> None:
        path = "/enrollment/v1/deliveries"
        asked = {"feed": "insured-persons"}
        once = [d["delivery"] async for d in whole.api.items(path, limit=1000, **asked)]
        paged = [d["delivery"] async for d in whole.api.items(path, limit=3, **asked)]
        assert len(once) > 3
        assert paged == once


class TestTrust:
    async def test_names_what_never_came_and_what_came_late(self, whole: Whole) -> None:
        trust = await whole.api.get("/reporting/v1/trust")
        states: dict[str, set[tuple[str, str, str | None]]] = defaultdict(set)
        for line in trust["feeds"]:
            unit = line["unit"]["code"] if line["unit"] else None
            states[line["state"]].add((line["feed"], line["period"], unit))
        assert states["missing"] == {("organisation-codes", "2008-11", None)}
        assert states["late"] == {
            ("business-licences", "2008-07", None),
            ("person-applications", "2008-07-D1", "210505"),
            ("person-applications", "2008-10-D2", "210521"),
        }
        assert ("person-applications", "2008-08-D1", "L-BT") in states["nil"]
        assert trust["dead_letters_open"] == 0
        assert trust["gaps"] == 0
        for producer in trust["producers"]:
            assert producer["known"], producer
            assert producer["lag"] == 0, producer


class TestLists:
    """What the tax office's lists hold is what the made city put into them, unit by unit."""

    @pytest.mark.parametrize(
        ("path", "measure", "field", "fen"),
        [
            ("tax-registrations", "tax-registrations", None, False),
            ("unenrolled-employers", "unenrolled-employers", None, False),
            ("headcounts", "headcounts", None, False),
            ("base-audits", "base-audits", None, False),
            ("no-wage-persons", "no-wage-persons", None, False),
            ("no-wage-persons", "no-wage-employer-fen", "employer", True),
            ("deduction-reviews", "deduction-reviews", None, False),
            ("clearing-plans", "clearing-plans-fen", "total", True),
            ("pre-levies", "pre-levies", None, False),
            ("pre-levies", "pre-levies-fen", "pooled", True),
        ],
    )
    async def test_add_up_to_the_truth(
        self, whole: Whole, path: str, measure: str, field: str | None, fen: bool
    ) -> None:
        found: Counter[str] = Counter()
        async for row in whole.api.items(f"/tax-feed/v1/{path}", limit=1000):
            found[row["unit"]] += row[field]["fen"] if fen and field else 1
        true = {
            unit.code: whole.city.truth.at(measure, unit.code, whole.city.closing_at.date())
            for unit in whole.plan.units
        }
        assert sum(found.values()) > 0
        assert dict(found) == {unit: count for unit, count in true.items() if count}

    async def test_pre_levied_money_is_collected_only_by_receipts(self, whole: Whole) -> None:
        path = "/reporting/v1/figures/pooled-fund.210500.2008-11-D3.cumulative/entries"
        kinds = {entry["fact"]["type"] async for entry in whole.api.items(path, limit=1000)}
        assert kinds == {"tax-feed.contribution-collected.v1"}

    async def test_some_pre_levies_went_on_to_be_settled(self, whole: Whole) -> None:
        stages: Counter[str] = Counter()
        async for levy in whole.api.items("/tax-feed/v1/pre-levies", limit=1000):
            stages[levy["stage"]] += 1
        assert stages["pre-levied"] > 0
        assert stages["settled"] + stages["individual-due"] > 0
