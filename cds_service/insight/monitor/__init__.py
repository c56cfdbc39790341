"""Does the rule still behave? What the audit log says day by day, held against a clean period.

Reading order: `tallies.py` (what a day adds up to), `reading.py` (from the log to days), `measures.py` (what is
charted), `expectation.py` (what is usual, learned from the baseline), `shares.py` and `volumes.py` (is a day still
usual), `episodes.py` (from when to when it was not), `findings.py` (what went wrong), `monitoring.py` (all of it).
Everything but reading and output is pure.
"""
