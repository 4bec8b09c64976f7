"""Commands about keys and signatures: ``keys``, ``verify-receipt``."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from kuomian import data_dir as folder
from kuomian.words import Failure

LARGEST_BYTES = 4 * 1024 * 1024
_WAIT_SECONDS = 10

_REASONS = {
    "not-signed": "此回执未签名 · the receipt carries no signature",
    "malformed": "不是完整的回执 · this is not a whole receipt",
    "changed": "内容与其摘要不符,已被改动 · the content does not match its hash: it was changed",
    "key-unknown": "公钥集中没有签名所用的密钥 · the key that signed is not among the keys given",
    "signature-wrong": "签名不符 · the signature is wrong",
}


def keys() -> None:
    """新密钥 · new keys at random, as the settings take them, one line each.

    DATA_KEYS and RECEIPT_SIGNING_KEYS are rotated by appending the next version to what is set;
    HASH_KEYS never changes (docs/operations.md).

    **Example**

    `kuomian keys`
    """
    for name in folder.KEYS:
        print(f"{name.upper()}=1:{folder.new_key()}")


def verify_receipt(
    file: Annotated[
        Path, typer.Argument(help="回执或报送详情 JSON · receipt", exists=True, dir_okay=False)
    ],
    keys_at: Annotated[
        str,
        typer.Option("--keys", help="公钥集网址或文件 · file or URL of /{service}/v1/receipt-keys"),
    ],
    body: Annotated[
        Path | None,
        typer.Option(help="所报原文 · what was sent, checked too", exists=True, dir_okay=False),
    ] = None,
) -> None:
    """核验回执签名 · check a receipt's signature, offline with a saved key set.

    FILE is the answer to a push, or to GET /deliveries/{id} with all its linked receipts, which
    must then follow each other from the first on (that the newest is missing cannot be seen). With
    --body the file that was sent must be the one received.
    Exit code 1, and why, when anything does not hold.

    **Examples**

    `kuomian verify-receipt receipt.json --keys receipt-keys.json`

    `kuomian verify-receipt receipt.json --keys http://127.0.0.1:8000/tax-feed/v1/receipt-keys`
    """
    from shared.signing import SealBroken, verify  # noqa: PLC0415 - quick --help

    jwks = _json(_key_set(keys_at), keys_at)
    given = _json(file.read_bytes(), str(file))
    try:
        found = [verify(receipt, jwks) for receipt in receipts_in(given)]
    except SealBroken as broken:
        raise Failure(_REASONS[broken.reason]) from broken
    first = found[0]
    if (
        isinstance(given.get("receipts"), list)
        and first.document.get("previous_sha256") is not None
    ):
        raise Failure("缺少最初的回执 · the first receipt is missing")
    for before, after in pairwise(found):
        same = after.document.get("delivery") == first.document.get("delivery")
        if not same or after.document.get("previous_sha256") != before.sha256:
            raise Failure("续发回执不相衔接 · a linked receipt does not follow the one before it")
    if body is not None and _sha256(body) != first.document.get("body", {}).get("sha256"):
        raise Failure(f"{body.name}: 与所收原文不同 · is not the body that was received")
    for one in found:
        print(_line(one.document, one.key_id))


def receipts_in(given: dict[str, Any]) -> list[dict[str, Any]]:
    """The receipts in an answer, the first one first: one alone, or a delivery's."""
    listed = given.get("receipts")
    if isinstance(listed, list) and listed:
        if not all(isinstance(one, dict) for one in listed):
            raise Failure("回执格式有误 · malformed: a receipt is not an object")
        return list(listed)
    if isinstance(given.get("receipt"), dict):
        return [given["receipt"]]
    return [given]


def _line(receipt: dict[str, Any], key_id: str) -> str:
    void = " (试报,无效 · dry run, void)" if receipt.get("void") else ""
    return (
        f"有效 · valid{void}: {receipt.get('delivery')} {receipt.get('feed')} "
        f"{receipt.get('period')} 第 {receipt.get('no', 0)} 号 · no. {receipt.get('no', 0)} "
        f"{receipt.get('kind', '')}  密钥 · key {key_id}"
    )


def _key_set(where: str) -> bytes:
    if where.startswith(("http://", "https://")):
        with urllib.request.urlopen(where, timeout=_WAIT_SECONDS) as answer:  # noqa: S310 - as asked
            data: bytes = answer.read(LARGEST_BYTES)
            return data
    return Path(where).read_bytes()


def _json(data: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Failure(f"{name}: 不是 JSON 对象 · not a JSON object")
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
