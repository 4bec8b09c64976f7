"""Serving processes look for garbage seldom, and still find it."""

import gc
import subprocess
import sys

SEEN = """
import gc
from shared.pace import YOUNG, collect_seldom
before = gc.get_freeze_count()
collect_seldom()
assert gc.get_threshold()[0] == YOUNG and gc.isenabled()
assert gc.get_freeze_count() > before
class Knot:
    pass
import weakref
knot = Knot(); knot.itself = knot; watch = weakref.ref(knot); del knot
for _ in range(60):
    kept = [[] for _ in range(YOUNG)]
assert watch() is None, "a cycle was never found"
"""


def test_a_cycle_is_found_though_seldom_looked_for() -> None:
    # In a process of its own: what it sets holds for a whole process.
    subprocess.run([sys.executable, "-c", SEEN], check=True, timeout=60)
    assert gc.get_threshold()[0] < 100_000
