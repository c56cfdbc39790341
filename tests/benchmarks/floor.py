"""The floor: the least that a Flask service can do, decode the body and return a constant card.

With a folder in RECORDS it does what a record demands at the least: one line, on the disk before the answer leaves.
"""

import json
from typing import Any

from flask import Flask, request

from tests.benchmarks.recording import Recorder

CARD = {
    "uuid": "4f1f3f0e-6a6b-4b8b-8f43-6f3b2f1f9b11",
    "summary": "SII 1423.3 is above 405.08 (sample of 2026-11-22)",
    "indicator": "warning",
    "detail": "| input | value |\n|---|---|\n" + "| Neutrophils | 6.1 |\n" * 60,
    "source": {"label": "Yu et al. 2023", "url": "https://doi.org/10.21037/jgo-23-104"},
}


def create_application() -> Flask:
    """Build it; the factory that gunicorn calls."""
    app = Flask("floor")
    recorder = Recorder.of_environment()

    @app.post("/cds-services/<service>")
    def answer(service: str) -> dict[str, Any]:
        body = json.loads(request.get_data())
        recorder.keep(body["hookInstance"], body["context"], CARD)
        return {"cards": [CARD]}

    return app
