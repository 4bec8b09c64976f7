"""What each service of the file is here; pure."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from kuomian.compose import ComposeService

POSTGRES: Final = "postgres"
KAFKA: Final = "kafka"
GATEWAY: Final = "gateway"
OUTSIDE: Final = (POSTGRES, KAFKA)
"""Servers of others, started and stopped in ways of their own."""


def serves(service: ComposeService) -> bool:
    """Whether it is a process of ours that answers."""
    return service.command[:1] == ("serve",) or service.name == GATEWAY


def parts_of(service: ComposeService) -> list[str]:
    """The names of its processes."""
    if service.scale == 1:
        return [service.name]
    return [f"{service.name}-{no}" for no in range(1, service.scale + 1)]


def apis(gateway: ComposeService) -> list[str]:
    """The services behind it: those it waits for."""
    return [name.removesuffix("-api") for name in gateway.depends_on]


def options(command: tuple[str, ...]) -> dict[str, str]:
    """``postgres -c name=value …`` as settings."""
    given = (word for flag, word in pairwise(command) if flag == "-c")
    return dict(word.split("=", 1) for word in given)
