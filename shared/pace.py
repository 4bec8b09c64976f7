"""How often Python looks for garbage in a serving process.

Batches are thousands of small tuples that live for a moment and form no cycles; with Python's own
thresholds the collector walks them some ten times before they are gone, a third of the CPU of
applying a delivery (docs/decisions/0018). What a process has loaded when it starts to serve stays
for ever and is not walked at all.
"""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 100_000
"""Objects made (less those freed) before the young ones are looked through; a few megabytes."""
_OLDER: Final = (50, 100)


def collect_seldom() -> None:
    """Set this process's collector for work in batches. Call it once all is loaded; may be
    repeated."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *_OLDER)
