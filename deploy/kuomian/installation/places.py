"""Where on this machine is what the file calls by a container's name or path; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """``addresses``: ``postgres:5432`` → ``127.0.0.1:40123``; ``paths``: a container's file or
    folder → one of this machine."""

    addresses: Mapping[str, str]
    paths: Mapping[str, str]

    def here(self, text: str) -> str:
        """The text with every such name replaced, whole names only."""
        for name, address in self.addresses.items():
            text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?!\d)", address, text)
        for path in sorted(self.paths, key=len, reverse=True):
            whole = rf"(?<![\w./-]){re.escape(path)}(?![\w.-])"
            text = re.sub(whole, self.paths[path].replace("\\", r"\\"), text)
        return text

    def all_here(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Each of the texts."""
        return tuple(map(self.here, texts))

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Each value."""
        return {name: self.here(value) for name, value in given.items()}


def mounts(volumes: Iterable[str], checkout: Path, named: Mapping[str, Path]) -> dict[str, str]:
    """The paths of a service's volumes: files of the checkout, and named volumes that have a
    folder here; others are left out."""
    found = {}
    for volume in volumes:
        source, path = volume.split(":")[:2]
        if source.startswith("."):
            found[path] = str(checkout / source)
        elif source in named:
            found[path] = str(named[source])
    return found
