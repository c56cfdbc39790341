"""Memory of the whole service under crowded bodies: `python -m tests.benchmarks.crowding`.

Each family of `crowds.py` is sent over several connections at a time; the largest sum of the processes (PSS) is what
counts against the limit of a container.
"""

import argparse
import http.client
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.crowds import FEEDBACK, HOOKS
from tests.benchmarks.servers import HOST, Server, service

PATIENCE_SECONDS = 120


class Peak(threading.Thread):
    """Watches the memory of a service until it is told to stop."""

    def __init__(self, server: Server) -> None:
        """Watch nothing yet."""
        super().__init__(daemon=True)
        self.megabytes = 0.0
        self._server = server
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Look every 20 ms."""
        while not self._stop_asked.wait(0.02):
            # A process may end between the look for it and the look at it.
            try:
                self.megabytes = max(self.megabytes, self._server.megabytes())
            except OSError:
                continue

    def stop(self) -> float:
        """Return the largest sum seen, in MB."""
        self._stop_asked.set()
        self.join()
        return self.megabytes


def send_together(server: Server, path: str, body: bytes, connections: int) -> Counter[int | str]:
    """Send a body over so many connections at a time; count the answers by status, or by what broke."""
    answers: Counter[int | str] = Counter()

    def send() -> None:
        connection = http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answers[connection.getresponse().status] += 1
        except (OSError, http.client.HTTPException) as error:
            answers[type(error).__name__] += 1
        finally:
            connection.close()

    senders = [threading.Thread(target=send) for _ in range(connections)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return answers


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("families", nargs="*")
    arguments = parser.parse_args()
    families = {**HOOKS, **FEEDBACK}
    size = int(arguments.megabytes * 1_000_000)
    with tempfile.TemporaryDirectory(prefix="sii-cds-crowding-") as name, ExitStack() as running:
        server = running.enter_context(service(Path(name), arguments.workers, arguments.threads))
        before = set(server.pids())
        sys.stdout.write("| body | MB | answers | peak, MB | CPU s of all | seconds |\n|---|---|---|---|---|---|\n")
        for family in arguments.families or families:
            sys.stdout.write(_row(server, family, families[family](size), arguments.connections))
            sys.stdout.flush()
        lost = len(before - set(server.pids()))
        sys.stdout.write(f"\nat rest: {server.megabytes():.0f} MB; workers lost: {lost}\n")


def _row(server: Server, family: str, body: bytes, connections: int) -> str:
    path = server.path + ("/feedback" if family in FEEDBACK else "")
    peak, began, spent = Peak(server), time.monotonic(), server.processor_seconds()
    peak.start()
    answers = send_together(server, path, body, connections)
    seconds, processor = time.monotonic() - began, server.processor_seconds() - spent
    told = ", ".join(f"{count} × {status}" for status, count in answers.items())
    return f"| {family} | {len(body) / 1e6:.1f} | {told} | {peak.stop():.0f} | {processor:.2f} | {seconds:.1f} |\n"


if __name__ == "__main__":
    main()
