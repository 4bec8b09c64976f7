"""From a figure's id to what has to be summed: the plan's days, units and segments filled in."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.rules import Calendar, FigureId, parse_figure_id, window_of
from reporting.figures.store import reading
from reporting.figures.store.reading import Span
from shared.plan import Plan
from shared.problems import problem

EXAMPLE = "insured-total.210502.2008-06-D1.cumulative"


def calendar_of(plan: Plan) -> Calendar:
    """The days of the plan that windows are made of."""
    return Calendar(plan.cutoffs, plan.opening_on, plan.campaign_from)


def get_figure(text: str, plan: Plan) -> FigureId:
    """The figure of that id; the problem ``figure-unknown`` where measure, unit, period or kind
    does not exist. The city's own code is a unit here."""
    figure = parse_figure_id(text)
    if figure is None or not (plan.has_unit(figure.unit) or figure.unit == plan.city.code):
        raise problem("figure-unknown", figure=text[:100], example=EXAMPLE)
    return figure


async def span_of(
    conn: AsyncConnection, figure: FigureId, plan: Plan, filters: Mapping[str, str]
) -> Span:
    """What the figure sums; the city's figure sums every unit of the plan and its own code."""
    numbers = await reading.units_by_code(conn)
    asked = [figure.unit]
    if figure.unit == plan.city.code:
        asked += [unit.code for unit in plan.units]
    return Span(
        figure.measure,
        tuple(numbers[code] for code in asked if code in numbers),
        window_of(figure.measure, figure.kind, figure.period, calendar_of(plan)),
        await reading.matching_segments(conn, filters),
    )
