"""Commands about what a service publishes: ``outbox status``, ``outbox resume``."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from kuomian.cli_data import HERE, DataDir, Token, Url, token_of
from kuomian.client import Api
from kuomian.words import Failure

outbox = typer.Typer(
    help="发件箱 · what a service publishes: where it stands, and going on after a restore.",
    no_args_is_help=True,
)
Which = Annotated[str, typer.Argument(help="服务 · service, such as tax-feed")]


@outbox.command("status")
def show_status(
    service: Which, url: Url = HERE, token: Token = None, data_dir: DataDir = None
) -> None:
    """查看待发与位置 · what waits to be sent, and the last position given per partition.

    **Example**

    `kuomian outbox status tax-feed`
    """
    bearer = token_of(token, None, data_dir, "operator")
    found = asyncio.run(_status(url, bearer, service))
    print(f"{found['unsent_facts']} 个待发事实 · facts to send")
    for partition, head in found["heads"].items():
        ahead = found["behind"].get(partition)
        note = "" if ahead is None else f"  消息总线已有 · the bus has {ahead}"
        print(f"{partition}: {head}{note}")


@outbox.command("resume")
def resume(
    service: Which,
    above: Annotated[
        list[str] | None,
        typer.Option(help="分区=位置,可多次 · partition=position known to be given; repeatable"),
    ] = None,
    url: Url = HERE,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """恢复后继续发布 · publish again after this service's database alone was restored.

    New facts get positions above those the bus has. Give `--above` where the bus has lost its
    messages as well: the receivers' positions, from `inbox.marks` of their status. The
    departments have to send again what came after the moment restored to.

    **Examples**

    `kuomian outbox resume tax-feed`

    `kuomian outbox resume tax-feed --above 0=12093 --above 1=11987`
    """
    order = {"above": dict(_pair(text) for text in above or [])}
    bearer = token_of(token, None, data_dir, "operator")
    answer = asyncio.run(_resume(url, bearer, service, order))
    for partition, position in answer["next_positions"].items():
        print(f"{partition}: 下一位置 · next position {position}")
    if not answer["next_positions"]:
        print("位置未变 · no position changed")


def _pair(text: str) -> tuple[str, int]:
    partition, _, position = text.partition("=")
    if not (partition.isdigit() and position.isdigit()):
        raise Failure(f"--above {text}: 应为 分区=位置 · should be partition=position")
    return partition, int(position)


async def _status(url: str, token: str, service: str) -> dict[str, Any]:
    async with Api(url, token) as api:
        found: dict[str, Any] = (await api.get(f"/{service}/v1/status"))["outbox"]
        return found


async def _resume(url: str, token: str, service: str, order: dict[str, Any]) -> dict[str, Any]:
    async with Api(url, token) as api:
        answer: dict[str, Any] = await api.send("POST", f"/{service}/v1/outbox/resume", order)
        return answer
