"""The one MetaData of reporting's tables; each capability's ``models`` declares its own on it."""

from __future__ import annotations

from sqlalchemy import MetaData

metadata = MetaData()
