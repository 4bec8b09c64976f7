"""What can be wrong with one record or one field: code → words, over the problem's params."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Texts = Mapping[str, tuple[str, str]]

ROW_TEXTS: Final[Texts] = {
    "json-invalid": ("该行不是合法的 JSON：{reason}", "the line is not JSON: {reason}"),
    "utf8-invalid": ("该行不是合法的 UTF-8 文本", "the line is not UTF-8 text"),
    "record-too-long": ("记录超过上限 {limit} 字节", "longer than {limit} bytes"),
    "field-unknown": ("没有字段 {field}", "there is no field {field}"),
    "field-missing": ("缺少字段 {field}", "field {field} is missing"),
    "type-wrong": ("类型不符，应为 {expected}", "wrong type, expected {expected}"),
    "value-out-of-range": (
        "取值超出范围（{minimum} 至 {maximum}）",
        "out of range ({minimum} to {maximum})",
    ),
    "pattern-mismatch": ("格式不符，应为 {expected}", "wrong form, expected {expected}"),
    "check-digit-wrong": ("校验码有误，应为 {expected}", "check digit should be {expected}"),
    "org-check-digit": (
        "其中组织机构代码的校验码有误，应为 {expected}",
        "check digit of the organisation code inside should be {expected}",
    ),
    "length": ("长度不对，应为 {expected} 位", "wrong length, expected {expected} characters"),
    "characters": (
        "含有不允许的字符，应为 {expected}",
        "characters that cannot stand here, expected {expected}",
    ),
    "division": (
        "前几位不是有效的行政区划代码（应为 {expected}）",
        "the first digits name no province (expected {expected})",
    ),
    "authority": (
        "前两位不是有效的登记管理部门和机构类别代码",
        "the first two characters name no registering authority and type",
    ),
    "birth-date": ("号码中的出生日期不存在", "the birth date in the number does not exist"),
    "future-birth": (
        "号码中的出生日期晚于当前日期",
        "the birth date in the number lies in the future",
    ),
    "owner-suffix": (
        "由身份证号码构成的税务登记号应以 00（18位）或 00000（15位）结尾",
        "a tax number made of an identity number ends in 00 (18 digits) or 00000 (15)",
    ),
    "identity-invalid": ("公民身份号码有误：{reason}", "not a valid identity number: {reason}"),
    "period-mismatch": (
        "{value} 不属于所报期间（应为 {expected}）",
        "{value} does not belong to the period delivered (expected {expected})",
    ),
    "unit-unknown": ("没有填报单位 {value}", "there is no reporting unit {value}"),
    "unit-not-yours": (
        "填报单位 {value} 不在您的令牌范围内",
        "your token does not cover reporting unit {value}",
    ),
    "date-in-future": (
        "日期 {value} 晚于 {limit}",
        "the date {value} is later than {limit}",
    ),
    "date-out-of-order": (
        "日期 {value} 早于 {limit}",
        "the date {value} is earlier than {limit}",
    ),
    "money-invalid": (
        "金额 {value} 有误，应以元为单位、至多两位小数",
        "{value} is not an amount in yuan with at most two decimals",
    ),
    "code-unknown": ("代码 {value} 不在代码表内", "the code {value} is not in the list"),
    "key-missing": (
        "缺少可识别的编号（{expected} 至少一项）",
        "nothing to identify it by (at least one of {expected})",
    ),
    "employer-unknown": (
        "单位编号 {value} 尚未登记，记录暂存，登记后自动处理",
        "employer {value} is not registered yet; the record is held until it is",
    ),
    "parameter-invalid": ("参数有误：{reason}", "invalid parameter: {reason}"),
}
"""Codes of errors in records and parameters; a feed may add its own (``Feed.texts``)."""

_ALIASES: Final = {"check-digit": "check-digit-wrong"}


class _Params(dict[str, str]):
    """Template values; what is missing shows as a dash."""

    def __missing__(self, key: str) -> str:
        return "—"


def public_code(code: str) -> str:
    """The code as the API shows it: hyphens, and one name for one thing (``check_digit`` of
    ``shared.identifiers`` is ``check-digit-wrong``)."""
    hyphened = code.replace("_", "-")
    return _ALIASES.get(hyphened, hyphened)


def fill(template: str, params: Mapping[str, object]) -> str:
    """The template with its params; never raises for a missing one."""
    return template.format_map(_Params({key: str(value) for key, value in params.items()}))


def row_text(
    code: str, params: Mapping[str, object], texts: Texts | None = None
) -> tuple[str, str]:
    """Words for an error in a record or field, ``(zh, en)``; an unlisted code stands for itself.

    ``texts`` (a feed's own) is asked first.
    """
    shown = public_code(code)
    found = (texts or {}).get(code) or (texts or {}).get(shown) or ROW_TEXTS.get(shown)
    zh, en = found if found is not None else (shown, shown)
    return fill(zh, params), fill(en, params)
