"""Who carries the census out, what it costs, and visits by who should not have made them (O68)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.enrollment.conftest import World
from tests.enrollment.records import UNIT, place, visit
from tests.enrollment.test_comparing import paged

OTHER = "210503"
ROSTER = "/census/roster"
SINCE = {"from_on": "2008-05-01"}


async def write(
    world: World,
    method: str,
    path: str,
    row: dict[str, Any],
    *who: Any,
    seen: str | None = None,
) -> httpx.Response:
    headers = world.headers(*(who or ("agency",)))
    headers |= {} if seen is None else {"If-Match": seen}
    return await world.http.request(method, f"{ROSTER}/{path}", json=row, headers=headers)


@pytest.mark.parametrize(
    ("path", "department", "row", "edited"),
    [
        (f"enumerators/{UNIT}/PCY-1", "agency", SINCE, {**SINCE, "to_on": "2008-06-30"}),
        ("bodies/statistics", "leading-group", SINCE, {**SINCE, "duty": "提供单位名录"}),
        (f"budgets/{UNIT}", "finance", {"budget_fen": 9}, {"budget_fen": 9, "spent_fen": 12}),
    ],
)
async def test_officers_edit_what_they_have_seen(
    world: World, path: str, department: str, row: dict[str, Any], edited: dict[str, Any]
) -> None:
    made = await write(world, "POST", path, row, department)
    assert made.status_code == 201, made.text
    assert made.headers["ETag"] == made.json()["etag"]
    assert (await write(world, "POST", path, row, department)).json()["code"] == "conflict"
    unseen = await write(world, "PUT", path, edited, department)
    assert (unseen.status_code, unseen.json()["code"]) == (428, "precondition-required")
    first = made.headers["ETag"]
    done = await write(world, "PUT", path, edited, department, seen=first)
    assert (done.status_code, done.json()["version"]) == (200, 2), done.text
    assert done.json() == done.json() | edited
    late = await write(world, "PUT", path, row, department, seen=first)
    assert (late.status_code, late.json()["etag"]) == (412, done.headers["ETag"])
    # Every state is kept, with who wrote it; the one refused is none.
    changes = await paged(world, f"{ROSTER}/changes")
    assert [(one["version"], one["edited_by"]) for one in changes] == [(2, "tester"), (1, "tester")]
    assert changes[0]["row"] == changes[0]["row"] | edited


async def test_visits_by_who_should_not_have_made_them(world: World) -> None:
    streets: dict[str, Any] = {**SINCE, "street": "平山街道"}
    for code, row in (
        ("PCY-1", SINCE),
        ("PCY-2", {**SINCE, "to_on": "2008-06-02"}),
        ("PCY-3", streets),
    ):
        assert (await write(world, "POST", f"enumerators/{UNIT}/{code}", row)).status_code == 201
    await world.push(
        "census-units",
        [
            visit(1),
            visit(2) | {"visitor": "PCY-2"},
            visit(3) | {"visitor": "PCY-2", "visited_on": "2008-06-02"},
            visit(4) | {"visitor": "PCY-3"},
            visit(5) | {"visitor": "PCY-3", "street": "千金街道"},
            visit(6) | {"visitor": "PCY-9"},
            visit(7, unit=OTHER),  # the other unit has no enumerator of this code
            place(8),
        ],
    )
    await write(world, "POST", f"budgets/{OTHER}", {"budget_fen": 100}, "finance", [OTHER])
    found = await paged(world, f"{ROSTER}/findings")
    assert {one["entry"]: one["finding"] for one in found} == {
        f"{UNIT}.PC-2": "outside-dates",
        f"{UNIT}.PC-5": "other-street",
        f"{UNIT}.PC-6": "not-in-roster",
        f"{OTHER}.PC-7": "not-in-roster",
    }
    told = (await world.get(ROSTER, "leading-group")).json()
    assert [one["unit"] for one in told["units"]] == [UNIT, OTHER]
    for one in told["units"]:
        asked = {"unit": one["unit"]}
        assert one["enumerators"] == len(await paged(world, f"{ROSTER}/enumerators", **asked))
        for name in ("not-in-roster", "outside-dates", "other-street"):
            rows = await paged(world, f"{ROSTER}/findings", **asked, finding=name)
            assert one[name.replace("-", "_")] == len(rows)
    assert (told["units"][0]["visits"], told["units"][0]["budget_fen"]) == (6, None)
    (budget,) = (await world.get(f"{ROSTER}/budgets")).json()
    assert budget["etag"] and told["units"][1]["budget_fen"] == budget["budget_fen"] == 100


Refused = tuple[str, dict[str, Any], tuple[str, list[str] | None], int, str]
NAMED = {**SINCE, "display_name": "王 210502198001019834"}
REFUSED: tuple[Refused, ...] = (
    (f"enumerators/{UNIT}/PCY-1", SINCE, ("unit", [OTHER]), 403, "forbidden-unit"),
    (f"enumerators/{UNIT}/PCY-1", SINCE, ("finance", None), 403, "forbidden"),
    (f"budgets/{UNIT}", {"budget_fen": 1}, ("agency", None), 403, "forbidden"),
    (f"budgets/{UNIT}", {"budget_fen": -1}, ("finance", None), 422, "parameter-invalid"),
    ("budgets/219999", {"budget_fen": 1}, ("finance", None), 404, "not-found"),
    ("bodies/nobody", SINCE, ("leading-group", None), 422, "parameter-invalid"),
    (f"enumerators/{UNIT}/P-1", {**SINCE, "to_on": "2008-04-30"}, ("agency", None), 422,
     "parameter-invalid"),
    (f"enumerators/{UNIT}/P-1", NAMED, ("agency", None), 422, "parameter-invalid"),
)  # fmt: skip


async def test_what_is_refused(world: World) -> None:
    for path, row, who, status, code in REFUSED:
        answer = await write(world, "POST", path, row, *who)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert "210502198001019834" not in answer.text
    assert await paged(world, f"{ROSTER}/changes") == []
