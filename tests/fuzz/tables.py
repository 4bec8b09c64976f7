"""Coverage-guided fuzzing of the table readers, outside the tests (needs atheris, which is no
dependency of the project): ``python tests/fuzz/tables.py -max_total_time=120``.

The first byte picks the form; everything else is the body. Any exception but TableRefused, and
any input that takes longer than libFuzzer's ``-timeout``, is a finding.
"""

from __future__ import annotations

import sys
from typing import Any

import atheris

with atheris.instrument_imports(include=["shared.deliveries.tables"]):
    from shared.deliveries.tables.reading import Table
    from shared.deliveries.tables.spec import FieldSpec, TableRefused, TableSpec


def field(name: str, kind: Any, zh: str, pattern: str | None = None) -> FieldSpec:
    return FieldSpec(name, kind, zh, (zh,), name == "tax_no", pattern)


FIELDS = (
    field("tax_no", "identifier", "税号", "^[0-9]{6}[0-9A-Z]{9}$"),
    field("name", "text", "名称"),
    field("persons", "int", "人数"),
    field("due", "money", "应征"),
    field("on", "date", "日期"),
    field("month", "month", "月份", "^[0-9]{4}-(0[1-9]|1[0-2])$"),
    field("flag", "bool", "是否"),
    field("unit", "code", "区县", "^[0-9]{6}$"),
)
HEADING = ",".join(one.zh for one in FIELDS).encode() + b"\n"


def spec(form: Any) -> TableSpec:
    return TableSpec(
        form=form,
        fields=FIELDS,
        period="2008-05",
        period_kind="month",
        today="2008-06-10",
        chunk_records=50,
        body_bytes=1_000_000,
        document_bytes=1_000_000,
        units={"明山区": "210504"},
    )


def one_input(data: bytes) -> None:
    if not data:
        return
    body = data[1:]
    form = "xlsx" if data[0] == 0 else "csv"
    if data[0] % 2:
        body = HEADING + body  # most bytes are no heading: begin behind one
    try:
        table = Table(spec(form), [body])
        count = sum(batch.count for batch in table.batches())
    except TableRefused:
        return
    if table.summary()["rows"]["records"] != count:
        raise AssertionError("records were lost")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
