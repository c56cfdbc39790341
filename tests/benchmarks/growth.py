"""What a body costs, by family and size, in processor time of one process: `python -m tests.benchmarks.growth`.

The families are those of `crowds.py`: one for each loop that goes over what others send. Bodies go through the whole
application, from bytes to answer and record. Families of blood counts alone, which must be paired to draws, stand in
`tests/support/crowded_charts.py`; `tests/unit/normalization/test_growth.py` holds them to the same.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from werkzeug.test import Client

from cds_service.app import create_app
from cds_service.settings.load import settings_from_dict
from tests.benchmarks.crowds import FEEDBACK, HOOKS, Family
from tests.benchmarks.servers import PATH

HALF_A_MEGABYTE = 500_000
# Twice the input may take three times the time: noise, and steps of allocation. Quadratic is four times.
MOST_RATIO = 3.0
MOST_SECONDS = 1.0
# Below this a ratio tells of the clock.
LEAST_SECONDS = 0.02
FAMILIES: dict[str, tuple[Family, str]] = {
    **{name: (family, PATH) for name, family in HOOKS.items()},
    **{name: (family, f"{PATH}/feedback") for name, family in FEEDBACK.items()},
}


def application(folder: Path) -> Client:
    """Return the application of a site that has time for every body."""
    content = {
        "service": {"public_url": "https://cds.hospital.example"},
        "authentication": {"required": False},
        "server": {"hook_deadline_seconds": 60.0},
        "eligibility": {"mode": "required"},
    }
    return create_app(settings_from_dict(content, folder)).test_client()


def cost(client: Client, family: str, size: int, repeats: int = 3) -> float:
    """Return the least processor seconds of a body of that size."""
    make, path = FAMILIES[family]
    body = make(size)
    return min(_once(client, path, body) for _ in range(repeats))


def _once(client: Client, path: str, body: bytes) -> float:
    began = time.process_time()
    client.post(path, data=body, content_type="application/json")
    return time.process_time() - began


def ratio(client: Client, family: str, size: int) -> float:
    """Return how many times as much a body costs as one of half its size; the least of three looks if that is much."""
    found = MOST_RATIO + 1
    for _ in range(3):
        larger = max(cost(client, family, size), LEAST_SECONDS)
        found = min(found, larger / max(cost(client, family, size // 2), LEAST_SECONDS))
        if found <= MOST_RATIO:
            break
    return found


def table(client: Client, families: Iterable[str], sizes: Iterable[int]) -> Iterable[str]:
    """Yield lines of Markdown: processor time at each size, and what it is of the time at half the size."""
    sizes = list(sizes)
    yield "| body |" + "".join(f" {size / 1e6:g} MB, s | of half |" for size in sizes)
    yield "|---|" + "---|---|" * len(sizes)
    for family in families:
        cells = []
        for size in sizes:
            whole, half = cost(client, family, size), cost(client, family, size // 2)
            cells.append(f" {whole:.3f} | {whole / half:.1f} |")
        yield f"| {family} |" + "".join(cells)


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[HALF_A_MEGABYTE, 2_000_000])
    parser.add_argument("families", nargs="*")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sii-cds-costs-") as folder:
        for line in table(application(Path(folder)), arguments.families or FAMILIES, arguments.sizes):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
