"""A server that answers at once, but for some stalls: then it holds every answer to their end.

Run as ``python stalling_server.py [FROM_S UNTIL_S]...``, in seconds after the first request
that carries a request id; prints its port.
"""

from __future__ import annotations

import asyncio
import sys

TIMES = [float(time) for time in sys.argv[1:]]
STALLS = list(zip(TIMES[::2], TIMES[1::2], strict=True))
BEGUN: list[float] = []
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    now = asyncio.get_running_loop().time
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if not BEGUN and b"x-request-id" in head.lower():
                BEGUN.append(now())
            since_s = now() - BEGUN[0] if BEGUN else 0.0
            for from_s, until_s in STALLS:
                if from_s <= since_s < until_s:
                    await asyncio.sleep(until_s - since_s)
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


asyncio.run(main())
