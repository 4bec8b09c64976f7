"""Commands that run the system: ``serve``, ``migrate``, ``reencrypt``, ``demo``, ``forget``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from kuomian.cli_data import DataDir, data_dir_of
from kuomian.words import Failure

On = Annotated[
    Literal["embedded", "kafka"],
    typer.Option(help="一个进程,或按 docker-compose.yml · one process, or docker-compose.yml"),
]
ServiceName = Annotated[
    str, typer.Argument(help="registration-feed, tax-feed, enrollment, reporting — all")
]


def serve(
    service: ServiceName = "all",
    role: Annotated[
        list[str] | None,
        typer.Option(help="api, relay, consumer; repeatable, all three unless given"),
    ] = None,
    host: Annotated[str | None, typer.Option(help="监听地址 · address (HOST)")] = None,
    port: Annotated[int | None, typer.Option(help="端口,0 任取 · port (PORT), 0 for any")] = None,
    data_dir: DataDir = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="演示时钟,概览公开 · demo clock, public overview")
    ] = False,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """运行一个或全部服务 · run one service, or all four in one process.

    `all` brings its own PostgreSQL and bus and keeps everything in DATA_DIR. One service takes
    its database and bus from the environment (`kuomian settings`). Ends with Ctrl-C, in order.

    **Examples**

    `kuomian serve all --port 8000`

    `kuomian serve tax-feed --role api`

    `kuomian serve reporting --role consumer --role relay --port 9000`
    """
    from kuomian.run import serve_all, serve_one  # noqa: PLC0415 - quick --help

    if service == "all":
        if role:
            raise Failure("--role 只用于单个服务 · --role goes with one service, not with all")
        asyncio.run(
            serve_all(host, port, data_dir_of(data_dir), demo=demo, with_parent=with_parent)
        )
    else:
        asyncio.run(serve_one(service, role or [], host, port, with_parent=with_parent))


def gateway(
    addresses: Annotated[list[str], typer.Argument(help="service=http://…")],
    port: Annotated[int, typer.Option(help="端口 · port")] = 8000,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """一个地址通往各服务 · one address before services at addresses of their own.

    **Example**

    `kuomian gateway --port 8000 reporting=http://127.0.0.1:9001 tax-feed=http://127.0.0.1:9002`
    """
    from kuomian.run import serve_gateway  # noqa: PLC0415

    pairs = (address.partition("=") for address in addresses)
    doors = {name: url for name, _, url in pairs}
    asyncio.run(serve_gateway(doors, port, with_parent=with_parent))


def migrate(service: ServiceName = "all", data_dir: DataDir = None) -> None:
    """数据库升级到最新结构 · bring databases to the newest schema. Repeatable.

    One service: the database in DATABASE_URL. `all`: the embedded ones in DATA_DIR.

    **Examples**

    `kuomian migrate all`

    `DATABASE_URL=postgresql://… kuomian migrate tax-feed`
    """
    from kuomian.run import migrate_all, migrate_one  # noqa: PLC0415

    done = (
        asyncio.run(migrate_all(data_dir_of(data_dir)))
        if service == "all"
        else asyncio.run(migrate_one(service))
    )
    for name, revision in done.items():
        print(f"{name}: {revision}")


def reencrypt(service: ServiceName = "all", data_dir: DataDir = None) -> None:
    """用最新密钥重写加密内容 · rewrite with the newest of DATA_KEYS what older keys encrypted.

    Beside a serving system; an interrupted run is begun again. One service: DATABASE_URL and
    DATA_KEYS. `all`: the embedded databases in DATA_DIR and its `keys.json`. Exit code 1 while an
    older key still holds something: restart what has not got the new key, then run it again.

    **Examples**

    `kuomian reencrypt all`

    `DATABASE_URL=postgresql://… DATA_KEYS=1:…,2:… kuomian reencrypt tax-feed`
    """
    from kuomian.keys import reencrypt_all, reencrypt_one  # noqa: PLC0415
    from kuomian.screen import bar  # noqa: PLC0415

    with bar("重写 · rewriting", 0, "records") as progress:
        newest, done = asyncio.run(
            reencrypt_all(data_dir_of(data_dir), progress.of)
            if service == "all"
            else reencrypt_one(service, progress.of)
        )
    for one in done:
        held = ", ".join(f"{version}: {count:,}" for version, count in one.versions.items())
        print(f"{one.column}  {one.rewritten:,} 已重写 · rewritten  密钥 · keys {{{held}}}")
    if left := sum(one.older_than(newest) for one in done):
        raise Failure(f"{left:,} 个值仍用旧密钥 · values are still under older keys: run it again")
    print(f"只用密钥 {newest} · everything is under key {newest}; older ones may be dropped")


def demo(
    port: Annotated[int, typer.Option(envvar="PORT", help="端口 · port")] = 8000,
    scale: Annotated[
        float,
        typer.Option(
            envvar="CITY_SCALE", min=0.001, max=10, help="城市规模 · size; 1 is the whole city"
        ),
    ] = 1.0,
    fresh: Annotated[
        bool, typer.Option(envvar="FRESH", help="清空后重新载入 · forget and load anew")
    ] = False,
    once: Annotated[
        bool, typer.Option(envvar="ONCE", help="载入、打印、停止 · load, print, stop")
    ] = False,
    seed: Annotated[int, typer.Option(envvar="CITY_SEED", help="随机种子 · seed")] = 2008,
    on: On = "embedded",
    data_dir: DataDir = None,
) -> None:
    """载入一座虚构的城市 · load a made city through the public API, then serve it.

    `--on kafka` runs what docker-compose.yml says as processes of this machine, with a real Kafka
    broker: from a checkout, with Java 17 and, the first time, Maven. It keeps a folder of its own.

    A second start finds the city and serves at once; an interrupted load goes on where it was.
    Exit code 1 when a figure differs from what the made city knows to be true.

    **Examples**

    `kuomian demo`

    `kuomian demo --scale 0.05 --once`

    `kuomian demo --on kafka`

    `FRESH=1 kuomian demo --port 9000`
    """
    from kuomian.demo.driver import run_demo  # noqa: PLC0415

    ok = run_demo(
        port=port,
        scale=scale,
        seed=seed,
        fresh=fresh,
        once=once,
        data_dir=_demo_dir(data_dir, on),
        on=on,
    )
    if not ok:
        raise typer.Exit(1)


def _demo_dir(given: Path | None, on: str) -> Path:
    wanted = data_dir_of(given)
    return wanted if given or on == "embedded" else wanted.with_name(f"{wanted.name}-{on}")


def forget(
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 · do not ask")] = False,
    on: On = "embedded",
    data_dir: DataDir = None,
) -> None:
    """删除 DATA_DIR 的全部数据 · delete everything in DATA_DIR, its PostgreSQL stopped first.

    **Example**

    `kuomian forget --yes`
    """
    from kuomian.run import forget_data  # noqa: PLC0415

    target = _demo_dir(data_dir, on)
    if not target.exists():
        print(f"没有数据 · nothing there: {target}")
        return
    if not yes and not typer.confirm(f"删除 · delete {target} ?"):
        raise typer.Exit(1)
    forget_data(target)
    target.rmdir()
    print(f"已删除 · deleted: {target}")
