"""matplotlib's SVG made fit to stand within a page: named, without style, metadata or ids of its own.

Style attributes and the global style element would need a laxer Content-Security-Policy, and colors fixed in the
picture would not follow the page from light to dark; so properties become attributes. A plot is drawn in stand-ins for
colors, which become classes, and so one picture serves light and dark.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

SERIES: Final = tuple(f"series-{number}" for number in range(1, 9))
_ROLES: Final = ("ink", "quiet", "rule", "panel", "limit", "alarm", *SERIES)

# Stand-ins that no other part of a drawing uses, as matplotlib writes them.
_STAND_INS: Final = {role: f"#0a0b{number:02x}" for number, role in enumerate(_ROLES, 16)}
_ROLE_OF: Final = {color: role for role, color in _STAND_INS.items()}

_KEPT: Final = frozenset(
    {
        *("opacity", "fill-opacity", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-dashoffset"),
        *("stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "font-size", "font-weight", "text-anchor"),
    }
)
_DROPPED: Final = frozenset({"metadata", "style"})
_REFERENCE: Final = re.compile(r"url\(#([^)]+)\)")


def stand_in(role: str) -> str:
    """Return the color to draw with. Raises KeyError for a role that does not exist."""
    return _STAND_INS[role]


def class_rules() -> str:
    """Return the CSS rules that give each role its color of the page."""
    return "".join(f".fill-{role}{{fill:var(--{role})}}.stroke-{role}{{stroke:var(--{role})}}\n" for role in _ROLES)


def inline_svg(drawn: str, *, name: str, title: str, description: str) -> str:
    """Return the `svg` element; `name` starts its ids, title and description say what it shows."""
    root = ET.fromstring(drawn)  # noqa: S314 - the text was just drawn by this process
    for element in root.iter():
        _without_namespaces(element)
    _drop(root)
    referenced = set(_references(root))
    for element in root.iter():
        _restyle(element)
        if element.get("id") not in referenced:
            element.attrib.pop("id", None)
    _introduce(root, name, title, description)
    return ET.tostring(root, encoding="unicode")


def _without_namespaces(element: ET.Element) -> None:
    element.tag = element.tag.rpartition("}")[2]
    for key in [key for key in element.attrib if key.startswith("{")]:
        element.set(key.rpartition("}")[2], element.attrib.pop(key))


def _drop(parent: ET.Element) -> None:
    for child in list(parent):
        if child.tag in _DROPPED:
            parent.remove(child)
        else:
            _drop(child)


def _references(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        yield from (match for text in element.attrib.values() for match in _REFERENCE.findall(text))
        if (target := element.get("href", "")).startswith("#"):
            yield target[1:]


def _restyle(element: ET.Element) -> None:
    """Turn style declarations into attributes, and colors into classes."""
    declarations = [part.split(":", 1) for part in element.attrib.pop("style", "").split(";") if ":" in part]
    properties = {key.strip(): value.strip() for key, value in declarations}
    properties |= {key: element.attrib.pop(key) for key in ("fill", "stroke") if key in element.attrib}
    classes = []
    for key, value in properties.items():
        if key in ("fill", "stroke") and (role := _ROLE_OF.get(value)) is not None:
            classes.append(f"{key}-{role}")
        elif key in ("fill", "stroke") or key in _KEPT:
            element.set(key, value)
    if element.tag == "text" and not any(name.startswith("fill-") for name in classes):
        classes.append("fill-ink")
    if classes:
        element.set("class", " ".join(classes))


def _introduce(root: ET.Element, name: str, title: str, description: str) -> None:
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.set("xmlns", "http://www.w3.org/2000/svg")
    root.set("class", "chart")
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-description")
    # What matplotlib says of all elements in the style element that was dropped.
    root.set("stroke-linejoin", "round")
    root.set("stroke-linecap", "butt")
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        child = ET.Element(tag, {"id": f"{name}-{'title' if tag == 'title' else 'description'}"})
        child.text = text
        root.insert(position, child)
