"""``kuomian demo``: start everything, load the made city once, check it, show it, keep serving."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Coroutine, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from kuomian import data_dir as folder
from kuomian.city import City, build_city
from kuomian.client import Api
from kuomian.demo import summary
from kuomian.demo.child import Child
from kuomian.demo.drain import drained, flow_of
from kuomian.demo.gather import Closing, gather
from kuomian.demo.load import Loader, set_clock
from kuomian.demo.state import Answer, Loaded, Memory, closing_truth
from kuomian.demo.tokens import tokens_path, write_tokens
from kuomian.installation import Installation
from kuomian.screen import bar
from kuomian.words import Failure
from shared.periods import Dekad, local_date
from shared.plan import Plan

LOOK_SECONDS = 0.3
MEASURES = ("insured-total", "insured-active", "pooled-fund")
On = Literal["embedded", "kafka"]
"""One process with everything embedded, or what docker-compose.yml says over a real Kafka."""
STARTING: Final[Mapping[On, str]] = {
    "embedded": "启动四个服务 · starting the four services …",
    "kafka": "按 docker-compose.yml 启动 · starting what docker-compose.yml says: PostgreSQL,"
    " Kafka, migrations, topics, four services in processes of their own …",
}


class Serving(Protocol):
    """The running system, whatever it is made of."""

    @property
    def url(self) -> str: ...

    def check(self) -> None:
        """Raise Failure when it has ended by itself."""

    def wait(self) -> None:
        """Return, or raise Failure, when it has ended by itself."""


def run_demo(
    *, port: int, scale: float, seed: int, fresh: bool, once: bool, data_dir: Path, on: On
) -> bool:
    """Run it; returns whether everything is as the made city knows it. Raises Failure."""
    plan = Plan.default()
    if fresh and data_dir.exists():
        _forget(data_dir)
    folder.prepare(data_dir)
    memory = Memory(data_dir)
    wanted = Loaded(seed, scale, plan.version)
    known = memory.find()
    if known is not None and not known.same_city(wanted):
        raise Failure(
            f"{data_dir} 中已有另一座城市 · holds another city (scale {known.scale:g}, seed"
            f" {known.seed}): FRESH=1 重新载入 · loads anew, or choose another DATA_DIR"
        )
    _require_same_kind(data_dir, on)
    _require_free(port)
    tokens = write_tokens(data_dir, plan)
    with _ended_by_signals():
        say(STARTING[on])
        began = time.monotonic()
        with _system(on, data_dir, port) as child:
            say(f"就绪 · ready in {time.monotonic() - began:.1f} s{_parts(child)}")
            showing = _load_and_show(child, memory, known or wanted, tokens, plan)
            ok = asyncio.run(_while_alive(child, showing))
            _addresses(child.url, data_dir)
            if not once:
                _serve_until_interrupted(child)
    return ok


def _system(on: On, data_dir: Path, port: int) -> AbstractContextManager[Serving]:
    if on == "embedded":
        return Child(data_dir, port)
    given = {"CLOCK": "demo", "PUBLIC_OVERVIEW": "true", "GATEWAY_PORT": str(port)}
    return Installation(data_dir, variables=given)


def _parts(child: Serving) -> str:
    return f": {', '.join(child.names())}" if isinstance(child, Installation) else ""


def _serve_until_interrupted(child: Serving) -> None:
    """Ctrl-C is how serving ends: no failure. The child ending by itself is one."""
    say("按 Ctrl-C 结束 · Ctrl-C ends")
    try:
        child.wait()
    except KeyboardInterrupt:
        say("正在停止 · stopping …")
        return
    child.check()


async def _while_alive(child: Serving, work: Coroutine[Any, Any, bool]) -> bool:
    """The work's result; raises Failure as soon as the child has ended, whatever work waits for."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            child.check()
            await asyncio.wait({task}, timeout=LOOK_SECONDS)
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _load_and_show(
    child: Serving, memory: Memory, loaded: Loaded, tokens: Mapping[str, str], plan: Plan
) -> bool:
    async with Api(child.url, tokens["operator"]) as api:
        if not loaded.done:
            loaded = await _load(api, memory, loaded, tokens, plan)
        else:
            say(f"城市已载入 · the city is loaded: {loaded.described}")
            await drained(api)
        await set_clock(api, datetime.fromisoformat(loaded.closing_at), tokens)
    say("核对 · checking …")
    period = _closing_dekad(datetime.fromisoformat(loaded.closing_at), plan)
    async with Api(child.url, tokens["auditor"]) as api:
        closing: Closing = await gather(api, loaded, memory.answers(), memory.done(), period, plan)
    summary.show(closing, loaded)
    return closing.ok


async def _load(
    api: Api,
    memory: Memory,
    loaded: Loaded,
    tokens: Mapping[str, str],
    plan: Plan,
) -> Loaded:
    """Make the city and push what of it has no answer yet."""
    say(f"生成城市 · making the city (seed {loaded.seed}, scale {loaded.scale:g}) …")
    city = await asyncio.to_thread(build_city, plan, loaded.seed, loaded.scale)
    say(f"  {city.describe()}")
    memory.keep(loaded)
    began = time.monotonic()
    answers = memory.answers()
    before = max((answer.ended for answer in answers.values()), default=0.0)
    if answers:
        say(f"继续上次的载入 · going on: {len(answers)} 批已完成 · pushes are done")
    await _push(api, memory, city, tokens)
    loaded = replace(known_truth(loaded, city, plan), seconds=before + time.monotonic() - began)
    memory.keep(loaded)
    return loaded


async def _push(
    api: Api, memory: Memory, city: City, tokens: Mapping[str, str]
) -> dict[str, Answer]:
    total = sum(planned.records for planned in city.deliveries)
    with bar("报送 · pushing", total, "records") as progress:
        loader = Loader(api, tokens, memory, progress)
        answers = await loader.run(city.events)
    flow = await flow_of(api)
    with bar("入账 · posting facts", flow.published if flow else 0, "facts") as progress:
        await drained(api, progress)
    return answers


def known_truth(loaded: Loaded, city: City, plan: Plan) -> Loaded:
    """The city's record once it is loaded, with what is true of it at the closing cut-off."""
    on = _closing_dekad(city.closing_at, plan).cutoff_on(plan.cutoffs)
    units = [unit.code for unit in plan.units] + [plan.city.code]
    return replace(
        loaded,
        done=True,
        described=city.describe(),
        closing_at=city.closing_at.isoformat(),
        truth=closing_truth(city, MEASURES, units, on),
        truth_on=on.isoformat(),
        planted=[asdict(planted) for planted in city.planted],
    )


def _closing_dekad(at: datetime, plan: Plan) -> Dekad:
    """The last dekad that was over at the moment."""
    return Dekad.counting(local_date(at), plan.cutoffs).previous()


def _forget(data_dir: Path) -> None:
    from kuomian.run import forget_data  # noqa: PLC0415 - pulls in the services

    say(f"清空 · forgetting what is in {data_dir}")
    forget_data(data_dir)


def _require_same_kind(data_dir: Path, on: On) -> None:
    """A folder is of one kind for ever: the other would not find its databases."""
    there = "kafka" if (data_dir / "kafka").exists() else "embedded"
    if (data_dir / "postgres").exists() and there != on:
        raise Failure(
            f"{data_dir} 属于另一种部署 · was made by kuomian demo --on {there}: FRESH=1"
            " 重新载入 · loads anew, or choose another DATA_DIR"
        )


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Failure(f"端口 {port} 不可用 · port {port}: {error.strerror} (PORT)") from error


def _addresses(url: str, data_dir: Path) -> None:
    say(f"""
  网址 · address       {url}/
  接口 · API pages     {url}/reporting/docs  {url}/enrollment/docs
                      {url}/tax-feed/docs  {url}/registration-feed/docs
  令牌 · tokens        {tokens_path(data_dir)}
  登录 · sign in       {url}/reporting/sign-in
""")


def say(text: str) -> None:
    """One line to the reader, at once."""
    print(text, flush=True)


@contextmanager
def _ended_by_signals() -> Any:
    """SIGTERM ends the demo as Ctrl-C does: the child is stopped in order first."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
