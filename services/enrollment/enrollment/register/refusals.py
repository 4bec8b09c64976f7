"""Grounds nobody may be refused for (O82):
「不得以户籍不在本地、年龄偏大、缴费年限短等理由拒绝接收」.

Pure. Both lists are the plan's (``refusal-reasons``, ``forbidden-refusals``): a reason is one of
the first, and no words around it may say one of the second.
"""

from __future__ import annotations

import re
import unicodedata

from shared.plan import Plan

REASONS = "refusal-reasons"
FORBIDDEN = "forbidden-refusals"
_BETWEEN = re.compile(r"[\W_]+")


def forbidden_ground(plan: Plan, reason: str | None, note: str | None) -> str | None:
    """The code of the forbidden ground that reason or note come to, None if they do not. Width,
    spaces and punctuation between the words of a note do not hide one."""
    if reason is not None and plan.find_code(FORBIDDEN, reason) is not None:
        return reason
    said = [
        _BETWEEN.sub("", unicodedata.normalize("NFKC", text)) for text in (reason, note) if text
    ]
    for code in plan.codes(FORBIDDEN):
        if any(phrase in text for phrase in (code.zh, *code.phrases) for text in said):
            return code.code
    return None
