"""The way in: read the plan a process works by."""

from __future__ import annotations

from pathlib import Path

from shared.plan.document import PlanError
from shared.plan.model import DEFAULT_PLAN, Plan

__all__ = ["PlanError", "load_plan"]


def load_plan(path: Path | None = None) -> Plan:
    """The plan in the file; the built-in one (Benxi 2008) when no file is named.

    Raises PlanError naming the file, the line and the place of everything wrong with it.
    """
    return Plan.default() if path is None or path == DEFAULT_PLAN else Plan.read(path)
