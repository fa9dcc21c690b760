"""A service with one slow route and one background task, run as a process by the lifecycle tests.

Arguments: port, and what goes wrong: "nothing", "dies" (the background task raises), "hangs" (it never
stops).
"""

import asyncio
import sys

from heardback_shared.health import Readiness
from heardback_shared.http.app import create_app
from heardback_shared.lifecycle import Service, serve
from heardback_shared.logs import configure_logs
from heardback_shared.metrics import Metrics
from heardback_shared.settings import ServiceSettings


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


async def main(port: int, wrong: str) -> None:
    configure_logs("toy", "INFO")
    readiness = Readiness()
    app = create_app("toy", "toy", metrics=Metrics(), readiness=readiness, max_body_bytes=1_000)

    @app.get("/slow")
    async def slow() -> dict[str, str]:
        say("request begun")
        await asyncio.sleep(1)
        return {"answer": "whole"}

    async def stream(stop: asyncio.Event) -> None:
        await stop.wait()
        say("stream drained")

    async def relay(stop: asyncio.Event) -> None:
        if wrong == "dies":
            raise RuntimeError("the relay died")
        await stop.wait()
        if wrong == "hangs":
            await asyncio.sleep(600)
        say("relay drained")

    service = Service("toy", app, port, readiness, {"stream": stream}, {"relay": relay})
    await serve(service, ServiceSettings())
    say("closed")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
