"""The folder of the all-in-one: where it lies, and the keys made for it at the first start.

DATA_DIR/
  postgres/ server.json postgres.log   the embedded PostgreSQL
  issuer/key.json                      signs tokens (0600)
  keys.json                            keys at rest, of keyed hashes and of receipts (0600)
  clock.json                           the demo clock
  tokens.json                          one token per role of the demo (0600)
  demo/                                what the demo loaded, and its log
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from pathlib import Path

from shared.settings import KEY_BYTES
from shared.settings import default_data_dir as installed_data_dir

KEYS = ("data_keys", "hash_keys", "receipt_signing_keys")
"""Settings whose keys are made at the first start."""
CHECKOUT = Path(__file__).resolve().parents[2]


class DataDirError(Exception):
    """The data folder cannot be used; the text says why."""


def default_data_dir() -> Path:
    """``.data`` in the checkout; ``/var/tmp/kuomian-…`` when we are root and the checkout lies
    where the embedded server's own user cannot go, as in a home folder; outside a checkout
    what the settings say."""
    if not (CHECKOUT / "pyproject.toml").is_file():
        return installed_data_dir()
    if os.geteuid() != 0 or _open_to_everyone(CHECKOUT):
        return CHECKOUT / ".data"
    digest = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"kuomian-{digest}"  # noqa: S108 - ownership is checked below


def prepare(data_dir: Path) -> Path:
    """Make the folder, passable for the embedded server's user. Raises DataDirError when it
    belongs to somebody else or cannot be made."""
    data_dir = data_dir.absolute()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        status = data_dir.stat()
        if data_dir.is_symlink() or status.st_uid != os.geteuid():
            raise DataDirError(
                f"{data_dir} 属于他人 · {data_dir} belongs to somebody else: set DATA_DIR"
            )
        if os.geteuid() == 0:
            data_dir.chmod(status.st_mode | 0o111)
    except OSError as error:
        raise DataDirError(f"{data_dir}: {error.strerror}") from error
    return data_dir


def keys(data_dir: Path) -> dict[str, str]:
    """``KEYS`` as the settings take them; made once, kept with mode 0600. One that a folder of an
    earlier release lacks is added.

    Whoever loses this file loses the raw bodies and identity columns with it.
    """
    path = data_dir / "keys.json"
    kept: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    missing = [name for name in KEYS if name not in kept]
    if missing:
        kept |= {name: f"1:{new_key()}" for name in missing}
        write_private(path, json.dumps(kept, indent=1))
    return kept


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_text(text, "utf-8")
    part.replace(path)


def new_key() -> str:
    """A key of 32 bytes at random, in base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _open_to_everyone(folder: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))
