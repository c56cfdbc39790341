"""Site configuration: typed, frozen, and every problem named as file:line:column.

Reading order: `models.py` (what can be configured), `load.py` (how a file and the environment become Settings),
`rules.py` (what one key demands of another).
"""

from cds_service.settings.errors import Place, Problem, SettingsError
from cds_service.settings.load import load_settings, settings_from_dict
from cds_service.settings.models import RESTART_KEYS, ClientSettings, Settings, restart_needed
from cds_service.settings.restart import reloadable

__all__ = [
    "RESTART_KEYS",
    "ClientSettings",
    "Place",
    "Problem",
    "Settings",
    "SettingsError",
    "load_settings",
    "reloadable",
    "restart_needed",
    "settings_from_dict",
]
