"""Lists of the registry and the quality office, from the push to the facts in the outbox."""

from __future__ import annotations

from datetime import date
from typing import Any

from registration_feed.feeds import BUSINESS_LICENCES, ORGANISATION_CODES
from shared.crypto import Secrecy
from shared.deliveries.checks import legal_rep_of
from shared.events.deliveries import RegistrationFeedDeliveryReceived
from shared.events.registration_feed import (
    EnterpriseChanged,
    EnterpriseDeregistered,
    EnterpriseRegistered,
)
from shared.identifiers import make_identity_no, make_org_code, make_reg_no
from tests.registration_feed.door import Door

FACTS = (EnterpriseRegistered, EnterpriseChanged, EnterpriseDeregistered)
OWNER = make_identity_no("210502", date(1970, 1, 1), 985)


def licence(number: int = 1, **change: Any) -> dict[str, Any]:
    """An enterprise of its own licence and code, registered on 6 May 2008."""
    return {
        **BUSINESS_LICENCES.example,
        "licence_no": make_reg_no(f"2105022{number:07d}"),
        "org_code": make_org_code(f"PDY{number:05d}"),
        **change,
    }


async def push(door: Door, *records: dict[str, Any], period: str = "2008-05") -> dict[str, Any]:
    return await door.push("business-licences", period, records)


async def test_a_licence_becomes_state_and_a_fact(door: Door) -> None:
    receipt = await push(door, licence())
    assert (receipt["applied"], receipt["problems"]) == (1, {})

    (fact,) = await door.facts(EnterpriseRegistered)
    assert fact.key == "oc:PDY00001X"
    assert fact.subject == "licence:210502200000015"
    assert (fact.revision, fact.correction) == (1, False)
    assert (fact.delivery_id, fact.record_no) == (receipt["delivery"], 1)
    assert fact.fact_id == f"{receipt['delivery']}:1:enterprise-registered"
    assert (fact.org_code, fact.licence_no, fact.owner_key) == (
        "PDY00001X",
        "210502200000015",
        None,
    )
    assert (fact.reg_type, fact.industry, fact.household) == ("173", "67", False)
    assert fact.licensed_on == fact.effective_on == fact.notified_on == date(2008, 5, 6)
    assert fact.commitment_letter
    assert fact.recorded_at == door.runtime.clock.now()

    (state,) = await door.rows("SELECT * FROM business_licences")
    assert (state["natural_key"], state["headcount"], state["revision"]) == (fact.licence_no, 12, 1)

    (received,) = await door.facts(RegistrationFeedDeliveryReceived)
    assert (received.feed, received.period, received.sent_count) == (
        "business-licences",
        "2008-05",
        1,
    )


async def test_a_change_is_news_and_the_same_event_again_a_correction(door: Door) -> None:
    await push(door, licence())
    await push(door, licence(name="本溪市示例饭店有限公司"))
    change: dict[str, Any] = {"event": "changed", "event_on": "2008-06-02", "unit": "210503"}
    await push(door, licence(**change), period="2008-06")
    await push(door, licence(**change, name="本溪市另一饭店有限公司"), period="2008-06")
    await push(door, licence(**change | {"event_on": "2008-06-05"}), period="2008-06")

    facts = await door.facts(*FACTS)
    assert [(f.kind, f.revision, f.correction, f.effective_on.isoformat()) for f in facts] == [
        ("enterprise-registered", 1, False, "2008-05-06"),
        ("enterprise-registered", 2, True, "2008-05-06"),
        ("enterprise-changed", 3, False, "2008-06-02"),
        ("enterprise-changed", 4, True, "2008-06-02"),
        ("enterprise-changed", 5, False, "2008-06-05"),
    ]
    assert [f.unit for f in facts] == ["210502", "210502", "210503", "210503", "210503"]


async def test_the_same_content_again_is_a_duplicate(door: Door) -> None:
    await push(door, licence())
    receipt = await push(door, licence(), licence(2), licence(2), licence(org_code="PDY00001-X"))
    assert (receipt["applied"], receipt["duplicate"]) == (1, 3)
    facts = await door.facts(*FACTS)
    assert [(fact.org_code, fact.revision) for fact in facts] == [
        ("PDY00001X", 1),
        (make_org_code("PDY00002"), 1),
    ]


async def test_deregistration_ends_it_and_an_older_change_does_not_bring_it_back(
    door: Door,
) -> None:
    await push(door, licence())
    gone: dict[str, Any] = {"event": "deregistered", "event_on": "2008-06-05"}
    await push(door, licence(**gone), period="2008-06")
    late: dict[str, Any] = {"event": "changed", "event_on": "2008-06-01"}
    await push(door, licence(**late), period="2008-06")
    gone_fact, late_fact = (await door.facts(*FACTS))[1:]
    assert isinstance(gone_fact, EnterpriseDeregistered)
    assert (gone_fact.revision, gone_fact.effective_on) == (2, date(2008, 6, 5))
    assert (late_fact.revision, late_fact.effective_on) == (3, date(2008, 6, 5))


async def test_bad_records_are_refused_and_the_others_applied(door: Door) -> None:
    receipt = await push(
        door, licence(), licence(2, unit="999"), licence(3, org_code="PDY000030"), licence(4)
    )
    assert (receipt["applied"], receipt["rejected"]) == (2, 2)
    assert receipt["problems"] == {"unit-unknown": 1, "check-digit-wrong": 1}
    first, second = receipt["first_problems"]
    assert (first["no"], second["no"]) == (2, 3)
    assert second["zh"].startswith("校验码有误，应为 ")
    assert len(await door.facts(EnterpriseRegistered)) == 2


async def test_many_chunks_end_as_one_list(door: Door) -> None:
    receipt = await push(door, *(licence(number) for number in range(1, 35)))
    assert receipt["applied"] == 34
    facts = await door.facts(EnterpriseRegistered)
    assert sorted(fact.record_no or 0 for fact in facts) == list(range(1, 35))


async def test_certificates_are_the_quality_offices(door: Door) -> None:
    refused = await door.ask("/enterprises", "tax")
    assert refused.status_code == 403
    receipt = await door.push(
        "organisation-codes",
        "2008-05",
        [ORGANISATION_CODES.example],
        department="quality-supervision",
    )
    assert receipt["applied"] == 1
    (fact,) = await door.facts(EnterpriseRegistered)
    assert (fact.key, fact.subject) == ("oc:PDY00001X", "org-code:PDY00001X")
    assert (fact.feed, fact.licence_no) == ("organisation-codes", "210502200000015")


async def test_no_identity_number_leaves_the_service(door: Door) -> None:
    household: dict[str, Any] = {"reg_type": "410", "owner_id": OWNER}
    record = {k: v for k, v in licence(1, **household).items() if k != "org_code"}
    await push(door, record)
    (fact,) = await door.facts(EnterpriseRegistered)
    hashed = Secrecy({}, {1: b"k" * 32}).keyed_hash(OWNER)
    assert (fact.key, fact.owner_key) == ("lic:210502200000015", f"own:{hashed}")
    assert fact.household
    assert all(OWNER.encode() not in data for _, data in await door.messages())
    for table in ("business_licences", "deliveries", "record_problems", "delivery_segments"):
        assert OWNER not in str(await door.rows(f"SELECT * FROM {table}"))
    shown = await door.get("/enterprises", "agency")
    assert OWNER not in str(shown)
    assert shown["items"][0]["owner_key"] == fact.owner_key
    delivery = fact.delivery_id
    assert OWNER not in (await door.ask(f"/deliveries/{delivery}/records/1", "agency")).text


async def test_a_legal_representative_is_a_key_and_a_home_is_not_told(door: Door) -> None:
    where = "本溪市平山区解放路1号"
    household: dict[str, Any] = {"reg_type": "410", "org_code": None}
    firm = licence(1, legal_rep="欧阳 示例", address=where)
    await push(door, firm, licence(2, legal_rep="欧阳示例", address=where, **household))
    first, second = await door.facts(EnterpriseRegistered)
    assert (first.licence_no, second.household) == (firm["licence_no"], True)
    _, key = legal_rep_of(Secrecy({}, {1: b"k" * 32}), "欧阳示例")
    assert first.legal_rep_key == second.legal_rep_key == key
    assert (first.address, second.address) == (where, None)
    assert all("欧阳".encode() not in data for _, data in await door.messages())
    shown = (await door.get("/enterprises", "agency"))["items"]
    assert [(one["legal_rep"], one["address"]) for one in shown] == [("欧***", where)] * 2
    for table in ("business_licences", "deliveries", "record_problems", "delivery_segments"):
        assert "欧阳" not in str(await door.rows(f"SELECT * FROM {table}"))


async def test_missing_letters_are_listed(door: Door) -> None:
    await push(
        door,
        licence(1, commitment_letter=False),
        licence(2),
        licence(3, commitment_letter=False, unit="210503"),
    )
    missing = await door.get("/enterprises", "agency", commitment_letter=False)
    assert [one["unit"] for one in missing["items"]] == ["210502", "210503"]
    mine = await door.get("/enterprises", "unit", units=["210503"], commitment_letter=False)
    assert [one["unit"] for one in mine["items"]] == ["210503"]
    other = await door.ask("/enterprises", "unit", units=["210503"], unit="210502")
    assert (other.status_code, other.json()["code"]) == (403, "forbidden-unit")


async def test_lists_go_page_by_page_to_the_end(door: Door) -> None:
    await push(door, *(licence(number) for number in range(1, 8)))
    seen: list[str] = []
    page = await door.get("/enterprises", limit=3)
    while True:
        seen += [one["number"] for one in page["items"]]
        if page["next"] is None:
            break
        answer = await door.http.get("http://test" + page["next"], headers=door.token())
        page = answer.json()
    assert seen == sorted(licence(number)["licence_no"] for number in range(1, 8))


async def test_a_numbers_notation_is_put_right_and_kept_on_record(door: Door) -> None:
    """Of records in JSON as of tables; a number that says something else is refused."""
    right = licence()
    printed = {"org_code": "PDY00001-X", "licence_no": " 2105 0220 0000 015"}
    household = licence(2, reg_type="410", org_code=None, owner_id=OWNER[:6] + OWNER[8:17])
    wrong = licence(3, licence_no="2105O2200000031")
    receipt = await push(door, {**right, **printed}, household, wrong)
    assert (receipt["applied"], receipt["problems"]) == (2, {"pattern-mismatch": 1})
    facts = {fact.licence_no: fact for fact in await door.facts(EnterpriseRegistered)}
    assert facts[right["licence_no"]].org_code == right["org_code"]

    path = f"/deliveries/{receipt['delivery']}/records"
    first, second, third = (await door.get(path))["items"]
    assert {(one["field"], one["from"], one["to"], one["rule"]) for one in first["repairs"]} == {
        ("org_code", "PDY00001-X", "PDY00001X", "marks"),
        ("licence_no", " 2105 0220 0000 015", "210502200000015", "spaces"),
    }
    (of_owner,) = second["repairs"]
    assert (of_owner["field"], of_owner["rule"]) == ("owner_id", "eighteen-digits")
    assert OWNER not in str(second)
    assert "repairs" not in third
    assert (await door.get(f"{path}/1"))["repairs"] == first["repairs"]
    again = await push(door, right)
    assert again["duplicate"] == 1


async def test_one_enterprise_shows_what_stood_before(door: Door) -> None:
    first = await push(door, licence())
    await push(door, licence(name="本溪市示例饭店有限公司"))
    found = await door.get("/enterprises/business-licences/210502200000015")
    assert (found["name"], found["revision"]) == ("本溪市示例饭店有限公司", 2)
    assert [(v["revision"], v["delivery_id"]) for v in found["earlier"]] == [(1, first["delivery"])]
    path = "/enterprises/business-licences/210502200000015"
    assert (await door.ask(path, "unit", ["210503"])).status_code == 404
    assert (await door.ask(path, "quality-supervision")).status_code == 403
    assert (await door.ask("/enterprises/business-licences/1")).status_code == 404


async def test_both_feeds_say_what_they_take(door: Door) -> None:
    listed = await door.get("/feeds")
    assert {(one["feed"], one["obligation"]) for one in listed["items"]} == {
        ("business-licences", "O51"),
        ("organisation-codes", "O52"),
    }
    details = await door.get("/feeds/business-licences")
    owner = next(column for column in details["columns"] if column["name"] == "owner_id")
    assert owner["personal"]
    assert details["due"]["latest"]["period"] in ("2008-05", "2008-06")
    assert all(column["description"] for column in details["columns"])


async def test_those_not_told_to_enrol_are_listed_with_their_last_day(door: Door) -> None:
    untold = {"notified_on": None}
    await push(door, licence(1), {**licence(2), **untold}, {**licence(3), **untold})
    missing = await door.get("/enterprises", "agency", notified=False)
    assert [one["number"] for one in missing["items"]] == sorted(
        licence(number)["licence_no"] for number in (2, 3)
    )
    told = await door.get("/enterprises", "agency", notified=True)
    (one,) = told["items"]
    licensed_on = date.fromisoformat(one["licensed_on"])
    assert (date.fromisoformat(one["enrol_by"]) - licensed_on).days == 30
    shown = await door.get(f"/enterprises/business-licences/{one['number']}", "agency")
    assert shown["enrol_by"] == one["enrol_by"]


async def test_a_revoked_licence_is_off_the_register(door: Door) -> None:
    await push(door, licence(1))
    revoked = licence(1, event="revoked", event_on="2008-05-20")
    await push(door, revoked)
    (fact,) = await door.facts(EnterpriseDeregistered)
    assert (fact.revoked, fact.correction, fact.effective_on) == (True, False, date(2008, 5, 20))
    shown = await door.get("/enterprises", "agency", event="revoked")
    assert len(shown["items"]) == 1
    struck = licence(1, event="deregistered", event_on="2008-05-28")
    await push(door, struck)
    last = (await door.facts(EnterpriseDeregistered))[-1]
    assert (last.revoked, last.correction, last.revision) == (False, False, 3)
