"""The HTTP door to the register."""

from __future__ import annotations

from fastapi import APIRouter

from enrollment.register.api.applications import router as applications
from enrollment.register.api.counts import router as counts
from enrollment.register.api.entries import router as entries
from enrollment.register.api.findings import router as findings

router = APIRouter()
for _part in (entries, counts, applications, findings):
    router.include_router(_part)
