"""Whether a row of an overlay may stand beside the shipped rows.

Nothing is overruled in silence: a code that the shipped tables do not count needs `contradicts_refused` in the row,
and a code that they count as something else has to be listed under `removals` first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

    from cds_service.settings.overlays.entries import Entry, Findings
    from cds_service.settings.overlays.forms import Claim

# A code may be given another meaning once its shipped meaning is taken away.
REMOVE_FIRST: Final = "; to change that here, list the code under removals as well"

_ClaimT = TypeVar("_ClaimT", bound="Claim", covariant=True)


class Judge:
    """Decides about the rows of one table, in the order written."""

    def __init__(self, findings: Findings, subject: str, way_out: str = "") -> None:
        """Keep where findings go.

        `subject` is the key of a row that names what the row is about, `way_out` what to do where the shipped tables
        give it another meaning.
        """
        self._findings = findings
        self._subject = subject
        self._way_out = way_out
        self._seen: dict[Hashable, str] = {}

    def admits(
        self, entry: Entry[_ClaimT], about: Hashable, meaning: str, *, known: str | None, refusal: str | None
    ) -> bool:
        """Tell whether to add the row; the reason for a no goes to the findings.

        `about`: what the row is about, to find it twice. `known`: the meaning it has in the shipped tables.
        `refusal`: why the shipped tables do not count it.
        """
        problems = self._findings.problems
        if about in self._seen:
            problems.append(entry.problem(f"stands already in {self._seen[about]}", self._subject))
            return False
        self._seen[about] = entry.origin
        if refusal is not None:
            return self._admits_contradiction(entry, refusal)
        if entry.row.contradicts_refused is not None and known != meaning:
            text = "the shipped tables do not refuse this; take the line out"
            problems.append(entry.problem(text, "contradicts_refused"))
        elif known == meaning:
            text = f"the shipped tables say the same ({meaning}); the row changes nothing"
            self._findings.warnings.append(entry.problem(text, self._subject))
        elif known is not None:
            problems.append(
                entry.problem(f"the shipped tables say {known}, not {meaning}{self._way_out}", self._subject)
            )
        else:
            return True
        return False

    def _admits_contradiction(self, entry: Entry[_ClaimT], refusal: str) -> bool:
        reason = entry.row.contradicts_refused
        if reason is None:
            text = (
                f"the shipped tables do not count this ({refusal}); to count it all the same, add "
                'contradicts_refused: "why, and who approved it" to a row of a YAML overlay'
            )
            self._findings.problems.append(entry.problem(text, self._subject))
            return False
        text = f"the shipped tables do not count this ({refusal}); counted at this site: {reason}"
        self._findings.warnings.append(entry.problem(text, "contradicts_refused"))
        return True
