"""The store that all workers share: used tokens, heads of audit chains, shown and snoozed cards.

Reading order: `database.py` (one database, its tables made at first use), `sqlite_file.py` and `postgresql.py` (what
each kind of database needs), then one file for each subject: `used_tokens.py`, `chain_heads.py`, `snoozes.py`,
`installation_key.py`.
"""
