"""Where a table begins and what its columns are: title, unit line, heading rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.characters import narrow, simplified
from shared.deliveries.tables.cells import Row, is_blank
from shared.deliveries.tables.characters import (
    column_name,
    folded,
    heading_key,
    in_brackets,
    is_hint,
)
from shared.deliveries.tables.cleaning import NO_SCALE, Scale
from shared.deliveries.tables.days import period_in
from shared.deliveries.tables.spec import FieldSpec, TableRefused, TableSpec
from shared.deliveries.tables.units import (
    heading_scale,
    money_in,
    units_above,
    units_declared,
    whole_unit,
)

_HEADING_ROWS: Final = 3
_WITH_UNIT: Final = re.compile(r"\s*[,，:：/、]\s*[十百千万萬亿]*[元圆人户个%]\s*$")
"""A unit after the heading's own words, without brackets."""
_IGNORED: Final = frozenset({"序号", "行次", "编号", "栏次", "备注", "说明", "no", "项目序号"})
_ROW_UNIT: Final = frozenset({"计量单位", "金额单位", "单位", "货币单位"})
_DATED: Final = re.compile(r"(填报|报出|制表|填表|打印|上报|报送)\s*(日期|时间)")


@dataclass(frozen=True)
class Column:
    """A column of the table, as it was understood."""

    index: int
    heading: str
    field: FieldSpec | None
    scale: Scale
    own_scale: bool = False
    """Its heading says so: no unit line is about it."""


@dataclass
class Layout:
    """How the table is laid out."""

    heading_rows: tuple[int, ...]
    """Row numbers."""
    columns: list[Column]
    first_data: int
    """Index into the sample of the first row after the heading."""
    headings: frozenset[tuple[str, ...]]
    """Folded heading rows, to know them when they come again."""
    title: str | None = None
    title_period: str | None = None
    title_units: tuple[str, ...] = ()
    unit_text: str | None = None
    unit_row: int | None = None
    scale: Scale = NO_SCALE
    row_unit_column: int | None = None
    filled: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Fields without a column: value, and where it comes from (title, request, sender)."""

    @property
    def ignored(self) -> list[Column]:
        """Columns that stand for no field, but for those that never do."""
        return [
            column
            for column in self.columns
            if column.field is None
            and column.index != self.row_unit_column
            and folded(column.heading) not in _IGNORED
        ]


def known_headings(spec: TableSpec) -> dict[str, FieldSpec]:
    """Folded heading → field. What stands for two fields stands for none, but a department's own
    mapping always holds."""
    by_name = {one.name: one for one in spec.fields}
    found: dict[str, FieldSpec | None] = {}
    for one in spec.fields:
        for heading in dict.fromkeys([heading_key(name) for name in (one.name, *one.headings)]):
            found[heading] = one if heading not in found else None
    for one in spec.fields:
        # Of 社区(村) the first word will do.
        for heading in map(folded, one.headings):
            found.setdefault(heading, one)
    for one in spec.fields:
        # A field's first heading is its own, whoever else lists it further down.
        first = heading_key(one.headings[0]) if one.headings else ""
        rivals = [other for other in spec.fields if other.headings and other is not one]
        if first and all(heading_key(other.headings[0]) != first for other in rivals):
            found[first] = one
    known = {heading: one for heading, one in found.items() if one is not None and heading}
    known |= {heading: by_name[name] for heading, name in spec.mapping.items() if name in by_name}
    return known


def find_layout(sample: Sequence[Row], spec: TableSpec, *, partial: bool = False) -> Layout | None:
    """The layout of the table that begins in the sample; None where no heading is found.

    Raises TableRefused for headings that stand twice, required columns that are missing, a
    contradictory title; with ``partial`` it only looks.
    """
    known = known_headings(spec)
    best, place = (0, 0), (0, 0)
    for start in range(len(sample)):
        if is_blank(sample[start].cells):
            continue
        for height in range(1, _HEADING_ROWS + 1):
            block = sample[start : start + height]
            if len(block) < height or any(is_blank(row.cells) for row in block):
                break
            score = len(set(_matches(_paths(block), known).values()))
            # As few rows as will do: a title above the heading is none of it.
            if (score, -height) > best and score:
                best, place = (score, -height), (start, height)
    needed = 1 if len(spec.fields) == 1 else 2
    if best[0] < needed:
        return None
    start, height = place
    if start + height < len(sample) and _is_unit_row(sample[start + height].cells):
        height += 1
    return _laid_out(sample, start, height, spec, known, partial)


def _is_unit_row(cells: Sequence[str]) -> bool:
    """A row of the heading that states nothing but each column's unit of money."""
    filled = [cell for cell in cells if cell.strip()]
    return len(filled) > 1 and all(whole_unit(cell) is not None for cell in filled)


def _paths(block: Sequence[Row]) -> list[list[str]]:
    """For each column its headings from top to bottom; a merged one holds for all it spans."""
    width = max(len(row.cells) for row in block)
    grid = [[*row.cells, *[""] * (width - len(row.cells))] for row in block]
    for level, row in enumerate(grid[:-1]):
        for at in range(1, width):
            above = grid[level - 1][at] == grid[level - 1][at - 1] if level else True
            if (
                not row[at].strip()
                and row[at - 1].strip()
                and above
                and grid[level + 1][at].strip()
            ):
                row[at] = row[at - 1]
    return [[row[at].strip() for row in grid if row[at].strip()] for at in range(width)]


def _matches(paths: Sequence[Sequence[str]], known: Mapping[str, FieldSpec]) -> dict[int, str]:
    found = {}
    for at, path in enumerate(paths):
        one = _match(path, known)
        if one is not None:
            found[at] = one.name
    return found


def _match(path: Sequence[str], known: Mapping[str, FieldSpec]) -> FieldSpec | None:
    """The whole path first: 养老保险费 over 应征 is more than 应征 alone."""
    if not path or any(len(part) > 60 for part in path):
        return None
    named = [part for part in path if whole_unit(part) is None] or path
    named = [_WITH_UNIT.sub("", part) for part in named]
    parts = [heading_key(part) for part in named]
    for heading in ("".join(parts), parts[-1], "".join(dict.fromkeys(parts))):
        if heading in known:
            return known[heading]
    return _said_twice(named[-1], known)


def _said_twice(heading: str, known: Mapping[str, FieldSpec]) -> FieldSpec | None:
    """纳税人识别号（税号）: in brackets another heading of the same field."""
    inside = [one for one in in_brackets(heading) if not is_hint(one)]
    one = known.get(folded(heading))
    same = one is not None and all(known.get(heading_key(other)) is one for other in inside)
    return one if same and inside else None


def _laid_out(
    sample: Sequence[Row],
    start: int,
    height: int,
    spec: TableSpec,
    known: Mapping[str, FieldSpec],
    partial: bool,
) -> Layout:
    block = sample[start : start + height]
    paths = _paths(block)
    layout = Layout(
        heading_rows=tuple(row.no for row in block),
        columns=[],
        first_data=start + height,
        headings=frozenset(_folded_row(row.cells) for row in block),
    )
    _read_above(layout, sample[:start], spec)
    for at, path in enumerate(paths):
        if not path:
            continue
        one = _match(path, known)
        heading = "/".join(dict.fromkeys(path))
        if one is None and folded(path[-1]) in _ROW_UNIT and layout.row_unit_column is None:
            layout.row_unit_column = at
        layout.columns.append(Column(at, heading, one, *_scale_of(one, path, layout)))
    if not partial:
        _check_once(layout)
        _check_period(layout, spec)
        _fill(layout, spec)
        _check_required(layout, spec)
    return layout


def _folded_row(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(text for text in (folded(cell) for cell in cells) if text)


def is_heading(layout: Layout, cells: Sequence[str]) -> bool:
    """Whether a row is the heading once more, as on every printed page."""
    row = _folded_row(cells)
    return len(row) > 1 and row in layout.headings


def _read_above(layout: Layout, rows: Sequence[Row], spec: TableSpec) -> None:
    said: list[str] = []
    for row in rows:
        for units in units_above(row.cells):
            _declare(layout, row.no, units)
        for cell in row.cells:
            text = cell.strip()
            if not text or _DATED.search(simplified(narrow(text))) or _only_unit(text):
                continue
            said.append(text)
            if layout.title is None and len(text) >= 4:
                layout.title = text[:200]
            if layout.title_period is None:
                layout.title_period = period_in(text)
    together = folded(" ".join(said))
    named = list(
        dict.fromkeys(
            code for name, code in spec.units.items() if len(name) > 1 and name in together
        )
    )
    # The city's name stands in the name of every office of its districts.
    layout.title_units = tuple(code for code in named if len(named) == 1 or code[-2:] != "00")


def _only_unit(text: str) -> bool:
    return units_declared([text]) is not None or whole_unit(text) is not None


def _declare(layout: Layout, row: int, units: str) -> None:
    scale = money_in(units)
    if layout.unit_text is None or (scale is not None and not layout.scale.text):
        layout.unit_text, layout.unit_row = units, row
        layout.scale = scale or NO_SCALE
    elif scale is not None and scale.exponent != layout.scale.exponent:
        raise TableRefused("table-unit-unclear", first=layout.unit_text, second=units)


def _scale_of(one: FieldSpec | None, path: Sequence[str], layout: Layout) -> tuple[Scale, bool]:
    """A column's own unit goes before the sheet's; and whether it has one."""
    if one is None or one.kind not in ("money", "int"):
        return NO_SCALE, False
    for part in reversed(path):
        own = heading_scale(part, persons=one.kind == "int")
        if own is None and one.kind == "money":
            own = whole_unit(part)
        if own is not None:
            return own, True
    return (layout.scale if one.kind == "money" else NO_SCALE), False


def _check_once(layout: Layout) -> None:
    seen: dict[str, Column] = {}
    for column in layout.columns:
        if column.field is None:
            continue
        if (first := seen.get(column.field.name)) is not None:
            raise TableRefused(
                "table-column-twice",
                field=column.field.zh,
                columns=f"{column_name(first.index)}「{first.heading}」、"
                f"{column_name(column.index)}「{column.heading}」",
            )
        seen[column.field.name] = column


def _fill(layout: Layout, spec: TableSpec) -> None:
    """What the title or the request says for every row, where no column does."""
    given = {column.field.name for column in layout.columns if column.field is not None}
    for one in spec.fields:
        if one.name in given or not one.required:
            continue
        if one.kind == spec.period_kind and one.name in ("period", "month", spec.period_kind):
            source = "title" if layout.title_period == spec.period else "request"
            layout.filled[one.name] = (spec.period, source)
        elif one.kind == "code" and one.name in ("unit", "collecting_unit"):
            if len(spec.own_units) == 1:
                layout.filled[one.name] = (spec.own_units[0], "sender")
            elif len(layout.title_units) == 1:
                layout.filled[one.name] = (layout.title_units[0], "title")


def _check_period(layout: Layout, spec: TableSpec) -> None:
    said = layout.title_period
    if said is None or spec.period.startswith(said) or said.startswith(spec.period):
        return
    if spec.period_kind == "day" and said[:7] == spec.period[:7]:
        return
    raise TableRefused(
        "table-period-differs", said=said, period=spec.period, title=layout.title or "—"
    )


def _check_required(layout: Layout, spec: TableSpec) -> None:
    given = {column.field.name for column in layout.columns if column.field is not None}
    missing = [
        one
        for one in spec.fields
        if one.required and one.name not in given and one.name not in layout.filled
    ]
    if missing:
        unknown = [column.heading for column in layout.columns if column.field is None]
        raise TableRefused(
            "table-column-missing",
            {
                "missing_fields": [one.name for one in missing],
                "unknown_headings": [heading[:80] for heading in unknown[:100]],
            },
            fields="、".join(_named(one) for one in missing),
            seen="、".join(unknown)[:400] or "—",
            rows="、".join(str(no) for no in layout.heading_rows),
        )


def _named(one: FieldSpec) -> str:
    others = [heading for heading in one.headings[1:4] if heading != one.zh]
    return f"{one.zh}（{'、'.join(others)}）" if others else one.zh
