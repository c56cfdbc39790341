"""Overrides from the environment: SII_CDS__SECTION__KEY, for example SII_CDS__SERVER__PORT=9000.

A value is read as in the file: a YAML 1.2 scalar or a flow list such as [final, amended]. Each key of a section can
be set; clients are written in the file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cds_service.settings.errors import Place, Problem, SettingsError
from cds_service.settings.models import SECTIONS
from cds_service.settings.wording import did_you_mean
from cds_service.settings.yaml_source import parse_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.settings.yaml_source import Document

PREFIX: Final = "SII_CDS__"

VARIABLES: Final[Mapping[str, tuple[str, str]]] = {
    f"{PREFIX}{section}__{key}".upper(): (section, key)
    for section, model in SECTIONS.items()
    for key in model.model_fields
}
_ONE_UNDERSCORE: Final = {re.sub("_+", "_", name): name for name in VARIABLES}


def override(document: Document, environ: Mapping[str, str]) -> None:
    """Put the values of the environment over those of the document; what is wrong is added to its problems."""
    for name in sorted(environ):
        if name in VARIABLES:
            _override_one(document, name, environ[name])
        elif _is_meant_for_us(name):
            sentence = "there is no such setting" + _hint(name)
            document.problems.append(Problem(Place.in_environment(_visible(name)), "", sentence))


def _is_meant_for_us(name: str) -> bool:
    # Kubernetes sets SII_CDS_SERVICE_HOST, SII_CDS_PORT and the like for a service called sii-cds; these are not
    # ours. Two underscores somewhere and the letters of a real name are a slip of the pen.
    folded = name.upper()
    return folded.startswith(PREFIX) or ("__" in name and re.sub("_+", "_", folded) in _ONE_UNDERSCORE)


def _hint(name: str) -> str:
    if name.upper().startswith(f"{PREFIX}CLIENTS"):
        return '; write clients in the configuration file, under "clients"'
    same_letters = _ONE_UNDERSCORE.get(re.sub("_+", "_", name.upper()), name)
    near = did_you_mean(same_letters[len(PREFIX) :], (known[len(PREFIX) :] for known in VARIABLES))
    return near.replace('"', f'"{PREFIX}', 1)


def _visible(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name)


def _override_one(document: Document, name: str, text: str) -> None:
    place, path = Place.in_environment(name), VARIABLES[name]
    try:
        value = parse_value(text, place, path)
    except SettingsError as error:
        document.problems.extend(error.problems)
        return
    section, key = path
    keys = document.data.get(section)
    if keys is not None and not isinstance(keys, dict):
        return  # The file is wrong here and its error is reported; there is nothing to override.
    document.data[section] = {**(keys or {}), key: value}
    for known in [known for known in document.places if known[:2] == path]:
        del document.places[known]
    document.places[path] = place
