"""The two processes of ``make test``: what their last lines count, and that nothing is left out."""

import pytest

from tests.side_by_side import GROUPS, SYSTEMS, TESTS, counts_of


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("==== 2070 passed, 1 skipped in 817.41s (0:13:37) ====", {"passed": 2070, "skipped": 1}),
        ("=== 1 failed, 158 passed in 563.62s (0:09:23) ===", {"failed": 1, "passed": 158}),
        ("============ 3 errors in 0.20s ============", {"errors": 3}),
        ("=============== no tests ran in 0.01s ===============", {}),
    ],
)
def test_a_closing_line_is_counted(line: str, counts: dict[str, int]) -> None:
    assert counts_of(line) == counts


@pytest.mark.parametrize("line", ["tests/house/test_rules.py .... [ 2%]", "1 passed", "==== ==="])
def test_any_other_line_is_not(line: str) -> None:
    assert counts_of(line) is None


def test_what_one_leaves_out_the_other_runs() -> None:
    left_out = {one.removeprefix("--ignore=") for one in GROUPS["pieces"][1:]}
    assert left_out == set(SYSTEMS) == set(GROUPS["systems"])
    assert GROUPS["pieces"][0] == str(TESTS)
