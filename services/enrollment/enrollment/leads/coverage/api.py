"""The HTTP door to coverage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from enrollment.leads.coverage import rules, store
from enrollment.leads.coverage.rules import Definition
from enrollment.leads.coverage.schemas import (
    Coverage,
    CoverageRow,
    CoverageShown,
    DefinitionShown,
    FrameShown,
    SourceShown,
)
from enrollment.leads.coverage.store import Covered
from enrollment.leads.worth.rules import RULE_VERSION
from enrollment.scope import units_asked
from shared.auth import Caller, allow
from shared.dependencies import RuntimeDep, SnapshotTx
from shared.periods import local_date

router = APIRouter(prefix="/enrollment/v1", tags=["leads"])

Reader = Annotated[
    Caller,
    allow("agency", "unit", "leading-group", "auditor", "supervision", "labour-inspection"),
]


@router.get("/coverage", summary="参保覆盖率 · enrolled over eligible")
async def get_coverage(
    caller: Reader,
    tx: SnapshotTx,
    runtime: RuntimeDep,
    by: Literal["unit", "household", "ownership", "trade"] = "unit",
    unit: Annotated[str | None, Query(description="填报单位 · reporting unit")] = None,
) -> CoverageShown:
    """As the register and the leads stand now; employers and persons, each by its definition."""
    units = units_asked(caller, unit)
    entries, frame_as_of = await store.frame(tx, units)
    return CoverageShown(
        on=local_date(runtime.clock.now()),
        by=by,
        rule_version=RULE_VERSION,
        employers=_coverage(rules.EMPLOYERS, await store.employers(tx, units, by)),
        persons=_coverage(rules.PERSONS, await store.persons(tx, units, by)),
        sources=[
            SourceShown(feed=source.feed, as_of=source.as_of, leads=source.leads)
            for source in await store.sources(tx, units)
        ],
        census_frame=FrameShown(entries=entries, as_of=frame_as_of),
    )


def _coverage(definition: Definition, found: Mapping[str, Covered]) -> Coverage:
    total = Covered(
        sum(row.enrolled for row in found.values()),
        sum(row.missing for row in found.values()),
        sum(row.unknown for row in found.values()),
    )
    return Coverage(
        definition=DefinitionShown(**definition._asdict()),
        rows=[_row(key, row) for key, row in found.items()],
        total=_row("total", total),
    )


def _row(key: str, row: Covered) -> CoverageRow:
    return CoverageRow(
        key=key,
        enrolled=row.enrolled,
        missing=row.missing,
        eligible=row.enrolled + row.missing,
        leads_unknown=row.unknown,
        rate=rules.rate(row.enrolled, row.missing),
    )
