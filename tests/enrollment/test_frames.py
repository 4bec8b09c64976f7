"""The frame frozen by versions, and the progress counted against it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from enrollment.frames.rules import series
from shared.periods import CUTOFF_DAYS
from tests.enrollment.conftest import World
from tests.enrollment.records import UNIT, found, place, visit
from tests.enrollment.test_comparing import FIRST, paged

OTHER = "210503"
STREET = "千金街道"


async def freeze(world: World, name: str = "第一版底册", status: int = 201) -> dict[str, Any]:
    answer = await world.http.post(
        "/census/frames", json={"name": name}, headers=world.headers("leading-group")
    )
    assert answer.status_code == status, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def progress(world: World, **asked: Any) -> dict[str, Any]:
    answer = await world.get("/census/progress", **asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def fill(world: World) -> None:
    """Eight entries of two units, three of them visited."""
    places = [place(n, street=STREET if n % 2 else "平山街道") for n in range(5)]
    await world.push("census-units", [*places, place(8, unit=OTHER), place(9, void=True)])
    refused = visit(6) | {"outcome": "refused"}
    late = visit(7) | {"visited_on": "2008-05-31"}
    await world.push("census-units", [visit(5), refused, late])


async def test_progress_is_counted_against_the_frozen_frame(world: World) -> None:
    assert (await freeze(world, status=409))["code"] == "conflict"  # nothing in it
    await fill(world)
    live = await progress(world)
    assert (live["basis"]["kind"], live["frame"], live["visited"]) == ("live", 9, 3)
    frame = await freeze(world)
    assert (frame["version"], frame["entry_count"], len(frame["sha256"])) == (1, 9, 64)

    # One visited, one taken out, one moved, one new and visited, one new.
    moved = place(2, street=STREET)
    await world.push("census-units", [visit(0), place(1, void=True), moved, visit(20), place(21)])
    told = await progress(world)
    assert (told["basis"]["kind"], told["basis"]["version"]) == ("frozen", 1)
    counted = {name: told[name] for name in ("frame", "visited", "refused", "gone")}
    assert counted == {"frame": 9, "visited": 4, "refused": 1, "gone": 1}
    assert (told["outside"], told["outside_visited"], told["visited_rate"]) == (2, 1, "44.4")
    assert told["definitions"][0]["id"] == "census-visited-rate@1"
    by_street = {one["street"]: one["frame"] for one in told["units"][0]["streets"]}
    assert by_street == {"平山街道": 6, STREET: 2}  # where it stood when frozen
    assert (await progress(world, frame=0))["frame"] == 10
    # Up to a day; a visit of 31 May counts in June's first dekad.
    early = await progress(world, to="2008-06-02")
    assert (early["frame"], early["visited"]) == (9, 1)
    steps = (await world.get("/census/progress/series", by="dekad")).json()["items"]
    assert [(one["period"], one["visited"], one["visited_to_date"]) for one in steps] == [
        ("2008-06-D1", 4, 4)
    ]
    assert (await world.get("/census/progress", frame=7)).status_code == 404


async def test_every_number_of_the_progress_is_the_length_of_a_list(world: World) -> None:
    await fill(world)
    await freeze(world)
    await world.push("census-units", [visit(0), place(1, void=True), visit(20), place(21)])
    reasons = ("no-means", "unwilling")
    persons = [
        found(n, reason=reasons[n % 2], can_pay=n > 2, found_on=f"2008-06-0{n + 1}")
        for n in range(6)
    ]
    await world.push("census-persons", persons)
    for to in ("2008-06-02", "2008-06-10"):
        told = await progress(world, to=to)
        levels: list[tuple[dict[str, str], Any]] = [({}, told)]
        levels += [({"unit": one["unit"]}, one) for one in told["units"]]
        levels += [
            ({"unit": one["unit"], "street": street["street"]}, street)
            for one in told["units"]
            for street in one["streets"]
        ]
        for asked, shown in levels:
            lists: tuple[tuple[str, str, dict[str, Any]], ...] = (
                ("frame", "entries", {}),
                ("visited", "entries", {"visited_to": to}),
                ("refused", "entries", {"visited_to": to, "outcome": "refused"}),
                ("gone", "entries", {"gone": True}),
                ("outside", "entries", {"outside": True}),
                ("outside_visited", "entries", {"outside": True, "visited_to": to}),
                ("found", "persons", {}),
                ("able_to_pay", "persons", {"can_pay": True}),
                ("eligible", "persons", {"eligible": True}),
                ("eligible_able_to_pay", "persons", {"eligible": True, "can_pay": True}),
            )
            for name, kind, more in lists:
                entries = kind == "entries"
                path = "/census/frames/1/entries" if entries else "/census/persons"
                bound = {} if entries else {"found_to": to}
                rows = await paged(world, path, **asked, **more, **bound)
                assert shown[name] == len(rows), (asked, name)
            for reason, n in shown["by_reason"].items():
                rows = await paged(world, "/census/persons", **asked, reason=reason, found_to=to)
                assert n == len(rows)
    steps = (await world.get("/census/progress/series", by="day")).json()["items"]
    assert [one["visited_to_date"] for one in steps][-1] == told["visited"]
    assert steps[-1]["found_to_date"] == told["found"] == 6
    for one in steps:
        days = {"visited_from": one["period"], "visited_to": one["period"]}
        assert one["visited"] == len(await paged(world, "/census/frames/1/entries", **days))


async def test_versions_are_kept_and_differ(world: World) -> None:
    await fill(world)
    first = await freeze(world)
    before = await paged(world, "/census/frames/1/entries")
    kind = place(4) | {"kind": "household-business", "street": "平山街道"}
    changed = [place(0, street=STREET), place(1, void=True), kind, place(30, unit=OTHER)]
    await world.push("census-units", changed)
    await freeze(world, "第二版底册")
    assert (await world.get("/census/frames/1")).json() == first
    assert await paged(world, "/census/frames/1/entries", gone=False) == [
        one for one in before if one["entry"] != f"{UNIT}.PC-1"
    ]
    versions = (await world.get("/census/frames", limit=1)).json()
    assert ([one["version"] for one in versions["items"]], bool(versions["next"])) == ([2], True)
    assert (await progress(world))["basis"]["version"] == 2

    path = "/census/frames/2/difference"
    told = (await world.get(path, **FIRST)).json()
    assert told["totals"] == {"added": 1, "removed": 1, "moved": 1, "changed": 1}
    assert sum(one["entries"] for one in told["changes"]) == 4
    rows = await paged(world, f"{path}/entries", **FIRST)
    assert Counter(one["change"] for one in rows) == told["totals"]
    for change, n in told["totals"].items():
        assert len(await paged(world, f"{path}/entries", **FIRST, change=change)) == n
    own = (await world.get(path, "unit", [OTHER], **FIRST)).json()
    assert own["totals"] == {"added": 1, "removed": 0, "moved": 0, "changed": 0}
    for path in ("/census/frames/9", "/census/frames/1/difference"):
        asked = FIRST | {"with": 9} if "difference" in path else {}
        assert (await world.get(path, **asked)).status_code == 404


async def test_who_may_freeze(world: World) -> None:
    for department in ("unit", "agency"):
        answer = await world.http.post(
            "/census/frames", json={"name": "第一版"}, headers=world.headers(department, [UNIT])
        )
        assert answer.status_code == 403, department


def test_days_become_dekads_by_their_cut_off() -> None:
    days = [
        {"on": datetime(2008, month, day, tzinfo=UTC).date(), "visited": 1, "found": 2}
        for month, day in ((6, 11), (5, 10), (5, 31), (6, 10))
    ]
    told = [
        (one.period, one.visited, one.found_to_date) for one in series(days, "dekad", CUTOFF_DAYS)
    ]
    assert told == [("2008-05-D1", 1, 2), ("2008-06-D1", 2, 6), ("2008-06-D2", 1, 8)]
    assert [one.visited_to_date for one in series(days, "day", CUTOFF_DAYS)] == [1, 2, 3, 4]
