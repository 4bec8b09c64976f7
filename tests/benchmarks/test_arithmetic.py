"""The benchmark's own arithmetic: a wrong median would be believed for ever."""

import json

import pytest

from tests.benchmarks.machine import Placing
from tests.benchmarks.made import LICENCES, PERSONS, RECEIPTS, Made, bodies
from tests.benchmarks.profiles import costs
from tests.benchmarks.rounds import Figure, Miscounted, Sample, run_rounds, share_of
from tests.benchmarks.spread import Spread, percentile, ratios, rotated
from tests.benchmarks.statements import scans_in
from tests.benchmarks.table import compared, markdown, replaced


def test_a_spread_has_median_lowest_and_highest() -> None:
    assert Spread.of([5.0, 1.0, 3.0]) == Spread(3.0, 1.0, 5.0)
    assert Spread.of([1.0, 2.0]).middle == 1.5
    with pytest.raises(ValueError, match="no values"):
        Spread.of([])


def test_ratios_are_of_the_same_round() -> None:
    assert ratios([10.0, 30.0], [100.0, 100.0]) == [0.1, 0.3]
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="positive"):
        ratios([1.0], [0.0])


def test_a_share_is_the_median_of_ratios_not_the_ratio_of_medians() -> None:
    ours = [Sample(100, 1.0), Sample(10, 1.0), Sample(90, 1.0)]
    limit = [Sample(1000, 1.0), Sample(20, 1.0), Sample(100, 1.0)]
    assert share_of(ours, limit) == Spread(50.0, 10.0, 90.0)


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100)])
def test_percentiles_are_values_that_were_measured(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


def test_percentile_of_few_values() -> None:
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([1.0, 2.0], 0.5) == 1.0


def test_the_order_rotates() -> None:
    assert [rotated("abc", by) for by in range(4)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
        ["a", "b", "c"],
    ]
    assert rotated([], 3) == []


class Noted:
    """An alternative that writes down what happens to it."""

    def __init__(self, name: str, notes: list[str], fails: bool = False) -> None:
        self.name, self._notes, self._fails = name, notes, fails

    def prepare(self, round_no: int) -> None:
        self._notes.append(f"{self.name} prepare {round_no}")

    def run(self) -> Sample:
        self._notes.append(f"{self.name} run")
        return Sample(1, 1.0)

    def check(self) -> None:
        self._notes.append(f"{self.name} check")
        if self._fails:
            raise Miscounted("0 rows")


def test_every_round_runs_every_alternative_and_checks_it() -> None:
    from contextlib import nullcontext

    notes: list[str] = []
    both = [Noted("a", notes), Noted("b", notes)]
    samples = run_rounds(both, 2, lambda _: None, lambda _: nullcontext())
    assert {name: len(runs) for name, runs in samples.items()} == {"a": 2, "b": 2}
    assert [note for note in notes if "run" in note] == ["a run", "b run", "b run", "a run"]
    assert notes[:3] == ["a prepare 0", "a run", "a check"]
    with pytest.raises(Miscounted):
        run_rounds([Noted("a", [], fails=True)], 1, lambda _: None, lambda _: nullcontext())


@pytest.mark.parametrize("made", [LICENCES, PERSONS, RECEIPTS], ids=lambda made: made.feed)
def test_every_number_makes_a_record_of_its_own(made: Made) -> None:
    records = made.records(1, 3000)
    assert len({record[made.key] for record in records}) == 3000
    assert {len(row) for row in made.tuples(records)} == {len(made.columns)}
    sizes = [body.count(b"\n") for body in bodies(records, 1000)]
    assert sizes == [1000, 1000, 1000]


def test_cores_are_given_as_python_then_servers() -> None:
    assert Placing.parse("off") == Placing()
    with pytest.raises(ValueError, match="PIN"):
        Placing.parse("100000/100001")
    with pytest.raises(ValueError, match="PIN"):
        Placing.parse("0")


def test_costs_are_counted_once_a_stack() -> None:
    own, below, total = costs("a (x.py:1);b (y.py:2);a (x.py:3) 4\na (x.py:1) 1\n")
    assert total == 5
    assert own == {"a (x.py)": 5}
    assert below == {"a (x.py)": 5, "b (y.py)": 4}


def test_the_page_changes_between_its_markers_only() -> None:
    page = "before\n<!-- bench: written by make bench -->\nold\n<!-- end of bench -->\nafter\n"
    assert replaced(page, "bench", "new") == (
        "before\n<!-- bench: written by make bench -->\n\nnew\n\n<!-- end of bench -->\nafter\n"
    )
    with pytest.raises(ValueError, match="no place for growth"):
        replaced(page, "growth", "new")


def test_a_table_has_a_command_beside_every_figure() -> None:
    text = markdown([Figure("w", "v", "1 %", "2 %", False, "make bench")], {"f": "x"}, {"m": "r"})
    assert "| w | v | 1 % | 2 % | ✗ | `make bench` |" in text
    assert "Left out: m — r" in text


def test_runs_are_compared_by_medians() -> None:
    def run(*seconds: float) -> dict[str, object]:
        runs = [{"rows": 10, "seconds": one, "values": {"p99": one}} for one in seconds]
        return {"accept": {"copy": runs}}

    lines = compared(run(1.0, 2.0, 5.0), run(4.0))
    assert lines == [
        "accept · copy · rows/s: 2.5 → 5.0 (+100.0 %)",
        "accept · copy · p99: 4.0 → 2.0 (-50.0 %)",
    ]


def test_scans_of_large_tables_are_found_in_the_log() -> None:
    def logged(kind: str, rows: int, removed: int, loops: int = 1) -> str:
        scan = {
            "Node Type": kind,
            "Relation Name": "entries",
            "Actual Rows": rows,
            "Rows Removed by Filter": removed,
            "Actual Loops": loops,
        }
        plan = {"Query Text": f"SELECT {kind}\n FROM x", "Plan": {"Plans": [scan]}}
        text = json.dumps(plan, indent=1).replace("\n", "\n\t")
        return f"LOG:  duration: 1.0 ms  plan:\n\t{text}\nLOG:  something else\n"

    log = logged("Seq Scan", 10, 0) + logged("Index Scan", 9999, 0) + "LOG: plan:\n\t{cut"
    assert scans_in(log) == []
    log += logged("Seq Scan", 10, 9990) + logged("Seq Scan", 1, 9000, loops=3)
    assert [(scan.query, scan.table, scan.rows) for scan in scans_in(log)] == [
        ("SELECT Seq Scan FROM x", "entries", 27_003)
    ]
