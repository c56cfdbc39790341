"""Hook and feedback bodies of a size that hold as much as can be put into it: what costs most for a byte."""

from collections.abc import Callable
from typing import Final

from tests.benchmarks.bodies import patient_view_body

_CONTEXT: Final = '"hook":"patient-view","hookInstance":"i","context":{"userId":"Practitioner/1","patientId":"bench-1"}'
_CANCER: Final = (
    '{"resourceType":"Condition","id":"c","code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10","code":"C22.0"}]}'
    ',"subject":{"reference":"Patient/bench-1"}}'
)
_ABLATION: Final = (
    '{"resourceType":"Procedure","id":"p","status":"completed","code":{"coding":[{"system":"http://snomed.info/sct",'
    '"code":"609232008"}]},"subject":{"reference":"Patient/bench-1"},"performedDateTime":"2026-06-01"}'
)
_NEUTROPHIL_CODING: Final = '{"system":"http://loinc.org","code":"751-8"}'
_NEUTROPHILS: Final = f'"code":{{"coding":[{_NEUTROPHIL_CODING}]}}'
_MEMBER: Final = '{"":0}'
_TEXT: Final = '"ab"'
_SUGGESTION: Final = '{"id":"a"}'
_OBSERVATION: Final = '"resourceType":"Observation","status":"final","subject":{"reference":"Patient/bench-1"}'


def _bundle(entries: str) -> str:
    return f'{{"resourceType":"Bundle","type":"searchset","entry":[{entries}]}}'


def _entry(resource: str) -> str:
    return f'{{"resource":{resource}}}'


def hook(counts: str, conditions: str = _entry(_CANCER), procedures: str = _entry(_ABLATION), more: str = "") -> bytes:
    """Return a hook of an eligible patient with these entries; `more` are members of the prefetch."""
    bundles = {"conditions": conditions, "procedures": procedures, "bloodCounts": counts}
    keys = ",".join(f'"{key}":{_bundle(entries)}' for key, entries in bundles.items())
    return f'{{{_CONTEXT},"prefetch":{{{keys}{more}}}}}'.encode()


def filled(element: str, size: int) -> str:
    """Return elements of a list, together of that size."""
    return ",".join([element] * max(1, size // (len(element) + 1)))


def numbered(element: str, size: int) -> str:
    """Return elements of a list, together of that size, with a number of its own in the place of each "#"."""
    count = max(1, size // (len(element) + 6))
    return ",".join(element.replace("#", str(number)) for number in range(count))


def _in_observation(members: str) -> str:
    return _entry(f"{{{_OBSERVATION},{members}}}")


def _nested(opening: str, closing: str, size: int, depth: int = 500) -> str:
    return filled(opening * depth + "0" + closing * depth, size)


def _full_panels(element: str, size: int) -> str:
    panel = _in_observation(f'"component":[{filled(element, 900 * (len(element) + 1))}]')
    return filled(panel, size)


Family = Callable[[int], bytes]

HOOKS: Final[dict[str, Family]] = {
    "usual chart": lambda size: patient_view_body(max(4, size // 3710 * 4), eligible=True),
    "entries: {}": lambda size: hook(filled("{}", size)),
    "entries: null": lambda size: hook(filled("null", size)),
    "entries: 0": lambda size: hook(filled("0", size)),
    'entries: ""': lambda size: hook(filled('""', size)),
    "entries: empty resources": lambda size: hook(filled(_entry("{}"), size)),
    "entries: bare Observations": lambda size: hook(filled(_entry('{"resourceType":"Observation"}'), size)),
    "entries: Bundles in Bundles": lambda size: hook(filled(_entry(_bundle(_entry("{}"))), size)),
    "entries: nested arrays": lambda size: hook(_nested("[", "]", size)),
    "entries: nested objects": lambda size: hook(_nested('{"a":', "}", size)),
    "entries: outcomes": lambda size: hook(
        filled(_entry('{"resourceType":"OperationOutcome","issue":[{"severity":"warning"}]}'), size)
    ),
    "entries: Patients": lambda size: hook(
        numbered('{"fullUrl":"urn:uuid:#","resource":{"resourceType":"Patient","id":"#"}}', size)
    ),
    "conditions: {}": lambda size: hook("", conditions=filled("{}", size)),
    "conditions: refused subjects": lambda size: hook(
        "", conditions=numbered(_entry(_CANCER.replace('"c"', '"c#"').replace("bench-1", "other")), size)
    ),
    "conditions: of the patient": lambda size: hook(
        "", conditions=numbered(_entry(_CANCER.replace('"c"', '"c#"')), size)
    ),
    "conditions: of one id": lambda size: hook("", conditions=filled(_entry(_CANCER), size)),
    "procedures: days": lambda size: hook("", procedures=numbered(_entry(_ABLATION.replace('"p"', '"p#"')), size)),
    "components: {}": lambda size: hook(_in_observation(f'"component":[{filled("{}", size)}]')),
    "components: {} by 900": lambda size: hook(_full_panels("{}", size)),
    "components: empty codes by 900": lambda size: hook(_full_panels('{"code":{"coding":[{}]}}', size)),
    "components: counts by 900": lambda size: hook(
        _full_panels(f'{{{_NEUTROPHILS},"valueQuantity":{{"value":1,"code":"10*9/L"}}}}', size)
    ),
    "codings: {}": lambda size: hook(_in_observation(f'"code":{{"coding":[{filled("{}", size)}]}}')),
    "codings: counts": lambda size: hook(
        filled(_in_observation(f'"code":{{"coding":[{filled(_NEUTROPHIL_CODING, 40_000)}]}}'), size)
    ),
    "focus: {}": lambda size: hook(_in_observation(f'{_NEUTROPHILS},"focus":[{filled("{}", size)}]')),
    "value: arrays": lambda size: hook(_in_observation(f'"valueQuantity":{{"value":[{filled("[]", size)}]}}')),
    "value: objects": lambda size: hook(_in_observation(f'"valueQuantity":{{"value":[{filled(_MEMBER, size)}]}}')),
    "value: decimals": lambda size: hook(_in_observation(f'"valueQuantity":{{"value":[{filled("0.1", size)}]}}')),
    "value: digits": lambda size: hook(
        _in_observation(f'{_NEUTROPHILS},"valueQuantity":{{"value":{"9" * size},"code":"10*9/L"}}')
    ),
    "valueString: texts": lambda size: hook(_in_observation(f'"valueString":[{filled(_TEXT, size)}]')),
    "extensions: {}": lambda size: hook(_in_observation(f'"extension":[{filled("{}", size)}]')),
    "modifierExtension: {}": lambda size: hook(_in_observation(f'"modifierExtension":[{filled("{}", size)}]')),
    "link: {}": lambda size: hook("", more=f',"albumin":{{"resourceType":"Bundle","link":[{filled("{}", size)}]}}'),
    "patient: arrays": lambda size: hook(
        "", more=f',"patient":{{"resourceType":"Patient","id":"bench-1","birthDate":[{filled("[]", size)}]}}'
    ),
    "prefetch: unknown keys": lambda size: hook("", more="," + numbered('"#":0', size)),
    "surrogates": lambda size: hook("", more=',"other":"' + "\\ud800" * (size // 6) + '"'),
    "surrogates that are read": lambda size: hook(_in_observation('"status":"' + "\\ud800" * (size // 6) + '"')),
    "one count at one moment": lambda size: hook(
        numbered(
            _in_observation(
                f'"id":"#",{_NEUTROPHILS},"effectiveDateTime":"2026-11-01T08:00:00Z",'
                '"issued":"2026-11-01T09:00:00Z","valueQuantity":{"value":#,"code":"10*9/L"}'
            ),
            size,
        )
    ),
    "unclosed": lambda size: b"[" * size,
    "blanks": lambda size: hook("", more=" " * size),
}

FEEDBACK: Final[dict[str, Family]] = {
    "feedback: {}": lambda size: f'{{"feedback":[{filled("{}", size)}]}}'.encode(),
    "feedback: 0": lambda size: f'{{"feedback":[{filled("0", size)}]}}'.encode(),
    "feedback: extension": lambda size: (
        '{"feedback":[{"card":"c","outcome":"overridden","outcomeTimestamp":"2026-11-01T08:00:00Z",'
        f'"overrideReason":{{"extension":[{filled("[]", size)}]}}}}]}}'
    ).encode(),
    "feedback: suggestions": lambda size: (
        '{"feedback":[{"card":"c","outcome":"accepted","outcomeTimestamp":"2026-11-01T08:00:00Z",'
        f'"acceptedSuggestions":[{filled(_SUGGESTION, size)}]}}]}}'
    ).encode(),
}
