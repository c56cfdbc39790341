"""Print the description for the copy in docs/openapi.json: python -m cds_service.web.openapi > docs/openapi.json."""

from __future__ import annotations

import json
import sys

from cds_service.web.openapi.document import EXAMPLE_URL, build_document

sys.stdout.write(json.dumps(build_document(EXAMPLE_URL), indent=2, ensure_ascii=False) + "\n")
