"""Clinical codes and units as reviewed data, kept apart from code.

`load_mappings()` reads the TOML files of this package, checks them and answers what a code or a unit means. Standard
library only; nothing of the service is imported.
"""

from fhir_mappings.codes import normalize_icd
from fhir_mappings.errors import MappingError
from fhir_mappings.load import load_mappings
from fhir_mappings.mappings import Mappings, build_mappings

__all__ = ["MappingError", "Mappings", "build_mappings", "load_mappings", "normalize_icd"]
