"""A run of the comparison: lines, counts, seal and facts, in the caller's transaction."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from enrollment.census.intake.persons import REASONS, unsealed
from enrollment.comparing import rules, store
from enrollment.frames import store as frames
from enrollment.frames.progress import by_unit
from shared.events.enrollment import CensusCompared
from shared.signing import canonical

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from shared.runtime import Runtime

_HASHED_AT_ONCE = 5000


class Run(NamedTuple):
    """A run that was made; its lines are in ``census_comparison_lines``."""

    run_no: int
    sha256: str
    document: dict[str, Any]


async def run_comparison(
    conn: AsyncConnection, runtime: Runtime, *, unit: str | None, as_of: date, by: str
) -> Run:
    """Compare everybody the census found up to ``as_of`` with the register (O71), seal what came
    out and publish it by unit.

    ``unit`` None compares all units. Must be the first thing its transaction does: every
    statement then sees the same moment, and runs wait for each other.
    """
    run_no = await store.begin(conn)
    await _hash_names(conn, runtime)
    plan, now = runtime.plan, runtime.clock.now()
    elsewhere = [code.code for code in plan.codes(REASONS) if not code.counts]
    compared = await store.compare(conn, run_no, unit, as_of, elsewhere)
    by_unit: dict[str, list[dict[str, Any]]] = defaultdict(list)
    rows = await store.tally(conn, run_no)
    for row in rows:
        by_unit[row["unit"]].append(row)
    before = await store.told_before(conn)
    # A unit told of before is told of again, be it that nobody is left.
    told = [
        one.code
        for one in plan.units
        if one.code in by_unit or (one.code in before and unit in (None, one.code))
    ]
    counts = {code: rules.tallied(by_unit[code]) for code in told}
    document: dict[str, Any] = {
        "kind": "census-comparison",
        "run_no": run_no,
        "unit": unit,
        "as_of": as_of.isoformat(),
        "compared_at": now.isoformat(),
        "compared_by": by,
        "plan_version": plan.version,
        "rule_version": rules.RULE_VERSION,
        "state": await store.markers(conn),
        "lines": {"count": compared, "sha256": await store.lines_digest(conn, run_no)},
        "progress": await _progress(conn, runtime, unit, as_of),
        "counts": rules.tallied(rows),
        "units": [{"unit": code, **counts[code]} for code in told],
    }
    sealed = canonical(document)
    sha256 = hashlib.sha256(sealed).hexdigest()
    await store.keep_run(
        conn,
        run_no,
        unit=unit,
        as_of=as_of,
        compared_at=now,
        compared_by=by,
        plan_version=plan.version,
        document=sealed,
        sha256=sha256,
    )
    revised = {code: (before.get(code, 0) + 1, counts[code]) for code in told}
    await store.keep_units(conn, run_no, revised)
    await runtime.outbox.write(
        conn,
        [_fact(run_no, code, *revised[code], as_of, now, sha256) for code in told],
    )
    return Run(run_no, sha256, document)


async def _progress(
    conn: AsyncConnection, runtime: Runtime, unit: str | None, as_of: date
) -> dict[str, Any]:
    """How far the census was, by unit, against the frame frozen last (F34)."""
    frame = await frames.find_frame(conn, None)
    version = None if frame is None else frame["version"]
    units = None if unit is None else {unit}
    visits, found = await frames.progress_rows(conn, version, units, as_of)
    told = by_unit(visits, found, [one.code for one in runtime.plan.units])
    return {
        "basis": {
            "version": version,
            "name": None if frame is None else frame["name"],
            "sha256": None if frame is None else frame["sha256"],
        },
        "units": [_without(one, "streets") for one in told["units"]],
        "totals": _without(told, "units"),
    }


def _without(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key != name}


async def _hash_names(conn: AsyncConnection, runtime: Runtime) -> None:
    """Entries that were taken before their names were hashed get their hashes."""
    while rows := await store.nameless(conn, _HASHED_AT_ONCE):
        hashes = {}
        for key, sealed in rows:
            name = unsealed(sealed, key, runtime.secrecy).name
            hashes[key] = runtime.secrecy.keyed_hash(f"name:{name}")
        await store.keep_name_hashes(conn, hashes)


def _fact(
    run_no: int,
    unit: str,
    revision: int,
    counts: Mapping[str, Any],
    as_of: date,
    now: datetime,
    sha256: str,
) -> CensusCompared:
    outcomes = counts["outcomes"]
    return CensusCompared(
        key=f"compared:{unit}",
        subject=f"compared:{unit}",
        revision=revision,
        recorded_at=now,
        unit=unit,
        run_no=str(run_no),
        compared_on=as_of,
        new_count=outcomes[rules.NEW],
        already_count=outcomes[rules.ALREADY],
        ineligible_count=outcomes[rules.INELIGIBLE],
        elsewhere_count=outcomes[rules.ELSEWHERE],
        conflict_count=outcomes[rules.CONFLICT],
        unclear_count=outcomes[rules.UNCLEAR],
        repeated_count=outcomes[rules.REPEATED],
        potential_count=counts["potential"],
        sha256=sha256,
    )
