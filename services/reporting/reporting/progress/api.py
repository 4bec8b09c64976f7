"""``GET /progress``: how far every unit is, in any dekad."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from reporting.figures.rules import HEADLINE, MEASURES, Measure
from reporting.figures.views import API
from reporting.progress import report, schemas
from shared.auth import CallerDep
from shared.dependencies import RuntimeDep, SnapshotTx
from shared.periods import Dekad, PeriodError, local_date
from shared.problems import field_error, problem
from shared.runtime import Runtime

router = APIRouter(prefix=API, tags=["progress"])


@router.get("/progress", summary="各单位与全市进度 · progress of every unit and the city")
async def read_progress(
    _: CallerDep,
    runtime: RuntimeDep,
    tx: SnapshotTx,
    period: Annotated[
        str | None, Query(description="旬,如 2008-06-D1;缺省为本旬 · dekad; default: the current")
    ] = None,
    measure: Annotated[
        list[str] | None, Query(description="指标,可多次;缺省为三项任务指标 · repeatable")
    ] = None,
) -> schemas.Progress:
    """各单位进度:期初、任务、本旬、累计、完成率、净增与序时、位次 · progress of every unit."""
    return await report.progress_answer(
        tx,
        runtime.plan,
        period_asked(period, runtime),
        measures_asked(measure),
        runtime.clock.now(),
        runtime.clock.kind,
    )


def period_asked(text: str | None, runtime: Runtime) -> Dekad:
    """The dekad of that name, by default the one that counts today; problem ``period-invalid``."""
    if text is None:
        return Dekad.counting(local_date(runtime.clock.now()), runtime.plan.cutoffs)
    try:
        return Dekad.parse(text)
    except PeriodError as error:
        raise problem("period-invalid", period=text[:40], reason=str(error)) from None


def measures_asked(names: list[str] | None) -> list[Measure]:
    """The measures of those names; problem ``parameter-invalid`` for one that does not exist."""
    wanted = list(dict.fromkeys(names or HEADLINE))
    errors = [
        field_error("pattern-mismatch", "query/measure", {"expected": ", ".join(MEASURES)})
        for name in wanted
        if name not in MEASURES
    ]
    if errors:
        raise problem("parameter-invalid", errors=errors, count=len(errors))
    return [MEASURES[name] for name in wanted]
