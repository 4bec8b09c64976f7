"""What answers say about feeds and deliveries. Pure: rows and plan in, JSON out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared.auth import Caller
from shared.deliveries.feed import Feed
from shared.deliveries.readers import READERS, TABLE_FORMS
from shared.deliveries.receipts import timestamp
from shared.deliveries.store import DeliveryRow
from shared.deliveries.store.withdrawals import Withdrawal, counts_of
from shared.deliveries.tables.fields import field_specs
from shared.plan import Plan, PlanLookupError
from shared.service import Service
from shared.signing import enveloped
from shared.telemetry import parse_traceparent

Linked = tuple[dict[str, Any], bytes, dict[str, Any] | None]
"""A linked receipt: document, SHA-256, signature."""


def service_path(service: Service) -> str:
    """Where the service's API is."""
    return f"/{service.name}/v1"


def delivery_path(service: Service, delivery_id: object) -> str:
    """Where the delivery can be seen."""
    return f"{service_path(service)}/deliveries/{delivery_id}"


def receipt_view(row: DeliveryRow) -> dict[str, Any]:
    """The receipt as it was made, with SHA-256 and signature over all of it but these two."""
    if row.receipt is None or row.receipt_sha256 is None:
        raise ValueError(f"delivery {row.id} has no receipt yet")
    return enveloped(row.receipt, row.receipt_sha256, row.receipt_seal)


def delivery_view(service: Service, row: DeliveryRow) -> dict[str, Any]:
    """A delivery as it stands now; ``records_done`` of ``records_sent`` shows progress, and
    ``counts`` go on changing while held records resolve (the receipt never does). ``trace_id``
    is that of the request that brought it, of the log lines and of the spans of its way."""
    path, trace = delivery_path(service, row.id), parse_traceparent(row.traceparent)
    return {
        "delivery": str(row.id),
        "feed": row.feed,
        "period": row.period,
        "department": row.department,
        "units": row.units,
        "idempotency_key": row.idempotency_key,
        "status": row.status,
        "nil": row.nil,
        "dry_run": row.dry_run,
        "mode": row.mode,
        "supersedes": None if row.supersedes is None else str(row.supersedes),
        "withdrawn_at": None if row.withdrawn_at is None else timestamp(row.withdrawn_at),
        "received_at": timestamp(row.received_at),
        "clock": row.clock,
        "body": {
            "sha256": row.sha256.hex(),
            "size": row.size,
            "content_type": row.content_type,
        },
        "records_sent": row.sent_count,
        "records_done": row.counts.total,
        "counts": row.counts.as_dict(),
        "problems": row.problem_counts,
        "hindered": row.failure is not None,
        "trace_id": trace.trace_id if trace else None,
        "reading": row.reading,
        "receipt": receipt_view(row) if row.receipt is not None else None,
        "links": {
            "self": path,
            "records": f"{path}/records",
            "content": f"{path}/content",
            "withdrawal": f"{path}/withdrawal",
            **({"annotated": f"{path}/annotated"} if row.reader in TABLE_FORMS else {}),
        },
    }


def delivery_details(
    service: Service, row: DeliveryRow, later: Sequence[Linked], taken: Withdrawal | None
) -> dict[str, Any]:
    """One delivery with all its receipts, the first one first, and its withdrawal if any."""
    receipts = [] if row.receipt is None else [receipt_view(row)]
    receipts += [enveloped(receipt, sha256, seal) for receipt, sha256, seal in later]
    return {
        **delivery_view(service, row),
        "receipts": receipts,
        "withdrawal": None if taken is None else withdrawal_view(taken),
    }


def withdrawal_view(taken: Withdrawal, outcomes: Mapping[str, int] | None = None) -> dict[str, Any]:
    """How far a delivery is taken back; with ``outcomes``, what became of its keys so far."""
    counts = {} if outcomes is None else {"keys": counts_of(outcomes)}
    return {
        "delivery": str(taken.delivery_id),
        "status": taken.status,
        "reason": taken.reason or None,
        "by": taken.subject or None,
        "department": taken.department,
        "superseded_by": None if taken.superseded_by is None else str(taken.superseded_by),
        "requested_at": timestamp(taken.requested_at),
        "completed_at": None if taken.completed_at is None else timestamp(taken.completed_at),
        "refusal": taken.refusal,
        **counts,
    }


def feed_view(service: Service, feed: Feed, caller: Caller) -> dict[str, Any]:
    """A feed in the list of feeds."""
    path = f"{service_path(service)}/feeds/{feed.name}"
    return {
        "feed": feed.name,
        "title_zh": feed.title_zh,
        "title_en": feed.title_en,
        "departments": sorted(feed.departments),
        "may_send": caller.department in feed.departments,
        "period_kind": feed.period_kind,
        "obligation": feed.obligation,
        "links": {
            "self": path,
            "deliveries": f"{path}/deliveries",
            "template": f"{path}/template",
            "mapping": f"{path}/mapping",
        },
    }


def feed_details(
    service: Service, feed: Feed, caller: Caller, plan: Plan, now: datetime
) -> dict[str, Any]:
    """All a department's programmer needs to push the feed."""
    schema = msgspec.json.schema(feed.record)
    return {
        **feed_view(service, feed, caller),
        "content_types": sorted(kind for one in READERS.values() for kind in one.media_types),
        "due": due_view(feed, plan, now),
        "obligation_text": _obligation(feed, plan),
        "example": dict(feed.example),
        "columns": _columns(feed, schema, plan),
        "schema": schema,
    }


def due_view(feed: Feed, plan: Plan, now: datetime) -> dict[str, Any] | None:
    """The plan's due rule and the latest period that has begun; None where the plan has none."""
    try:
        planned = plan.feed(feed.name)
    except PlanLookupError:
        return None
    dues = plan.due_for(feed.name, now, include_open=True)
    latest = dues[-1] if dues else None
    return {
        "period": planned.period,
        "rule": planned.due.kind,
        "day": planned.due.day,
        "first_period": planned.first_period,
        "source": planned.source,
        "status": planned.status,
        "latest": None
        if latest is None
        else {
            "period": str(latest.period),
            "cut_off_on": latest.cut_off_on.isoformat(),
            "due_at": timestamp(latest.due_at),
        },
    }


def _obligation(feed: Feed, plan: Plan) -> dict[str, str] | None:
    try:
        duty = plan.obligation(feed.obligation)
    except PlanLookupError:
        return None
    return {"id": duty.id, "quote": duty.quote, "en": duty.en, "clause": duty.clause}


def _columns(feed: Feed, schema: Mapping[str, Any], plan: Plan) -> list[dict[str, Any]]:
    """One line per field, in the record's order."""
    properties = {name: _form(given) for name, given in _properties(schema).items()}
    headings = {one.name: list(one.headings) for one in field_specs(feed, plan)}
    return [
        {
            "name": field.encode_name,
            "required": field.required,
            "description": properties.get(field.encode_name, {}).get("description"),
            "form": {
                name: value
                for name, value in properties.get(field.encode_name, {}).items()
                if name not in ("description", "title", "default")
            },
            "default": None if field.required else _default(field),
            "personal": field.encode_name in feed.personal,
            "headings": headings[field.encode_name],
            "codes": _codes(feed.coded.get(field.encode_name), plan),
        }
        for field in msgspec.structs.fields(feed.record)
    ]


def _codes(listed: str | None, plan: Plan) -> list[dict[str, str]] | None:
    """What a coded field may say, by the plan; None for a field that is not so coded."""
    if listed is None:
        return None
    return [{"code": one.code, "zh": one.zh, "en": one.en} for one in plan.codes(listed)]


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    definition = schema.get("$defs", {}).get(name, schema)
    found: Mapping[str, Any] = definition.get("properties", {})
    return found


def _form(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """A field's schema; of an optional one, what it must be when it is given."""
    alternatives = [one for one in given.get("anyOf", ()) if one != {"type": "null"}]
    return alternatives[0] if len(alternatives) == 1 else given


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return None if field.default is msgspec.NODEFAULT else msgspec.to_builtins(field.default)
