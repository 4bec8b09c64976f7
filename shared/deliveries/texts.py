"""Words for row problems, zh and en: the feed's own, those of this package, then the shared ones
of ``shared.problems.rows``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from shared.deliveries.checks import CHECK_TEXTS
from shared.deliveries.feed import Feed, RowProblem
from shared.deliveries.tables.texts import CELL_TEXTS
from shared.problems import field_error

ROW_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    **CHECK_TEXTS,
    **CELL_TEXTS,
    "json-invalid": ("不是合法的 JSON 对象：{reason}", "not a JSON object: {reason}"),
    "utf8-invalid": ("第 {byte} 字节起不是 UTF-8", "not UTF-8 from byte {byte}"),
    "record-too-long": ("记录超过 {limit} 字节", "longer than {limit} bytes"),
    "length": ("长度不符，应为 {expected}", "wrong length, expected {expected}"),
    "date-invalid": ("日期无效，应为 YYYY-MM-DD", "not a date, expected YYYY-MM-DD"),
    "control-character": (
        "含有不允许的控制字符（NUL）",
        "contains a control character that cannot be kept (NUL)",
    ),
    "record-withdrawn": ("所在报送已撤回", "its delivery was withdrawn"),
    "record-replaced": ("已被之后的全量名单取代", "a full list replaced it since"),
    "record-refused": (
        "暂挂期间由 {department} 退回：{reason}",
        "rejected by {department} while it was held: {reason}",
    ),
    "record-unusable": (
        "该记录未能处理，系本系统原因，已报运维人员（编号 {reference}）",
        "the record could not be processed through a fault of ours; operators have been told "
        "(reference {reference})",
    ),
}
"""Code → (zh, en) over ``RowProblem.params``."""


def described(feed: Feed, problems: Iterable[RowProblem]) -> list[dict[str, Any]]:
    """Problems as answers show them: ``pointer``, ``code``, ``zh``, ``en``."""
    texts = {**ROW_TEXTS, **feed.texts}
    return [asdict(field_error(one.code, one.pointer, one.params, texts=texts)) for one in problems]
