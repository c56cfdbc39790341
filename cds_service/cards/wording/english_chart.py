"""English words for what the chart holds beside the draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# What changes blood counts on its own and is not looked for; kinds that are recorded are named instead.
NOT_CHECKED_ITEMS: Final[Mapping[str, str]] = {
    "infection": "infection",
    "steroids": "steroids",
    "g-csf": "G-CSF",
    "transfusion": "transfusion",
    "splenectomy": "splenectomy",
    "operation": "recent operation",
    "pregnancy": "pregnancy",
    "other-cancer": "other cancer",
}

RECORDED_KINDS: Final[Mapping[str, str]] = {
    "infection": "infection",
    "splenectomy": "removed spleen",
    "haematological-malignancy": "malignancy of the blood",
    "pregnancy": "pregnancy",
    "palliative-care": "palliative care",
    "other-cancer": "another cancer",
    "operation": "operation",
    "liver-resection": "resection of the liver",
    "liver-transplant": "earlier liver transplant",
}

SUSPECTED_KINDS: Final[Mapping[str, str]] = {
    "metastasis": "metastasis",
    "secondary": "metastasis in the liver",
    "recurrence": "recurrence",
}

CLOSING_KINDS: Final[Mapping[str, str]] = {
    "interventional": "interventional procedure not recorded as completed",
    "liver-resection": "resection of the liver",
    "liver-transplant": "transplant of the liver",
}
