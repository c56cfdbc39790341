"""From folders of assessed rows to figures, a recommendation and a report that names nobody.

`folders.read_cohort` reads, `validate.validate` computes and suppresses, `export` and `page` say it. Nothing that
`validate` returns tells of fewer people than the reader was promised.
"""
