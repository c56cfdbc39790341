"""sii-cds audit: verify the log, and search it."""

from __future__ import annotations

from datetime import date, datetime, time, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from zoneinfo import ZoneInfo

import click

from cds_service.audit.chain import ChainHead
from cds_service.audit.found import columns, json_line
from cds_service.audit.keys import read_key
from cds_service.audit.reading import verify_log
from cds_service.audit.search import Query, Unreadable, patient_forms, search
from cds_service.cli.options import config_option, load_or_exit
from cds_service.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from cds_service.audit.verification import Verification
    from cds_service.settings import Settings

    _Command = TypeVar("_Command", bound=Callable[..., object])


class HeadType(click.ParamType):
    """`SEQUENCE:LINK`, as `audit verify` prints it and the operational log holds it."""

    name = "head"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> ChainHead:
        """Read a chain head; anything else is a usage error."""
        sequence, _, link = str(value).partition(":")
        if not sequence.isdecimal() or len(link) != 64 or not set(link) <= set("0123456789abcdef"):
            self.fail(f"{value!r} is not SEQUENCE:LINK with a link of 64 hexadecimal digits", param, ctx)
        return ChainHead("", int(sequence), link)
