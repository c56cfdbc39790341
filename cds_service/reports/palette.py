"""Colors of charts. A chart is drawn in stand-ins, which become classes, so one picture serves light and dark."""

from __future__ import annotations

from typing import Final

SERIES: Final = tuple(f"series-{number}" for number in range(1, 9))
_ROLES: Final = ("ink", "quiet", "rule", "panel", "limit", "alarm", *SERIES)

# Stand-ins that no other part of a drawing uses, as matplotlib writes them.
_STAND_INS: Final = {role: f"#0a0b{number:02x}" for number, role in enumerate(_ROLES, 16)}
_ROLE_OF: Final = {color: role for role, color in _STAND_INS.items()}


def stand_in(role: str) -> str:
    """Return the color to draw with. Raises KeyError for a role that does not exist."""
    return _STAND_INS[role]


def role_of(color: str) -> str | None:
    """Return the role a drawn color stands for; None for any other color, such as `none`."""
    return _ROLE_OF.get(color)


def class_rules() -> str:
    """Return the CSS rules that give each role its color of the page."""
    return "".join(f".fill-{role}{{fill:var(--{role})}}.stroke-{role}{{stroke:var(--{role})}}\n" for role in _ROLES)
