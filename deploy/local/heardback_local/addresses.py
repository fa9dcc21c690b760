"""Where the parts of one stack listen."""

import socket
from contextlib import ExitStack
from dataclasses import dataclass

SERVICES = ("ingest", "scoring", "router")
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    ingest: int = 8701
    scoring: int = 8702
    router: int = 8703
    kafka: int = 9092

    @classmethod
    def from_base(cls, base: int, kafka: int) -> "Ports":
        """The three services side by side from `base` on."""
        return cls(base, base + 1, base + 2, kafka)

    @classmethod
    def free(cls) -> "Ports":
        """Four ports nobody uses at this moment; another program may still be faster."""
        with ExitStack() as held:
            numbers = [_free_port(held) for _ in range(4)]
        return cls(*numbers)

    @classmethod
    def free_in_a_row(cls) -> "Ports":
        """As `free`, the services side by side, as `from_base` gives them."""
        while True:
            found = cls.free()
            row = cls.from_base(found.ingest, found.kafka)
            if found.kafka not in (row.scoring, row.router) and not any(
                port_is_taken(port) for port in (row.scoring, row.router)
            ):
                return row

    def of(self, service: str) -> int:
        return {"ingest": self.ingest, "scoring": self.scoring, "router": self.router}[service]


def port_is_taken(port: int, host: str = HOST) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _free_port(held: ExitStack) -> int:
    probe = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    probe.bind((HOST, 0))
    return int(probe.getsockname()[1])
