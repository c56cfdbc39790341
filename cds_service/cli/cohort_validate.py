"""sii-cds cohort validate: how the rule does on assessed patients, as figures and as a page."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import click

from cds_service.cli.files import STANDARD_OUTPUT, write_text
from cds_service.cli.shown import csv_option, html_option, json_option, show
from cds_service.errors import CohortFolderError, MissingExtraError

if TYPE_CHECKING:
    from cds_service.insight.cohort.validation.validate import Validation

_CANNOT: Final = 2
_SUBGROUPS: Final = ("sex", "age", "therapy")
_MISSING: Final = (
    "Figures of a cohort need scipy, which is not installed: pip install --require-hashes -r requirements.lock"
)


class _HorizonsType(click.ParamType[tuple[int, ...]]):
    """Days such as 365,730."""

    name = "days"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in str(value).split(",")]
        if not all(word.isascii() and word.isdigit() and 0 < int(word) < 100_000 for word in words):
            self.fail(f"{value!r} is not a list of days such as 365,730", param, ctx)
        return tuple(sorted({int(word) for word in words}))


class _SubgroupsType(click.ParamType[tuple[str, ...]]):
    """Variables such as sex,age."""

    name = "names"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in str(value).split(",") if word.strip()]
        for word in words:
            if word not in _SUBGROUPS:
                self.fail(f"{word!r} is none of {', '.join(_SUBGROUPS)}", param, ctx)
        return tuple(dict.fromkeys(words))


@click.command("validate", epilog="Example: sii-cds cohort validate cohort --html cohort.html")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR…")
@click.option(
    "--follow-up", type=click.IntRange(1), metavar="DAYS", help="End follow-up earlier than cohort assess did."
)
@click.option(
    "--horizons",
    type=_HorizonsType(),
    default="365,730,1095,1826",
    show_default=True,
    metavar="DAYS,…",
    help="Days from the decision at which curves are read.",
)
@click.option(
    "--min-cell",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    metavar="N",
    help="Tell of no fewer people than this; 1 suppresses nothing.",
)
@click.option("--bootstrap", type=click.IntRange(1, 100_000), default=2_000, show_default=True, metavar="N",
              help="Resamples of patients.")  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, metavar="N", help="Seed of the resamples."
)
@click.option(
    "--subgroups",
    type=_SubgroupsType(),
    default=",".join(_SUBGROUPS),
    show_default=True,
    metavar="NAME,…",
    help="Groups in which the figures are shown, too.",
)
@html_option
@json_option
@csv_option
def validate_command(
    folders: tuple[Path, ...],
    follow_up: int | None,
    horizons: tuple[int, ...],
    min_cell: int,
    bootstrap: int,
    seed: int,
    subgroups: tuple[str, ...],
    html_file: Path | None,
    json_file: Path | None,
    csv_file: Path | None,
) -> None:
    """Validate the rule on the patients that cohort assess found: the study's table, and what reporting asks today.

    DIR is a folder that cohort assess wrote; several are pooled, one site each. Prints a summary. Neither page nor
    figures name a patient, a day, or fewer people than --min-cell.

    Exit code 0 whatever the recommendation, 2 when a folder cannot be used.
    """
    try:
        validation = _validate(folders, follow_up, horizons, min_cell, bootstrap, seed, subgroups)
        _write(validation, html_file, json_file, csv_file)
    except (CohortFolderError, MissingExtraError) as error:
        _refuse(str(error))


def _validate(
    folders: tuple[Path, ...],
    follow_up: int | None,
    horizons: tuple[int, ...],
    min_cell: int,
    bootstrap: int,
    seed: int,
    subgroups: tuple[str, ...],
) -> Validation:
    if find_spec("scipy") is None:
        raise MissingExtraError(_MISSING)
    # Loaded when used: numpy and scipy are no part of other commands.
    from cds_service.insight.cohort.validation.cohort import read_cohort
    from cds_service.insight.cohort.validation.validate import Wanted, validate

    wanted = Wanted(horizons=horizons, least=min_cell, resamples=bootstrap, seed=seed, subgroups=subgroups)
    return validate(read_cohort(folders, follow_up), wanted)


def _write(validation: Validation, html_file: Path | None, json_file: Path | None, csv_file: Path | None) -> None:
    from cds_service.insight.cohort.validation.document import cohort_document
    from cds_service.insight.cohort.validation.export import as_data
    from cds_service.reports.as_csv import as_csv
    from cds_service.reports.as_html import as_html
    from cds_service.reports.as_json import as_json

    document = cohort_document(validation, version("sii-cds"))
    if STANDARD_OUTPUT not in (html_file, json_file, csv_file):
        show(document)
    if json_file is not None:
        write_text(json_file, as_json(as_data(validation)) + "\n")
    if csv_file is not None:
        write_text(csv_file, as_csv(document))
    if html_file is not None:
        write_text(html_file, as_html(document))


def _refuse(text: str) -> NoReturn:
    click.echo(text, err=True)
    raise click.exceptions.Exit(_CANNOT)
