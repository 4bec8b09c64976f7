"""Changing keys at rest: the database and keys of one service, or those of the data folder."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kuomian import data_dir as folder
from kuomian.services import all_services, get_service
from kuomian.words import Failure
from shared.crypto import Secrecy
from shared.database import Database
from shared.embedded import EmbeddedPostgres
from shared.reencrypt import Progress, Rewritten, reencrypt, sealed_columns
from shared.service import Service
from shared.settings import load_settings, parse_keys


async def reencrypt_one(name: str, progress: Progress) -> tuple[int, list[Rewritten]]:
    """The service's database in DATABASE_URL with the keys in DATA_KEYS; returns the newest
    version and what became of each column."""
    service = get_service(name)
    settings = load_settings()
    url = settings.database_direct_url or settings.database_url
    if url is None:
        raise Failure("未设置 DATABASE_URL · DATABASE_URL is not set")
    secrecy = Secrecy(settings.data_key_ring, {})
    return _newest(secrecy), await _rewritten(url.get_secret_value(), service, secrecy, progress)


async def reencrypt_all(data_dir: Path, progress: Progress) -> tuple[int, list[Rewritten]]:
    """The embedded databases, served or not, with DATA_KEYS or the keys in the folder."""
    settings = load_settings()
    ring = settings.data_key_ring or parse_keys(folder.keys(data_dir)["data_keys"])
    secrecy = Secrecy(ring, {})
    postgres = EmbeddedPostgres(data_dir)
    found: list[Rewritten] = []
    try:
        await asyncio.to_thread(postgres.start)
        for service in all_services():
            database = service.name.replace("-", "_")
            if sealed_columns(service):
                url = postgres.url(database, database)
                found += await _rewritten(url, service, secrecy, progress)
    finally:
        await asyncio.to_thread(postgres.stop)
    return _newest(secrecy), found


async def _rewritten(
    url: str, service: Service, secrecy: Secrecy, progress: Progress
) -> list[Rewritten]:
    database = Database(url, pool_size=2, name="reencrypt")
    try:
        return await reencrypt(database, service, secrecy, progress)
    finally:
        await database.close()


def _newest(secrecy: Secrecy) -> int:
    if secrecy.newest_version is None:
        raise Failure("未设置 DATA_KEYS · DATA_KEYS is not set")
    return secrecy.newest_version
