"""What the server's socket promises."""

import asyncio
import socket

from kuomian.server import bind


async def test_answers_are_not_held_back() -> None:
    """Nagle's algorithm is off on every connection: else an answer on a kept one waits some 40 ms
    for the caller's acknowledgement."""
    seen: asyncio.Queue[int] = asyncio.Queue()

    def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken = writer.get_extra_info("socket")
        seen.put_nowait(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    server = await asyncio.start_server(connected, sock=bind("127.0.0.1", 0))
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await asyncio.wait_for(seen.get(), 10) == 1
        writer.close()
