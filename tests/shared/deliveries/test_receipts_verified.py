"""A receipt checked from outside: by ``kuomian verify-receipt`` and by the recipe in the docs."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kuomian.cli import app
from kuomian.cli_keys import verify_receipt
from kuomian.words import Failure
from shared.settings import parse_keys
from tests.shared.deliveries.conftest import Door
from tests.shared.deliveries.made_service import licence, lines

API_PAGE = Path(__file__).parents[3] / "docs" / "api.md"
BODY = lines(licence(1), licence(2, shop_no="a"))


@pytest.fixture
async def folder(door: Door, tmp_path: Path) -> Path:
    """What a department keeps: receipt.json, delivery.json, receipt-keys.json, body.ndjson."""
    delivery = await door.push(BODY)
    await door.push(lines({"shop_no": "a"}), "shops", period="2008-06-D1")
    shown = await door.delivery(delivery["delivery"])
    assert len(shown["receipts"]) == 2
    keys = (await door.http.get("/receipt-keys")).json()
    made = {"receipt": shown["receipt"], "delivery": shown, "receipt-keys": keys}
    for name, content in made.items():
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (tmp_path / f"{name}.json").write_text(text, "utf-8")
    (tmp_path / "body.ndjson").write_bytes(BODY)
    return tmp_path


def changed(path: Path, **change: Any) -> Path:
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **change}), "utf-8")
    return path


async def test_the_command_says_what_holds(folder: Path, capsys: Any) -> None:
    keys = str(folder / "receipt-keys.json")
    verify_receipt(folder / "receipt.json", keys, folder / "body.ndjson")
    verify_receipt(folder / "delivery.json", keys)
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 3
    assert all(line.startswith("有效 · valid") for line in told)


async def test_the_command_says_what_does_not_hold(folder: Path) -> None:
    keys = str(folder / "receipt-keys.json")
    with pytest.raises(Failure, match="is not the body"):
        verify_receipt(folder / "receipt.json", keys, folder / "delivery.json")
    shown = json.loads((folder / "delivery.json").read_text("utf-8"))
    first, later = shown["receipts"]
    for listed, told in (
        ([later, first], "first receipt is missing"),
        ([later], "first receipt is missing"),
        ([first, first], "does not follow"),
        ([first, "later"], "not an object"),
    ):
        changed(folder / "delivery.json", receipts=listed)
        with pytest.raises(Failure, match=told):
            verify_receipt(folder / "delivery.json", keys)
    with pytest.raises(Failure, match="was changed"):
        verify_receipt(changed(folder / "receipt.json", applied=2), keys)
    (folder / "none.json").write_text('{"keys": []}')
    changed(folder / "receipt.json", applied=1)
    with pytest.raises(Failure, match="not among the keys"):
        verify_receipt(folder / "receipt.json", str(folder / "none.json"))
    (folder / "no.json").write_text("[")
    with pytest.raises(Failure, match="not a JSON object"):
        verify_receipt(folder / "no.json", keys)


async def test_the_recipe_of_the_page_works_as_it_stands(folder: Path) -> None:
    """Run with plain Python and openssl in the folder, and once more on a changed receipt."""
    page = API_PAGE.read_text("utf-8")
    recipes = re.findall(r"<!-- recipe: (\w+) -->\n```sh\n(.*?)```", page, re.DOTALL)
    assert [name for name, _ in recipes] == ["openssl"]
    for sound in (True, False):
        if not sound:
            changed(folder / "receipt.json", applied=2)
        for _, recipe in recipes:
            script = recipe.replace("python3 ", f"{sys.executable} ")
            run = asyncio.create_subprocess_shell(
                script, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            process = await run
            told = (await process.communicate())[0].decode()
            assert (process.returncode == 0) is sound, told
            assert ("Signature Verified Successfully" in told) is sound


def test_new_keys_are_keys() -> None:
    told = CliRunner().invoke(app, ["keys"]).output.splitlines()
    made = dict(line.split("=", 1) for line in told)
    assert made.keys() == {"DATA_KEYS", "HASH_KEYS", "RECEIPT_SIGNING_KEYS"}
    assert all(list(parse_keys(text)) == [1] for text in made.values())
    assert len(set(made.values())) == 3
