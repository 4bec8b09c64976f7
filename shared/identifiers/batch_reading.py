"""``read`` over a whole batch: what the sieves clear is its own normal form, the rest is read one
by one. So both agree by construction, and only what needs repair, is wrong or has a note costs
more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from shared.identifiers.batch import cleared
from shared.identifiers.reading import Kind, Reading, read


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
    return {place: read(kind, value, as_of) for place, value in others}
