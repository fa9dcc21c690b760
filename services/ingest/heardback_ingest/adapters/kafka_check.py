"""Does a broker answer at the bootstrap servers?"""

import asyncio

CHECK_SECONDS = 2.0


async def broker_check(bootstrap_servers: str) -> str | None:
    """None when one of the servers takes a connection, otherwise what is wrong."""
    for server in bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except (OSError, TimeoutError, ValueError):
            continue
        writer.close()
        return None
    return "no broker takes a connection"
