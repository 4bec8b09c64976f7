"""Tables of inspections."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, Table, Text

from enrollment.tables import metadata
from shared.deliveries.state import state_columns

inspection_findings = Table(
    "inspection_findings",
    metadata,
    *state_columns(),
    Column("unit", Text, nullable=False),
    Column("inspected_on", Date, nullable=False),
    Column("employer_name", Text, nullable=False),
    Column("org_code", Text),
    Column("licence_no", Text),
    Column("staff_found", Integer, nullable=False),
    Column("without_contract", Integer, nullable=False),
    Column("not_enrolled", Integer, nullable=False),
    Column("void", Boolean, nullable=False),
    Index("inspection_findings_by_unit", "unit", "inspected_on"),
)
