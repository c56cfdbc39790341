"""A place whose workers end soon after their start is given to the next later each time, and never given up."""

import pytest

from cds_service.server.backoff import LONGEST_PAUSE_SECONDS, Backoff


@pytest.mark.parametrize(
    ("lives", "pauses", "reason"),
    [
        ([3600.0], [0], "a worker that lived long is replaced at once"),
        ([0.1], [0], "so is the first that did not: it may have been killed by chance"),
        ([0.1] * 6, [0, 0.5, 1, 2, 4, 8], "then the pause doubles"),
        ([0.1] * 3 + [60.0, 0.1, 0.1], [0, 0.5, 1, 0, 0, 0.5], "until one lives long again"),
    ],
)
def test_backoff_pauses(lives: list[float], pauses: list[float], reason: str) -> None:
    backoff = Backoff()

    assert [backoff.pause(lived) for lived in lives] == pauses, reason


def test_backoff_has_a_longest_pause_and_no_end() -> None:
    backoff = Backoff()

    assert max(backoff.pause(0) for _ in range(10_000)) == LONGEST_PAUSE_SECONDS
