"""The table of a run: on the screen, and in ``docs/performance.md`` between markers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.benchmarks.rounds import Figure

MET = {True: "✓", False: "✗", None: ""}


def markdown(
    figures: Sequence[Figure], facts: Mapping[str, str], left_out: Mapping[str, str]
) -> str:
    """The whole block: what it was measured on, the table, what was left out and why."""
    lines = [f"{name}: {text}  " for name, text in facts.items()]
    lines += ["", "| what | value | floor | goal | | command |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {one.what} | {one.value} | {one.floor} | {one.goal} | {MET[one.met]}"
        f" | `{one.command}` |"
        for one in figures
    ]
    if left_out:
        lines += ["", *(f"Left out: {name} — {reason}  " for name, reason in left_out.items())]
    return "\n".join(lines)


def replaced(page: str, block: str, text: str) -> str:
    """The page with what stands between the block's markers replaced.

    Raises ValueError when the page does not have both markers once, in order.
    """
    begin, end = f"<!-- {block}: written by make bench -->", f"<!-- end of {block} -->"
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise ValueError(f"no place for {block}: {begin} … {end}")
    before, _, rest = page.partition(begin)
    after = rest.partition(end)[2]
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def as_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """The table as the record of a run keeps it."""
    return [asdict(one) for one in figures]


def compared(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """How the median rate of every alternative both runs have has changed, as text lines."""
    lines = []
    for measure, alternatives in now.items():
        for name, runs in alternatives.items():
            earlier = before.get(measure, {}).get(name)
            if not earlier or not runs:
                continue
            for what, new, old in _pairs(runs, earlier):
                change = f"{100 * (new / old - 1):+.1f} %" if old else "—"
                lines.append(f"{measure} · {name} · {what}: {old:,.1f} → {new:,.1f} ({change})")
    return lines


def _pairs(runs: Sequence[Any], earlier: Sequence[Any]) -> list[tuple[str, float, float]]:
    pairs = []
    if runs[0]["rows"] and earlier[0]["rows"]:
        pairs.append(("rows/s", _middle_rate(runs), _middle_rate(earlier)))
    for name in runs[0]["values"]:
        if name in earlier[0]["values"]:
            pairs.append((name, _middle_value(runs, name), _middle_value(earlier, name)))
    return pairs


def _middle_rate(runs: Sequence[Any]) -> float:
    return _median([one["rows"] / one["seconds"] for one in runs])


def _middle_value(runs: Sequence[Any], name: str) -> float:
    return _median([float(one["values"][name]) for one in runs])


def _median(numbers: Sequence[float]) -> float:
    from statistics import median

    return float(median(numbers))
