"""Whether these patients support the cut-off: one of three answers, each with its reasons, and never a new cut-off."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from cds_service.insight.cohort.statistics.classification import net_benefit, net_benefit_of_all, tabulate_flags
from cds_service.insight.cohort.statistics.discrimination import auc
from cds_service.insight.cohort.statistics.resampling import CutoffLoss, cutoff_loss
from cds_service.insight.cohort.validation.suppression import is_small

if TYPE_CHECKING:
    from cds_service.insight.cohort.validation.patients import Patients

Answer = Literal["keep", "not-supported", "too-few-events"]

# Fewer of either kind say too little about a rule: Vergouwe Y et al., J Clin Epidemiol 2005;58:475; Collins GS et al.,
# Stat Med 2016;35:214.
ENOUGH: Final = 100
# The best cut-off was chosen on these patients, and again on each resample: its optimism comes in twice.
_TWICE: Final = 2
# Probabilities of recurrence at which the rule must be worth more than to act on everybody, or on nobody.
_WORTH_AT: Final = (0.2, 0.3, 0.4, 0.5)
_SHORT: Final[dict[Answer, str]] = {
    "keep": "Keep the cut-off: nothing in these patients speaks against it.",
    "not-supported": "Not supported: in these patients the cut-off does not do what it did in the study.",
    "too-few-events": "Too few events: these patients cannot tell whether the cut-off is right for them.",
}


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The answer for one design. `loss` is None where patients of one kind are lacking or few."""

    answer: Answer
    text: str
    reasons: tuple[str, ...]
    loss: CutoffLoss | None


def recommend(patients: Patients, resamples: int, seed: int, least: int) -> Recommendation:
    """Judge the cut-off in use on the patients who are followed.

    `keep` needs an area under the ROC curve above 0.5 with its whole interval, a bootstrapped loss of Youden's index by
    keeping the cut-off whose lower end is no more than twice the optimism of choosing a new one, and a net benefit
    above that of acting on everybody and of acting on nobody somewhere between 20 and 50 %.
    """
    followed = patients.only(patients.followed)
    events = int(np.count_nonzero(followed.recurred))
    loss = None
    few = min(events, len(followed) - events)
    if few and not is_small(few, least):
        generator = np.random.default_rng(seed)
        loss = cutoff_loss(followed.sii, followed.recurred, followed.patient, followed.flagged, resamples, generator)
    if few < ENOUGH:
        lacking = f"Fewer than {ENOUGH} patients with recurrence, or fewer than {ENOUGH} without, are followed."
        return Recommendation("too-few-events", _SHORT["too-few-events"], (lacking,), loss)
    against = _against(followed, loss)
    answer: Answer = "not-supported" if against else "keep"
    return Recommendation(answer, _SHORT[answer], against or _IN_FAVOUR, loss)


_IN_FAVOUR: Final = (
    "SII tells patients with recurrence from those without better than chance.",
    "Another cut-off would not surely be better once it is tried on other patients.",
    "Acting on the flag is worth more than acting on all or on nobody.",
)


def _against(followed: Patients, loss: CutoffLoss | None) -> tuple[str, ...]:
    area = auc(followed.sii, followed.recurred).interval
    against = []
    if isnan(area.lower) or area.lower <= 0.5:
        against.append("SII does not surely tell patients with recurrence from those without better than chance.")
    if loss is not None and loss.resamples and loss.loss.lower > _TWICE * loss.optimism:
        against.append("Another cut-off would be better, even at the lower end of its interval, less its optimism.")
    if not _is_worth_it(followed):
        against.append("At no probability from 20 to 50 % is the flag worth more than acting on all or on nobody.")
    return tuple(against)


def _is_worth_it(followed: Patients) -> bool:
    table = tabulate_flags(followed.flagged, followed.recurred)
    return any(net_benefit(table, chance) > max(0.0, net_benefit_of_all(table, chance)) for chance in _WORTH_AT)
