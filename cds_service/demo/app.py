"""The demo application: the service as it is, and the EHR page beside it, on one loopback port."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec
from flask import abort, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from cds_service.acquisition.chart import acquire_laboratory
from cds_service.acquisition.delivery import Delivery
from cds_service.app import create_app
from cds_service.authorization.clients import TrustedClient
from cds_service.cards.wording import LANGUAGES, texts_in, trend_texts_in
from cds_service.decision.flow import decide, read_laboratory
from cds_service.decision.site import site_from_settings
from cds_service.demo.client import hook_request
from cds_service.demo.ehr_server import AUTHORIZATION_PATH, CLIENT_ID, FHIR_PATH, EHRServer
from cds_service.demo.open_fhir import open_fhir
from cds_service.demo.pages import build_demo_blueprint
from cds_service.demo.patients import build_stories
from cds_service.hooks.request import parse_cds_request
from cds_service.normalization.effective_time import TimeReader
from cds_service.server.in_force import ServedApplication
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK
from cds_service.settings import settings_from_dict
from cds_service.smart.addresses import LAUNCH, address_of
from cds_service.smart.picture import draw_picture
from cds_service.web.exposition import join_workers
from cds_service.web.logging import configure_logging
from cds_service.web.metrics import Metrics
from cds_service.web.ports import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from flask import Flask
    from markupsafe import Markup

    from cds_service.cards.wording import Language
    from cds_service.decision.site import Site
    from cds_service.demo.patients import PatientStory
    from cds_service.server.in_force import InForce
    from cds_service.settings import Settings

# Below which path the demo stands in each language.
ROOTS: Final[Mapping[str, str]] = {tag: "" if tag == LANGUAGES[0] else f"/{tag}" for tag in LANGUAGES}
_LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost"})
_PAGE = TrustedClient(name="demo", issuer=None, mode="active")


def demo_settings(port: int, directory: Path, language: Language = "en") -> Settings:
    """Return the settings of the demo: no authentication, on loopback, records in a directory of its own.

    Each language is a site with its own address and directory: a caller without a token has the language of the site.
    """
    public_url = f"http://127.0.0.1:{port}{ROOTS[language]}"
    return settings_from_dict(
        {
            # Texts that no clinician has reviewed say so on every page.
            "service": {"public_url": public_url, "language": language, "accept_unreviewed_language": True},
            "server": {"host": "127.0.0.1", "port": port, "workers": 1},
            "authentication": {"required": False},
            # The EHR page plays this client; its app opens from the card (see ehr_server.py).
            "clients": [_client(public_url)],
            "audit": {"directory": f"audit-{language}"},
            "state": {"url": f"sqlite:///state-{language}.db"},
        },
        directory,
    )


def _client(public_url: str) -> dict[str, object]:
    app = {"client_id": CLIENT_ID, "authentication": "none"}
    keys = f"{public_url}{AUTHORIZATION_PATH}/jwks.json"
    servers = [f"{public_url}{FHIR_PATH}"]
    return {"name": "demo", "issuer": public_url, "jwks_url": keys, "fhir_servers": servers, "smart_app": app}


def serve_demo(in_force: InForce) -> ServedApplication:
    """Build the demo in its worker. Its configuration never changes."""
    # A newcomer reads the terminal: only what is wrong.
    configure_logging(level=logging.WARNING)
    join_workers()
    settings, metrics = in_force.settings, Metrics()
    first = build_demo_app(settings, metrics)
    others: dict[str, WSGIApplication] = {}
    for language in LANGUAGES[1:]:
        translated = demo_settings(settings.server.port, settings.audit.directory.parent, language)
        others[ROOTS[language]] = build_demo_app(translated, metrics)
    return ServedApplication(DispatcherMiddleware(first, others), apply=_never, note_refused=_never)


def _never(*_: object) -> None:
    """Without a file nothing is read again."""


def build_demo_app(settings: Settings, metrics: Metrics | None = None) -> Flask:
    """Add the EHR page to the service's own application. It calls the service over HTTP, as an EHR does."""
    app = create_app(settings, metrics=metrics)
    site = site_from_settings(settings, SII_RECURRENCE_RISK)

    def story_of(patient_id: str) -> PatientStory | None:
        return next((story for story in build_stories(utc_now().date()) if story.id == patient_id), None)

    launch_url = address_of(LAUNCH, settings.service.public_url, "demo")
    app.before_request(refuse_foreign_hosts)
    app.register_blueprint(open_fhir(lambda: build_stories(utc_now().date())))
    app.register_blueprint(EHRServer(settings.service.public_url, launch_url, story_of).blueprint())
    app.register_blueprint(
        build_demo_blueprint(
            lambda: settings.service.public_url,
            utc_now,
            picture_of=lambda story: picture_of_story(story, site),
            launches=launch_url,
            language=settings.service.language,
            roots=ROOTS,
        )
    )
    return app


def refuse_foreign_hosts() -> None:
    """Answer to loopback names only, so that no web page reaches the demo through a name of its own."""
    if request.host.rsplit(":", 1)[0] not in _LOOPBACK_NAMES:
        abort(400)


def picture_of_story(story: PatientStory, site: Site) -> Markup:
    """Draw what the service reads of a story's Observations, for every patient: the demo has nothing to hide."""
    hook, now = parse_cds_request(msgspec.json.encode(hook_request(story, "picture"))), utc_now()
    decision = decide(hook, _PAGE, site, now)
    laboratory = decision.laboratory or read_laboratory(
        acquire_laboratory(Delivery(hook, _PAGE)), story.id, site, TimeReader(site.policy.timezone, now)
    )
    language = site.cards.language
    return draw_picture(
        laboratory,
        decision,
        decision.eligibility.calendar(site.policy, now),
        site.criterion,
        texts_in(language),
        trend_texts_in(language),
    )
