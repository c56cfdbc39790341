"""The entered rows of one design as arrays: what every figure is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from cds_service.insight.cohort.statistics.values import CENSORED, RECURRENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.insight.cohort.statistics.values import Events, Flags, Numbers

# Who is followed to within so many days of the end of follow-up, without an event, counts as without one.
NEARLY_TO_THE_END: Final = 90


@dataclass(frozen=True, slots=True)
class Patients:
    """Rows that entered, one place each in every array.

    `sii` in 10*9/L; `flagged`: SII strictly above the cut-off that was in use for the row, compared in decimals;
    `time` in days from the decision, at most `follow_up`; `events` as in `statistics.values`; `site` and `patient`
    number folders and patients from 0 without gaps; `decision` counts days from any day on. `measures` holds further
    numbers by column (nan where not known), `labels` texts (empty where not known).
    """

    sii: Numbers
    flagged: Flags
    time: Numbers
    events: Events
    site: Events
    patient: Events
    decision: Events
    follow_up: int
    measures: Mapping[str, Numbers]
    labels: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.sii)

    @property
    def recurred(self) -> Flags:
        """Tell of each row whether follow-up ended with recurrence."""
        recurred: Flags = self.events == RECURRENCE
        return recurred

    @property
    def followed(self) -> Flags:
        """Tell of each row whether it is known to have an event within follow-up or none.

        Dead without recurrence is none. Whoever was lost earlier than 90 days before the end is not known.
        """
        known: Flags = (self.events != CENSORED) | (self.time >= self.follow_up - NEARLY_TO_THE_END)
        return known

    @property
    def several_rows_a_patient(self) -> bool:
        """Tell whether a patient stands in more than one row."""
        return bool(len(self)) and int(self.patient.max()) + 1 < len(self)

    def only(self, chosen: Flags) -> Patients:
        """Return some of the rows; patients are numbered anew."""
        places = np.flatnonzero(chosen)
        return Patients(
            self.sii[chosen],
            self.flagged[chosen],
            self.time[chosen],
            self.events[chosen],
            self.site[chosen],
            np.unique(self.patient[chosen], return_inverse=True)[1].astype(np.int64),
            self.decision[chosen],
            self.follow_up,
            {name: values[chosen] for name, values in self.measures.items()},
            {name: tuple(values[place] for place in places) for name, values in self.labels.items()},
        )

    def within(self, follow_up: int) -> Patients:
        """Return the same rows with follow-up ended earlier; raises ValueError for a longer one."""
        if follow_up > self.follow_up:
            raise ValueError("follow-up can be shortened only")
        ended = self.time > follow_up
        return Patients(
            self.sii,
            self.flagged,
            np.where(ended, float(follow_up), self.time),
            np.where(ended, CENSORED, self.events),
            self.site,
            self.patient,
            self.decision,
            follow_up,
            self.measures,
            self.labels,
        )
