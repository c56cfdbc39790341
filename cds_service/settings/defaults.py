"""A commented configuration file, written from the same definitions that check one."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING, Final

from cds_service.settings.models import SECTIONS, ClientSettings, Settings, plain
from cds_service.settings.section import SettingsSection
from cds_service.settings.yaml_source import plain_scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo


_HEADER: Final = """\
# Configuration of sii-cds. Every key stands here with its default, except where a comment says otherwise.
# Check it:           sii-cds config check FILE
# Help in an editor:  sii-cds config schema > sii-cds.schema.json, and as the first line of this file
#                     # yaml-language-server: $schema=sii-cds.schema.json
# A variable SII_CDS__SECTION__KEY stands above the file: SII_CDS__SERVER__PORT=9000
# Relative paths start from the directory of this file. Secrets never stand here, only the paths of their files.
"""

# The defaults admit no call before an EHR is entered; these values make the file start as it is.
_FIRST_TRY: Final[Mapping[str, tuple[object, str]]] = {
    "service.public_url": (
        "http://127.0.0.1:8080",
        "Here for a first try on this machine; write the address that your EHR uses.",
    ),
    "authentication.required": (
        False,
        "For a first try on this machine only! Before an EHR is connected, enter it under clients and write true, "
        "the default.",
    ),
}

_UNQUOTED: Final = re.compile(r"[A-Za-z][A-Za-z0-9./:_-]*|[0-9]+(\.[0-9]+){3}")


def commented_defaults() -> str:
    """Write a complete file: each section with its purpose, each key with its meaning.

    It starts as it is, on this machine only; an example of a client stands in comments.
    """
    lines = [_HEADER]
    for name, field in Settings.model_fields.items():
        section = SECTIONS.get(name)
        if section is None:
            lines += [*_heading(ClientSettings, str(field.description)), f"{name}:", *_example_client(), ""]
        else:
            lines += [*_heading(section, section.__doc__ or ""), f"{name}:", *_keys(name, section), ""]
    return "\n".join(lines)


def yaml_text(value: object) -> str:
    """Write a value as YAML on one line."""
    value = plain(value) if isinstance(value, tuple | SettingsSection) else value
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {yaml_text(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(yaml_text(item) for item in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int | float):
        return str(value)
    text = str(plain(value))
    is_plain = _UNQUOTED.fullmatch(text) is not None and plain_scalar(text) == text
    return text if is_plain or not isinstance(value, str) else json.dumps(text, ensure_ascii=False)


def _heading(section: type[SettingsSection], purpose: str) -> list[str]:
    return _comment(f"{section.content.capitalize()} content. {' '.join(purpose.split())}")


def _keys(name: str, section: type[SettingsSection]) -> Iterator[str]:
    for key, field in section.model_fields.items():
        value, remark = _FIRST_TRY.get(f"{name}.{key}", (field.default, ""))
        restart = " Needs a restart." if key in section.restart_keys else ""
        yield from _comment(f"{field.description}{restart}", indent="  ")
        yield from _comment(remark, indent="  ")
        yield f"  {key}: {yaml_text(value)}"


def _example_client() -> Iterator[str]:
    """Write a client in comments; taking away the first character of each line makes it an entry."""
    for index, (key, field) in enumerate(ClientSettings.model_fields.items()):
        yield from (f"#{line}" for line in _comment(str(field.description), indent="    "))
        yield f"#  {'- ' if index == 0 else '  '}{key}: {yaml_text(_example(field))}"


def _example(field: FieldInfo) -> object:
    return field.examples[0] if field.examples else field.default


def _comment(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, width=110, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
