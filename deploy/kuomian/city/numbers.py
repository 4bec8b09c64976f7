"""Made numbers in bulk: identity numbers that are not issued, codes for private use."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from kuomian.city.shape import COUNTY_PREFIXES
from shared.identifiers import make_org_code, make_reg_no

_EPOCH = date(1910, 1, 1)
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
_CHECKS = np.frombuffer(b"10X98765432", dtype=np.uint8)
_FIRST_ORDER, _ORDERS = 980, 16
LAST_ORG_CODE = 99_999


class IdentityNumbers:
    """Hands out distinct made identity numbers: county prefix, birth date, order 980–995."""

    def __init__(self) -> None:
        self._next: dict[tuple[int, int, int], int] = {}

    def take(
        self, birth_days: NDArray[np.int64], male: NDArray[np.bool_], prefix: str
    ) -> list[str]:
        """One number per person; ``birth_days`` counts days from 1910-01-01.

        The eight order numbers of one sex, prefix and day may run out; the birth date then
        moves on a day.
        """
        first = COUNTY_PREFIXES.index(prefix)
        rows = np.empty((len(birth_days), 17), dtype=np.uint8)
        for at, (day, is_male) in enumerate(zip(birth_days.tolist(), male.tolist(), strict=True)):
            rows[at] = np.frombuffer(self._first17(first, day, is_male), dtype=np.uint8)
        checks = _CHECKS[((rows.astype(np.int64) - 48) @ _WEIGHTS) % 11]
        whole = np.concatenate([rows, checks[:, None]], axis=1)
        return [line.decode() for line in whole.view("S18").ravel().tolist()]

    def _first17(self, prefix: int, day: int, male: bool) -> bytes:
        while True:
            for offset in range(len(COUNTY_PREFIXES)):
                which = (prefix + offset) % len(COUNTY_PREFIXES)
                slot = (which, day, int(male))
                taken = self._next.get(slot, 0)
                if taken < _ORDERS // 2:
                    self._next[slot] = taken + 1
                    order = _FIRST_ORDER + 2 * taken + (1 if male else 0)
                    born = (_EPOCH + timedelta(days=day)).strftime("%Y%m%d")
                    return f"{COUNTY_PREFIXES[which]}{born}{order}".encode()
            day += 1


def day_number(on: date) -> int:
    """Days from the epoch that ``IdentityNumbers`` counts in."""
    return (on - _EPOCH).days


def org_code(number: int) -> str:
    """The ``number``-th private-use organisation code, PDY00001… (GB 11714)."""
    if not 1 <= number <= LAST_ORG_CODE:
        raise ValueError("made organisation codes are PDY00001 to PDY99999")
    return make_org_code(f"PDY{number:05d}")


def licence_no(office: str, household: bool, number: int) -> str:
    """A 15-digit registration number (GS 15-2006): office, kind digit, sequence, check."""
    kind = "6" if household else "2"
    return make_reg_no(f"{office}{kind}{number:07d}")


def wrong_check(value: str) -> str:
    """The same number with a check character that is certainly wrong."""
    last = value[-1]
    return value[:-1] + ("1" if last != "1" else "2")
