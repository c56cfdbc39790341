"""What is fuzzed: for each reader of foreign input a check of what must hold of any bytes, and bytes to begin with.

A check asserts more than "does not raise": the reader is held against json, a calendar, the tables' own text, a
signature made elsewhere, or the published schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.fuzz.targets import charts, clients, files, values

if TYPE_CHECKING:
    from collections.abc import Callable


class Target(NamedTuple):
    """One reader. `is_json` tells the fuzzer to change members instead of bytes most of the time."""

    check: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    is_json: bool


TARGETS: dict[str, Target] = {
    "bundle": Target(charts.check_bundle, charts.bundle_seeds, is_json=True),
    "hook": Target(charts.check_hook, charts.hook_seeds, is_json=True),
    "observation": Target(values.check_observation, values.observation_seeds, is_json=True),
    "time": Target(values.check_time, values.time_seeds, is_json=False),
    "unit": Target(values.check_unit, values.unit_seeds, is_json=False),
    "token": Target(clients.check_token, clients.token_seeds, is_json=True),
    "feedback": Target(clients.check_feedback, clients.feedback_seeds, is_json=True),
    "configuration": Target(files.check_configuration, files.configuration_seeds, is_json=False),
    "overlay": Target(files.check_overlay, files.overlay_seeds, is_json=False),
}
