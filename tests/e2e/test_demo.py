"""``kuomian demo``: loads, checks itself, stops with nothing left running; and again."""

import json
import stat

from tests.e2e.conftest import INTERRUPT_AFTER, KILL_AFTER, Run, Story, Whole, demo

TRUE = "33 个指标与真值逐一相等"


def rates_left_out(run: Run) -> str:
    """The summary, which has the same numbers each time it is printed."""
    begin, end = run.out.index("参保总人数"), run.out.index("速度")
    return run.out[begin:end]


class TestAKilledServer:
    async def test_ends_the_demo_with_one_line(self, story: Story) -> None:
        assert story.killed.code == 1
        assert "服务进程已结束" in story.killed.out
        assert "Traceback" not in story.killed.out

    async def test_was_in_the_middle_of_the_opening(self, story: Story) -> None:
        assert KILL_AFTER <= story.killed.answered < 13


class TestAnInterruptedLoad:
    async def test_ends_at_once_and_leaves_nothing_running(self, story: Story) -> None:
        assert story.interrupted.code == 130
        assert "Traceback" not in story.interrupted.out
        assert story.interrupted.left == []
        assert INTERRUPT_AFTER <= story.interrupted.answered < 250

    async def test_went_on_from_what_was_answered(self, story: Story) -> None:
        assert f"{story.killed.answered} 批已完成" in story.interrupted.out

    async def test_is_finished_by_the_next_start(self, story: Story) -> None:
        assert f"{story.interrupted.answered} 批已完成" in story.loaded.out


class TestOnce:
    async def test_loads_shows_true_figures_and_stops(self, story: Story) -> None:
        assert story.loaded.code == 0, story.loaded.out
        assert TRUE in story.loaded.out
        assert "✗" not in story.loaded.out
        assert story.loaded.left == []

    async def test_leaves_secrets_to_their_owner_only(self, story: Story) -> None:
        tokens = json.loads((story.data_dir / "tokens.json").read_text())
        assert {"tax", "agency", "auditor", "operator", "unit-210502", "unit-L-BG"} <= set(tokens)
        for name in ("tokens.json", "keys.json", "issuer/key.json", "server.json"):
            assert stat.S_IMODE((story.data_dir / name).stat().st_mode) == 0o600, name


class TestASecondStart:
    async def test_finds_the_city_and_says_the_same(self, story: Story) -> None:
        assert "城市已载入" in story.served.out
        assert TRUE in story.served.out
        assert rates_left_out(story.served) == rates_left_out(story.loaded)

    async def test_serves_until_it_is_interrupted(self, story: Story) -> None:
        assert story.served.code == 0
        assert story.served.left == []

    async def test_with_another_city_is_refused(self, story: Story) -> None:
        run = await demo(story.data_dir, CITY_SCALE="0.003")
        assert run.code == 1
        assert "FRESH=1" in run.out


class TestTwoDemos:
    async def test_over_one_folder_are_refused(self, whole: Whole) -> None:
        run = await demo(whole.data_dir)
        assert run.code == 1
        assert str(whole.data_dir) in run.out
