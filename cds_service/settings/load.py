"""From a file and the environment to Settings, or to one error that names every problem."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from cds_service.settings.environment import override
from cds_service.settings.errors import KeyPath, Place, Problem, SettingsError, dotted
from cds_service.settings.models import SECTIONS, ClientSettings, Provenance, Settings
from cds_service.settings.overlays import read_site_mappings
from cds_service.settings.refusals import refusal
from cds_service.settings.rules import RULES, cautions
from cds_service.settings.smart_app import SmartAppSettings
from cds_service.settings.wording import did_you_mean
from cds_service.settings.yaml_source import Document, read_document

NO_FILE = Place("(no configuration file)", "default")
_PROGRAM = Place("(program)", "program")


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the configuration file, put the environment over it, and check the result.

    Without a file the defaults and the environment count. Raises SettingsError with all problems; relative paths
    start from the directory of the file, or from the working directory without one.
    """
    document = Document({}, {}, NO_FILE) if path is None else read_document(path)
    override(document, environ)
    return _checked(document, (path.parent if path else Path()).absolute())


def settings_from_dict(data: Mapping[str, object], base: Path) -> Settings:
    """Check a configuration built by a program, such as the demo; relative paths start from `base`.

    Raises SettingsError. A float stands for its shortest decimal text.
    """
    values = {name: _as_read(value) for name, value in data.items()}
    places: dict[KeyPath, Place] = {}
    for name, value in values.items():
        places[(name,)] = _PROGRAM
        if isinstance(value, dict):
            places.update({(name, key): _PROGRAM for key in value})
    return _checked(Document(values, places, _PROGRAM), base.absolute())


def _as_read(value: object) -> object:
    """Give a program's value the form it would have when read from a file."""
    if isinstance(value, Mapping):
        return {key: _as_read(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_as_read(item) for item in value)
    return Decimal(str(value)) if isinstance(value, float) else value


def _checked(document: Document, base: Path) -> Settings:
    settings, problems = _validated(document, base)
    problems += document.problems
    broken = {problem.key for problem in problems}
    for rule in RULES:
        if not any(_touches(key, read) for key in broken for read in rule.reads):
            problems += [Problem(document.place_of(path), dotted(path), text) for path, text in rule.ask(settings)]
    overlay_warnings = _overlay_warnings(settings, problems)
    if problems:
        raise SettingsError(problems)
    keys = (path for path, _value in settings.effective_values())
    origins = MappingProxyType({dotted(path): _origin(document, path) for path in keys})
    found = [Problem(document.place_of(path), dotted(path), text) for path, text in cautions(settings)]
    warnings = [*sorted(found, key=lambda problem: problem.place.order), *overlay_warnings]
    return settings.with_provenance(Provenance(origins, tuple(str(warning) for warning in warnings)))


def _validated(document: Document, base: Path) -> tuple[Settings, list[Problem]]:
    """Validate; where keys are wrong, put the defaults in their place so that the rest can be checked too."""
    context = {"base": base}
    try:
        return Settings.model_validate(document.data, context=context), []
    except ValidationError as error:
        details: list[Any] = error.errors(include_url=False)
    own = (detail for detail in details if detail["loc"] not in document.unreadable)
    problems = [_problem(document, detail) for detail in own if not _is_due_to_another(detail, details)]
    sound = dict(document.data)
    for detail in details:
        _drop(sound, detail["loc"])
    return Settings.model_validate(sound, context=context), problems


def _overlay_warnings(settings: Settings, problems: list[Problem]) -> tuple[Problem, ...]:
    """Check the site's overlays as part of its configuration; their problems join the others."""
    if not settings.mappings.overlays:
        return ()
    try:
        return read_site_mappings(settings.mappings.overlays).warnings
    except SettingsError as error:
        problems += error.problems
        return ()


def _drop(data: dict[str, object], path: KeyPath) -> None:
    """Take out the wrong key; a wrong client takes all clients with it."""
    section = str(path[0])
    keys = data.get(section)
    if isinstance(keys, dict) and len(path) > 1:
        data[section] = {key: value for key, value in keys.items() if key != path[1]}
    else:
        data.pop(section, None)


def _is_due_to_another(detail: Mapping[str, Any], details: list[Any]) -> bool:
    """Tell whether a list is too short only because an entry of it is wrong."""
    path = detail["loc"]
    return detail["type"] == "too_short" and any(
        other["loc"][: len(path)] == path and other is not detail for other in details
    )


def _touches(broken: str, read: str) -> bool:
    return f"{broken}.".startswith(f"{read}.") or f"{read}.".startswith(f"{broken}.") if broken else False


def _problem(document: Document, detail: Mapping[str, Any]) -> Problem:
    path: KeyPath = detail["loc"]
    if detail["type"] != "extra_forbidden":
        return refusal(document, path, detail)
    return Problem(document.place_of(path), dotted(path), f"unknown key{_hint(path)}")


def _hint(path: KeyPath) -> str:
    """Look for the nearest key in the same section, then for the same key in another section."""
    key = str(path[-1])
    if key.isdigit():
        return "; a comma ends a value within braces: write decimals behind a point"
    if len(path) == 1:
        siblings = list(Settings.model_fields)
    elif path[0] == "clients":
        siblings = list((SmartAppSettings if "smart_app" in path[:-1] else ClientSettings).model_fields)
    else:
        siblings = list(SECTIONS[str(path[0])].model_fields)
    elsewhere = [f"{name}.{key}" for name, section in SECTIONS.items() if key in section.model_fields]
    return did_you_mean(key, siblings) or (f' (did you mean "{elsewhere[0]}"?)' if elsewhere else "")


def _origin(document: Document, path: KeyPath) -> str:
    place = document.places.get(path)
    return place.origin if place else "default"
