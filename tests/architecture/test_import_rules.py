"""Who may import whom: the rule stays free of the web, and the web stays at the edge."""

import sys

import pytest

from tests.architecture.checkout import PACKAGES, module_name, python_files, read
from tests.architecture.imports import imported_names, is_within

# Besides the standard library, these packages import only what is named here.
CLOSED_PACKAGES: dict[str, tuple[str, ...]] = {
    "cds_service.clinical": ("cds_service.clinical",),
    "cds_service.normalization": ("cds_service.normalization", "cds_service.clinical", "fhir_mappings"),
    "fhir_mappings": ("fhir_mappings",),
    # Arrays in, figures out.
    "cds_service.insight.cohort.statistics": ("cds_service.insight.cohort.statistics", "numpy", "scipy"),
}
FORBIDDEN: dict[str, tuple[str, ...]] = {
    "cds_service.hooks": ("cds_service.decision", "cds_service.services", "cds_service.web"),
    # A record is written and read without deciding anything.
    "cds_service.audit": ("cds_service.decision", "cds_service.services"),
    # What answers a hook does not look at many decisions, nor load what that needs.
    "cds_service.decision": ("cds_service.insight", "cds_service.services", "cds_service.web"),
    "cds_service.services": ("cds_service.insight",),
    "cds_service.web": ("cds_service.insight",),
    "cds_service.smart": ("cds_service.insight", "cds_service.web"),
    # What is shown to people knows nothing of what it shows.
    "cds_service.reports": tuple(
        f"cds_service.{room}"
        for room in (
            "acquisition",
            "audit",
            "cards",
            "clinical",
            "decision",
            "insight",
            "normalization",
            "services",
            "settings",
            "web",
        )
    ),
    # The store knows nothing of those who keep something in it but what a chain head and a token's use are.
    "cds_service.state": (
        "cds_service.acquisition",
        "cds_service.cards",
        "cds_service.clinical",
        "cds_service.decision",
        "cds_service.services",
        "cds_service.settings",
        "cds_service.web",
    ),
}
FLASK_ALLOWED = ("cds_service.app", "cds_service.demo", "cds_service.web")


def broken_rules(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """One sentence for each import that the rules refuse."""
    names = imported_names(source, module, is_package=is_package)
    return [f"{module} imports {name}" for name in sorted(names) if _is_refused(name, module)]


def _is_refused(name: str, module: str) -> bool:
    allowed = _allowed_in(module)
    outside = allowed is not None and not _is_standard(name) and not is_within(name, allowed)
    return outside or is_within(name, _forbidden_in(module))


def _allowed_in(module: str) -> tuple[str, ...] | None:
    """What a closed package may import; None for a package that is open."""
    if module == "cds_service":
        # Importing any module runs the package's own first: it must not bring in what the module may not.
        return ()
    return next((names for package, names in CLOSED_PACKAGES.items() if is_within(module, (package,))), None)


def _forbidden_in(module: str) -> tuple[str, ...]:
    refused = [name for package, names in FORBIDDEN.items() if is_within(module, (package,)) for name in names]
    return (*refused, *(() if is_within(module, FLASK_ALLOWED) else ("flask",)))


def _is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def test_import_rules_whole_source_no_refused_import() -> None:
    modules = [path for path in python_files() if path.parts[0] in PACKAGES]
    problems = [
        problem
        for path in modules
        for problem in broken_rules(read(path), module_name(path), is_package=path.stem == "__init__")
    ]

    assert modules
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("module", "source", "reason"),
    [
        ("cds_service.clinical.sii", "import msgspec", "the rule needs no third-party package"),
        ("cds_service.clinical.sii", "from cds_service.errors import X", "nor anything else of the service"),
        ("cds_service.clinical.sii", "from ..normalization import units", "a relative import is resolved"),
        ("cds_service.clinical.sii", "from cds_service import normalization", "a package taken from its parent"),
        ("fhir_mappings.analytes", "from cds_service.clinical import models", "data know nothing of code"),
        ("cds_service.normalization.units", "import pydantic", "no third-party package"),
        ("cds_service.insight.cohort.statistics.cox", "import statsmodels", "numpy and scipy suffice"),
        ("cds_service.web.hooks", "from cds_service.insight import cohort", "a worker looks at one decision"),
        ("cds_service.normalization.units", "from cds_service.settings import load", "settings are passed in"),
        ("cds_service.hooks.request", "from cds_service.services import sii", "models do not know who uses them"),
        ("cds_service.hooks.request", "import cds_service.web.app", "nor the edge"),
        ("cds_service.reports.content", "from cds_service.clinical import models", "a document of anything"),
        ("cds_service.state.snoozes", "from cds_service.decision import snoozing", "the store below its users"),
        ("cds_service.decision.flow", "from cds_service.services import sii", "any service is decided alike"),
        ("cds_service.audit.records", "from cds_service.decision import flow", "a record decides nothing"),
        ("cds_service.services.sii", "from flask import g", "services know nothing of the web"),
        ("cds_service.audit.record", "import flask.wrappers", "a module inside flask"),
        ("cds_service.cards.wording", "def f():\n    import flask", "an import inside a function"),
        ("cds_service.cards.wording", "import importlib\nimportlib.import_module('flask')", "import by name"),
        ("cds_service.cards.wording", "if TYPE_CHECKING:\n    from flask import Flask", "for types only"),
        ("cds_service.webhooks", "import flask", "a name that only begins like an allowed one"),
        ("cds_service", "from cds_service.app import create_app", "the package's own module stays light"),
    ],
)
def test_import_rules_refused_import_is_reported(module: str, source: str, reason: str) -> None:
    assert broken_rules(source, module, is_package=module == "cds_service"), reason


@pytest.mark.parametrize(
    ("module", "source", "reason"),
    [
        ("cds_service.clinical.sii", "from decimal import Decimal\nfrom .models import Panel", "itself"),
        ("cds_service.normalization.units", "import fhir_mappings\nfrom cds_service.clinical import models", "both"),
        ("cds_service.web.errors", "from flask import Flask", "the edge"),
        ("cds_service.app", "import flask", "the wiring"),
        ("cds_service.services.sii", "import msgspec\nfrom cds_service.cards import card", "services are open"),
    ],
)
def test_import_rules_allowed_import_is_accepted(module: str, source: str, reason: str) -> None:
    assert broken_rules(source, module) == [], reason
