"""Does the rule still behave? What the audit log says day by day, held against a clean period.

Reading order: `days.py` (from the log to the tally of each client and day), `periods.py` (which days are judged),
`measures.py` (what is charted), `expectation.py` (what is usual, learned from the baseline), `control_charts.py` (from
when to when it was not), `naming.py` and `findings.py` (what went wrong), `causes.py` (why, and where to look),
`monitoring.py` (all of it). Everything but reading and output is pure.
"""
