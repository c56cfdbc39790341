"""The repository speaks of the project alone: no machine it was written on, no registry, no tool credits."""

import re
from pathlib import PurePosixPath

import pytest

from tests.architecture.checkout import ROOT, repository_files

# Each expression has a class of one letter ([w]), so that this file passes its own check.
MACHINE_PATHS = re.compile(r"(?<![\w.~-])/(?:[w]ork|[r]oot|[t]mp/x)(?![\w-])")
REGISTRY_HOSTS = re.compile(
    r"[p]ypi\.org|[p]ythonhosted\.org|[n]pmjs\.(?:org|com)|[d]eb\.debian\.org|[c]rates\.io|[p]roxy\.golang\.org"
    r"|\b(?:[d]ocker|[g]hcr|[q]uay|[g]cr)\.io\b|[u]npkg\.com|[j]sdelivr|[a]naconda\.(?:org|com)",
    re.IGNORECASE,
)
# Left by a merge that was not finished.
CONFLICT_MARKS = re.compile(r"^(?:[<]{7}|[>]{7}) ")
TOOL_CREDITS = re.compile(
    r"\b(?:[l]lms?|[c]laude|[a]nthropic|[o]penai|[c]opilot|chat[g]pt|[g]pt-\d\w*|[s]ubagents?|[a]gentic)\b"
    r"|\b[a]i[- ](?:generated|assisted|written)\b|\bco-?[a]uthored\b",
    re.IGNORECASE,
)
# The same letters are an older name of alanine aminotransferase (ALT) and a count unit (10⁹ particles per liter).
NEITHER_ENZYME_NOR_UNIT = re.compile(r"\b[G]PT\b(?!/L)(?!.*\b(?:ALT|transaminase|aminotransferase)\b)(?<!ALT/GPT)")
ACTORS = re.compile(r"\b[a]gents?\b", re.IGNORECASE)
# HTTP's User-Agent, the element of a FHIR AuditEvent, and substances that are given to a patient.
RIGHTFUL_ACTORS = re.compile(
    r"user[-_ ][a]gent|AuditEvent|auditevent|\.[a]gent\b|[\"'`][a]gent[\"'`]|\b[a]gents?\s*[:=]"
    r"|\b(?:embol\w+|chemo\w+|anti\w+|contrast|causative|pharmac\w+|therapeutic|cytotoxic|immun\w+) [a]gents?",
    re.IGNORECASE,
)
# Folders of data whose wording is not ours: names of synthetic patients, displays of codes.
FOREIGN_FOLDERS = frozenset({"fhir_mappings", "fixtures"})


def forbidden_words(path: PurePosixPath, text: str) -> list[str]:
    """`path:line: word` for everything that has no place in a committed text."""
    expressions = [MACHINE_PATHS, REGISTRY_HOSTS, CONFLICT_MARKS]
    if "fixtures" not in path.parts:
        expressions += [TOOL_CREDITS, NEITHER_ENZYME_NOR_UNIT]
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = [match.group() for expression in expressions for match in expression.finditer(line)]
        if not _speaks_of_actors(path):
            words += ACTORS.findall(RIGHTFUL_ACTORS.sub("", line))
        found += [f"{path}:{number}: {word}" for word in words]
    return found


def _speaks_of_actors(path: PurePosixPath) -> bool:
    """FHIR AuditEvents and displays of procedure codes use the word by right."""
    return bool(FOREIGN_FOLDERS.intersection(path.parts)) or "audit" in str(path)


def readable_texts() -> list[tuple[PurePosixPath, str]]:
    """All text files with their content; images and the like are left out."""
    texts = []
    for path in repository_files():
        try:
            texts.append((path, (ROOT / path).read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return texts


def test_repository_texts_hold_no_forbidden_word() -> None:
    texts = readable_texts()
    problems = [word for path, text in texts for word in forbidden_words(path, text)]

    assert texts
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (("cd /", "work/main"), "a path of one machine"),
        (("HOME=/", "root"), "a home folder"),
        (("see /", "tmp/x/notes.md"), "a scratch folder"),
        (("index = https://py", "pi.org/simple"), "a package registry"),
        (("FROM gh", "cr.io/astral/x"), "an image registry"),
        (("AI-", "generated"), "who wrote it"),
        (("Co-Auth", "ored-By: A"), "a trailer"),
        (("written by an L", "LM"), "a tool"),
        (("the age", "nt decided"), "an actor that the project does not have"),
        (("asked GP", "T for it"), "a tool, not an enzyme"),
        (("<<<<<<", "< HEAD"), "a merge that was not finished"),
    ],
)
def test_forbidden_word_is_reported(parts: tuple[str, str], reason: str) -> None:
    assert forbidden_words(PurePosixPath("docs/a.md"), "".join(parts)), reason


@pytest.mark.parametrize(
    "line",
    [
        "User-Agent: sii-cds",
        'event["agent"] = [client]',
        "AuditEvent.agent names the client",
        "an embolic agent and a chemotherapeutic agent",
        "GPT (ALT) 31 U/L",
        "platelets in GPT/L",
        "homework/framework/workflow",
        "the tmp/x folder of the root element",
        "the working directory is /workspace",
    ],
)
def test_rightful_word_is_accepted(line: str) -> None:
    assert forbidden_words(PurePosixPath("docs/a.md"), line) == []


def test_machine_path_in_fixture_is_reported() -> None:
    assert forbidden_words(PurePosixPath("tests/fixtures/a.json"), "".join(("file:", "///", "work/", "a")))
