"""Find out before go-live whether the rule can read a hospital's data: `sii-cds doctor`.

Reading order: `examination.py` (the table of contents), where the data come from (`export/`, `server/`), what is
counted (`laboratory_survey.py`, `eligibility_survey.py`, `tallies.py`), what is concluded (`judging/`), how it is
told (`report.py`, `document.py`).

No patient data leave this package: codes, units, counts and quantiles do, with small cells masked (`masking.py`).
"""
