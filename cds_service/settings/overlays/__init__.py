"""Site overlays: a hospital's own codes and unit spellings, added to the shipped mapping tables.

Reading order: `forms.py` (what an overlay may say), `reading.py` and `concept_map.py` (a file becomes entries with
positions), `merging.py` (entries meet the shipped rows), `adding.py` (all of them, checked as a whole), `load.py` (the
mappings of a site).
"""

from cds_service.settings.overlays.load import SiteMappings, load_site_mappings, read_site_mappings

__all__ = ["SiteMappings", "load_site_mappings", "read_site_mappings"]
