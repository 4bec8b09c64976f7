"""Every now comes from a clock; the demo's survives its process and never runs back by itself."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from shared.clock import Clock, ClockError, DemoClock, FixedClock, RealClock

TENTH = datetime(2008, 6, 10, 1, 0, tzinfo=UTC)


def since(clock: Clock, at: datetime) -> timedelta:
    return clock.now() - at


class TestRealClock:
    def test_is_aware_utc(self) -> None:
        before = datetime.now(UTC)
        now = RealClock().now()
        assert before <= now <= datetime.now(UTC)
        assert now.tzinfo is UTC
        assert RealClock().kind == "real"


class TestFixedClock:
    def test_stands_until_moved(self) -> None:
        clock = FixedClock(TENTH)
        assert clock.now() == clock.now() == TENTH
        clock.advance(timedelta(hours=15))
        assert clock.today() == date(2008, 6, 11)
        clock.set(TENTH)
        assert clock.today() == date(2008, 6, 10)

    def test_gives_utc_whatever_it_was_set_to(self) -> None:
        clock = FixedClock(datetime(2008, 6, 10, 9, 0, tzinfo=timezone(timedelta(hours=8))))
        assert clock.now() == TENTH
        assert clock.now().tzinfo is UTC

    def test_refuses_naive_moments(self) -> None:
        with pytest.raises(ClockError, match="time zone"):
            FixedClock(datetime(2008, 6, 10))  # noqa: DTZ001 - the case itself


class TestDemoClock:
    def test_ticks_on_from_where_it_was_set(self, tmp_path: Path) -> None:
        clock = DemoClock(tmp_path / "clock.json")
        clock.set(TENTH)
        first = clock.now()
        second = clock.now()
        assert TENTH <= first <= second < TENTH + timedelta(minutes=5)
        assert clock.today() == date(2008, 6, 10)
        assert clock.kind == "demo"

    def test_starts_where_told_once_only(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "clock.json"
        assert since(DemoClock(path, start=TENTH), TENTH) < timedelta(minutes=5)
        later = TENTH + timedelta(days=90)
        assert since(DemoClock(path, start=later), TENTH) < timedelta(minutes=5)

    def test_survives_a_restart_without_running_back(self, tmp_path: Path) -> None:
        path = tmp_path / "clock.json"
        before = DemoClock(path, start=TENTH).now()
        assert DemoClock(path).now() >= before

    def test_time_spent_stopped_counts(self, tmp_path: Path) -> None:
        path = tmp_path / "clock.json"
        set_at = datetime.now(UTC) - timedelta(hours=2)
        path.write_text(json.dumps({"at": TENTH.isoformat(), "set_at": set_at.isoformat()}))
        assert timedelta(hours=2) <= since(DemoClock(path), TENTH) < timedelta(hours=3)

    def test_a_machine_clock_set_back_does_not_turn_it_back(self, tmp_path: Path) -> None:
        path = tmp_path / "clock.json"
        set_at = datetime.now(UTC) + timedelta(days=1)
        path.write_text(json.dumps({"at": TENTH.isoformat(), "set_at": set_at.isoformat()}))
        assert DemoClock(path).now() >= TENTH

    def test_another_process_follows(self, tmp_path: Path) -> None:
        path = tmp_path / "clock.json"
        driver, follower = DemoClock(path, start=TENTH), DemoClock(path)
        driver.set(datetime(2008, 12, 31, 1, 0, tzinfo=UTC))
        assert follower.today() == date(2008, 12, 31)
        driver.set(TENTH)
        assert follower.today() == date(2008, 6, 10)

    def test_goes_on_when_its_file_is_gone(self, tmp_path: Path) -> None:
        path = tmp_path / "clock.json"
        clock = DemoClock(path, start=TENTH)
        path.unlink()
        assert since(clock, TENTH) < timedelta(minutes=5)

    def test_leaves_nothing_but_its_file(self, tmp_path: Path) -> None:
        DemoClock(tmp_path / "clock.json", start=TENTH).set(TENTH)
        assert [path.name for path in tmp_path.iterdir()] == ["clock.json"]

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"at": "2008-06-10", "set_at": 5}'])
    def test_state_that_cannot_be_read(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "clock.json"
        path.write_text(text)
        with pytest.raises(ClockError, match=r"clock\.json"):
            DemoClock(path)

    def test_refuses_naive_moments(self, tmp_path: Path) -> None:
        clock = DemoClock(tmp_path / "clock.json", start=TENTH)
        with pytest.raises(ClockError, match="time zone"):
            clock.set(datetime(2008, 6, 10))  # noqa: DTZ001 - the case itself
        assert clock.today() == date(2008, 6, 10)
