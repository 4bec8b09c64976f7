"""Small disks of their own, really full when a test says so.

A tmpfs is mounted where the test wants it: writing to it fails as on any full disk (ENOSPC), and
nothing else on this machine is short of room. Mounting takes root, or whatever else gives
CAP_SYS_ADMIN; where it is not allowed the tests are skipped and say so.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


class Disk:
    """A mounted disk of a fixed size."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    @property
    def free_bytes(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, leaving: int = 0) -> None:
        """Take all room but ``leaving`` bytes."""
        with self._ballast.open("ab") as file:
            while (size := self.free_bytes - leaving) > 0:
                # Others are writing meanwhile: then it is less than it was.
                with suppress(OSError):
                    os.posix_fallocate(file.fileno(), file.seek(0, 2), size)

    def make_room(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Disk]:
    """Mount a disk of that size on an empty folder, for as long as the block lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={mebibytes}m,mode=0755"
    mount = ["mount", "-t", "tmpfs", "-o", options, "kuomian-faults", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a small disk cannot be mounted here: {error}")
    try:
        yield Disk(folder)
    finally:
        # Lazily: whoever still has a file open there must not keep the test run from ending.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
