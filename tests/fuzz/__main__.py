"""Coverage-guided fuzzing of every reader: python -m tests.fuzz [TARGET ...] [--seconds 20].

What makes a check fail is written to tests/fuzz/corpus/TARGET, where test_corpus.py finds it from then on, and the run
ends with 1. Nothing is sent anywhere; each target is a process that ends by itself.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).with_name("corpus")
_OPTIONS = ("-timeout=10", "-rss_limit_mb=2048", "-max_len=65536", "-len_control=0", "-print_final_stats=1")
# What libFuzzer prints at its end.
_STATISTICS = re.compile(r"stat::(number_of_executed_units|peak_rss_mb):\s+(\d+)")
_COVERAGE = re.compile(r"cov: (\d+)")


def fuzz(name: str, seconds: int) -> bool:
    """Fuzz one target; print its figures; tell whether everything held."""
    found = CORPUS / name
    with tempfile.TemporaryDirectory(prefix=f"sii-cds-fuzz-{name}-") as work:
        for number, seed in enumerate(TARGETS[name].seeds()):
            (Path(work) / f"seed-{number}").write_bytes(seed)
        for path in found.glob("*") if found.is_dir() else ():
            (Path(work) / path.name).write_bytes(path.read_bytes())
        command = [sys.executable, "-m", "tests.fuzz.run_target", name, work, f"-max_total_time={seconds}", *_OPTIONS]
        ended = subprocess.run(
            [*command, f"-artifact_prefix={work}/failed-"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        failed = sorted(Path(work).glob("failed-*"))
        for path in failed:
            found.mkdir(parents=True, exist_ok=True)
            (found / path.name.removeprefix("failed-")).write_bytes(path.read_bytes())
    figures = {key: int(value) for key, value in _STATISTICS.findall(ended.stderr)}
    coverage = _COVERAGE.findall(ended.stderr)
    # Without coverage nothing is followed, which is a mistake of the target.
    held = bool(coverage) and not failed and ended.returncode == 0
    sys.stdout.write(
        f"{name}: {figures.get('number_of_executed_units', 0)} inputs in {seconds} s, coverage "
        f"{coverage[0] if coverage else '?'} to {coverage[-1] if coverage else '?'}, "
        f"{figures.get('peak_rss_mb', 0)} MB, {'held' if held else 'FAILED'}\n"
    )
    sys.stdout.flush()
    if not held:
        sys.stdout.write(_told(ended.stderr + ended.stdout))
    return held


def _told(output: str) -> str:
    """Return the exception, without the progress before it."""
    _, mark, rest = output.rpartition("Traceback (most recent call last)")
    return (mark + rest)[-3000:] + "\n"


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=20, help="for each target")
    chosen = parser.parse_args()
    unknown = set(chosen.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    if importlib.util.find_spec("atheris") is None:
        sys.stdout.write("atheris is not installed: it has no wheel for this Python; nothing was fuzzed\n")
        return 0
    held = {name: fuzz(name, chosen.seconds) for name in chosen.targets or TARGETS}
    return 0 if all(held.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
