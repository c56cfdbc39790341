"""SII as a handler of HealthChain, in the form its documentation shows; run by the Python of its own environment.

It reads what the hook brings and nothing more: no check of patient, status, unit or plausibility. What the service does
beyond that is not what HealthChain is slower or faster at. With a folder in RECORDS it keeps a record of each hook.
"""

from typing import Any

from healthchain.gateway import CDSHooksService, HealthChainAPI  # type: ignore[import-not-found]  # another environment
from healthchain.models import CDSRequest, CDSResponse  # type: ignore[import-not-found]
from healthchain.models.responses.cdsresponse import Card, Source  # type: ignore[import-not-found]

from tests.benchmarks.recording import Recorder

CUTOFF = 405.08
NEUTROPHILS, LYMPHOCYTES, PLATELETS = "751-8", "731-0", "777-3"

cds = CDSHooksService()
recorder = Recorder.of_environment()


@cds.hook("patient-view", id="sii-recurrence-risk")  # type: ignore[untyped-decorator]
def answer(request: CDSRequest) -> CDSResponse:
    """Compute SII from the newest value of each count."""
    newest: dict[str, tuple[str, float]] = {}
    bundle: dict[str, Any] = (request.prefetch or {})["bloodCounts"]
    for entry in bundle["entry"]:
        resource = entry["resource"]
        code, taken = resource["code"]["coding"][0]["code"], resource["effectiveDateTime"]
        if code not in newest or taken > newest[code][0]:
            newest[code] = (taken, resource["valueQuantity"]["value"])
    sii = newest[PLATELETS][1] * newest[NEUTROPHILS][1] / newest[LYMPHOCYTES][1]
    summary = f"SII {sii:.1f} is above {CUTOFF}"
    context = {"userId": request.context.userId, "patientId": request.context.patientId}
    recorder.keep(request.hookInstance, context, summary)
    if sii <= CUTOFF:
        return CDSResponse(cards=[])
    return CDSResponse(cards=[Card(summary=summary, indicator="warning", source=Source(label="Yu et al. 2023"))])


app = HealthChainAPI()
app.register_service(cds)
