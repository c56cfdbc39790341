"""Six thousand requests, answered by two checkouts: the same bytes, or a list of what differs.

    python -m tests.golden.requests --out FILE               # make the requests, answer them, keep both
    python -m tests.golden.requests --before FILE            # answer the same again; exit code 1 where one differs
    python -m tests.golden.requests --before FILE --show 17  # and print the answer and the record of one

The file holds the requests with the digests of what came of them, so that the second checkout answers the very same,
whatever became of the generators. Answering imports `create_app`, `settings_from_dict` and `load_mappings` alone.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.golden.answering import Came, Request, answer_all

if TYPE_CHECKING:
    from collections.abc import Iterable


def main() -> int:
    """Make and answer, or answer again and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--show", type=int)
    arguments = parser.parse_args()
    # Refused requests are meant.
    logging.disable()
    if arguments.before is None:
        from tests.golden.made_requests import make_requests

        requests, digests = make_requests(), None
    else:
        kept = json.loads(gzip.decompress(arguments.before.read_bytes()))
        requests, digests = [Request(*request) for request in kept["requests"]], kept["digests"]
    came = answer_all(requests)
    if arguments.show is not None:
        _say(requests[arguments.show], *came[arguments.show])
    if arguments.out is not None:
        content = {"requests": requests, "digests": [one.digest for one in came]}
        arguments.out.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
    _say(f"{len(came)} requests:", *(f"{number} x {status}" for status, number in _statuses(came)))
    differing = [number for number, one in enumerate(came) if digests is not None and one.digest != digests[number]]
    if digests is not None:
        _say(f"{len(differing)} differ", *differing[:50])
    return 1 if differing else 0


def _statuses(came: Iterable[Came]) -> list[tuple[int, int]]:
    return sorted(Counter(one.status for one in came).items())


def _say(*parts: object) -> None:
    sys.stdout.write("\n".join(map(str, parts)) + "\n")


if __name__ == "__main__":
    sys.exit(main())
