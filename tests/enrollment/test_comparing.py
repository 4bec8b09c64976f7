"""The comparison with the register: every outcome, runs sealed, and what changed between two."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import pytest
import sqlalchemy as sa

from enrollment.comparing.rules import CAUSES, OUTCOMES
from enrollment.comparing.summary import CAUSE_NAMES, OUTCOME_NAMES
from shared.events.enrollment import CensusCompared
from shared.identifiers import make_identity_no
from tests.enrollment.conftest import World
from tests.enrollment.records import (
    UNIT,
    employer,
    foreigner,
    found,
    identity,
    org_code,
    person,
    person_application,
    place,
    visit,
)

OTHER = "210503"
FIRST: dict[str, Any] = {"with": 1}
SECOND: dict[str, Any] = {"with": 2}
BORN = date(1970, 1, 1)


def met(n: int, **more: Any) -> dict[str, Any]:
    """An entry of the person ``n`` of the register, under the right name."""
    return found(n, name=f"赵{n}", **more)


def numberless(n: int, name: str, **more: Any) -> dict[str, Any]:
    entry = met(n, sex="M", birth_on="1970-01-01", **more) | {"name": name}
    del entry["identity_no"]
    return entry


WORKS = {"employer_name": "本溪第1厂", "org_code": org_code(1)}
CASES: tuple[tuple[dict[str, Any], str], ...] = (
    (found(1), "new.not-in-register"),
    (met(20), "already-insured.before-finding"),
    (met(21), "already-insured.after-finding"),
    (met(22), "already-insured.before-finding"),  # suspended, still insured
    (found(30, identity_no=identity(30, date(1995, 1, 1))), "ineligible.too-young"),
    (found(31, identity_no=identity(31, date(1930, 1, 1))), "ineligible.too-old"),
    (found(32, reason="insured-elsewhere", street="千金街道"), "insured-elsewhere.claimed"),
    (met(23) | {"name": "另一人"}, "conflict.name-differs"),
    (met(24, **WORKS), "conflict.employer-differs"),
    (met(25, **WORKS), "already-insured.before-finding"),  # the employer the register has
    (met(26), "conflict.ended-in-register"),
    (met(27), "conflict.died-in-register"),
    (
        numberless(40, "钱四") | {"sex": "F", "birth_on": "1955-01-01"},
        "unclear.post-unknown",
    ),
    (numberless(41, "赵28"), "already-insured.before-finding"),
    (numberless(42, "孙同名"), "unclear.several-in-register"),
    (numberless(43, "李两次"), "unclear.perhaps-repeated"),
    (numberless(44, "李两次"), "unclear.perhaps-repeated"),
    (numberless(45, "周无人"), "new.not-in-register"),
    (foreigner(46, met(46)), "already-insured.before-finding"),  # by passport
    (foreigner(46, met(47), nationality="JPN"), "new.not-in-register"),
    (met(33), "conflict.ended-in-register"),  # transferred out, and found here uninsured
    (met(34, reason="insured-elsewhere"), "insured-elsewhere.transferred-out"),
    (found(1, entry_no="PR-1-again", unit=OTHER, found_on="2008-06-02"), "repeated.same-number"),
)
"""An entry, and what it turns out to be. The last is entered a day before the first in another
county: it is the first that is the repetition."""
EXPECTED = {
    f"{entry['unit']}.{entry['entry_no']}": tuple(verdict.split(".")) for entry, verdict in CASES
}
EXPECTED[f"{UNIT}.PR-1"], EXPECTED[f"{OTHER}.PR-1-again"] = (
    EXPECTED[f"{OTHER}.PR-1-again"],
    EXPECTED[f"{UNIT}.PR-1"],
)


async def fill(world: World) -> None:
    await world.push("employers", [employer(1), employer(2)])
    same: dict[str, Any] = {"name": "孙同名", "worker_class": "flexible"}
    await world.push(
        "insured-persons",
        [
            person(20),
            person(22, status="suspended"),
            person(23),
            person(24, 2),
            person(25, 1),
            person(26, status="ended"),
            person(28, identity_no=make_identity_no(OTHER, BORN, 981)),
            person(29, **same, identity_no=make_identity_no(OTHER, BORN, 983)),
            person(30, **same, identity_no=make_identity_no(OTHER, BORN, 985)),
            person(27),
            person(33),
            person(34),
            foreigner(46, person(46)),
        ],
    )
    await world.push(
        "person-applications",
        [
            person_application(21),
            person_application(27, "leave", reason="died"),
            person_application(33, "transfer-out", reason=None, other_place="210102"),
            person_application(34, "transfer-out", reason=None, other_place="210102"),
        ],
    )
    await world.push("census-persons", [entry for entry, _ in CASES])


async def compare(world: World, **asked: Any) -> dict[str, Any]:
    answer = await world.http.post(
        "/census/comparisons", json=asked, headers=world.headers("agency")
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["Location"].endswith(f"/census/comparisons/{made['run_no']}")
    return made


async def lines(world: World, run_no: int, **asked: Any) -> list[dict[str, Any]]:
    return await paged(world, f"/census/comparisons/{run_no}/persons", **asked)


async def count_lines(world: World, run_no: int, **asked: Any) -> int:
    return len(await lines(world, run_no, **asked))


async def paged(world: World, path: str, **asked: Any) -> list[dict[str, Any]]:
    query = dict(parse_qsl(path.partition("?")[2]))
    answer = await world.get(path.partition("?")[0], limit=7, **query, **asked)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["items"]
    while (more := answer.json()["next"]) is not None:
        answer = await world.http.get(f"http://test{more}", headers=world.headers("agency"))
        rows += answer.json()["items"]
    return rows


async def test_every_outcome(world: World) -> None:
    await fill(world)
    run = await compare(world)
    told = {one["entry"]: one for one in await lines(world, run["run_no"])}
    assert {entry: (one["outcome"], one["cause"]) for entry, one in told.items()} == EXPECTED
    every = {(outcome, cause) for outcome, causes in CAUSES.items() for cause in causes}
    assert set(EXPECTED.values()) == every  # no rule without a case
    again = told[f"{UNIT}.PR-1"]
    assert again["same_as"] == f"{OTHER}.PR-1-again"
    known = told[f"{UNIT}.PR-21"]
    assert (known["insured_from"], known["insured_unit"]) == ("2008-06-05", UNIT)
    assert (known["matched_by"], told[f"{UNIT}.PR-41"]["matched_by"]) == ("number", "name")
    # Nobody is named, and no hash of a number goes out.
    assert "person_key" not in known


async def test_every_count_is_the_length_of_a_list(world: World) -> None:
    await fill(world)
    run = await compare(world)
    answer = await world.get(f"/census/comparisons/{run['run_no']}", "leading-group")
    detail = answer.json()
    assert detail["counts"] == run["counts"]
    assert [one["unit"] for one in detail["units"]] == [UNIT, OTHER]
    levels: list[tuple[dict[str, str], Any]] = [({}, detail["counts"])]
    levels += [({"unit": one["unit"]}, one) for one in detail["units"]]
    for asked, shown in levels:
        length = partial(count_lines, world, run["run_no"], **asked)
        assert shown["compared"] == await length() == sum(shown["outcomes"].values())
        assert tuple(shown["outcomes"]) == OUTCOMES
        for outcome, n in shown["outcomes"].items():
            assert n == await length(outcome=outcome)
            assert n == sum(shown["causes"][outcome].values())
            for cause, m in shown["causes"][outcome].items():
                assert m == await length(outcome=outcome, cause=cause)
        for reason, n in shown["new_by_reason"].items():
            assert n == await length(outcome="new", reason=reason)
        assert shown["new_able_to_pay"] == await length(outcome="new", can_pay=True)
        assert shown["new_eligible"] == await length(outcome="new", eligible=True)
        assert shown["potential"] == await length(potential=True)
    own = (await world.get("/census/comparisons", "unit", [OTHER])).json()["items"]
    assert [one["counts"]["compared"] for one in own] == [1]
    seen = await world.get(f"/census/comparisons/{run['run_no']}/persons", "unit", [OTHER])
    assert [one["unit"] for one in seen.json()["items"]] == [OTHER]


async def test_runs_are_sealed_and_differ(world: World) -> None:
    """Enrolled meanwhile, corrected, taken back and found later: each is a move from run to run,
    and the first run goes on saying what it said."""
    await fill(world)
    first = await compare(world)
    before = await lines(world, 1)
    sealed = (await world.get("/census/comparisons/1/document")).content
    assert hashlib.sha256(sealed).hexdigest() == first["sha256"]

    await world.push("insured-persons", [person(1) | {"name": "张三丰"}], period="2008-06")
    await world.push(
        "census-persons", [CASES[12][0] | {"post": "cadre"}, numberless(45, "周", void=True)]
    )
    await world.push("census-persons", [found(50, unit=OTHER)])
    second = await compare(world, as_of="2008-06-09")
    assert (second["run_no"], second["counts"]["compared"]) == (2, len(CASES))
    assert await lines(world, 1) == before
    assert (await world.get("/census/comparisons/1/document")).content == sealed

    path = "/census/comparisons/2/difference"
    difference = (await world.get(path, **FIRST)).json()
    assert (difference["earlier"], difference["later"]) == (1, 2)
    moves = {(move["before"], move["after"]): move["persons"] for move in difference["moves"]}
    assert moves == {
        ("new", "already-insured"): 1,
        ("new", None): 1,
        ("unclear", "new"): 1,
        (None, "new"): 1,
    }
    assert difference["moved"] == sum(moves.values())
    everyone = await paged(world, f"{path}/persons", **FIRST)
    assert Counter((one["before"], one["after"]) for one in everyone) == moves
    for (earlier, later), n in moves.items():
        asked = {"with": 1, "before": earlier or "none", "after": later or "none"}
        assert len(await paged(world, f"{path}/persons", **asked)) == n
    # The numbers come from the lines, and the lines are as they were sealed.
    told = await world.rows('SELECT * FROM census_comparison_lines ORDER BY entry COLLATE "C"')
    for run in (first, second):
        text = "".join(
            "\t".join(_text(value) for value in row.values()) + "\n"
            for row in told
            if row["run_no"] == run["run_no"]
        )
        stored = (await world.get(f"/census/comparisons/{run['run_no']}/document")).json()
        assert stored["lines"]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
        assert stored["counts"] == run["counts"]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


async def test_a_unit_compared_alone_and_what_is_published(world: World) -> None:
    await fill(world)
    await compare(world)
    alone = await compare(world, unit=OTHER)
    assert (alone["run_no"], alone["counts"]["compared"]) == (2, 1)
    facts = await world.facts(CensusCompared)
    assert [(fact.unit, fact.run_no, fact.revision) for fact in facts] == [
        (UNIT, "1", 1),
        (OTHER, "1", 1),
        (OTHER, "2", 2),
    ]
    (whole, *_) = facts
    shown = (await world.get("/census/comparisons/1")).json()["units"][0]
    assert whole.new_count == shown["outcomes"]["new"]
    assert whole.conflict_count == shown["outcomes"]["conflict"] == 5
    assert (whole.repeated_count, whole.potential_count) == (1, shown["potential"])
    # What both compared differs in nothing; the rest of the first is not said to have gone.
    path = "/census/comparisons/1/difference"
    assert (await world.get(path, **SECOND)).json()["moves"] == []
    # A unit's own people see the whole city's run, but not its sealed whole.
    for path in ("/census/comparisons/1/document", "/census/comparisons/2"):
        refused = await world.get(path, "unit", [UNIT])
        assert refused.status_code in (403, 404), refused.text
    # Asked for at once, they wait for each other.
    both = await asyncio.gather(compare(world), compare(world))
    assert {run["run_no"] for run in both} == {3, 4}


async def test_the_summary_links_each_number_to_its_list(world: World) -> None:
    await fill(world)
    await world.push("census-units", [visit(1), place(2), place(3, unit=OTHER)])
    run = await compare(world)
    answer = await world.get("/census/comparisons/1/summary", "leading-group")
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    text = answer.text
    assert run["sha256"] in text
    assert "平山区 · Pingshan District | 2 | 1 | 50.0 |" in text
    links = re.findall(r"\[(\d+)\]\(/enrollment/v1(/census/comparisons/1/persons\S*)\)", text)
    assert len(links) > 40
    for n, path in links:
        assert len(await paged(world, path)) == int(n), path
    # What is sealed says how far the census was; it goes on saying so.
    await world.push("census-units", [visit(2)])
    assert (await world.get("/census/comparisons/1/summary")).text == text
    codes = {code for pair in CAUSES.items() for code in (pair[0], *pair[1])}
    assert codes == {*OUTCOME_NAMES, *CAUSE_NAMES}


async def test_who_may_compare_what(world: World) -> None:
    cases: tuple[tuple[str, list[str] | None, dict[str, Any], int, str], ...] = (
        ("unit", [UNIT], {"unit": UNIT}, 403, "forbidden"),
        ("agency", [UNIT], {"unit": OTHER}, 403, "forbidden-unit"),
        ("agency", [UNIT], {}, 403, "forbidden-unit"),
        ("agency", None, {"unit": "210599"}, 422, "parameter-invalid"),
        ("agency", None, {"as_of": "2008-06-11"}, 422, "parameter-invalid"),
    )
    for department, units, asked, status, code in cases:
        answer = await world.http.post(
            "/census/comparisons", json=asked, headers=world.headers(department, units)
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code), asked
    for path in ("/census/comparisons/1", "/census/comparisons/1/difference"):
        missing = await world.get(path, **(SECOND if "difference" in path else {}))
        assert missing.status_code == 404
    assert (await world.get("/census/comparisons")).json()["items"] == []


@pytest.mark.parametrize("unit", [None, UNIT])
async def test_entries_of_before_there_were_hashes(world: World, unit: str | None) -> None:
    """Their names are hashed by the first comparison: sent again they are duplicates still."""
    await world.push("insured-persons", [person(20), person(21)])
    await world.push("census-persons", [found(20), met(21)])
    async with world.runtime.database.transaction() as conn:
        await conn.execute(sa.text("UPDATE census_persons SET name_hash = NULL"))
    run = await compare(world, unit=unit)
    assert run["counts"]["causes"]["conflict"] == {"name-differs": 1}
    assert run["counts"]["outcomes"]["already-insured"] == 1
    sent = await world.push("census-persons", [found(20), met(21)])
    assert sent["receipt"]["duplicate"] == 2
