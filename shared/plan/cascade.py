"""The breakdown of a target: the parts must sum to at least the whole (O21, F39). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Line: TypeAlias = Literal["duty", "stretch"]


@dataclass(frozen=True, slots=True)
class CascadeCheck:
    """Whole against parts, in the measure's quantity (persons or fen).

    ``difference`` is parts minus whole, so a negative one is what nobody has taken on;
    ``missing`` names the units that have no figure of their own.
    """

    measure: str
    line: Line
    city: int
    parts_sum: int
    missing: tuple[str, ...] = ()

    @property
    def difference(self) -> int:
        return self.parts_sum - self.city

    @property
    def ok(self) -> bool:
        return self.difference >= 0


def check_cascade(
    measure: str, line: Line, city: int, parts: Mapping[str, int | None]
) -> CascadeCheck:
    """Compare the city's figure with its units'; a unit without one adds nothing and is named."""
    known = [part for part in parts.values() if part is not None]
    missing = tuple(unit for unit, part in parts.items() if part is None)
    return CascadeCheck(measure, line, city, sum(known), missing)
