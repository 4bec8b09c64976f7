"""Characters as offices write them: widths, spaces, traditional forms. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_PAIRS: Final = (
    "單单萬万圓元險险養养費费稅税號号碼码證证註注冊册業业務务機机構构組组織织統统會会員员類类別别"
    "應应徵征實实繳缴計计總总備备狀状態态時时間间變变銷销設设開开發发頒颁審审驗验諾诺書书區区縣县"
    "鎮镇鄉乡門门體体戶户個个農农靈灵飲饮築筑運运輸输勞劳動动資资額额餘余後后無无來来這这現现續续"
    "離离職职轉转終终斷断國国內内聯联營营請请經经辦办電电話话負负責责製制數数歲岁產产條条準准華华"
    "龍龙報报說说明明納纳識识參参達达從从執执標标記记預预當当欄栏補补遷迁減减增增貳贰參参陸陆億亿"
    "檢检查查滿满須须賬账帳账關关係系項项種种級级為为與与並并屬属優优貧贫殘残農农紙纸據据憑凭劃划"
    "劃划匯汇調调環环溪溪樓楼廠厂礦矿鋼钢鐵铁鋪铺廳厅館馆學学醫医藥药銀银衛卫環环車车馬马興兴榮荣"
    "豐丰順顺達达東东廣广長长紅红藍蓝綠绿銷销貿贸結结構构範范圍围歷历遼辽寧宁連连選选舉举壹一貳二"
)
_SIMPLIFIED: Final = {
    ord(_PAIRS[i]): _PAIRS[i + 1] for i in range(0, len(_PAIRS), 2) if _PAIRS[i] != _PAIRS[i + 1]
}
"""Only what headings, units and codes are written with; names are left as they are."""

_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad]")
_BRACKETED: Final = re.compile(r"[(\[【〔<][^()\[\]【】〔〕<>]*[)\]】〕>]")
_PLAIN: Final = re.compile(r"[^\w一-鿿㐀-䶿]|_")

NOTHING: Final = frozenset(
    {
        "",
        "-",
        "--",
        "---",
        "—",
        "——",
        "–",
        "―",
        "/",
        "//",
        "\\",
        "无",
        "無",
        "空",
        "…",
        "……",
        "...",
        "n/a",
        "na",
        "null",
        "none",
        "未填",
        "──",
    }
)
"""Cells that state nothing: not a zero."""


def narrow(text: str) -> str:
    """Full width to half, compatibility forms to plain ones, invisible characters away, ends
    trimmed."""
    if text.isascii():
        return text.strip()
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()


def simplified(text: str) -> str:
    """Traditional characters of office language in their simplified form."""
    return text if text.isascii() else text.translate(_SIMPLIFIED)


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """A heading or label as it is compared: no width, spaces, marks, brackets or tradition."""
    plain = simplified(narrow(text)).lower()
    without = _BRACKETED.sub("", plain)
    return _PLAIN.sub("", without) or _PLAIN.sub("", plain)


_HINT: Final = re.compile(
    r"(?:(?:计量|金额|货币)?单位:?)?"
    r"(?:%|(?:人民币)?[十百千万亿]*[元圆]?|[十百千万亿]*(?:人次?|户次?|个|家|名|位|件|笔|份|天))"
    r"|必填项?|选填项?|可选|可空|代码|编码|文本|是/否|是或否|是否"
    r"|\d{1,2}(?:或\d{1,2})?位(?:数字|字符|代码)?|[yYmMdD年月日.\-/]{3,}|\d{4}-\d{2}(?:-\d{2})?"
)
"""What in a heading's brackets says nothing of what the column is about."""


def is_hint(words: str) -> bool:
    """Whether a heading's bracket holds units (万元、人), 必填, 选填 or a hint of the form only."""
    parts = re.split(r"[、,;\s]+", words.strip())
    return all(_HINT.fullmatch(part) for part in parts)


def in_brackets(text: str) -> list[str]:
    """What stands in a heading's brackets, in order."""
    plain = simplified(narrow(text)).lower()
    return [one[1:-1] for one in _BRACKETED.findall(plain)]


@lru_cache(maxsize=4096)
def heading_key(text: str) -> str:
    """A column's heading as it is compared: ``folded``, but with what brackets say of it.
    欠费余额（上年同期） is not 欠费余额; 欠费余额（万元） is."""
    plain = simplified(narrow(text)).lower()
    hints_away = _BRACKETED.sub(lambda one: "" if is_hint(one[0][1:-1]) else one[0], plain)
    return _PLAIN.sub("", hints_away) or _PLAIN.sub("", plain)


def states_nothing(text: str) -> bool:
    """Whether a cell says that nothing is stated ("—", "无", "/")."""
    return len(text) <= 4 and (text in NOTHING or narrow(text).lower() in NOTHING)


_COLUMN_LETTERS: Final = 26


def column_name(index: int) -> str:
    """A column as spreadsheets name it: 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, _COLUMN_LETTERS)
        name = chr(ord("A") + rest) + name
    return name
