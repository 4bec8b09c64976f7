"""A whole service in small: routes, transactions, health, status, problems, documents."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, ConfigDict
from starlette.types import Message

from shared.application import ReadTx, Tx, build_runtime, create_app
from shared.auth import CallerDep, Issuer
from shared.bus import Message as BusMessage
from shared.clock import FixedClock
from shared.database import DatabaseAway
from shared.inbox import inbox_tables
from shared.inbox.store import bury
from shared.metrics import METRICS
from shared.outbox import outbox_tables
from shared.runtime import Runtime
from shared.service import Service, Subscription
from shared.settings import Settings

MIGRATIONS = {
    "0000_nothing.py": 'revision, down_revision = "0000", None\n',
    "0001_things.py": 'revision, down_revision = "0001", "0000"\n',
}


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    size: int = 0


def things_router() -> APIRouter:
    router = APIRouter(prefix="/sample/v1", tags=["things"])

    @router.post("/things", status_code=201, summary="新增 · add")
    async def add_thing(thing: Thing, conn: Tx, caller: CallerDep) -> Thing:
        await conn.execute(sa.text("INSERT INTO things VALUES (:n)"), {"n": thing.name})
        if thing.name == "bad":
            raise RuntimeError("id 210502198001011234 went wrong")
        return thing

    @router.get("/things")
    async def list_things(conn: ReadTx, caller: CallerDep) -> list[str]:
        return list((await conn.scalars(sa.text("SELECT name FROM things ORDER BY 1"))).all())

    @router.get("/away")
    async def away() -> None:
        raise DatabaseAway("gone")

    @router.post("/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    return router


@pytest.fixture
def service(tmp_path: Path) -> Service:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    for name, text in MIGRATIONS.items():
        (versions / name).write_text(text)
    metadata = sa.MetaData()
    unique_at_commit = sa.UniqueConstraint("name", deferrable=True, initially="DEFERRED")
    sa.Table("things", metadata, sa.Column("name", sa.Text), unique_at_commit)
    outbox_tables(metadata)
    inbox_tables(metadata)
    return Service(
        name="sample",
        title_zh="样例",
        title_en="Sample",
        metadata=metadata,
        migrations=tmp_path / "migrations",
        routers=(things_router(),),
    )


@pytest.fixture
async def runtime(
    service: Service, database_url: str, tmp_path: Path, clock: FixedClock
) -> AsyncIterator[Runtime]:
    settings = Settings(
        database_url=database_url,
        bus_database_url=database_url,
        data_dir=tmp_path,
        clock="demo",
        public_url="https://kuomian.example",
    )
    runtime = build_runtime(service, settings, clock=clock)
    async with runtime.database.transaction() as conn:
        await conn.run_sync(service.metadata.create_all)
        await conn.execute(sa.text("CREATE TABLE alembic_version (version_num text)"))
        await conn.execute(sa.text("INSERT INTO alembic_version VALUES ('0001')"))
    yield runtime
    await runtime.database.close()


@pytest.fixture
def app(service: Service, runtime: Runtime) -> FastAPI:
    return create_app(service, runtime, roles=())


@pytest.fixture
async def client(app: FastAPI, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    token = Issuer(tmp_path).token("op", "operator")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="https://kuomian.example",
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        yield client


async def test_the_commit_comes_before_the_answer(
    app: FastAPI, runtime: Runtime, tmp_path: Path
) -> None:
    """At the moment the first byte of the answer leaves, others can read what was written."""
    seen: list[tuple[str, int]] = []
    token = Issuer(tmp_path).token("op", "operator").encode()
    body = json.dumps({"name": "a"}).encode()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        async with runtime.database.read() as conn:
            count = await conn.scalar(sa.text("SELECT count(*) FROM things"))
        seen.append((message["type"], count or 0))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/sample/v1/things",
        "raw_path": b"/sample/v1/things",
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"authorization", b"Bearer " + token),
            (b"content-type", b"application/json"),
        ],
        "client": ("test", 1),
        "server": ("test", 1),
    }
    await app(scope, receive, send)
    assert seen[0] == ("http.response.start", 1)


async def test_a_commit_that_fails_becomes_the_answer(client: httpx.AsyncClient) -> None:
    """The deferred constraint fails at COMMIT only: with a commit after the answer this was 201."""
    assert (await client.post("/sample/v1/things", json={"name": "a"})).status_code == 201
    answer = await client.post("/sample/v1/things", json={"name": "a"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")


async def test_an_unforeseen_error_undoes_everything_and_tells_nothing(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/sample/v1/things", json={"name": "bad"})
    assert answer.status_code == 500
    assert "210502198001011234" not in answer.text
    assert answer.headers["trace-id"] in answer.json()["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await client.get("/sample/v1/things")).json() == []


@pytest.mark.parametrize(
    ("request_of", "status", "code"),
    [
        ({"method": "GET", "url": "/sample/v1/nowhere"}, 404, "not-found"),
        ({"method": "GET", "url": "/sample/v1/things?name=a%00b"}, 400, "http-error"),
        ({"method": "GET", "url": "/sample/v1/problems/%00"}, 400, "http-error"),
        ({"method": "DELETE", "url": "/sample/v1/things"}, 405, "method-not-allowed"),
        ({"method": "GET", "url": "/sample/v1/away"}, 503, "database-away"),
        (
            {"method": "POST", "url": "/sample/v1/size", "content": b"x" * (1024 * 1024 + 1)},
            413,
            "body-too-long",
        ),
        (
            {
                "method": "POST",
                "url": "/sample/v1/things",
                "content": b'{"name": ',
                "headers": {"content-type": "application/json"},
            },
            400,
            "malformed-json",
        ),
    ],
)
async def test_everything_that_goes_wrong_is_a_problem(
    client: httpx.AsyncClient, request_of: dict[str, Any], status: int, code: str
) -> None:
    answer = await client.request(**request_of)
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, document["status"], document["code"]) == (status, status, code)
    assert document["type"] == f"https://kuomian.example/problems/{code}"
    assert document["title"] == document["title_zh"]
    assert (status == 503) == ("retry-after" in answer.headers)


async def test_a_body_without_a_stated_length_is_bounded_too(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000

    answer = await client.post("/sample/v1/size", content=endless())
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-long")


async def test_field_errors_point_at_the_field_and_never_repeat_the_input(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post(
        "/sample/v1/things",
        json={"size": "210502198001011234x", "more": 1},
        headers={"Accept-Language": "en-GB,en;q=0.8"},
    )
    document = answer.json()
    assert (answer.status_code, document["code"]) == (422, "parameter-invalid")
    found = {error["pointer"]: error["code"] for error in document["errors"]}
    assert found == {"/name": "field-missing", "/size": "type-wrong", "/more": "field-unknown"}
    assert document["title"] == document["title_en"] == "Invalid parameter"
    assert answer.headers["content-language"] == "en"
    assert "210502198001011234" not in answer.text


async def test_health(client: httpx.AsyncClient, app: FastAPI, runtime: Runtime) -> None:
    assert (await client.get("/sample/health/live")).status_code == 200
    assert (await client.get("/sample/health/ready")).json() == {
        "status": "ok",
        "checks": {"database": "ok", "migrations": "ok"},
    }
    assert (await client.get("/sample/health/started")).status_code == 200
    app.state.health.drain()
    assert (await client.get("/sample/health/ready")).status_code == 503
    assert (await client.get("/sample/health/live")).status_code == 200


async def test_an_old_schema_is_not_ready_a_newer_one_stays_so(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    async def revision(now: str) -> None:
        async with runtime.database.transaction() as conn:
            await conn.execute(sa.text("UPDATE alembic_version SET version_num = :v"), {"v": now})

    await revision("0000")
    refused = await client.get("/sample/health/ready")
    assert refused.status_code == 503
    assert refused.json()["checks"]["migrations"] == "at 0000, this code needs 0001"
    assert (await client.get("/sample/health/started")).status_code == 503
    await revision("0001")
    assert (await client.get("/sample/health/ready")).status_code == 200
    await revision("0002")
    assert (await client.get("/sample/health/ready")).status_code == 200


async def test_a_version_rolled_back_to_is_ready_on_the_newer_schema(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    """It starts there: no earlier readiness speaks for it."""
    async with runtime.database.transaction() as conn:
        await conn.execute(sa.text("UPDATE alembic_version SET version_num = '0002'"))
    assert (await client.get("/sample/health/ready")).status_code == 200
    assert (await client.get("/sample/health/started")).status_code == 200


async def test_without_its_database_it_lives_and_is_not_ready(
    service: Service, tmp_path: Path
) -> None:
    nowhere = "postgresql://x@127.0.0.1:1/x?connect_timeout=2"
    settings = Settings(database_url=nowhere, bus_database_url=nowhere, data_dir=tmp_path)
    app = create_app(service, build_runtime(service, settings), roles=())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test"
    ) as client:
        assert (await client.get("/sample/health/live")).status_code == 200
        assert (await client.get("/sample/health/ready")).status_code == 503
        assert "kuomian_database_up" in (await client.get("/sample/metrics")).text


async def test_status_counts_what_waits(client: httpx.AsyncClient) -> None:
    found = (await client.get("/sample/v1/status")).json()
    assert found["outbox"]["unsent_facts"] == 0
    assert found["inbox"]["dead_letters_open"] == 0
    assert found["clock"]["kind"] == "real"


async def test_every_route_asks_for_a_token(app: FastAPI) -> None:
    """All but health, metrics and the documents; found in the OpenAPI document itself."""
    free = {"/sample/v1/away", "/sample/v1/size"}
    for path, item in app.openapi()["paths"].items():
        for method, operation in item.items():
            if path not in free and "/health/" not in path:
                assert operation.get("security"), (method, path)
                has_session = any("session" in way for way in operation["security"])
                assert has_session == (method == "get"), (method, path)


async def test_operators_only(app: FastAPI, tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {Issuer(tmp_path).token('t', 'tax')}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test", headers=headers
    ) as client:
        assert (await client.get("/sample/v1/status")).status_code == 403
        assert (await client.get("/sample/v1/dead-letters")).status_code == 403
        moment = {"at": "2008-06-11T00:00:00+08:00"}
        assert (await client.put("/sample/v1/clock", json=moment)).status_code == 403


async def test_dead_letters_page_by_page_and_replay(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    async with runtime.database.transaction() as conn:
        for position in range(1, 6):
            message = BusMessage(
                id=f"f{position}",
                type="x.y.v1",
                source="tax-feed",
                key="oc:1",
                position=position,
                time="2008-06-10T04:00:00Z",
                traceparent=None,
                data=b"{}",
            )
            await bury(conn, 0, message, "unknown")
    seen, url = [], "/sample/v1/dead-letters?limit=2"
    while url:
        answer = await client.get(url)
        body = answer.json()
        seen += [item["position"] for item in body["items"]]
        assert all("payload" not in item for item in body["items"])
        assert (body["next"] is not None) == ('rel="next"' in answer.headers.get("link", ""))
        url = body["next"]
    assert seen == [1, 2, 3, 4, 5]
    answer = await client.post("/sample/v1/dead-letters/replay", json={"ids": [1, 99]})
    assert [outcome["outcome"] for outcome in answer.json()] == ["unknown", "unknown"]
    spoilt = await client.get("/sample/v1/dead-letters?cursor=WyJ4Il0")
    assert spoilt.json()["code"] == "cursor-invalid"


async def test_the_demo_clock_is_set_and_exists_only_there(
    client: httpx.AsyncClient, service: Service, runtime: Runtime, database_url: str
) -> None:
    answer = await client.put("/sample/v1/clock", json={"at": "2008-06-20T23:59:00+08:00"})
    assert answer.json()["now"] == "2008-06-20T15:59:00+00:00"
    assert (await client.get("/sample/v1/clock")).json()["now"] == "2008-06-20T15:59:00+00:00"
    naive = await client.put("/sample/v1/clock", json={"at": "2008-06-20T23:59:00"})
    assert naive.status_code == 422
    for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        answer = await client.put("/sample/v1/clock", json={"at": at})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/at")
    real = runtime.settings.model_copy(update={"clock": "real"})
    app = create_app(service, build_runtime(service, real), roles=())
    assert "/sample/v1/clock" not in app.openapi()["paths"]


async def test_documents_work_without_any_other_site(client: httpx.AsyncClient) -> None:
    page = await client.get("/sample/docs")
    assert "/sample/v1/things" in page.text
    assert "<script" not in page.text
    assert "https://" not in page.text.replace("https://kuomian.example", "")
    openapi = (await client.get("/sample/v1/openapi.json")).json()
    assert openapi["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in json.dumps(openapi)
    add = openapi["paths"]["/sample/v1/things"]["post"]
    assert add["responses"]["422"] == {"$ref": "#/components/responses/Problem"}
    assert (await client.get("/sample/v1/asyncapi.json")).json()["asyncapi"] == "3.0.0"
    assert "idempotency-key-missing" in (await client.get("/sample/problems")).text
    assert (await client.get("/problems/database-away")).status_code == 200
    assert (await client.get("/problems/nothing")).status_code == 404


async def test_metrics_name_routes_not_what_callers_wrote(client: httpx.AsyncClient) -> None:
    await client.get("/sample/v1/things")
    await client.get("/sample/v1/210502198001011234")
    text = (await client.get("/sample/metrics")).text
    assert 'route="/sample/v1/things"' in text
    assert 'route="unmatched"' in text
    assert "210502198001011234" not in text
    for row in METRICS:
        assert f"# TYPE {row.name.removesuffix('_total')}" in text, row.name
        assert row.zh
        assert row.en


async def test_the_trace_goes_on(client: httpx.AsyncClient) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = await client.get("/sample/health/live", headers={"traceparent": parent})
    assert answer.headers["trace-id"] == "0af7651916cd43dd8448eb211c80319c"
    assert re.fullmatch(r"app;dur=[0-9]+\.[0-9]{2}", answer.headers["server-timing"])


async def test_a_running_consumer_shows_its_lag(
    service: Service, runtime: Runtime, tmp_path: Path
) -> None:
    async def ignore(conn: object, runtime: Runtime, batch: object) -> None: ...

    listening = replace(service, subscriptions=(Subscription("tax-feed", ignore),))
    runtime = replace(runtime, service=listening)
    app = create_app(listening, runtime, roles=("consumers",))
    headers = {"Authorization": f"Bearer {Issuer(tmp_path).token('o', 'operator')}"}
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://t", headers=headers) as client,
        asyncio.timeout(20),
    ):
        while True:
            found = (await client.get("/sample/v1/status")).json()
            consumer = found["workers"]["consumer"]
            if consumer and consumer["state"] == "running":
                break
            await asyncio.sleep(0.05)
        assert set(found["lag"]["tax-feed"].values()) == {0}
        text = (await client.get("/sample/metrics")).text
        assert 'kuomian_consumer_lag_messages{partition="0",producer="tax-feed"' in text


async def test_the_lifespan_drains_and_closes(service: Service, runtime: Runtime) -> None:
    app = create_app(service, runtime, roles=())
    async with app.router.lifespan_context(app):
        assert not app.state.health.draining
    assert app.state.health.draining
