"""Employers joined beyond their numbers and parted again, as stories on a real database."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from enrollment.linking.intake.matching import (
    make_all_due,
    match_employers,
    match_when_quiet,
)
from shared.events.enrollment import (
    EmployerLinked,
    EmployerSplit,
    LeadAdvanced,
    LeadClosed,
    LeadOpened,
)
from shared.events.registration_feed import EnterpriseDeregistered
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    UNIT,
    complaint,
    employer,
    headcount,
    identity,
    licence,
    org_code,
    person,
    registered,
)

NAME = "本溪市华丰商贸有限公司"
OTHER_FORM = "本溪市华丰商贸有限责任公司"


def licensed(n: int, **more: Any) -> Any:
    """A firm known by its licence only."""
    return registered(n, org_code=None, key=f"lic:{licence(n)}", **{"name": NAME, **more})


def taxed(n: int, **more: Any) -> Any:
    """A firm known by its organisation code only."""
    return headcount(n, 9, 0, **{"name": NAME, **more})


async def standing(world: World) -> dict[str, int]:
    """Leads that count, by employer, as whoever follows the facts has them; the table agrees."""
    last: dict[str, Any] = {}
    for fact in await world.facts(LeadOpened, LeadAdvanced, LeadClosed):
        assert fact.lead_id not in last or fact.revision == last[fact.lead_id].revision + 1
        last[fact.lead_id] = fact
    told = sorted(str(fact.employer_id) for fact in last.values() if fact.status != "closed")
    listed = await world.get("/leads", status="standing")
    assert told == sorted(lead["employer_id"] for lead in listed.json()["items"])
    return {employer_id: told.count(employer_id) for employer_id in told}


async def keys(world: World) -> dict[str, list[str]]:
    """Employer → keys, by the facts as whoever follows them has it; the table agrees."""
    told: dict[str, list[str]] = {}
    newest: dict[str, int] = {}
    for fact in await world.facts(EmployerLinked, EmployerSplit):
        assert fact.revision == newest.get(fact.employer_id, 0) + 1
        newest[fact.employer_id] = fact.revision
        told[fact.employer_id] = sorted(fact.employer_keys)
    kept: dict[str, list[str]] = {employer_id: [] for employer_id in told}
    for row in await world.rows(
        "SELECT employer_id, key FROM employer_keys WHERE key NOT LIKE 'agency:%' ORDER BY key"
    ):
        kept[row["employer_id"]].append(row["key"])
    assert told == kept
    return {employer_id: found for employer_id, found in told.items() if found}


async def queue(world: World, **query: Any) -> list[dict[str, Any]]:
    answer = await world.get("/identity/links", **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def decide(
    world: World,
    path: str,
    decision: str,
    *,
    tag: str | None = None,
    units: list[str] | None = None,
    reason: str = "核对过营业执照",
) -> httpx.Response:
    """An officer looks, and decides by what was seen."""
    if tag is None:
        tag = (await world.get(path)).headers["ETag"]
    return await world.http.post(
        f"{path}/decisions",
        json={"decision": decision, "reason": reason},
        headers={"If-Match": tag, **world.headers("agency", units)},
    )


async def test_a_firm_with_two_numbers_is_joined_by_its_name_and_split_again(world: World) -> None:
    await world.hear([licensed(1)])
    await world.hear([taxed(2)])
    first, second = sorted(await standing(world))
    assert (await match_employers(world.runtime))[0::3] == (2, 1)
    (link,) = await queue(world)
    assert (link["status"], link["decided_by"], link["rule"]) == ("linked", "system", "same-name")
    assert (link["survivor_id"], link["absorbed_id"]) == (first, second)
    both = [f"lic:{licence(1)}", f"oc:{org_code(2)}"]
    assert await keys(world) == {first: both}
    assert await standing(world) == {first: 1}
    (lead,) = (await world.get("/leads", status="standing")).json()["items"]
    assert (lead["gap"], lead["sources"]) == (9, ["business-licences", "employer-checks"])
    (ended,) = await world.facts(LeadClosed)
    assert (ended.employer_id, ended.outcome, ended.correction) == (second, "merged", True)
    (merged,) = [fact for fact in await world.facts(EmployerLinked) if fact.merged_into]
    assert (merged.employer_id, merged.merged_into) == (second, first)

    # What comes later by either number is about the one employer.
    await world.hear([taxed(2, period="2008-06", day=6)])
    assert await standing(world) == {first: 1}

    answer = await decide(world, f"/identity/links/{link['id']}", "split")
    assert answer.status_code == 200, answer.text
    assert await keys(world) == {first: both[:1], second: both[1:]}
    assert await standing(world) == {first: 1, second: 1}
    (split,) = await world.facts(EmployerSplit)
    assert (split.employer_id, split.employer_keys) == (first, both[:1])
    assert [step["decision"] for step in answer.json()["decisions"]] == ["link", "split"]
    # The headcount that came while they were one went with its key; so does what comes now.
    await world.hear([taxed(2, period="2008-07", day=8), licensed(1, revision=2, day=8)])
    counted = await world.rows(
        "SELECT employer_id, count(*) AS n FROM lead_events WHERE period <> '' GROUP BY 1"
    )
    assert counted == [{"employer_id": second, "n": 3}]
    seen = await world.rows(
        "SELECT employer_id, count(*) AS n FROM sightings GROUP BY 1 ORDER BY 1"
    )
    assert seen == [{"employer_id": first, "n": 1}, {"employer_id": second, "n": 3}]
    # They are not found again, for the same evidence was seen.
    assert await make_all_due(world.runtime) == (2, 0)
    assert (await match_employers(world.runtime)).joined == 0
    assert [row["status"] for row in await queue(world)] == ["split"]


async def as_if_earlier(world: World, table: str, column: str) -> None:
    async with world.runtime.database.transaction() as conn:
        await conn.execute(sa.text(f"UPDATE {table} SET {column} = {column} - interval '31 s'"))


async def test_the_matcher_waits_while_facts_are_told_but_not_for_ever(world: World) -> None:
    await world.hear([licensed(1), taxed(2)])
    assert (await match_when_quiet(world.runtime)).employers == 0
    waiting = await world.rows("SELECT employer_id, again FROM match_queue ORDER BY 1")
    assert waiting == [{"employer_id": f"E00000000{n}", "again": False} for n in (1, 2)]
    await as_if_earlier(world, "match_queue", "due_since")
    assert (await match_when_quiet(world.runtime)).employers == 2

    await make_all_due(world.runtime)
    assert (await match_when_quiet(world.runtime)).employers == 0
    await as_if_earlier(world, "outbox_blocks", "created_at")
    assert (await match_when_quiet(world.runtime)).employers == 1  # the other was absorbed
    assert await world.rows("SELECT * FROM match_queue") == []


async def test_what_names_leave_open_is_asked_and_refused_once(world: World) -> None:
    await world.hear([licensed(1), taxed(2, name=OTHER_FORM)])
    await match_employers(world.runtime)
    (link,) = await queue(world, status="suggested")
    path = f"/identity/links/{link['id']}"
    shown = (await world.get(path)).json()
    assert "组织形式" in shown["zh"] and "registration form" in shown["en"]
    assert [side["records"][0]["name"] for side in (shown["left"], shown["right"])] == [
        NAME,
        OTHER_FORM,
    ]
    assert {sign["what"] for sign in shown["evidence"]} >= {"district", "address"}
    tag = (await world.get(path)).headers["ETag"]
    assert (await decide(world, path, "refuse")).status_code == 200
    late = await decide(world, path, "confirm", tag=tag)
    assert (late.status_code, late.json()["code"]) == (412, "precondition-failed")
    assert (await decide(world, path, "split")).json()["code"] == "link-decided"

    await make_all_due(world.runtime)
    await match_employers(world.runtime)
    assert await queue(world, status="suggested") == []
    # Another address in common is evidence nobody has seen: asked again, never joined unasked.
    await world.hear(
        [
            licensed(1, revision=2, day=7, address="平山区水塔路十二号"),
            taxed(2, name=OTHER_FORM, revision=2, day=7, address="平山区水塔路12号"),
        ]
    )
    await match_employers(world.runtime)
    (again,) = await queue(world, status="suggested")
    assert again["id"] == link["id"] and not again["automatic"]
    # Nor when what is found by then would join any other pair, looked at as often as you like.
    same = taxed(2, name=NAME, revision=3, day=8, address="平山区水塔路12号")
    await world.hear([same])
    for _ in range(2):
        await make_all_due(world.runtime)
        assert (await match_employers(world.runtime)).joined == 0
    (still,) = await queue(world, status="suggested")
    assert still["id"] == link["id"] and not still["automatic"]


async def test_the_one_in_the_register_stays_and_two_of_them_never_merge(world: World) -> None:
    await world.hear([licensed(1)])
    await world.push("employers", [employer(2, name=NAME)])
    await world.push("employers", [employer(3, name=NAME)])
    await match_employers(world.runtime)
    links = await queue(world, status="suggested")
    assert {link["rule"] for link in links} == {"several", "codes-contradict"}
    (registered_both,) = [link for link in links if link["rule"] == "codes-contradict"]
    refused = await decide(world, f"/identity/links/{registered_both['id']}", "confirm")
    assert (refused.status_code, refused.json()["code"]) == (409, "both-in-register")
    assert refused.json()["title"] and len(await world.facts(EmployerSplit)) == 0

    (to_two,) = [link for link in links if "E000000002" in (link["left_id"], link["right_id"])
                 and link["rule"] == "several"]  # fmt: skip
    confirmed = await decide(world, f"/identity/links/{to_two['id']}", "confirm")
    assert confirmed.json()["survivor_id"] == "E000000002", confirmed.text
    assert await standing(world) == {}
    (ended,) = await world.facts(LeadClosed)
    assert (ended.employer_id, ended.outcome) == ("E000000001", "merged")
    entry = (await world.get("/employers/E000000002")).json()
    assert entry["keys"] == [f"lic:{licence(1)}", f"oc:{org_code(2)}"]
    assert (await decide(world, f"/identity/links/{to_two['id']}", "split")).status_code == 200
    assert await standing(world) == {"E000000001": 1}


async def test_the_entry_stays_when_the_keys_it_came_by_part(world: World) -> None:
    """Joined before either was in the register; then one of them enters, by the absorbed one's
    number. Split, it keeps its entry and its persons; the other leaves."""
    await world.hear([licensed(1)])
    await world.hear([taxed(2)])
    await match_employers(world.runtime)
    await world.push("employers", [employer(2, name=NAME)])
    (entry,) = await world.rows("SELECT employer_id FROM register_employers")
    (link,) = await queue(world)
    assert (await decide(world, f"/identity/links/{link['id']}", "split")).status_code == 200
    held = await keys(world)
    assert held[entry["employer_id"]] == [f"oc:{org_code(2)}"]
    (other,) = [found for employer_id, found in held.items() if employer_id != entry["employer_id"]]
    assert other == [f"lic:{licence(1)}"]
    counts = await standing(world)
    assert sum(counts.values()) == 2 and counts[entry["employer_id"]] == 1  # its headcount gap


async def test_a_struck_off_firm_registered_anew_is_one_story(world: World) -> None:
    await world.hear([licensed(1)])
    await world.hear([licensed(1, what=EnterpriseDeregistered, revision=2, day=3)])
    await world.hear([licensed(2, day=5)])
    await match_employers(world.runtime)
    (link,) = await queue(world, status="suggested")
    assert link["rule"] == "licences-contradict"
    assert (await decide(world, f"/identity/links/{link['id']}", "confirm")).status_code == 200
    story = await world.rows(
        "SELECT employer_id, ordinal, outcome FROM leads WHERE NOT void ORDER BY ordinal"
    )
    assert [row["outcome"] for row in story] == ["ceased", None]
    assert await standing(world) == {"E000000001": 1}


async def test_a_record_naming_two_employers_is_a_conflict_people_resolve(world: World) -> None:
    await world.hear([licensed(1), taxed(2, name="本溪钟表厂")])
    await world.hear([registered(2, day=4, licence_no=licence(1), subject="licence:other")])
    first, second = sorted(await standing(world))
    (conflict,) = (await world.get("/identity/conflicts", status="open")).json()["items"]
    assert conflict["key"] == f"lic:{licence(1)}"
    path = f"/identity/conflicts/{conflict['id']}"
    last = await decide(world, path, "move")
    assert (last.status_code, last.json()["code"]) == (409, "nothing-to-part")  # its only key
    merged = await decide(world, path, "merge")
    assert merged.json()["resolution"] == "merge", merged.text
    assert len(await keys(world)) == len(await standing(world)) == 1
    assert (await decide(world, path, "keep")).json()["code"] == "link-decided"
    (link,) = await queue(world, rule="record")
    assert link["status"] == "confirmed" and {link["left_id"], link["right_id"]} == {first, second}


async def test_a_lead_of_a_disputed_employer_is_unclear_until_people_decide(world: World) -> None:
    await world.hear([licensed(1, headcount=3), taxed(2, name="本溪钟表厂")])
    await world.hear([registered(2, day=4, licence_no=licence(1), subject="licence:other")])
    assert await effects(world) == {"unclear": 2}
    (conflict,) = (await world.get("/identity/conflicts", status="open")).json()["items"]
    path = f"/identity/conflicts/{conflict['id']}"
    number = identity(1)
    kept = await decide(world, path, "keep", reason=f"与{number}核对过")
    assert (kept.json()["resolution"], await effects(world)) == ("keep", {"effective": 2})
    # Why it was decided so names nobody's number.
    (decision,) = kept.json()["decisions"]
    assert number not in decision["reason"] and "核对过" in decision["reason"]


async def test_an_entry_that_carries_another_firm_s_number_leaves_its_lead_unclear(
    world: World,
) -> None:
    await world.hear([licensed(1, headcount=3)])
    assert await effects(world) == {"effective": 1}
    await world.hear([taxed(2, name="本溪钟表厂")])
    await world.push("employers", [employer(2, name="本溪钟表厂", licence_no=licence(1))])
    (conflict,) = (await world.get("/identity/conflicts", status="open")).json()["items"]
    assert conflict["owner_id"] == "E000000001"
    (lead,) = (await world.get("/leads", employer="E000000001")).json()["items"]
    assert (lead["effect"], lead["reasons"]) == ("unclear", ["identity-unsettled"])


async def effects(world: World) -> dict[str, int]:
    """Effect → leads that have it; the counts agree with the lists."""
    counted = (await world.get("/leads/effectiveness")).json()
    found = {}
    for effect in ("effective", "not-effective", "unclear"):
        rows = (await world.get("/leads", effective=effect)).json()["items"]
        assert counted[effect.replace("-", "_")] == len(rows), effect
        if rows:
            found[effect] = len(rows)
    return found


async def test_keys_one_record_joined_are_parted_and_stay_so(world: World) -> None:
    """The licence office wrote another firm's number on a row; its two keys part for good."""
    await world.hear([registered(1)])
    assert await keys(world) == {"E000000001": [f"lic:{licence(1)}", f"oc:{org_code(1)}"]}
    path = "/identity/employers/E000000001/keys"
    tag = (await world.get(path)).headers["ETag"]
    order = {"keys": [f"lic:{licence(1)}"], "reason": "执照号码填错"}
    headers = {"If-Match": tag, **world.headers("agency")}
    parted = await world.http.post(f"{path}/part", json=order, headers=headers)
    assert parted.status_code == 201, parted.text
    new = parted.json()["employer_id"]
    assert await keys(world) == {
        "E000000001": [f"oc:{org_code(1)}"],
        new: [f"lic:{licence(1)}"],
    }
    again = await world.http.post(f"{path}/part", json=order, headers=headers)
    assert again.status_code == 412
    # The same row once more: about the code's employer, and no news to anybody.
    await world.hear([registered(1, revision=2, day=4)])
    assert (await world.get("/identity/conflicts", status="open")).json()["items"] == []
    assert await standing(world) == {"E000000001": 1}


async def test_two_officers_decide_at_once_and_one_is_told(world: World) -> None:
    await world.hear([licensed(1), taxed(2, name=OTHER_FORM)])
    await match_employers(world.runtime)
    (link,) = await queue(world)
    path = f"/identity/links/{link['id']}"
    tag = (await world.get(path)).headers["ETag"]
    answers = await asyncio.gather(
        *(decide(world, path, decision, tag=tag) for decision in ("confirm", "refuse", "confirm"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    held = await keys(world)
    assert len(held) == len(await standing(world)) == (2 if answers[1].status_code == 200 else 1)


async def test_what_arrives_during_a_link_is_about_the_right_employer(world: World) -> None:
    await world.hear([licensed(1), taxed(2, name=OTHER_FORM)])
    await match_employers(world.runtime)
    (link,) = await queue(world)
    path = f"/identity/links/{link['id']}"
    told = [taxed(2, name=OTHER_FORM, period=f"2008-0{month}", day=5) for month in (3, 4, 6)]
    complaints = [complaint(n, org_code=org_code(2), received_on="2008-06-05") for n in (7, 8)]

    async def hear_one_after_another() -> None:
        await world.hear(told[:1])
        await world.hear(told[1:])

    answers = await asyncio.gather(
        decide(world, path, "confirm"),
        hear_one_after_another(),
        world.push("complaints", complaints),
    )
    assert answers[0].status_code == 200
    assert len(await standing(world)) == len(await keys(world)) == 1
    left = await world.rows(
        "SELECT 1 FROM lead_events WHERE employer_id IN "
        "(SELECT employer_id FROM employers WHERE merged_into IS NOT NULL)"
    )
    assert left == []
    seen = await world.rows("SELECT DISTINCT employer_id FROM sightings")
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("department", "units", "status"),
    [
        ("tax", None, 403),
        ("agency", ["210521"], 403),
        ("auditor", None, 403),
        ("agency", [UNIT], 200),
    ],
)
async def test_only_officers_of_the_units_decide(
    world: World, department: str, units: list[str] | None, status: int
) -> None:
    await world.hear([licensed(1), taxed(2, name=OTHER_FORM)])
    await match_employers(world.runtime)
    (link,) = await queue(world)
    path = f"/identity/links/{link['id']}"
    tag = (await world.get(path)).headers["ETag"]
    answer = await world.http.post(
        f"{path}/decisions",
        json={"decision": "refuse", "reason": "不是一家"},
        headers={"If-Match": tag, **world.headers(department, units)},
    )
    assert answer.status_code == status
    missing = await world.http.post(
        f"{path}/decisions",
        json={"decision": "refuse", "reason": "不是一家"},
        headers=world.headers("agency"),
    )
    assert missing.status_code == 428


async def test_one_number_with_two_names_is_for_people_to_look_at(world: World) -> None:
    await world.push("insured-persons", [person(1), person(2)], period="2008-04")
    short = identity(1)[:6] + identity(1)[8:17]
    told = [person(1, identity_no=short, name="钱十"), person(2)]
    await world.push("insured-persons", told, period="2008-05")
    assert len(await world.rows("SELECT * FROM persons")) == 2  # both forms are one person
    (found,) = (await world.get("/identity/person-names", status="open")).json()["items"]
    assert (found["name_before"], found["name_told"]) == ("赵*", "钱*")
    assert short not in str(found) and identity(1) not in str(found)
    path = f"/identity/person-names/{found['id']}"
    tag = (await world.get(path)).headers["ETag"]
    decided = await decide(world, path, "different", tag=tag)
    assert decided.json()["status"] == "different", decided.text
    assert [step["reason"] for step in decided.json()["decisions"]] == ["核对过营业执照"]
    assert (await decide(world, path, "same", tag=tag)).status_code == 412
    # The two names once more, the other way round, are no news.
    await world.push("insured-persons", [person(1)], period="2008-06")
    assert len((await world.get("/identity/person-names")).json()["items"]) == 1
