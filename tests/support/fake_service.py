"""A stand-in for a service process: ready at once, drains for a moment, and can be told to die at birth.

Run as `python -m tests.support.fake_service NAME PORT [DIES]`.
"""

import http.server
import signal
import sys
import threading


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


def main() -> None:
    name, port, *rest = sys.argv[1:]
    if rest:
        sys.exit("told to die")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), _Handler)

    def stop(number: int, _: object) -> None:
        print(f"{name} drained after {signal.Signals(number).name}", flush=True)  # noqa: T201
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    server.serve_forever()


if __name__ == "__main__":
    main()
