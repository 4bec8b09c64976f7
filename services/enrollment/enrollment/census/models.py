"""Tables of the census. Natural keys are ``<unit>.<number>``: each unit numbers for itself."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, LargeBinary, Table, Text

from enrollment.tables import metadata
from shared.deliveries.state import state_columns

census_units = Table(
    "census_units",
    metadata,
    *state_columns(),
    Column("unit", Text, nullable=False),
    Column("frame_no", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("community", Text),
    Column("kind", Text, nullable=False),
    Column("name", Text),
    Column("org_code", Text),
    Column("licence_no", Text),
    Column("void", Boolean, nullable=False),
    Column("visited_on", Date),
    Column("visitor", Text),
    Column("outcome", Text),
    Column("persons_found", Integer, nullable=False),
    Column("uninsured_found", Integer, nullable=False),
    Column("visited", Boolean, nullable=False),
    # The delivery that told the visit: an earlier one where the entry was told again without it.
    Column("visit_delivery_id", Text),
    Index("census_units_by_unit", "unit", "street"),
    Index("census_units_by_visit", "visit_delivery_id"),
)

census_persons = Table(
    "census_persons",
    metadata,
    *state_columns(),
    Column("unit", Text, nullable=False),
    Column("entry_no", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("frame_no", Text),
    Column("found_on", Date, nullable=False),
    # Keyed hash of the 18-digit identity number, as in ``persons``; none without a number.
    Column("person_key", Text),
    # Identity number (may be empty) and name, encrypted, bound to the natural key.
    Column("sealed", LargeBinary, nullable=False),
    Column("sex", Text, nullable=False),
    Column("birth_on", Date, nullable=False),
    Column("post", Text),
    Column("worker_class", Text, nullable=False),
    Column("employer_name", Text),
    Column("org_code", Text),
    Column("licence_no", Text),
    Column("reason", Text, nullable=False),
    Column("can_pay", Boolean, nullable=False),
    Column("age_finding", Text, nullable=False),
    Column("eligible", Boolean),
    Column("void", Boolean, nullable=False),
    # Keyed hash of the name, as in ``persons``; None in entries taken before there was one, until
    # the next comparison.
    Column("name_hash", Text),
    Index("census_persons_by_unit", "unit", "street"),
    Index("census_persons_by_person", "person_key"),
)
