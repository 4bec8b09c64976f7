"""One bearer token per role of the demo, in ``DATA_DIR/tokens.json`` (mode 0600)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from kuomian.data_dir import write_private
from shared.auth import DEPARTMENTS, Issuer
from shared.plan import Plan

LIFETIME = timedelta(days=365)


def tokens_path(data_dir: Path) -> Path:
    """Where the tokens lie."""
    return data_dir / "tokens.json"


def write_tokens(data_dir: Path, plan: Plan) -> dict[str, str]:
    """Make and keep a token for every department, and one for each reporting unit of the plan
    (``unit-210502``). Returns role → token."""
    issuer = Issuer(data_dir)
    tokens = {
        department: issuer.token(f"{department}@demo", department, lifetime=LIFETIME)
        for department in sorted(DEPARTMENTS - {"unit"})
    }
    for unit in plan.units:
        tokens[f"unit-{unit.code}"] = issuer.token(
            f"unit-{unit.code}@demo", "unit", [unit.code], LIFETIME
        )
    write_private(tokens_path(data_dir), json.dumps(tokens, indent=1) + "\n")
    return tokens
