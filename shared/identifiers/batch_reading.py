"""``read`` over a whole batch: what the sieves clear is its own normal form. So do they with two
notations that whole lists come in: the hyphen printed in an organisation code, the 15 digits of the
first cards. The rest is read one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np

from shared.identifiers.batch import cleared
from shared.identifiers.check_digits import DIGITS, identity_check
from shared.identifiers.reading import Kind, Reading, Repair, RepairRule, read

_HYPHENED: Final = 10
_FIRST_CARD: Final = 15


def read_others(
    kind: Kind, values: Sequence[str | None], as_of: date | None = None
) -> dict[int, Reading]:
    """``read`` of each value that is not right as it stands, by index. None, where a record has
    no such number, is right; so is whatever is not named."""
    given = [value for value in values if value is not None]
    clear = cleared(kind, given, as_of)
    if clear.all():
        return {}
    places = [at for at, value in enumerate(values) if value is not None]
    others = [(places[index], given[index]) for index in np.flatnonzero(~clear).tolist()]
    usual = _usually_written(kind, [value for _, value in others], as_of)
    return {at: usual.get(value) or read(kind, value, as_of) for at, value in others}


def _usually_written(kind: Kind, values: Sequence[str], as_of: date | None) -> dict[str, Reading]:
    """The values one usual repair makes right, with nothing to note of them."""
    if kind not in _USUAL:
        return {}
    rule, plain = _USUAL[kind]
    written = [(value, form) for value in values if (form := plain(value)) is not None]
    clear = cleared(kind, [form for _, form in written], as_of).tolist()
    return {
        value: Reading(form, None, (Repair(rule, value, form),))
        for (value, form), right in zip(written, clear, strict=True)
        if right
    }


def _without_hyphen(value: str) -> str | None:
    return value[:8] + value[9] if len(value) == _HYPHENED and value[8] == "-" else None


def _in_eighteen(value: str) -> str | None:
    if len(value) != _FIRST_CARD or value.strip(DIGITS):
        return None
    body = value[:6] + "19" + value[6:]
    return body + identity_check(body)


_USUAL: Final[Mapping[Kind, tuple[RepairRule, Callable[[str], str | None]]]] = {
    "org-code": ("marks", _without_hyphen),
    "identity-no": ("eighteen-digits", _in_eighteen),
}
