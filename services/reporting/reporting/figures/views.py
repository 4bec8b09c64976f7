"""Figures and ledger lines as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from reporting.figures import schemas
from reporting.figures.postings import FACT_TYPES
from reporting.figures.rules import FigureId, Measure
from reporting.figures.store import reading, standing
from shared.plan import Plan, PlanLookupError

API = "/reporting/v1"


def figure_links(figure: FigureId, filters: Mapping[str, str] | None = None) -> schemas.FigureLinks:
    """Addresses on this site."""
    base = f"{API}/figures/{figure}"
    query = f"?{urlencode(filters)}" if filters else ""
    return schemas.FigureLinks(
        figure=f"{base}{query}", members=f"{base}/members{query}", entries=f"{base}/entries{query}"
    )


def figure_value(figure: FigureId, value: int) -> schemas.FigureValue:
    return schemas.FigureValue(id=str(figure), value=value, links=figure_links(figure))


def unit_name(code: str, plan: Plan) -> schemas.UnitName:
    unit = plan.unit(code)
    return schemas.UnitName(code=unit.code, zh=unit.zh, en=unit.en, kind=unit.kind)


def measure_definition(measure: Measure, plan: Plan) -> schemas.MeasureDefinition:
    """Our definition, with the plan's own words on it where the plan has the measure."""
    try:
        stated = plan.measure(measure.name)
    except PlanLookupError:
        stated = None
    return schemas.MeasureDefinition(
        id=stated.definition_id if stated else measure.definition_id,
        zh=measure.zh,
        en=measure.en,
        definition_zh=measure.definition_zh,
        definition_en=measure.definition_en,
        status=stated.status if stated else None,
        source=stated.source if stated else None,
        counts=list(stated.counts) if stated else [],
    )


def member_entries_link(figure: FigureId, subject: str, filters: Mapping[str, str]) -> str:
    query = f"?{urlencode(filters)}" if filters else ""
    return f"{API}/figures/{figure}/members/{quote(subject, safe='')}/entries{query}"


def rebuild_standing(row: standing.Standing) -> schemas.RebuildStanding:
    """With the seconds left, as long as facts are replayed."""
    spent = (row.updated_at - row.started_at).total_seconds()
    left = None
    if row.running and 0 < row.facts_done <= row.facts_total:
        left = round(spent / row.facts_done * (row.facts_total - row.facts_done))
    return schemas.RebuildStanding(**row._asdict(), seconds_left=left)


def entry(row: reading.Entry) -> schemas.Entry:
    """A ledger line with its fact and the record it came from."""
    fact = FACT_TYPES[row.fact_type]
    return schemas.Entry(
        id=row.id,
        quantity=row.quantity,
        effective_on=row.effective_on,
        recorded_at=row.recorded_at,
        unit=row.unit,
        subject=row.subject,
        segments={name: value for name, value in row.segments._asdict().items() if value},
        fact=schemas.FactReference(
            id=_fact_id(row),
            type=fact.type_name(),
            revision=row.fact_revision,
            block=row.block,
            index=row.block_index,
        ),
        delivery=_delivery(row, fact.producer),
    )


def _fact_id(row: reading.Entry) -> str:
    """As ``Fact.fact_id`` makes it: delivery (or subject and revision), record, kind, part."""
    fact = FACT_TYPES[row.fact_type]
    subject = row.holder.removesuffix("/carried")
    cause = row.delivery_id or f"{fact.producer}/{subject}/{row.fact_revision}"
    tail = f":{row.fact_part}" if row.fact_part else ""
    return f"{cause}:{row.record_no or 0}:{fact.kind}{tail}"


def _delivery(row: reading.Entry, producer: str) -> schemas.DeliveryReference | None:
    if row.delivery_id is None:
        return None
    # A lead is enrollment's fact and the tax office's delivery: it lies where it was pushed to.
    href = f"/{row.delivered_to or producer}/v1/deliveries/{row.delivery_id}"
    if row.record_no is not None:
        href += f"/records/{row.record_no}"
    return schemas.DeliveryReference(id=str(row.delivery_id), record_no=row.record_no, href=href)
