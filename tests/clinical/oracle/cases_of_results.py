"""The charts of the oracle that hold single results: specimens, repeated and corrected results, a crowd of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.clinical.oracle.cases import chart, day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clinical.oracle.judgement import Case


def cases_of_results() -> dict[str, Iterator[Case]]:
    """All charts of single results, by their kind."""
    return {"specimen": specimens(), "repeat": repeated_results(), "pairs": crowd_of_results()}


def loose(why: str, results: str, **members: Any) -> Case:
    """A chart of single results: P=210@time;specimen;status;issued."""
    return chart(why, "- - -", "- - -", drawn="")._replace(results=results, **members)


def specimens() -> Iterator[Case]:
    for platelets, neutrophils, lymphocytes, why in (
        ("2026-10-14T08:00Z", "2026-10-14T08:00Z", "2026-10-14T08:00Z", "one moment"),
        ("2026-10-14T08:00Z", "2026-10-14T12:00Z", "2026-10-14T18:00Z", "some hours"),
        ("2026-10-14T08:00Z", "2026-10-14T12:00Z", "2026-10-15T08:00Z", "24 hours"),
        ("2026-10-14T08:00Z", "2026-10-14T12:00Z", "2026-10-15T08:01Z", "24 hours and a minute"),
        ("2026-10-14", "2026-10-14", "2026-10-15", "neighboring days"),
        ("2026-10-14", "2026-10-15", "2026-10-16", "three days"),
        ("2026-10-14", "2026-10-15T08:00Z", "2026-10-15T08:00Z", "a day, and times of the day after"),
        ("2026-10-14", "2026-10-16T08:00Z", "2026-10-16T08:00Z", "a day, and times of two days after"),
        ("2026-10-14", "2026-10-13T08:00Z", "2026-10-15T08:00Z", "a day between two times"),
        ("2026-10-20T08:00Z", "2026-09-01T08:00Z", "2026-10-20T08:00Z", "months"),
    ):  # fmt: skip
        parts = f"P=210@{platelets};s N=6.1@{neutrophils};s L=1.8@{lymphocytes};s"
        yield loose(f"one reference, {why}", parts)
        yield loose(f"{why}, and a complete draw of October 1", f"{parts} {_draw('2026-10-01T08:00Z', '100 3 1.5')}")
        yield loose(
            f"{why}, and a complete draw of the reference", f"{parts} {_draw('2026-09-24T08:00Z', '9 9 9', 's')}"
        )
    yield loose(
        "neutrophils of day 5 under the reference of day 36",
        f"N=9@{day(85)};s P=200@{day(54)};s L=1@{day(54)};s",
    )
    yield loose(
        "a placeholder for all: the complete draw stands",
        f"{_draw('2026-10-20T08:00Z', '200 4 1', 's')} N=9@2026-11-20T08:00Z;s",
    )
    morning = "P=100@2026-10-20T06:00Z;s L=1@2026-10-20T06:00Z;s N=1@2026-10-20T06:00Z;s;corrected"
    yield loose(
        "two draws of one day under one reference: a correction stays in its own",
        f"{morning} {_draw('2026-10-20T18:00Z', '300 6 1', 's')}",
    )
    yield loose(
        "a placeholder, and its results with those that name none",
        "N=9@2026-11-20T08:00Z;s P=200@2026-10-20T08:00Z;s L=1@2026-10-20T08:10Z;s N=4@2026-10-20T08:20Z",
    )


def _draw(when: str, counts: str, specimen: str = "") -> str:
    rows = zip("PNL", counts.split(), strict=True)
    return " ".join(f"{kind}={value}@{when};{specimen}" for kind, value in rows)


def repeated_results() -> Iterator[Case]:
    """Two neutrophils of one draw: 6.1 or 2 of 210 and 1.8 lie on different sides of the cut-off."""
    noon, early, late = "2026-10-14T08:00Z", "2026-10-14T09:00+00:00", "2026-10-14T11:00+00:00"
    for specimen, joined in (("", "by time"), ("s", "by specimen")):
        rest = f"P=210@{noon};{specimen} L=1.8@{noon};{specimen}"
        for first, second, why in (
            (f"@{noon}", f"@{noon}", "both final, no time of issue"),
            (f"@{noon};;;{early}", f"@{noon};;;{late}", "the second issued later"),
            (f"@{noon};;;{late}", f"@{noon};;;{late}", "issued together"),
            (f"@{noon};;;{late}", f"@{noon}", "one does not tell when it was issued"),
            (f"@{noon};;;{late}", f"@{noon};;;2026-10-14", "one tells the day of issue only"),
            (f"@{noon}", f"@{noon};;corrected", "the second is corrected"),
            (f"@{noon};;;{late}", f"@{noon};;amended;{early}", "amended, and issued earlier"),
            (f"@{noon}", "@2026-10-14;;corrected", "corrected, and known to the day only"),
            (f"@{noon};;corrected", "@2026-10-14", "the other is known to the day only"),
            (f"@{noon}", "@2026-10-14T07:30Z;;corrected", "corrected, half an hour before"),
            (f"@{noon}", "@2026-10-14T08:30Z;;corrected", "corrected, half an hour later"),
            (f"@{noon};;amended", "@2026-10-14T08:30Z;;corrected", "both are, the second is newer"),
            (f"@{noon}", "@2026-10-14T08:30Z", "neither is, the second is newer"),
            (f"@{noon}", "@2026-10-14T07:30Z", "neither is, the second is older"),
            (f"@{noon};;corrected", f"@{noon};;amended", "corrected and amended rank alike"),
            (f"@{noon};;corrected;{early}", f"@{noon};;amended;{late}", "the later of the two"),
        ):  # fmt: skip
            for one, other in ((first, second), (second, first)):
                rows = " ".join(_with(specimen, f"N={v}{text}") for v, text in (("6.1", one), ("2", other)))
                yield loose(f"{joined}: {why}", f"{rows} {rest}")
        yield loose(f"{joined}: the same number twice", f"N=6.1@{noon};{specimen} N=6.10@{noon};{specimen} {rest}")


def _with(specimen: str, word: str) -> str:
    """Put the specimen in its place: behind the time."""
    sent, *rest = word.split(";")
    return ";".join([sent, specimen, *rest[1:]])


def crowd_of_results() -> Iterator[Case]:
    """Results of two mornings under few references, the same in every run (see `crowd`)."""
    state = 19980401

    def pick(count: int) -> int:
        nonlocal state
        state = (1664525 * state + 1013904223) % 2**32
        return state * count >> 32

    for _ in range(80):
        words = []
        for _ in range(6 + pick(6)):
            kind = "PNL"[pick(3)]
            value = {"P": 100 + pick(300), "N": 1 + pick(9), "L": 1 + pick(3)}[kind]
            when = f"2026-10-{14 + pick(2):02}T{6 + pick(2):02}:{pick(60):02}:{pick(60):02}Z"
            words.append(f"{kind}={value}@{when};{('', '', 's', 't')[pick(4)]}")
        yield loose("results of two mornings", " ".join(words))
