"""Policy over HTTP: who may ask, what is refused field by field, what comes back."""

from __future__ import annotations

from typing import Any

from tests.enrollment.conftest import World

QUESTION = {"rule": "freelancer-base", "on": "2008-06-10", "inputs": {"declared_fen": 109_999}}


async def post(world: World, body: Any, department: str = "agency") -> tuple[int, Any]:
    answer = await world.http.post(
        "/policy/decisions", json=body, headers=world.headers(department)
    )
    return answer.status_code, answer.json()


def pointers(body: dict[str, Any]) -> list[tuple[str, str]]:
    assert body["code"] == "parameter-invalid"
    return [(error["pointer"], error["code"]) for error in body["errors"]]


async def test_policy_over_http(world: World) -> None:
    status, decision = await post(world, QUESTION, "labour")
    assert (status, decision["outcome"]) == (200, "below-floor")
    assert decision["version"] == "freelancer-base@1"
    assert decision["amounts"]["base_fen"] == 110_000
    assert decision["clauses"][0]["quote"] == "最低不低于我市上年在岗职工月平均工资的60%"
    shown = {one["name"]: one for one in decision["parameters"]}
    assert shown["freelancer-base-floor-ratio"]["value"] == "0.60"
    assert shown["mean-wage-previous-year"]["status"] == "assumption"
    assert shown["mean-wage-previous-year"]["to_on"] == "2008-12-31"

    status, decision = await post(world, {**QUESTION, "on": "2009-06-10"})
    assert (status, decision["outcome"]) == (200, "cannot-decide")
    (missing,) = decision["missing"]
    assert (missing["name"], missing["years"]) == ("mean-wage-previous-year", [2009])

    told = {"from_month": "2006-01", "to_month": "2006-03", "left_on": "2005-12-31"}
    status, decision = await post(
        world, {"rule": "back-payment", "on": "2008-06-10", "inputs": told}
    )
    assert [row["month"] for row in decision["months"]] == ["2006-01", "2006-02", "2006-03"]
    assert decision["inputs"] == told
    assert decision["amounts"]["total_fen"] == sum(row["total_fen"] for row in decision["months"])

    # Refused, each field by itself.
    wrong = {"rule": "working-age", "on": "2008-02-30", "inputs": {"sex": "X", "a/b": 1}}
    status, body = await post(world, wrong)
    assert status == 422
    assert pointers(body) == [
        ("/on", "type-wrong"),
        ("/inputs/a~1b", "field-unknown"),
        ("/inputs/sex", "code-unknown"),
    ]
    status, body = await post(world, {**QUESTION, "rule": "guess"})
    assert (status, pointers(body)) == (422, [("/rule", "code-unknown")])
    status, body = await post(world, {**QUESTION, "more": 1})
    assert (status, pointers(body)) == (422, [("/more", "field-unknown")])
    status, body = await post(world, {**QUESTION, "inputs": {"declared_fen": 1.5}})
    assert status == 422
    status, body = await post(world, QUESTION, "publicity")
    assert (status, body["code"]) == (403, "forbidden")

    catalogue = (await world.get("/policy/rules", "tax")).json()
    rules = {rule["name"]: rule for rule in catalogue["rules"]}
    assert len(rules) == 10
    ages = rules["working-age"]
    assert ages["clauses"][0]["obligation"] == "O67"
    assert {code["code"] for code in ages["outcomes"]} >= {"too-old", "cannot-decide"}
    assert [len(rule["parameters_unknown"]) for rule in rules.values()] == [0] * 10
    wages = [p for p in rules["freelancer-base"]["parameters"] if p["unit"] == "fen"]
    assert [one["value"] for one in wages] == [1_600_000, 1_880_000, 2_200_000]

    known = (await world.get("/policy/parameters", on="2008-05-13")).json()
    values = {one["name"]: one["value"] for one in known["items"]}
    assert (values["freelancer-base-floor-ratio"], values["age-lower"]) == ("1.00", 18)
    assert values["lead-age-steps"] == [10, 30, 60, 90]
    later = (await world.get("/policy/parameters", on="2009-01-01")).json()
    assert "mean-wage-previous-year" in later["without_value"]
    assert len(later["items"]) + len(later["without_value"]) == len(known["items"]) + len(
        known["without_value"]
    )
