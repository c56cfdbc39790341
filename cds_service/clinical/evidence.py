"""What the rule rests on: the study, its figures as published, and what is derived from them.

Study: Yu L, Zheng S, Yang J, Fu Z, Zhu X, Su K. Association between the systemic immune inflammation index and
recurrence or metastasis after interventional therapy in patients with primary liver cancer: a retrospective
cohort study. J Gastrointest Oncol 2023. doi 10.21037/jgo-23-104, PMID 37201071. Only figures of its abstract are
used; the abstract states neither when blood was drawn nor which procedures counted.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

# The version of the clinical behaviour: it changes whenever the same data could lead to another assessment.
RULE_VERSION: Final = "2.0.0"

# Yu 2023, abstract: cut-off of SII (10*9/L) by ROC analysis.
PUBLISHED_CUTOFF: Final = Decimal("405.08")

STUDY_CITATION: Final = "Yu L et al., J Gastrointest Oncol 2023"
STUDY_DOI: Final = "10.21037/jgo-23-104"
STUDY_URL: Final = "https://doi.org/10.21037/jgo-23-104"

# Yu 2023, abstract.
STUDY_PATIENTS: Final = 272
STUDY_RECURRENCES: Final = 112
STUDY_FOLLOW_UP_YEARS: Final = 5
STUDY_AUC: Final = "0.795"
STUDY_AUC_INTERVAL: Final = "0.742\N{EN DASH}0.848"

# Yu 2023, abstract: SII by group, mean and standard deviation (P < 0.001). It prints no unit: 10*9/L is inferred.
STUDY_SII_RECURRENCE: Final = Decimal("535.23")
STUDY_SII_RECURRENCE_SD: Final = Decimal("174.05")
STUDY_SII_CONTROL: Final = Decimal("357.84")
STUDY_SII_CONTROL_SD: Final = Decimal("120.21")

# Yu 2023, abstract: 95 % confidence interval of SII as an independent risk factor; no point estimate is printed.
STUDY_RISK_INTERVAL: Final = "1.878\N{EN DASH}5.329"

# Yu 2023, abstract: albumin by group, mean and standard deviation in g/L (P = 0.014).
STUDY_ALBUMIN_RECURRENCE: Final = "39.69 ± 6.17 g/L"
STUDY_ALBUMIN_CONTROL: Final = "41.69 ± 6.82 g/L"

# Derived, not published: 95 % spread of SII at the cut-off from analytical imprecision alone. CV 3/3/5 % for
# platelets/neutrophils/lymphocytes gives 52, CV 5/5/8 % gives 85 (propagated as root sum of squares).
IMPRECISION_BAND: Final = (Decimal(50), Decimal(85))
