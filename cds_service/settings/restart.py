"""What a reload can bring into effect: a changed configuration with the keys that need a restart as they were.

Otherwise a key could go with another that is not in force yet: authentication turned off together with a listen
address that becomes loopback only at the next start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.settings.errors import Place, Problem, SettingsError, dotted
from cds_service.settings.models import SECTIONS
from cds_service.settings.rules import RULES

if TYPE_CHECKING:
    from cds_service.settings.models import Settings

_UNTIL_RESTART: Final = Place("before a restart", "reload")


def reloadable(started: Settings, wanted: Settings) -> Settings:
    """Return `wanted` with the restart keys of `started`. Raises SettingsError when these do not go together."""
    kept = {
        name: getattr(wanted, name).model_copy(
            update={key: getattr(getattr(started, name), key) for key in section.restart_keys}
        )
        for name, section in SECTIONS.items()
        if section.restart_keys
    }
    merged = wanted.model_copy(update=kept)
    problems = [Problem(_UNTIL_RESTART, dotted(path), text) for rule in RULES for path, text in rule.ask(merged)]
    if problems:
        raise SettingsError(problems)
    return merged
