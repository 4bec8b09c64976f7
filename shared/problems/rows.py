"""What can be wrong with one field of a request: code → words, over the problem's params.

What can be wrong with a *record* of a delivery has its words in ``shared.deliveries.texts`` and
the feeds themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Texts = Mapping[str, tuple[str, str]]

FIELD_TEXTS: Final[Texts] = {
    "field-missing": ("缺少 {field}", "{field} is missing"),
    "field-unknown": ("没有字段 {field}", "there is no field {field}"),
    "type-wrong": ("类型不符，应为 {expected}", "wrong type, expected {expected}"),
    "value-out-of-range": (
        "取值超出范围（{minimum} 至 {maximum}）",
        "out of range ({minimum} to {maximum})",
    ),
    "pattern-mismatch": ("格式不符，应为 {expected}", "wrong form, expected {expected}"),
    "parameter-invalid": ("有误：{reason}", "invalid: {reason}"),
}
"""Codes in ``errors`` of a ``parameter-invalid`` problem."""


class _Params(dict[str, str]):
    """Template values; what is missing shows as a dash."""

    def __missing__(self, key: str) -> str:
        return "—"


def fill(template: str, params: Mapping[str, object]) -> str:
    """The template with its params; never raises for a missing one."""
    return template.format_map(_Params({key: str(value) for key, value in params.items()}))


def field_text(
    code: str, params: Mapping[str, object], texts: Texts | None = None
) -> tuple[str, str]:
    """Words for an error, ``(zh, en)``, from ``texts`` else from here; an unlisted code stands
    for itself."""
    zh, en = (texts or {}).get(code) or FIELD_TEXTS.get(code) or (code, code)
    return fill(zh, params), fill(en, params)
