"""The least that fetching costs: bare Flask that makes the same requests and answers a constant card.

Under gunicorn with threads: `requests` with a session for each thread, one pool, `json.loads`, and nothing else.
"""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from flask import Flask, request

from cds_service.acquisition import prefetch
from cds_service.acquisition.queries import site_queries
from fhir_mappings import load_mappings

CARD = {"cards": [{"summary": "SII above the cut-off", "indicator": "warning", "source": {"label": "floor"}}]}
FIRST = (prefetch.PATIENT, prefetch.CONDITIONS, prefetch.PROCEDURES)
SECOND = (prefetch.BLOOD_COUNTS, prefetch.ALBUMIN)
# What is asked together, and then what is asked together.
STAGES = {"staged-not-eligible": (FIRST,), "staged-eligible": (FIRST, SECOND), "parallel-eligible": (FIRST + SECOND,)}


def create_application(threads: int) -> Flask:
    """Build the application; it runs `threads` hooks at a time."""
    application = Flask(__name__)
    pool = ThreadPoolExecutor(5 * threads)
    queries = site_queries(load_mappings())
    local = threading.local()

    def get(url: str, token: str) -> Any:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.trust_env = False
        return json.loads(
            local.session.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=(0.5, 2)).content
        )

    @application.post("/<stages>")
    def answer_hook(stages: str) -> dict[str, Any]:
        hook = json.loads(request.get_data())
        base, token = hook["fhirServer"], hook["fhirAuthorization"]["access_token"]
        for keys in STAGES[stages]:
            urls = [queries[key].url(base, hook["context"]["patientId"]) for key in keys]
            list(pool.map(get, urls, [token] * len(urls)))
        return CARD

    return application
