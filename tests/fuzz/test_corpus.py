"""What was found once is tried for ever, and so is what fuzzing begins with. Needs no fuzzer."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.fuzz.__main__ import CORPUS
from tests.fuzz.json_mutator import mutate_json
from tests.fuzz.targets import TARGETS

if TYPE_CHECKING:
    from pathlib import Path

KEPT = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_corpus_case_holds(path: Path) -> None:
    TARGETS[path.parent.name].check(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_of_a_target_hold(name: str) -> None:
    seeds = TARGETS[name].seeds()

    assert seeds
    for seed in seeds:
        TARGETS[name].check(seed)


@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if target.is_json])
def test_mutated_seeds_of_a_target_hold(name: str) -> None:
    """A few steps of what the fuzzer does for longer, the same in every run."""
    chance = random.Random(name)  # noqa: S311  no secret
    pool = TARGETS[name].seeds()
    for _ in range(150):
        changed = mutate_json(chance.choice(pool), 65_536, chance.getrandbits(32))
        if changed is not None:
            TARGETS[name].check(changed)
            pool.append(changed)


def test_corpus_names_targets_only() -> None:
    assert {path.parent.name for path in KEPT} <= set(TARGETS)
