"""The census's progress: every number of it is the length of a list."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.enrollment.conftest import World
from tests.enrollment.records import UNIT, found, identity, place, visit
from tests.enrollment.test_census import items, push


@pytest.fixture
async def filled(world: World) -> AsyncIterator[World]:
    streets = itertools.cycle(("平山街道", "千金街道", "东明街道"))
    outcomes = itertools.cycle(("done", "refused", "absent"))
    places = [visit(n) | {"street": next(streets), "outcome": next(outcomes)} for n in range(8)]
    elsewhere = place(8, unit="210503")
    await push(world, "census-units", *places, elsewhere, place(9, void=True))
    reasons = itertools.cycle(("no-means", "employer-did-not"))
    born = itertools.cycle((date(1970, 1, 1), date(1930, 1, 1)))
    persons = [
        found(
            n,
            street=next(streets),
            reason=next(reasons),
            can_pay=n % 3 > 0,
            identity_no=identity(n, next(born)),
        )
        for n in range(9)
    ]
    await push(world, "census-persons", *persons, found(10, void=True), found(11, unit="210503"))
    yield world


async def test_every_number_of_the_progress_is_the_length_of_a_list(filled: World) -> None:
    async def length(path: str, **query: Any) -> int:
        return len(await items(filled, path, **query))

    progress = (await filled.get("/census/progress", "leading-group")).json()
    assert (progress["census_from"], progress["census_to"]) == ("2008-05-01", "2008-07-31")
    assert (progress["frame"], progress["found"]) == (9, 10)
    levels: list[tuple[dict[str, str], Any]] = [({}, progress)]
    levels += [({"unit": one["unit"]}, one) for one in progress["units"]]
    levels += [
        ({"unit": one["unit"], "street": street["street"]}, street)
        for one in progress["units"]
        for street in one["streets"]
    ]
    assert len(levels) == 7
    for asked, shown in levels:
        assert shown["frame"] == await length("/census/units", **asked)
        assert shown["visited"] == await length("/census/units", **asked, visited=True)
        assert shown["refused"] == await length("/census/units", **asked, outcome="refused")
        assert shown["found"] == await length("/census/persons", **asked)
        assert shown["eligible"] == await length("/census/persons", **asked, eligible=True)
        able = {"eligible": True, "can_pay": True}
        assert shown["eligible_able_to_pay"] == await length("/census/persons", **asked, **able)
        for reason, n in shown["by_reason"].items():
            assert n == await length("/census/persons", **asked, reason=reason)
        assert sum(shown["by_reason"].values()) == shown["found"]


async def test_a_unit_sees_its_own_and_lists_are_paged(filled: World) -> None:
    own = (await filled.get("/census/progress", "unit", ["210503"])).json()
    assert [one["unit"] for one in own["units"]] == ["210503"]
    assert (own["frame"], own["found"]) == (1, 1)
    refused = await filled.get("/census/progress", "unit", ["210503"], unit=UNIT)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden-unit")
    for path, key in (("/census/units", "frame_no"), ("/census/persons", "entry")):
        once = [one[key] for one in await items(filled, path)]
        paged: list[str] = []
        answer = (await filled.get(path, limit=4)).json()
        while True:
            paged += [one[key] for one in answer["items"]]
            if answer["next"] is None:
                break
            query = dict(parse_qsl(urlsplit(answer["next"]).query))
            answer = (await filled.get(path, **query)).json()
        assert paged == once
        assert len(once) > 8
