"""The command line, as a person in a department or an operator would use it."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from kuomian.services import NAMES
from shared.settings import settings_table
from tests.e2e.conftest import Whole
from tests.e2e.test_bad_input import PERIOD, line

COMMANDS = (
    *(
        "serve",
        "migrate",
        "demo",
        "push",
        "keys",
        "verify-receipt",
        "rebuild",
        "republish",
        "token",
        "settings",
        "version",
        "forget",
    ),
    *("dead-letters list", "dead-letters show", "dead-letters replay"),
    "dead-letters dismiss",
    *("reencrypt", "outbox status", "outbox resume"),
)


async def kuomian(*arguments: object) -> tuple[int, str, str]:
    """Run the command; returns exit code, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "kuomian", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert b"Traceback" not in err, err.decode()
    return process.returncode or 0, out.decode(), err.decode()


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS)
    async def test_explains_each_command_with_an_example(self, command: str) -> None:
        code, out, _ = await kuomian(*command.split(), "--help")
        assert code == 0
        assert "Example" in out
        assert f"kuomian {command.split(maxsplit=1)[0]}" in out

    async def test_lists_the_commands(self) -> None:
        code, out, _ = await kuomian("--help")
        assert code == 0
        assert all(command.split()[0] in out for command in COMMANDS)


class TestSettings:
    async def test_prints_every_setting(self) -> None:
        code, out, _ = await kuomian("settings")
        assert code == 0
        assert all(row.env in out for row in settings_table())

    async def test_a_wrong_one_is_told_in_a_line(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("PORT", "99999")
        code, _, err = await kuomian("serve", "all", "--data-dir", tmp_path)
        assert code == 1
        assert "PORT" in err
        assert len(err.strip().splitlines()) == 1


class TestVersion:
    async def test_names_release_and_plan(self, whole: Whole) -> None:
        code, out, _ = await kuomian("version")
        assert code == 0
        assert whole.plan.version in out


class TestToken:
    async def test_opens_the_api(self, whole: Whole) -> None:
        code, out, _ = await kuomian("token", "auditor", "--data-dir", whole.data_dir)
        assert code == 0
        code, out, err = await kuomian(
            *("dead-letters", "list", "reporting", "--url", whole.url, "--token", out.strip())
        )
        assert (code, err) == (0, "")

    async def test_of_nobody_is_refused(self, whole: Whole) -> None:
        code, _, err = await kuomian("token", "fire-brigade", "--data-dir", whole.data_dir)
        assert code == 1
        assert "fire-brigade" in err

    async def test_of_a_unit_names_its_units(self, whole: Whole) -> None:
        code, _, err = await kuomian("token", "unit", "--data-dir", whole.data_dir)
        assert code == 1
        assert "units" in err


class TestPush:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "receipts.ndjson"
        path.write_bytes(line() + line(receipt_no="JK-CLI", tax_no="210502PDY000011"))
        return path

    def options(self, whole: Whole) -> list[object]:
        return ["--url", whole.url, "--data-dir", whole.data_dir, "--period", PERIOD]

    async def test_shows_the_receipt_and_each_problem_with_its_place(
        self, whole: Whole, file: Path
    ) -> None:
        code, out, err = await kuomian(
            "push", "receipts", file, *self.options(whole), "--dry-run", "--key", "cli-1"
        )
        assert code == 0
        assert "sent 2 = 入账 applied 1" in out
        assert "record 2 /tax_no check-digit-wrong" in out
        assert "X" in out
        assert "100 %" in err

    async def test_takes_the_token_of_a_role(self, whole: Whole, file: Path) -> None:
        code, _, err = await kuomian(
            "push", "receipts", file, *self.options(whole), "--role", "finance"
        )
        assert code == 1
        assert "forbidden-feed" in err

    async def test_a_refusal_is_one_line(self, whole: Whole, tmp_path: Path) -> None:
        path = tmp_path / "cut.ndjson"
        path.write_bytes(line() + line()[:30])
        code, _, err = await kuomian("push", "receipts", path, *self.options(whole))
        assert code == 1
        [told] = [text for text in err.splitlines() if text.startswith("kuomian:")]
        assert "body-truncated" in told

    async def test_an_unknown_feed_is_told(self, whole: Whole, file: Path) -> None:
        code, _, err = await kuomian("push", "receits", file, *self.options(whole))
        assert code == 1
        assert "receits" in err

    async def test_nobody_there_is_told(self, whole: Whole, file: Path) -> None:
        code, _, err = await kuomian(
            *("dead-letters", "list", "tax-feed", "--url", "http://127.0.0.1:9", "--token", "x")
        )
        assert code == 1
        assert "http://127.0.0.1:9" in err


class TestDeadLetters:
    async def test_lists_none_where_all_is_well(self, whole: Whole) -> None:
        for service in ("enrollment", "reporting"):
            code, out, _ = await kuomian(
                "dead-letters", "list", service, "--url", whole.url, "--data-dir", whole.data_dir
            )
            assert code == 0
            assert out.startswith("0 ")

    async def test_show_of_an_unknown_one_fails(self, whole: Whole) -> None:
        code, _, err = await kuomian(
            *("dead-letters", "show", "enrollment", 7),
            *("--url", whole.url, "--data-dir", whole.data_dir),
        )
        assert code == 1
        assert "7" in err

    async def test_replay_says_what_became_of_each(self, whole: Whole) -> None:
        code, out, _ = await kuomian(
            *("dead-letters", "replay", "enrollment", 7, 8),
            *("--url", whole.url, "--data-dir", whole.data_dir),
        )
        assert code == 0
        assert [row["outcome"] for row in json.loads(out)] == ["unknown", "unknown"]


class TestRebuild:
    async def test_gives_the_same_figures(self, whole: Whole) -> None:
        path = "/reporting/v1/progress"
        before = await whole.api.get(path, period=PERIOD)
        code, out, err = await kuomian("rebuild", "--data-dir", whole.data_dir)
        assert (code, out.splitlines()[-1]) == (0, "一致 · identical"), err
        assert (await whole.api.get("/reporting/v1/rebuild"))["phase"] == "swapped"
        assert out.splitlines()[1].split()[-1] == out.splitlines()[2].split()[-1]
        after = await whole.api.get(path, period=PERIOD)
        for name in ("measures", "as_of"):
            assert before[name] == after[name]

    async def test_without_data_is_told(self, tmp_path: Path) -> None:
        code, _, err = await kuomian("rebuild", "--data-dir", tmp_path)
        assert code == 1
        assert str(tmp_path) in err


class TestRepublish:
    async def test_waits_until_all_is_sent_and_receivers_drop_it(self, whole: Whole) -> None:
        path = "/reporting/v1/progress"
        before = await whole.api.get(path, period=PERIOD)
        code, out, err = await kuomian(
            *("republish", "tax-feed", "--since", "2000-01-01"),
            *("--url", whole.url, "--data-dir", whole.data_dir),
        )
        assert code == 0, err
        # Every receiver has had them, so none goes before fresh ones.
        assert ", 0 批先于新事实" in out
        assert not out.startswith("0 ")
        status = await whole.api.get("/tax-feed/v1/status")
        assert status["outbox"]["republishing"] is None
        after = await whole.api.get(path, period=PERIOD)
        assert before["as_of"] == after["as_of"]

    async def test_says_what_has_to_be_given(self) -> None:
        code, _, err = await kuomian("republish", "tax-feed", "--partition", 3)
        assert code == 1
        assert "--since" in err


class TestServe:
    async def test_two_over_one_folder_are_refused(self, whole: Whole) -> None:
        code, _, err = await kuomian("serve", "all", "--port", 0, "--data-dir", whole.data_dir)
        assert code == 1
        assert str(whole.data_dir) in err

    async def test_a_port_that_is_taken_is_told(self, whole: Whole, tmp_path: Path) -> None:
        port = whole.url.rpartition(":")[2]
        code, _, err = await kuomian("serve", "all", "--port", port, "--data-dir", tmp_path)
        assert code == 1
        assert port in err

    async def test_an_unknown_service_is_told(self) -> None:
        code, _, err = await kuomian("serve", "weather")
        assert code == 1
        assert all(name in err for name in NAMES)


class TestOutbox:
    async def test_shows_the_positions_and_has_nothing_to_resume(self, whole: Whole) -> None:
        where = ("tax-feed", "--url", whole.url, "--data-dir", whole.data_dir)
        code, out, err = await kuomian("outbox", "status", *where)
        assert code == 0, err
        first, *positions = out.splitlines()
        assert first.startswith("0 ")
        async with whole.api_as("operator") as api:
            heads = (await api.get("/tax-feed/v1/status"))["outbox"]["heads"]
        assert positions == [f"{partition}: {head}" for partition, head in heads.items()]
        code, out, err = await kuomian("outbox", "resume", *where)
        assert (code, "no position changed" in out) == (0, True), err

    async def test_a_position_written_wrongly_is_told(self, whole: Whole) -> None:
        where = ("tax-feed", "--url", whole.url, "--data-dir", whole.data_dir)
        code, _, err = await kuomian("outbox", "resume", "--above", "3:17", *where)
        assert (code, "partition=position" in err) == (1, True)


class TestReencrypt:
    async def test_says_which_keys_hold_what_beside_a_serving_system(self, whole: Whole) -> None:
        code, out, err = await kuomian("reencrypt", "all", "--data-dir", whole.data_dir)
        assert code == 0, err
        assert out.count("delivery_segments.body  0 ") == 4
        assert "persons.sealed  0 " in out
        assert "everything is under key 1" in out
