"""What can be wrong with one record or one field: code → words, over the problem's params.

A feed adds codes of its own (``Feed.texts``); those of receiving itself stand in
``shared.deliveries.texts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Texts = Mapping[str, tuple[str, str]]

ROW_TEXTS: Final[Texts] = {
    "json-invalid": ("不是合法的 JSON：{reason}", "not JSON: {reason}"),
    "utf8-invalid": ("不是合法的 UTF-8 文本（第 {byte} 字节起）", "not UTF-8 (from byte {byte})"),
    "record-too-long": ("记录超过上限 {limit} 字节", "longer than {limit} bytes"),
    "field-unknown": ("没有字段 {field}", "there is no field {field}"),
    "field-missing": ("缺少 {field}", "{field} is missing"),
    "type-wrong": ("类型不符，应为 {expected}", "wrong type, expected {expected}"),
    "length": ("长度不符，应为 {expected}", "wrong length, expected {expected}"),
    "value-out-of-range": (
        "取值超出范围（{minimum} 至 {maximum}）",
        "out of range ({minimum} to {maximum})",
    ),
    "amount-negative": (
        "金额 {value} 元小于 {minimum} 元",
        "the amount {value} is below {minimum}",
    ),
    "pattern-mismatch": ("格式不符，应为 {expected}", "wrong form, expected {expected}"),
    "check-digit-wrong": ("校验码有误，应为 {expected}", "check digit should be {expected}"),
    "identifier-invalid": ("号码有误：{zh}", "not a valid number: {en}"),
    "identity-differs": (
        "与身份证号中的不一致",
        "differs from what stands in the identity number",
    ),
    "division-never-existed": ("号码有误：{zh}", "not a valid number: {en}"),
    "period-mismatch": (
        "{value} 不属于所报期间 {limit}",
        "{value} does not belong to the period delivered, {limit}",
    ),
    "unit-unknown": ("没有填报单位 {value}", "there is no reporting unit {value}"),
    "unit-not-yours": (
        "填报单位 {value} 不在您的令牌范围内",
        "your token does not cover reporting unit {value}",
    ),
    "date-in-future": ("日期 {value} 晚于 {limit}", "the date {value} is later than {limit}"),
    "money-invalid": (
        "金额有误，应以元为单位、至多两位小数",
        "not an amount in yuan with at most two decimals",
    ),
    "code-unknown": ("代码 {value} 不在代码表内", "the code {value} is not in the list"),
    "key-missing": ("缺少可识别该记录的号码", "nothing to identify the record by"),
    "employer-unknown": (
        "单位编号 {value} 尚未登记，记录暂挂，登记后自动再审",
        "employer {value} is not registered yet; the record is held until it is",
    ),
    "parameter-invalid": ("有误：{reason}", "invalid: {reason}"),
}
"""Codes in ``errors`` of problems and in the problems of records."""


class _Params(dict[str, str]):
    """Template values; what is missing shows as a dash."""

    def __missing__(self, key: str) -> str:
        return "—"


def fill(template: str, params: Mapping[str, object]) -> str:
    """The template with its params; never raises for a missing one."""
    return template.format_map(_Params({key: str(value) for key, value in params.items()}))


def row_text(
    code: str, params: Mapping[str, object], texts: Texts | None = None
) -> tuple[str, str]:
    """Words for an error, ``(zh, en)``, from ``texts`` else from here; an unlisted code stands
    for itself."""
    zh, en = (texts or {}).get(code) or ROW_TEXTS.get(code) or (code, code)
    return fill(zh, params), fill(en, params)
