"""The audit record: who was told what, computed from which results, and proof that it was not altered.

Reading order: `records.py` (what is kept), `building.py` (from the clinical types to a record), `chain.py` (how a
line is bound to the one before), `log.py` (appending, durably and from several processes), `verification.py` (what
an auditor checks), `search.py`.
"""
