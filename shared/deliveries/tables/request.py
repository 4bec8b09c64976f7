"""What one push of a table is read by: the feed's fields, the request, the department's own
mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from shared.auth import Caller
from shared.deliveries.feed import Feed
from shared.deliveries.readers import TableReader
from shared.deliveries.tables.characters import heading_key
from shared.deliveries.tables.fields import field_specs, unit_names
from shared.deliveries.tables.spec import TableSpec
from shared.runtime import Runtime


def table_spec(
    runtime: Runtime,
    feed: Feed,
    caller: Caller,
    reader: TableReader,
    *,
    period: str,
    content_type: str,
    gzipped: bool,
    sheet: str | None,
    mapping: Mapping[str, str],
) -> TableSpec:
    """The specification the reading process gets."""
    form: Literal["csv", "xlsx"] = "xlsx" if reader.name == "xlsx" else "csv"
    settings = runtime.settings
    return TableSpec(
        form=form,
        fields=field_specs(feed, runtime.plan),
        period=period,
        period_kind=feed.period_kind,
        today=runtime.clock.today().isoformat(),
        chunk_records=settings.chunk_records,
        body_bytes=settings.max_body_bytes,
        document_bytes=settings.max_document_bytes,
        units=unit_names(runtime.plan),
        own_units=tuple(sorted(caller.units or ())),
        mapping={heading_key(heading): name for heading, name in mapping.items()},
        sheet=sheet,
        gzipped=gzipped,
        tabs="tab-separated" in content_type,
    )
