"""From measurements to Markdown: every figure is beside its ratio to the floor of the same round, with the spread."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.benchmarks.rounds import FLOOR, FLOOR_RECORDED, HEALTHCHAIN_RECORDED, HOOKS, OWN, Findings, Work
from tests.benchmarks.token_pool import ALGORITHMS

# Processor time that design section 9 allows, as a ratio to another server, by Observations and eligibility.
ALLOWED = {
    (12, True): {HEALTHCHAIN_RECORDED: 0.9, FLOOR_RECORDED: 1.8},
    (500, True): {HEALTHCHAIN_RECORDED: 0.6, FLOOR_RECORDED: 1.2},
    (500, False): {FLOOR: 0.5},
}
ALLOWED_START_SECONDS, ALLOWED_START_RATIO = 1.5, 4
ALLOWED_MEGABYTES, ALLOWED_HOOKED_MEGABYTES = 80, 100
ALLOWED_WITH_TOKEN = 1.2


@dataclass(frozen=True)
class Target:
    """One line of the design's table: what came out, and whether it is kept."""

    work: str
    asked: str
    found: str
    is_kept: bool

    def row(self) -> tuple[str, ...]:
        """The line."""
        return self.work, self.asked, self.found, "kept" if self.is_kept else "**missed**"


def ratios(ours: Sequence[float], others: Sequence[float]) -> list[float]:
    """Divide round by round: what disturbed a round disturbed both."""
    return [our / other for our, other in zip(ours, others, strict=True)]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median, with the lowest and the highest in parentheses."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def targets(findings: Findings) -> Iterator[Target]:
    """Judge what the design asks for, by medians."""
    for work in _works(findings):
        for other, allowed in ALLOWED.get((work.observations, work.eligible), {}).items():
            if other in findings.servers():
                found = ratios(_processor(findings, OWN, work), _processor(findings, other, work))
                yield Target(_name(work), f"CPU at most {allowed} x {other}", spread(found), median(found) <= allowed)
    for algorithm in ALGORITHMS:
        for work in _works(findings):
            if work.eligible and work.connections == 1:
                found = with_token(findings, algorithm, work)
                asked = f"CPU at most {ALLOWED_WITH_TOKEN} x (without + bare check)"
                yield Target(f"{algorithm}, {_name(work)}", asked, spread(found), median(found) <= ALLOWED_WITH_TOKEN)
    yield _start(findings)
    yield _memory(findings.worker_megabytes, "at start", ALLOWED_MEGABYTES)
    yield _memory(findings.hooked_megabytes, f"after {HOOKS:,} hooks", ALLOWED_HOOKED_MEGABYTES)


def _memory(found: Mapping[str, Sequence[float]], when: str, allowed: float) -> Target:
    size = f"{spread(found[OWN], 0)} MB; floor {spread(found[FLOOR], 0)} MB"
    return Target(f"memory of a worker {when}", f"RSS at most {allowed} MB", size, median(found[OWN]) <= allowed)


def _start(findings: Findings) -> Target:
    own, base = findings.start_seconds[OWN], findings.start_seconds[FLOOR]
    found = ratios(own, base)
    kept = median(own) <= ALLOWED_START_SECONDS or median(found) <= ALLOWED_START_RATIO
    asked = f"at most {ALLOWED_START_SECONDS} s, or {ALLOWED_START_RATIO} x floor"
    return Target("start to first answer", asked, f"{spread(own)} s; {spread(found)} x floor", kept)


def with_token(findings: Findings, algorithm: str, work: Work) -> list[float]:
    """Processor time with a token, divided by that without and one bare signature check."""
    least = [
        without + bare
        for without, bare in zip(_processor(findings, OWN, work), findings.bare_check_ms[algorithm], strict=True)
    ]
    return ratios(_processor(findings, f"{OWN}, {algorithm}", work), least)


def loads(findings: Findings) -> str:
    """All loads on all servers."""
    of_time = ("CPU / floor", "CPU ms", "p50 / floor", "p50 ms", "p95 ms", "p99 ms", "requests/s")
    head = ("Observations", "connections", "server", *of_time)
    return table(head, (_load_row(findings, work, name) for work in _works(findings) for name in findings.servers()))


def _load_row(findings: Findings, work: Work, name: str) -> tuple[str, ...]:
    found, base = findings.loads[name, work], findings.loads[FLOOR, work]
    size = f"{work.observations}{'' if work.eligible else ', not eligible'}"
    return (
        size,
        str(work.connections),
        name,
        spread(ratios([m.processor_ms for m in found], [m.processor_ms for m in base])),
        _middle(m.processor_ms for m in found),
        spread(ratios([m.load.median_ms for m in found], [m.load.median_ms for m in base])),
        _middle(m.load.median_ms for m in found),
        _middle(m.load.p95_ms for m in found),
        _middle(m.load.p99_ms for m in found),
        f"{median(m.per_second for m in found):.0f}",
    )


def processes(findings: Findings) -> str:
    """Start and memory of each server: of its largest worker before and after all loads, and of all processes."""
    rows = []
    of_worker = ("RSS at start", "RSS after")
    for name in findings.servers():
        start, memory = findings.start_seconds[name], findings.megabytes[name]
        rows.append(
            (
                name,
                f"{spread(ratios(start, findings.start_seconds[FLOOR]))} x",
                f"{median(start):.2f} s",
                f"{median(findings.worker_megabytes[name]):.0f} MB",
                f"{median(findings.loaded_megabytes[name]):.0f} MB",
                f"{spread(ratios(memory, findings.megabytes[FLOOR]))} x",
                f"{median(memory):.0f} MB",
            )
        )
    return table(("server", "start / floor", "start", *of_worker, "PSS of all / floor", "PSS of all"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _works(findings: Findings) -> list[Work]:
    works = dict.fromkeys(work for _, work in findings.loads)
    return sorted(works, key=lambda work: (not work.eligible, work.observations, work.connections))


def _name(work: Work) -> str:
    connections = f"{work.connections} connection{'s' if work.connections > 1 else ''}"
    return f"{work.observations} Observations{'' if work.eligible else ', not eligible'}, {connections}"


def _processor(findings: Findings, server: str, work: Work) -> list[float]:
    return [measured.processor_ms for measured in findings.loads[server, work]]


def _middle(values: Iterable[float]) -> str:
    return f"{median(values):.2f}"
