"""Commands that do work once more: ``rebuild`` the figures, ``republish`` facts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kuomian.cli_data import HERE, DataDir, Token, Url, data_dir_of, refusal_words, token_of
from kuomian.client import Api, Refused
from kuomian.words import Failure

if TYPE_CHECKING:
    from reporting.figures.rebuild import Rebuilt

LOOK_SECONDS = 0.5
"""How often the producer is asked how far it is."""


def rebuild(
    accept: Annotated[
        bool,
        typer.Option("--accept", help="不一致也换用新结果 · swap even where the figures differ"),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """由事实日志重建报表 · rebuild reporting's figures from its journal of facts.

    Works on DATABASE_URL, else on the embedded database in DATA_DIR, served or not: the new
    figures are built beside the old, which are read and added to meanwhile, and take their place
    at once. Shows the hash of all figures before and after. Where they differ nothing is swapped,
    the first differences are shown and the exit code is 1; after a change of the plan's counting
    rules `--accept` swaps all the same.

    **Examples**

    `kuomian rebuild`

    `kuomian rebuild --accept`
    """
    from kuomian.run import has_database_url, rebuild_figures  # noqa: PLC0415
    from kuomian.screen import bar  # noqa: PLC0415

    target = data_dir_of(data_dir)
    if not (target / "postgres").is_dir() and not has_database_url():
        raise Failure(f"没有数据 · no data in {target}, and DATABASE_URL is not set")
    with bar("重建 · rebuilding", 0, "facts") as progress:
        done = asyncio.run(rebuild_figures(target, progress.of, accept=accept))
    for line in rebuilt_lines(done):
        print(line)
    if not done.swapped:
        raise Failure(
            "重建前后不一致,仍用原来的;如口径有变,用 --accept · the figures differ, the old ones"
            " stay; --accept swaps them, as after the counting rules changed"
        )


def rebuilt_lines(done: Rebuilt) -> list[str]:
    """What a rebuild did and found, for people."""
    lines = [
        f"{done.facts:,} 个事实 · facts, {done.blocks:,} 批 · blocks",
        f"之前 · before {done.hash_before}",
        f"之后 · after  {done.hash_after}",
        f"入账等待 · appliers waited {done.waited_seconds:.2f} s",
    ]
    lines += [
        f"  {found.effective_on} {found.unit} {measure}: {before:,} → {after:,}"
        for found in done.differences
        for measure, before, after in found.by_measure()
    ]
    lines += [
        f"  {table}: {rows:,} 行不同 · rows differ" for table, rows in done.differing_rows.items()
    ]
    if done.identical:
        lines.append("一致 · identical")
    elif done.swapped:
        lines.append("不一致,已换用新结果 · the figures differ; the new ones are in place")
    return lines


def republish(
    service: Annotated[str, typer.Argument(help="发布方 · the producer, such as tax-feed")],
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d"],
            help="自何时起写入的,无时区者为 UTC · all written since; UTC unless it says",
        ),
    ] = None,
    partition: Annotated[int | None, typer.Option(min=0, help="分区 · of one partition …")] = None,
    first: Annotated[int | None, typer.Option(min=1, help="… 自此位置 · from a position")] = None,
    last: Annotated[int | None, typer.Option(min=1, help="… 至此位置 · to a position")] = None,
    url: Url = HERE,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """重新发布已发布的事实 · publish sent facts again, and wait until they are sent.

    Receivers drop what they have had and take what they miss. With `--since` all receivers are
    asked for their marks: what one of them may lack goes out before fresh facts, all else never
    holds these up. Interrupting the command stops the watching only.

    **Examples**

    `kuomian republish tax-feed --partition 3 --first 1201 --last 1250`

    `kuomian republish tax-feed --since 2008-06-10T00:00:00+0800`
    """
    spans = (partition, first, last)
    if (since is None) == (None in spans) or (since and any(n is not None for n in spans)):
        raise Failure(
            "请用 --since,或 --partition、--first、--last · say --since, or all three others"
        )
    bearer = token_of(token, None, data_dir, "operator")
    order: dict[str, Any] = {"partition": partition, "first": first, "last": last}
    if since is not None:
        order = {"since": (since if since.tzinfo else since.replace(tzinfo=UTC)).isoformat()}
    try:
        ordered = asyncio.run(_republish(url, bearer, service, order))
    except Refused as error:
        raise Failure(refusal_words(error)) from error
    print(
        f"{ordered['facts']:,} 个事实已重新发布 · facts sent again,"
        f" {ordered['blocks']:,} 批 · blocks,"
        f" {ordered['first_blocks']:,} 批先于新事实 · of them before fresh ones"
    )


async def _republish(url: str, token: str, service: str, order: dict[str, Any]) -> dict[str, int]:
    from kuomian.screen import bar  # noqa: PLC0415

    async with Api(url, token) as api:
        if "since" in order:
            order["had"] = await _had_by_all(api, service)
        ordered: dict[str, int] = await api.send("POST", f"/{service}/v1/outbox/republish", order)
        with bar(f"重新发布 · republishing {service}", ordered["facts"], "facts") as progress:
            while True:
                status = await api.get(f"/{service}/v1/status")
                left = status["outbox"]["republishing"]
                if left is None:
                    progress.of(ordered["facts"], ordered["facts"])
                    return ordered
                progress.of(left["facts"] - left["waiting_facts"], left["facts"])
                await asyncio.sleep(LOOK_SECONDS)


async def _had_by_all(api: Api, producer: str) -> dict[int, int]:
    """The lowest mark of all receivers, by partition. Who cannot be asked has had nothing."""
    from kuomian.services import all_services  # noqa: PLC0415

    marks: list[Mapping[int, int]] = []
    for service in all_services():
        if any(found.producer == producer for found in service.subscriptions):
            status = await api.get(f"/{service.name}/v1/status")
            marks.append(
                {
                    mark["partition"]: mark["position"]
                    for mark in status["inbox"]["marks"]
                    if mark["producer"] == producer
                }
            )
    if not marks:
        return {}
    shared = set.intersection(*(set(found) for found in marks))
    return {partition: min(found[partition] for found in marks) for partition in sorted(shared)}
