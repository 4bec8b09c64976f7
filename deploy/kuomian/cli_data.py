"""Commands that talk to a running system: ``push``, ``dead-letters``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import typer

from kuomian import data_dir as folder
from kuomian.client import NDJSON, Api, Pushed, Refused
from kuomian.words import Failure

DataDir = Annotated[
    Path | None,
    typer.Option(envvar="DATA_DIR", help="数据目录 · data folder", show_default=False),
]
Url = Annotated[str, typer.Option(envvar="KUOMIAN_URL", help="系统网址 · where it answers")]
Token = Annotated[
    str | None,
    typer.Option(envvar="KUOMIAN_TOKEN", help="令牌 · bearer token", show_default=False),
]
Role = Annotated[
    str | None, typer.Option(help="取 DATA_DIR/tokens.json 中的令牌 · take the token of this role")
]
HERE = "http://127.0.0.1:8000"
PIECE = 256 * 1024

CONTENT_TYPES = {
    ".ndjson": NDJSON,
    ".jsonl": NDJSON,
    ".json": "application/json",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def data_dir_of(given: Path | None) -> Path:
    """The data folder asked for, else the default one."""
    return (given or folder.default_data_dir()).absolute()


def token_of(token: str | None, role: str | None, data_dir: Path | None, wanted: str) -> str:
    """The token given, else that of the role in ``tokens.json``. Raises Failure."""
    if token:
        return token
    path = data_dir_of(data_dir) / "tokens.json"
    try:
        tokens: dict[str, str] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise Failure(
            f"没有令牌:请用 --token,或先运行 kuomian demo · no token, and no {path}: give --token"
        ) from None
    name = role or wanted
    if name not in tokens:
        raise Failure(f"没有角色 {name} · no role {name} in {path}: {', '.join(sorted(tokens))}")
    return tokens[name]


def push(
    feed: Annotated[str, typer.Argument(help="报送项目 · feed, such as receipts")],
    file: Annotated[Path, typer.Argument(help="NDJSON, JSON …", exists=True, dir_okay=False)],
    period: Annotated[str, typer.Option(help="期间 · period: 2008-06, 2008-06-D1")],
    key: Annotated[
        str | None, typer.Option(help="报送编号 · Idempotency-Key; the file's name unless given")
    ] = None,
    token: Token = None,
    role: Role = None,
    url: Url = HERE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="试报 · receipt is void")] = False,
    data_dir: DataDir = None,
) -> None:
    """报送一个文件 · push one file as a department would, and show the receipt.

    The same key and file again give the same receipt and change nothing. Exit code 1 when the
    delivery is refused; rejected records are listed and do not make it fail.

    **Examples**

    `kuomian push receipts receipts.ndjson --period 2008-06-D1 --role tax`

    `kuomian push business-licences june.ndjson --period 2008-06 --key GS-2008-06 --dry-run`
    """
    from kuomian.services import NAMES  # noqa: PLC0415

    content_type = CONTENT_TYPES.get(file.suffix.lower())
    if content_type is None:
        raise Failure(f"{file.name}: 不认识的文件类型 · one of {', '.join(CONTENT_TYPES)}")
    service = _service_of(feed)
    if service is None:
        raise Failure(f"没有报送项目 {feed} · no feed {feed} in {', '.join(NAMES)}")
    bearer = token_of(token, role, data_dir, _usual_sender(feed))
    try:
        receipt = asyncio.run(
            _push(
                *(url, bearer, service, feed, period, key or file.stem),
                *(file, content_type, dry_run, file.stat().st_size),
            )
        )
    except Refused as error:
        raise Failure(refusal_words(error)) from error
    for line in receipt_lines(receipt):
        print(line)


async def _push(
    url: str,
    token: str,
    service: str,
    feed: str,
    period: str,
    key: str,
    file: Path,
    content_type: str,
    dry_run: bool,
    size: int,
) -> dict[str, Any]:
    from kuomian.screen import bar  # noqa: PLC0415

    async def body() -> AsyncIterator[bytes]:
        sent = 0
        with file.open("rb") as source:
            while piece := source.read(PIECE):
                yield piece
                sent += len(piece)
                progress.at(sent)

    with bar(f"报送 · pushing {file.name}", size, "bytes") as progress:
        async with Api(url, token) as api:
            pushed: Pushed = await api.push(
                service, feed, period, key, body, content_type=content_type, dry_run=dry_run
            )
            return await api.receipt(pushed)


def receipt_lines(receipt: dict[str, Any]) -> list[str]:
    """A receipt for people: the four counts, then the first problems with their place."""
    void = "(试报,无效 · dry run, void) " if receipt.get("dry_run") else ""
    lines = [
        f"回执 · receipt {void}{receipt['delivery']}  {receipt['feed']} {receipt['period']}",
        f"  报送 sent {receipt['sent']} = 入账 applied {receipt['applied']}"
        f" + 重复 duplicate {receipt['duplicate']} + 退回 rejected {receipt['rejected']}"
        f" + 暂挂 held {receipt['held']}",
    ]
    lines += [
        f"  第 {p['no']} 条 · record {p['no']} {p.get('pointer') or '/'} {p['code']}: "
        f"{p.get('zh', '')} · {p.get('en', '')}"
        for p in receipt.get("first_problems", [])
    ]
    return lines


def refusal_words(error: Refused) -> str:
    """A refusal in one line, each error with its place."""
    problem = error.problem
    places = "; ".join(
        f"{e.get('pointer') or '/'}: {e.get('zh', '')} · {e.get('en', '')}"
        for e in problem.get("errors", [])
    )
    title = f"{problem.get('title_zh', '')} · {problem.get('title_en', '')}".strip(" ·")
    words = f"{error.status} {error.code}: {title} — {problem.get('detail', '')}"
    return f"{words} [{places}]" if places else words


def _service_of(feed: str) -> str | None:
    from kuomian.services import all_services  # noqa: PLC0415

    return next(
        (s.name for s in all_services() if any(f.name == feed for f in s.feeds)),
        None,
    )


def _usual_sender(feed: str) -> str:
    from kuomian.services import all_services  # noqa: PLC0415

    senders = next(f.departments for s in all_services() for f in s.feeds if f.name == feed)
    return sorted(senders)[0]


dead_letters = typer.Typer(
    help="死信:无法处理的消息 · messages that could not be applied: list, show, replay.",
    no_args_is_help=True,
)
Which = Annotated[str, typer.Argument(help="服务 · service, such as enrollment")]
Letter = Annotated[int, typer.Argument(help="死信编号 · number of the dead letter")]


@dead_letters.command("list")
def list_letters(
    service: Which,
    everything: Annotated[
        bool, typer.Option("--all", help="含已重放的 · those replayed as well")
    ] = False,
    url: Url = HERE,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """列出死信 · list a service's dead letters not replayed yet, oldest first.

    **Example**

    `kuomian dead-letters list enrollment --all`
    """
    bearer = token_of(token, None, data_dir, "operator")
    letters = asyncio.run(_letters(url, bearer, service, open_only=not everything))
    for letter in letters:
        replayed = " 已重放 · replayed" if letter.get("replayed_at") else ""
        print(
            f"{letter['id']}  {letter.get('dead_at', '')}  {letter.get('type', '')}  "
            f"{letter.get('reason', '')}{replayed}"
        )
    print(f"{len(letters)} 条死信 · dead letters in {service}")


@dead_letters.command("show")
def show_letter(
    service: Which, letter: Letter, url: Url = HERE, token: Token = None, data_dir: DataDir = None
) -> None:
    """显示一条死信 · show one dead letter whole.

    **Example**

    `kuomian dead-letters show enrollment 7`
    """
    bearer = token_of(token, None, data_dir, "operator")
    letters = asyncio.run(_letters(url, bearer, service, open_only=False))
    found = next((item for item in letters if item["id"] == letter), None)
    if found is None:
        raise Failure(f"没有死信 {letter} · no dead letter {letter} in {service}")
    print(json.dumps(found, ensure_ascii=False, indent=2))


@dead_letters.command("replay")
def replay_letters(
    service: Which,
    letters: Annotated[list[int], typer.Argument(help="死信编号,可多个 · numbers")],
    url: Url = HERE,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """重放死信 · apply dead letters again, through the same gate as any message.

    **Example**

    `kuomian dead-letters replay enrollment 7 8`
    """
    bearer = token_of(token, None, data_dir, "operator")
    answer = asyncio.run(_order(url, bearer, service, "replay", {"ids": letters}))
    print(json.dumps(answer, ensure_ascii=False))


@dead_letters.command("dismiss")
def dismiss_letters(
    service: Which,
    letters: Annotated[list[int], typer.Argument(help="死信编号,可多个 · numbers")],
    reason: Annotated[str, typer.Option(help="理由,留痕 · why, kept on record")],
    url: Url = HERE,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """作废死信 · close dead letters without effect: what is no fact of ours.

    **Example**

    `kuomian dead-letters dismiss enrollment 9 --reason "written by a test tool"`
    """
    bearer = token_of(token, None, data_dir, "operator")
    order = {"ids": letters, "reason": reason}
    answer = asyncio.run(_order(url, bearer, service, "dismiss", order))
    print(json.dumps(answer, ensure_ascii=False))


async def _letters(url: str, token: str, service: str, *, open_only: bool) -> list[dict[str, Any]]:
    path = f"/{service}/v1/dead-letters"
    async with Api(url, token) as api:
        return [item async for item in api.items(path, limit=1000, open_only=open_only)]


async def _order(url: str, token: str, service: str, what: str, order: dict[str, Any]) -> Any:
    async with Api(url, token) as api:
        return await api.send("POST", f"/{service}/v1/dead-letters/{what}", order)
