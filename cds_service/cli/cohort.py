"""sii-cds cohort: the published study, repeated on the patients of a hospital."""

from __future__ import annotations

import click

from cds_service.cli.cohort_assess import assess_command
from cds_service.cli.cohort_validate import validate_command


@click.group("cohort", epilog="Example: sii-cds cohort assess export/ --out cohort")
def cohort_group() -> None:
    """Repeat the study on a hospital's own patients: assess them, and validate the rule on them."""


cohort_group.add_command(assess_command)
cohort_group.add_command(validate_command)
