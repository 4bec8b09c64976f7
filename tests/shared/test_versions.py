"""What officers edit: nobody undoes another's edit unseen, nobody checks their own proposal."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Response

from shared.auth import Caller
from shared.problems import Problem, install_problems
from shared.versions import SeenDep, etag_of, require_other_person, set_etag


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app, versions = FastAPI(), {"a": 1, "b": 1}
    install_problems(app)

    @app.get("/things/{name}")
    async def get_thing(name: str, response: Response) -> int:
        set_etag(response, name, versions[name])
        return versions[name]

    @app.put("/things/{name}")
    async def put_thing(name: str, seen: SeenDep, response: Response) -> int:
        seen.require(name, versions[name])
        versions[name] += 1
        set_etag(response, name, versions[name])
        return versions[name]

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_an_edit_names_what_it_saw(client: httpx.AsyncClient) -> None:
    first = (await client.get("/things/a")).headers["etag"]
    done = await client.put("/things/a", headers={"If-Match": first})
    assert (done.status_code, done.json()) == (200, 2)
    assert done.headers["etag"] == (await client.get("/things/a")).headers["etag"] != first

    late = await client.put("/things/a", headers={"If-Match": first, "Accept-Language": "en"})
    problem = late.json()
    assert (late.status_code, problem["code"]) == (412, "precondition-failed")
    assert problem["etag"] == late.headers["etag"] == done.headers["etag"]
    assert done.headers["etag"] in problem["detail"]
    assert (await client.get("/things/a")).json() == 2

    either = await client.put("/things/a", headers={"If-Match": f'"x", {problem["etag"]}'})
    assert either.json() == 3


@pytest.mark.parametrize(
    ("if_match", "code"),
    [
        (None, "precondition-required"),
        ("", "precondition-required"),
        (" , ", "precondition-required"),
        ("*", "precondition-required"),
        ("1", "precondition-failed"),
        ('"1"', "precondition-failed"),
        (f"W/{etag_of('a', 1)}", "precondition-failed"),
        (etag_of("b", 1), "precondition-failed"),
        (etag_of("a", 2), "precondition-failed"),
    ],
)
async def test_what_was_not_seen_is_not_edited(
    client: httpx.AsyncClient, if_match: str | None, code: str
) -> None:
    headers = {} if if_match is None else {"If-Match": if_match}
    refused = await client.put("/things/a", headers=headers)
    assert refused.json()["code"] == code
    assert refused.status_code == (428 if code == "precondition-required" else 412)
    assert (await client.get("/things/a")).json() == 1


def test_the_maker_does_not_check() -> None:
    caller = Caller("li", "agency")
    require_other_person(caller, "wang")
    require_other_person(caller, None)
    with pytest.raises(Problem) as refused:
        require_other_person(caller, "li")
    assert (refused.value.code, refused.value.status) == ("same-person", 403)
