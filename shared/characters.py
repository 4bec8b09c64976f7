"""Characters as offices write them: widths, compatibility forms, traditional forms. Pure.

The traditional forms are those of OpenCC's tables (``t2s``, and for 衞 and the like ``hk2s``),
character by character, so that a word's neighbours never change what becomes of it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

import opencc

_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad]")
_FIGURES: Final = {ord("壹"): "一", ord("貳"): "二"}
"""As sums and days are written by hand."""
_FIRST: Final = 0x4E00
_AFTER_LAST: Final = 0xA000
"""CJK unified ideographs; rarer blocks hold nothing offices type."""


def narrow(text: str) -> str:
    """Full width to half, compatibility forms to plain ones, invisible characters away, ends
    trimmed."""
    if text.isascii():
        return text.strip()
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()


def simplified(text: str) -> str:
    """Traditional characters in their simplified form; simplified ones stay. Idempotent."""
    return text if text.isascii() else text.translate(_simplified())


@cache
def _simplified() -> dict[int, str]:
    """Traditional character → its simplified form; made once per process, some 20 ms."""
    characters = [chr(code) for code in range(_FIRST, _AFTER_LAST)]
    forms: dict[str, str] = {}
    for table in ("hk2s", "t2s"):
        converted = opencc.OpenCC(table).convert("\n".join(characters)).split("\n")
        pairs = zip(characters, converted, strict=True)
        forms.update({one: form for one, form in pairs if form != one})
    # A form may itself have one (薴, 苧, 苎): the last one counts.
    return {ord(one): forms.get(form, form) for one, form in forms.items()} | _FIGURES
