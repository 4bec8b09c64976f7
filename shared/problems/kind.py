"""What a kind of problem is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of refusal. ``retry_after`` is in seconds, sent as ``Retry-After``."""

    code: str
    status: int
    title_zh: str
    title_en: str
    detail_zh: str
    detail_en: str
    retry_after: int | None = None
