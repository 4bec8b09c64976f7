"""Waiting that ends when the work has to stop."""

import asyncio
import contextlib


async def pause(stop: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until ``stop``; returns whether to go on (not stopped)."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return not stop.is_set()


class Patience:
    """Waits that double from ``first`` to ``longest`` seconds while something stays away."""

    def __init__(self, first: float = 0.1, longest: float = 10.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def restore(self) -> None:
        """It worked: the next trouble begins with the shortest wait."""
        self._next = self._first

    async def wait(self, stop: asyncio.Event) -> bool:
        """Wait before trying again; returns whether to go on (not stopped)."""
        seconds = self._next
        self._next = min(self._next * 2, self._longest)
        return await pause(stop, seconds)
