"""What prefetch and the FHIR server of the client deliver together for one hook.

Only keys that nobody answered, and Bundles with a next page, lead to a request; what is there is not asked again.
Requests of one stage run side by side and share the deadline of the hook.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from cds_service.acquisition import prefetch
from cds_service.acquisition.bundles import MOST_ENTRIES, BundleContent, BundleReader, R
from cds_service.acquisition.fhir.access import find_access, points_to_unlisted_server, why_no_access
from cds_service.acquisition.fhir.paging import Order
from cds_service.acquisition.prefetch import KeyState, PrefetchKey
from cds_service.acquisition.resources import Condition, Observation, Patient, Procedure
from cds_service.errors import DataUnavailableError, DeadlineError, ForbiddenError, PatientMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from cds_service.acquisition.fhir.fetcher import Fetcher
    from cds_service.acquisition.fhir.jobs import Reading, Search
    from cds_service.acquisition.queries import Query
    from cds_service.authorization.clients import TrustedClient
    from cds_service.hooks.request import CDSRequest

_LOGGER = logging.getLogger(__name__)

CONDITIONS: Final = BundleReader(Condition)
PROCEDURES: Final = BundleReader(Procedure)
OBSERVATIONS: Final = BundleReader(Observation)


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """How a hook may fetch: with what, which queries, until when (monotonic seconds), and in how many stages.

    What was waited for until the deadline must still be judged: that may take until `end`.
    """

    fetcher: Fetcher
    queries: Mapping[str, Query]
    deadline: float
    parallel: bool
    end: float

    def check(self) -> None:
        """Raise DeadlineError when nobody waits for the answer any more."""
        if monotonic() > self.end:
            raise DeadlineError


@dataclass(frozen=True, slots=True)
class Fetching:
    """How hooks of a site may fetch; `seconds` is the deadline of a whole hook."""

    fetcher: Fetcher
    queries: Mapping[str, Query]
    seconds: float
    parallel: bool

    def plan(self) -> FetchPlan:
        """Start the clock of one hook."""
        deadline = monotonic() + self.seconds
        return FetchPlan(self.fetcher, self.queries, deadline, self.parallel, deadline + self.seconds / 4)


class Delivery:
    """The data of one hook, key by key. Without a plan only prefetch is read."""

    def __init__(self, request: CDSRequest, client: TrustedClient, plan: FetchPlan | None = None) -> None:
        self._request = request
        self._client = client
        self._plan = plan
        self._access = find_access(request, client) if plan is not None else None
        self._patient: Patient | None = None
        self._reading: Reading | None = None
        self._searches: dict[str, Search[Any]] = {}
        self._found: dict[str, PrefetchKey[Any]] = {}
        self._first_needed: dict[str, date] = {}
        self._said_why = False

    @property
    def is_parallel(self) -> bool:
        """Tell whether everything is asked at once."""
        return self._plan is not None and self._plan.parallel

    def begin_patient(self) -> None:
        """Read the Patient of the prefetch, and ask for it when the key is missing or not readable.

        Raises PatientMismatchError when it is another patient.
        """
        self._patient = prefetch.read_patient(self._request)
        raw = self._request.prefetch.get(prefetch.PATIENT)
        answered = self._patient is not None or (raw is not None and prefetch.is_null(raw))
        if answered or self._plan is None or self._access is None:
            return
        url = self._plan.queries[prefetch.PATIENT].url(self._access.base, self._request.context.patientId)
        self._reading = self._plan.fetcher.read(prefetch.PATIENT, url, self._access, self._plan.deadline)

    def need_from(self, key: str, day: date) -> None:
        """Ask for no further pages of results once all that follows was taken before this day."""
        self._first_needed[key] = day

    def begin(self, key: str, reader: BundleReader[R]) -> None:
        """Read a key of the prefetch and ask for what it leaves open."""
        if key in self._searches:
            return
        most = self._plan.fetcher.max_entries if self._plan is not None else MOST_ENTRIES
        found = self._found[key] = prefetch.read_key(self._request, key, reader, most)
        next_url = found.content.next_url if not found.content.is_cut else None
        if found.state.is_answered and next_url is not None:
            self._search(key, reader, next_url, found.content)
        elif not found.state.is_answered:
            self._search(key, reader, None, None)

    def begin_missing(self, keys: Iterable[str], reader: BundleReader[R]) -> None:
        """Ask for keys that the prefetch does not hold, without decoding those it holds."""
        for key in keys:
            if key not in self._request.prefetch:
                self._found[key] = PrefetchKey(KeyState.MISSING)
                self._search(key, reader, None, None)

    def patient(self, until: float) -> Patient | None:
        """Return the Patient, waited for until then; None when nobody could tell, since it is optional data."""
        raw = self._reading.result(until) if self._reading is not None else None
        if raw is None:
            return self._patient
        try:
            return prefetch.parse_patient(raw, self._request.context.patientId)
        except PatientMismatchError:
            _LOGGER.warning("the FHIR server answered with another Patient than the one asked for")
            return None

    @property
    def patient_is_unknown(self) -> bool:
        """Tell whether the FHIR server does not know the patient: that it finds nothing about one is no answer."""
        return self._reading is not None and self._reading.is_unknown

    def doubted(self, key: str, found: PrefetchKey[R]) -> PrefetchKey[R]:
        """Return what a key brought; failed where nothing was found about a patient that the server does not know."""
        if key in self._searches and found.state is KeyState.NO_DATA and self.patient_is_unknown:
            return PrefetchKey(KeyState.FAILED)
        return found

    def take(self, key: str, reader: BundleReader[R], until: float | None = None) -> PrefetchKey[R]:
        """Return a key as prefetch or server answered it, waited for until then or else until the deadline.

        Data that are not required are not waited for as long: see `patience`.
        """
        if key not in self._found:
            self.begin(key, reader)
        found: PrefetchKey[R] = self._found[key]
        if self._plan is None or key not in self._searches:
            return found
        content = self._searches[key].result(self._plan.deadline if until is None else until)
        if content is None:
            return found
        return PrefetchKey(KeyState.PRESENT if content.resources or content.malformed else KeyState.NO_DATA, content)

    def between(self, key: str, first: date, last: date) -> BundleContent[Observation] | None:
        """Return the results of these days, asked for by a search of their own; None when nobody could tell."""
        if self._plan is None or self._access is None:
            return None
        url = self._plan.queries[key].between(first, last).url(self._access.base, self._request.context.patientId)
        search = self._plan.fetcher.search(f"{key} baseline", OBSERVATIONS, url, self._access, self._plan.deadline)
        return search.result(self._plan.deadline)

    def require(self, states: Mapping[str, KeyState]) -> None:
        """Raise for keys that nobody answered.

        ForbiddenError when the client points to a server it may not use, else DataUnavailableError.
        """
        open_keys = tuple(key for key, state in states.items() if not state.is_answered)
        if not open_keys:
            return
        if points_to_unlisted_server(self._request, self._client):
            text = "The FHIR server of the request is not on the client's list."
            raise ForbiddenError(text, reason="fhir-server-not-listed", client=self._client.name)
        named = (prefetch.PATIENT, *open_keys) if self.patient_is_unknown else open_keys
        raise DataUnavailableError(named)

    def close(self) -> None:
        """Give up requests whose answers nobody needs any more."""
        if self._reading is not None:
            self._reading.cancel()
        for search in self._searches.values():
            search.cancel()

    def patience(self) -> float:
        """Return until when to wait for optional data: half of the time left, so that required data can still come."""
        now = monotonic()
        return now + (self._plan.deadline - now) / 2 if self._plan is not None else now

    def _search(
        self, key: str, reader: BundleReader[R], next_url: str | None, first_page: BundleContent[R] | None
    ) -> None:
        if self._plan is None:
            return
        if self._access is None:
            self._say_why_nothing_is_asked()
            return
        url = next_url or self._plan.queries[key].url(self._access.base, self._request.context.patientId)
        self._searches[key] = self._plan.fetcher.search(
            key, reader, url, self._access, self._plan.deadline, first_page, partial(self._is_enough, key, Order())
        )

    def _say_why_nothing_is_asked(self) -> None:
        """Tell the log once: whoever connects an EHR cannot see what is wrong with the access it hands over."""
        why = "" if self._said_why else why_no_access(self._request, self._client)
        if why:
            _LOGGER.warning("the FHIR server is not asked: %s", why)
        self._said_why = True

    def _is_enough(self, key: str, order: Order, pages: Sequence[BundleContent[Any]]) -> bool:
        # Asked before each page: with everything asked at once, the days are known only while pages come in.
        day = self._first_needed.get(key)
        return day is not None and order.only_older_follow(pages, day)
