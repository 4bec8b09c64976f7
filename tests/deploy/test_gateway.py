"""The one door of ``make demo-kafka``: it passes on what comes, as it comes, in both ways."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from kuomian.gateway import OTHERWISE, Gateway
from kuomian.server import bind
from kuomian.services import NAMES
from tests.deploy import tools

BOUND = 20


class Service:
    """A service that tells what it was asked, piece by piece."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self.left = asyncio.Event()
        self.cut = asyncio.Event()
        self.headers: dict[str, str] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        target = scope["raw_path"].decode() + "?" + scope["query_string"].decode()
        if scope["path"].endswith("/events"):
            await self._events(receive, send)
            return
        size, more = 0, True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                self.cut.set()
                return
            if event["body"]:
                self.pieces.put_nowait(event["body"])
            size, more = size + len(event["body"]), event["more_body"]
        headers = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"x-size", b"%d" % size)]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        words = f"{self.name} {scope['method']} {target}".encode()
        await send({"type": "http.response.body", "body": words})

    async def _events(self, receive: Any, send: Any) -> None:
        kind = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": kind})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        await receive()
        await receive()
        self.left.set()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The application at an address of this machine."""
    bound = bind("127.0.0.1", 0)
    config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=2)
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def door_to(*services: Service, **others: str) -> AsyncIterator[httpx.AsyncClient]:
    """A caller before the gateway before the services."""
    async with asyncio.timeout(BOUND):
        addresses = dict(others)
        async with AsyncExitStack() as stack:
            for service in services:
                addresses[service.name] = await stack.enter_async_context(served(service))
            gateway = Gateway(addresses)
            url = await stack.enter_async_context(served(gateway))
            async with httpx.AsyncClient(base_url=url, trust_env=False) as caller:
                yield caller
            await gateway.aclose()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_request_and_answer_are_passed_on_whole(method: str) -> None:
    tax, reporting = Service("tax-feed"), Service(OTHERWISE)
    async with door_to(tax, reporting) as caller:
        answer = await caller.request(
            method,
            "/tax-feed/v1/a%2Fb?x=%20&y=1",
            headers={"Authorization": "Bearer t", "Host": "city.test"},
            content=b"body" if method in ("POST", "PUT") else None,
        )
        assert answer.status_code == 201
        assert answer.text == f"tax-feed {method} /tax-feed/v1/a%2Fb?x=%20&y=1"
        assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert answer.headers["x-size"] == ("4" if method in ("POST", "PUT") else "0")
        assert len(answer.headers.get_list("date")) == 1
        assert tax.headers["authorization"] == "Bearer t"
        assert tax.headers["host"] == "city.test"
        assert tax.headers["x-forwarded-for"] == "127.0.0.1"
        assert tax.headers["x-forwarded-proto"] == "http"
        for path in ("/", "/sign-in", "/reporting/v1/progress"):
            assert (await caller.get(path)).text.startswith(f"{OTHERWISE} GET {path}")
        assert (await caller.get("/tax-feed/metrics")).status_code == 404


async def test_a_body_is_not_held_back() -> None:
    tax, reporting = Service("tax-feed"), Service(OTHERWISE)

    async def body() -> AsyncIterator[bytes]:
        for no in range(3):
            yield b"piece %d" % no
            assert await tax.pieces.get() == b"piece %d" % no  # before the next one is sent

    async with door_to(tax, reporting) as caller:
        answer = await caller.post("/tax-feed/v1/x", content=body())
        assert answer.headers["x-size"] == "21"


async def test_a_body_cut_off_arrives_cut_off() -> None:
    tax, reporting = Service("tax-feed"), Service(OTHERWISE)

    async def body() -> AsyncIterator[bytes]:
        yield b"the first half"
        await tax.pieces.get()
        raise ConnectionResetError

    async with door_to(tax, reporting) as caller:
        with pytest.raises(ConnectionResetError):
            await caller.post("/tax-feed/v1/x", content=body())
        await tax.cut.wait()


async def test_an_event_stream_flows_and_ends_with_its_reader() -> None:
    reporting = Service(OTHERWISE)
    async with door_to(reporting) as caller:
        async with caller.stream("GET", "/reporting/v1/events") as answer:
            assert await anext(answer.aiter_bytes()) == b"data: 1\n\n"
            assert not reporting.left.is_set()
        await reporting.left.wait()


async def test_a_service_that_is_away_is_said_so() -> None:
    async with door_to(Service(OTHERWISE), enrollment="http://127.0.0.1:1") as caller:
        answer = await caller.get("/enrollment/v1/status")
        assert (answer.status_code, answer.text) == (502, "enrollment: ConnectError\n")


def test_it_knows_the_same_doors_as_the_gateway_of_the_file() -> None:
    text = (tools.ROOT / "deploy/compose/gateway.conf").read_text("utf-8")
    named = re.search(r"\(\?<named>([^)]*)\)", text)
    default = re.search(r"default (\S+);", text)
    assert named is not None
    assert default is not None
    assert {*named[1].split("|"), default[1]} == set(NAMES)
    assert default[1] == OTHERWISE
