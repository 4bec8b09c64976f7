"""The history of a lead reads as a story, in two languages and in the order it happened."""

from typing import Any

from tests.e2e.conftest import Whole
from tests.e2e.officers import Office

ENROLLMENT = "/enrollment/v1"


async def linked(whole: Whole) -> set[str]:
    """Employers that two departments knew by two numbers, joined by a rule alone."""
    links = whole.api.items(f"{ENROLLMENT}/identity/links", status="linked")
    return {one async for link in links for one in (link["left_id"], link["right_id"])}


async def leads(whole: Whole, **filters: Any) -> list[dict[str, Any]]:
    """Leads, those with the most sources first."""
    found = [one async for one in whole.api.items(f"{ENROLLMENT}/leads", limit=1000, **filters)]
    return sorted(found, key=lambda lead: -len(lead["sources"]))


def chinese(day: str) -> str:
    year, month, on = map(int, day.split("-"))
    return f"{year}年{month}月{on}日"


def require_order(told: list[dict[str, Any]]) -> None:
    """It begins with the lead, goes on as things were recorded, and is whole in both languages."""
    assert told[0]["kind"] == "opened"
    recorded = [item["at"] for item in told[1:]]
    assert recorded == sorted(recorded)
    for item in told:
        assert item["zh"]
        assert item["en"]
        assert not {"{", "}"} & {*item["zh"], *item["en"]}


def sentences(told: list[dict[str, Any]], kind: str) -> list[tuple[str, str]]:
    return [(item["zh"], item["en"]) for item in told if item["kind"] == kind]


async def test_of_a_linked_employer_has_what_each_department_said(whole: Whole) -> None:
    known = await linked(whole)
    lead = next(
        one
        for one in await leads(whole, kind="unenrolled-employer", status="standing")
        if one["employer_id"] in known
    )
    told = await Office(whole.api).story(lead["lead_id"])
    require_order(told)
    assert told[0]["zh"].startswith(f"立项：{chinese(lead['opened_on'])}起应参保而未参保")
    assert told[0]["en"].startswith(f"Lead since {lead['opened_on']}, known here since")
    # Neither office names the other's number; both are in one story.
    assert sentences(told, "registered") == [
        (
            "工商行政管理部门「工商登记信息」登记在册",
            "Registered with Industry and commerce administration (Business licences)",
        ),
        (
            "质量技术监督部门「组织机构代码信息」登记在册",
            "Registered with Quality and technical supervision (Organisation-code certificates)",
        ),
    ]
    (joined,) = sentences(told, "identity-link")
    assert joined[0].startswith("经比对与「") and "分）" in joined[0]
    assert joined[1].startswith("Found to be one employer with ") and "points)" in joined[1]
    assert {item["by"] for item in told} - {None, "system"} == set(lead["sources"])
    assert "closed" not in {item["kind"] for item in told}


async def test_of_an_enrolled_employer_ends_where_it_entered_the_register(whole: Whole) -> None:
    enrolled = await leads(whole, kind="unenrolled-employer", status="closed")
    lead = next(one for one in enrolled if one["outcome"] == "enrolled")
    told = await Office(whole.api).story(lead["lead_id"])
    require_order(told)
    kinds = [item["kind"] for item in told]
    entered = kinds.index("entered")
    assert kinds[entered + 1] == "closed"
    ending = [(one["on"], one["zh"], one["en"]) for one in told[entered : entered + 2]]
    assert ending == [
        (lead["closed_on"], "办理参保登记", "It entered the register"),
        (lead["closed_on"], "办结：已参保", "Closed: enrolled"),
    ]
    assert "found-unenrolled" in kinds[:entered]


async def test_of_an_excluded_lead_names_who_proposed_and_who_agreed(whole: Whole) -> None:
    standing = await leads(whole, kind="unenrolled-employer", unit="210503", status="standing")
    lead = standing[-1]["lead_id"]
    on = whole.city.closing_at.date().isoformat()
    async with whole.api_as("agency") as proposing, whole.api_as("unit-210503") as agreeing:
        one, other = Office(proposing), Office(agreeing)
        notice = {"means": "notice", "text": "送达参保通知书"}
        await one.act("PUT", lead, "stage", stage="notified", on=on, **notice)
        await other.act("POST", lead, "contacts", on=on, means="visit", text="门面已空")
        await one.act("POST", lead, "exclusion", reason="no-staff", text="走访两次无人")
        await other.act("PUT", lead, "exclusion/review", agreed=True, text="属实")
    told = await Office(whole.api).story(lead)
    require_order(told)
    done = [(item["by"], item["zh"], item["en"]) for item in told[-5:]]
    agency, unit = "agency@demo", "unit-210503@demo"
    assert done == [
        (
            agency,
            "转入「已通知」（书面通知）：送达参保通知书",
            "Now notified (written notice): 送达参保通知书",
        ),
        (unit, "联系（走访）：门面已空", "Contact (visit): 门面已空"),
        (
            agency,
            "申请排除（无从业人员）：走访两次无人",
            "Proposed to exclude it (it has no staff): 走访两次无人",
        ),
        (unit, "同意排除（无从业人员）：属实", "Excluded (it has no staff): 属实"),
        (None, "办结：已排除", "Closed: excluded"),
    ]
