"""Templates for a feed: headings our reader knows, drop-down lists, text where text is meant,
help, and an example row that is never taken for a record."""

from __future__ import annotations

import codecs
import io
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec
import xlsxwriter

from shared.deliveries.feed import Feed
from shared.deliveries.tables.fields import shown_labels
from shared.deliveries.tables.spec import FieldSpec
from shared.deliveries.tables.sums import EXAMPLE
from shared.deliveries.tables.written import CSV_TYPE, XLSX_TYPE, csv_line

__all__ = ["CSV_TYPE", "XLSX_TYPE", "csv_template", "xlsx_template"]

_ROWS: Final = 5000
"""Rows that have drop-down lists."""
_WORDS: Final = {
    "zh": {
        "sheet": "填报",
        "help": "填报说明",
        "codes": "代码表",
        "columns": ("列名", "必填", "含义", "可填", "示例值"),
        "yes": "必填",
        "no": "选填",
        "example": "示例行不计入，可删除 · 金额以元为单位",
    },
    "en": {
        "sheet": "填报",
        "help": "Help",
        "codes": "代码表",
        "columns": ("column", "needed", "meaning", "may say", "example value"),
        "yes": "required",
        "no": "optional",
        "example": "The example row (示例) is not counted; money is in yuan",
    },
}


def csv_template(feed: Feed, specs: Sequence[FieldSpec]) -> bytes:
    """UTF-8 with mark: a heading line and an example line."""
    return (
        codecs.BOM_UTF8
        + csv_line(["序号", *(one.zh for one in specs)])
        + csv_line([EXAMPLE, *_example(feed, specs)])
    )


def xlsx_template(feed: Feed, specs: Sequence[FieldSpec], lang: Literal["zh", "en"]) -> bytes:
    """A workbook to fill in."""
    words = _WORDS[lang]
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(words["sheet"])
        helps = book.add_worksheet(words["help"])
        codes = book.add_worksheet(words["codes"])
        codes.hide()
        _write_sheet(book, sheet, codes, feed, specs, lang)
        _write_help(book, helps, feed, specs, lang)
    return out.getvalue()


def _write_sheet(
    book: Any, sheet: Any, codes: Any, feed: Feed, specs: Sequence[FieldSpec], lang: str
) -> None:
    head = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "text_wrap": True})
    need = book.add_format({"bold": True, "bg_color": "#FCE4D6", "border": 1, "text_wrap": True})
    grey = book.add_format({"italic": True, "font_color": "#7F7F7F", "num_format": "@"})
    text = book.add_format({"num_format": "@"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.freeze_panes(1, 0)
    sheet.write_string(0, 0, "序号", head)
    sheet.write_string(1, 0, EXAMPLE, grey)
    for at, (one, value) in enumerate(zip(specs, _example(feed, specs), strict=True), 1):
        form = day if one.kind == "date" else None if one.kind in ("money", "rate", "int") else text
        sheet.set_column(at, at, max(12, 2 * len(one.zh) + 4), form)
        sheet.write_string(0, at, one.zh, need if one.required else head)
        sheet.write_comment(0, at, _help(feed, one, lang)[:800])
        sheet.write_string(1, at, value, grey)
        choices = _choices(one)
        if choices:
            for row, choice in enumerate(choices):
                codes.write_string(row, at, choice)
            column = xlsxwriter.utility.xl_col_to_name(at)
            source = f"='{_WORDS[lang]['codes']}'!${column}$1:${column}${len(choices)}"
            rule = {"validate": "list", "source": source, "error_type": "warning"}
            sheet.data_validation(1, at, _ROWS, at, rule)


def _write_help(book: Any, sheet: Any, feed: Feed, specs: Sequence[FieldSpec], lang: str) -> None:
    words = _WORDS[lang]
    bold = book.add_format({"bold": True})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 22)
    sheet.set_column(2, 3, 60)
    sheet.write_string(0, 0, feed.title_zh if lang == "zh" else feed.title_en, bold)
    sheet.write_string(1, 0, words["example"])
    for at, word in enumerate(words["columns"]):
        sheet.write_string(3, at, word, bold)
    for row, (one, value) in enumerate(zip(specs, _example(feed, specs), strict=True), 4):
        for at, cell in enumerate(
            (
                one.zh,
                words["yes"] if one.required else words["no"],
                _help(feed, one, lang),
                "、".join(_choices(one)[:60]) or "、".join(one.headings[1:8]),
                value,
            )
        ):
            sheet.write_string(row, at, cell, wrap)


def _choices(one: FieldSpec) -> list[str]:
    """What a drop-down offers; the reader takes code and word together."""
    if one.kind == "bool":
        return ["是", "否"]
    if one.kind != "code":
        return []
    labels = shown_labels(one)
    return [
        f"{code} {labels[code]}" if code in labels else code
        for code in (one.codes or tuple(sorted(labels)))
    ]


def _help(feed: Feed, one: FieldSpec, lang: str) -> str:
    schema = msgspec.json.schema(feed.record)
    name = schema.get("$ref", "").rpartition("/")[2]
    definitions: dict[str, Any] = schema.get("$defs", {})
    properties = definitions.get(name, {}).get("properties", {})
    given = properties.get(one.name, {})
    description = given.get("description") or next(
        (part["description"] for part in given.get("anyOf", ()) if "description" in part), ""
    )
    zh, _, en = description.partition(" · ")
    return (en or zh) if lang == "en" else description or one.zh


def _example(feed: Feed, specs: Sequence[FieldSpec]) -> list[str]:
    return [cell_of(one, feed.example.get(one.name)) for one in specs]


def cell_of(one: FieldSpec, value: Any) -> str:
    """A record's value as a table states it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if one.kind == "list":
        return msgspec.json.encode(value).decode()
    return str(value)
