"""Checks and receipts, from the push to the facts in the outbox and the lists one may read."""

from __future__ import annotations

from datetime import date
from typing import Any

from shared.crypto import Secrecy
from shared.events.tax_feed import (
    ArrearsRecorded,
    ContributionCollected,
    HeadcountDeclared,
    UnenrolledReported,
)
from tests.registration_feed.door import Door
from tests.tax_feed.records import HOUSEHOLD, OWNER, arrears, check, key, receipt

OWN_KEY = f"own:{Secrecy({}, {1: b'k' * 32}).keyed_hash(OWNER)}"


async def checks(door: Door, *records: dict[str, Any]) -> dict[str, Any]:
    return await door.push("employer-checks", "2008-05", records)


async def receipts(door: Door, *records: dict[str, Any], period: str = "2008-06-D1") -> Any:
    return await door.push("receipts", period, records)


async def test_checks_tell_headcounts_and_findings(door: Door) -> None:
    receipt = await checks(door, check(1), check(2, insured_headcount=12))
    (found,) = await door.facts(UnenrolledReported)
    (declared,) = await door.facts(HeadcountDeclared)
    assert (found.key, found.subject) == (key(1), f"headcount:{key(1)}:2008-05")
    assert (found.taxable_headcount, found.insured_headcount) == (12, 7)
    assert (found.feed, found.period, found.unit) == ("employer-checks", "2008-05", "210502")
    assert found.effective_on == date(2008, 5, 31)
    assert found.tax_reg_on == date(2008, 5, 12)
    assert (found.delivery_id, found.record_no) == (receipt["delivery"], 1)
    assert (declared.key, declared.record_no) == (key(2), 2)


async def test_a_finding_ends_with_the_corrected_check(door: Door) -> None:
    await checks(door, check())
    await checks(door, check(insured_headcount=12))
    (ended,) = await door.facts(HeadcountDeclared)
    assert (ended.revision, ended.correction) == (2, True)
    unenrolled = await door.get("/checks", "agency", period="2008-05", unenrolled=True)
    assert unenrolled["items"] == []


async def test_a_receipt_is_money_in_fen(door: Door) -> None:
    await receipts(door, receipt(), receipt(2, pooled=125000, individual=0.05))
    first, second = await door.facts(ContributionCollected)
    assert (first.key, first.subject) == (key(1), "receipt:JK200806-000001")
    assert (first.pooled_fen, first.individual_fen) == (336_000, 134_400)
    assert (first.arrears_pooled_fen, first.payer_count) == (56_000, 7)
    assert (first.month_for, first.received_on) == ("2008-05", date(2008, 6, 3))
    assert (second.pooled_fen, second.individual_fen) == (12_500_000, 5)


async def test_a_correction_states_anew_and_a_cancelled_receipt_is_nothing(door: Door) -> None:
    await receipts(door, receipt())
    await receipts(door, receipt(pooled="4360.00"))
    await receipts(door, receipt(pooled="4360.00", cancelled=True), receipt(cancelled=True))
    await receipts(door, receipt(cancelled=True))
    facts = await door.facts(ContributionCollected)
    assert [(f.revision, f.pooled_fen, f.correction) for f in facts] == [
        (1, 336_000, False),
        (2, 436_000, True),
        (4, 0, True),
    ]
    last = facts[-1]
    assert (last.individual_fen, last.arrears_pooled_fen, last.payer_count) == (0, 0, 0)
    shown = await door.get("/receipts", "agency")
    assert shown["items"][0]["cancelled"]


async def test_a_mixed_list_adds_up(door: Door) -> None:
    await receipts(door, receipt(1))
    receipt_of = await receipts(
        door,
        *(receipt(number) for number in range(1, 26)),
        receipt(3, payer_count=9),
        receipt(26, received_on="2008-06-11"),
        receipt(27, pooled="-5"),
        receipt(28, tax_no="210502PDY000019"),
    )
    assert (receipt_of["sent"], receipt_of["applied"]) == (29, 25)
    assert (receipt_of["duplicate"], receipt_of["rejected"]) == (1, 3)


async def test_a_late_item_comes_with_a_later_dekad(door: Door) -> None:
    applied = await receipts(door, receipt(received_on="2008-05-15"))
    assert applied["applied"] == 1
    (fact,) = await door.facts(ContributionCollected)
    assert fact.received_on == date(2008, 5, 15)


async def test_a_household_is_known_by_a_hash_and_nothing_else(door: Door) -> None:
    household: dict[str, Any] = {"tax_no": HOUSEHOLD, "name": "平山区示例小吃部"}
    await checks(door, check(**household, reg_type="410"))
    await receipts(door, receipt(**household))
    await door.push(
        "arrears",
        "2008-05",
        [{k: v for k, v in arrears(**household).items() if k != "org_code"}],
    )
    found = await door.facts(UnenrolledReported)
    money = await door.facts(ContributionCollected)
    owed = await door.facts(ArrearsRecorded)
    assert [found[0].key, money[0].key, owed[0].key] == [OWN_KEY] * 3
    assert found[0].household
    secret = OWNER.encode()
    assert all(secret not in data for _, data in await door.messages())
    tables = await door.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for table in tables:
        assert OWNER not in str(await door.rows(f"SELECT * FROM {table['tablename']}"))
    ledger = await door.ask(f"/employers/{OWN_KEY}", "agency")
    assert ledger.status_code == 200
    assert OWNER not in ledger.text
    record = await door.get(f"/deliveries/{money[0].delivery_id}/records/1", "agency")
    assert record["content"]["tax_no"] == f"{OWNER[:6]}{'*' * 10}{OWNER[-2:]}00"


async def test_lists_are_filtered_and_scoped(door: Door) -> None:
    other = {"collecting_unit": "210503"}
    await receipts(
        door, receipt(1), receipt(2, received_on="2008-06-05", **other), receipt(3, **other)
    )
    await checks(door, check(1), check(2, **other))

    async def numbers(department: str = "tax", units: Any = None, **query: Any) -> list[str]:
        page = await door.get("/receipts", department, units, **query)
        return [one["receipt_no"][-1] for one in page["items"]]

    assert await numbers() == ["1", "3", "2"]
    assert await numbers(received_from="2008-06-04") == ["2"]
    assert await numbers(received_to="2008-06-03") == ["1", "3"]
    assert await numbers(unit="210503") == ["3", "2"]
    assert await numbers(employer_key=key(2)) == ["2"]
    assert await numbers(month_for="2008-04") == []
    assert await numbers("unit", ["210503"]) == ["3", "2"]
    refused = await door.ask("/receipts", "unit", ["210503"], unit="210502")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden-unit")
    assert (await door.ask("/receipts", "industry-commerce")).status_code == 403
    assert (await door.ask("/receipts", month_for="2008-13")).status_code == 422
    shown = await door.get("/checks", "unit", ["210503"], period="2008-05")
    assert [one["employer_key"] for one in shown["items"]] == [key(2)]
    assert shown["items"][0]["due"] == {"fen": 336_000, "yuan": "3360.00"}
    assert shown["items"][0]["unenrolled"]


async def test_lists_go_page_by_page_to_the_end(door: Door) -> None:
    days = ["2008-06-01", "2008-06-02", "2008-06-01", "2008-06-03", "2008-06-02"]
    await receipts(
        door, *(receipt(number, received_on=day) for number, day in enumerate(days, start=1))
    )
    seen: list[tuple[str, str]] = []
    page = await door.get("/receipts", limit=2)
    while True:
        seen += [(one["received_on"], one["receipt_no"]) for one in page["items"]]
        if page["next"] is None:
            break
        answer = await door.http.get("http://test" + page["next"], headers=door.token())
        page = answer.json()
    assert seen == sorted(
        (day, f"JK200806-{number:06d}") for number, day in enumerate(days, start=1)
    )
    bad = await door.ask("/receipts", cursor="WyJ4IiwieSJd")
    assert (bad.status_code, bad.json()["code"]) == (422, "cursor-invalid")


async def test_the_ledger_of_an_employer_adds_up(door: Door) -> None:
    await checks(door, check())
    await door.push("arrears", "2008-05", [arrears()])
    await receipts(
        door,
        receipt(1),
        receipt(2, tax_no=receipt(1)["tax_no"], collecting_unit="210503"),
        receipt(3, tax_no=receipt(1)["tax_no"], cancelled=True),
    )
    ledger = await door.get(f"/employers/{key()}", "agency")
    totals = ledger["totals"]
    assert totals["receipt_count"] == 2
    assert totals["pooled"] == {"fen": 672_000, "yuan": "6720.00"}
    assert totals["individual"] == {"fen": 268_800, "yuan": "2688.00"}
    assert totals["of_which_arrears"]["fen"] == 112_000
    assert (totals["arrears_month"], totals["arrears"]["yuan"]) == ("2008-05", "560.00")
    assert (totals["taxable_headcount"], totals["insured_headcount"]) == (12, 7)
    assert (len(ledger["receipts"]), ledger["complete"]) == (3, True)

    mine = await door.get(f"/employers/{key()}", "unit", ["210503"])
    assert mine["totals"]["pooled"]["fen"] == 336_000
    assert (mine["checks"], mine["arrears"]) == ([], [])
    assert (await door.ask(f"/employers/{key()}", "unit", ["210504"])).status_code == 404
    assert (await door.ask("/employers/oc:nobody")).status_code == 404
