"""The built-in plan, and a workshop for files that are wrong in one place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.plan import Plan, load_plan

OTHER_CITY = Path(__file__).with_name("other_city.yaml")


@pytest.fixture(scope="session")
def plan() -> Plan:
    return Plan.default()


@pytest.fixture(scope="session")
def other_city_path() -> Path:
    return OTHER_CITY


@pytest.fixture(scope="session")
def other_city() -> Plan:
    return load_plan(OTHER_CITY)


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str], Path]:
    """The other city's file with one passage replaced; the passage must stand there once."""

    def make(old: str, new: str) -> Path:
        text = OTHER_CITY.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        path = tmp_path / "changed.yaml"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path

    return make
