"""The pages of the demo: list of patients, chart with the service's card, feedback on the card."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import uuid4

from flask import Blueprint, Response, render_template, request

from cds_service.demo import chart, client
from cds_service.demo.answers import sentence
from cds_service.demo.cohort_report import show_report
from cds_service.demo.expectation import differences
from cds_service.demo.patients import build_stories
from cds_service.demo.protection import add_protection, came_from_this_site
from cds_service.demo.wording import page_texts_in
from cds_service.reports.markdown import is_web_link, render_detail
from cds_service.reports.timeline.panels import panels_style

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from markupsafe import Markup

    from cds_service.demo.patients import PatientStory
    from cds_service.demo.patients.resources import Resource
    from cds_service.demo.wording import PageTexts

    PictureOf = Callable[[PatientStory], Markup]

_LONGEST_COMMENT = 500
_LONGEST_CODE = 300


def build_demo_blueprint(
    service_base_url: Callable[[], str],
    now: Callable[[], datetime],
    *,
    picture_of: PictureOf,
    new_uuid: Callable[[], str] = lambda: str(uuid4()),
    launches: str = "",
    language: str = "en",
    roots: Mapping[str, str] = MappingProxyType({"en": ""}),
) -> Blueprint:
    """Return the pages `/`, `/cohort`, `/patients/<id>` and `/patients/<id>/feedback`, with their stylesheet.

    `service_base_url` gives the address of the CDS service without a slash at the end; `now` carries a
    zone. `picture_of` draws a patient's chart; `launches` is the address of the one SMART app that the EHR of the demo
    opens. `roots` says below which path the pages stand in each language, this one among them.
    """
    pages = _Pages(service_base_url, now, picture_of, new_uuid, launches, language)
    blueprint = Blueprint(
        "demo", __name__, template_folder="templates", static_folder="static", static_url_path="/demo-static"
    )
    blueprint.add_url_rule("/", "patients", pages.show_patients)
    blueprint.add_url_rule("/demo-panels.css", "panels", show_panels_style)
    blueprint.add_url_rule("/cohort", "cohort", show_report)
    blueprint.add_url_rule("/patients/<patient_id>", "patient", pages.show_patient)
    blueprint.add_url_rule("/patients/<patient_id>/feedback", "feedback", pages.take_feedback, methods=["POST"])
    blueprint.after_request(add_protection)
    blueprint.context_processor(lambda: {"texts": pages.texts, "language": language, "editions": _editions(roots)})
    return blueprint


def _editions(roots: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return tag, name and address of the page shown, in each language; for a form's answer, those of its chart."""
    path = request.path.removesuffix("/feedback")
    return [(tag, page_texts_in(tag).language_name, root + path) for tag, root in roots.items()]


@dataclass(frozen=True, slots=True)
class _Pages:
    service_base_url: Callable[[], str]
    now: Callable[[], datetime]
    picture_of: PictureOf
    new_uuid: Callable[[], str]
    launches: str
    language: str

    @property
    def texts(self) -> PageTexts:
        """The texts of the pages."""
        return page_texts_in(self.language)

    def show_patients(self) -> str:
        """List the patients with what each of them teaches."""
        return render_template("demo/patients.html", stories=self._stories())

    def show_patient(self, patient_id: str) -> str | tuple[str, int]:
        """Open a chart: ask the service as an EHR does, and show what it says."""
        story = self._story(patient_id)
        if story is None:
            return self._unknown_patient()
        hook = client.hook_request(story, self.new_uuid())
        exchange, result = client.ask(self.service_base_url(), hook)
        assessment = result.assessment if isinstance(result, client.Answered) else None
        return render_template(
            "demo/patient.html",
            story=story,
            banner=chart.banner(story, self.now().date(), self.texts),
            conditions=chart.conditions(story, self.texts),
            procedures=chart.procedures(story, self.texts),
            laboratory=chart.laboratory(story, assessment, self.texts),
            analytes=chart.ANALYTES,
            exchange=exchange,
            pretty=pretty,
            launches=self.launches,
            picture=self.picture_of(story),
            explain=partial(sentence, language=self.language),
            **_decision(story, result, self.texts.card_table),
        )

    def take_feedback(self, patient_id: str) -> str | tuple[str, int]:
        """Report the user's answer to a card to the service, and show what was sent."""
        if not came_from_this_site(request):
            return _message(self.texts.refused_title, self.texts.refused_text), 403
        story = self._story(patient_id)
        if story is None:
            return self._unknown_patient()
        try:
            feedback = self._feedback()
        except ValueError as problem:
            return _message(self.texts.unreadable_title, str(problem)), 400
        exchange, failure = client.send_feedback(self.service_base_url(), feedback)
        return render_template(
            "demo/feedback.html",
            story=story,
            action=request.form["action"],
            exchange=exchange,
            failure=failure,
            pretty=pretty,
        ), 502 if failure else 200

    def _feedback(self) -> Resource:
        """Return the feedback the form asks for. Raises ValueError on a form that no page of the demo sends."""
        form = request.form
        card = form.get("card", "")
        if not 0 < len(card) <= _LONGEST_CODE:
            raise ValueError(self.texts.form_without_card)
        if form.get("action") == "accept":
            return client.acceptance(card, form.get("suggestion", "")[:_LONGEST_CODE], self.now())
        if form.get("action") != "dismiss":
            raise ValueError(self.texts.form_without_action)
        comment = form.get("comment", "").strip()
        if len(comment) > _LONGEST_COMMENT:
            raise ValueError(self.texts.form_comment_long.format(_LONGEST_COMMENT))
        system, separator, code = form.get("reason", "")[:_LONGEST_CODE].rpartition("|")
        return client.dismissal(card, (system, code) if separator else None, comment, self.now())

    def _unknown_patient(self) -> tuple[str, int]:
        return _message(self.texts.unknown_title, self.texts.unknown_text), 404

    def _stories(self) -> tuple[PatientStory, ...]:
        return build_stories(self.now().date())

    def _story(self, patient_id: str) -> PatientStory | None:
        return next((story for story in self._stories() if story.id == patient_id), None)


def _decision(story: PatientStory, result: client.Answered | client.Failed, table_name: str) -> dict[str, object]:
    """Return the template's view of the service's answer: a failure, or cards and assessment."""
    if isinstance(result, client.Failed):
        return {"failure": result, "cards": (), "assessment": None}
    found = result.assessment
    return {
        "failure": None,
        "cards": result.cards,
        "details": [render_detail(card.detail, table_name) for card in result.cards],
        "is_web_link": is_web_link,
        "assessment": found,
        "differences": differences(story, found) if found else (),
    }


def show_panels_style() -> Response:
    """Serve the style sheet of the picture."""
    return Response(panels_style(), mimetype="text/css")


def pretty(document: object) -> str:
    """Return a JSON document with line breaks; a text that is no JSON is returned as it is."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return str(document)
    return json.dumps(document, indent=2, ensure_ascii=False)


def _message(title: str, text: str) -> str:
    return render_template("demo/message.html", title=title, text=text)
