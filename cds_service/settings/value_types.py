"""Types of configuration values: texts, exact and floating numbers, paths relative to the configuration file.

The directory that relative paths start from comes in as validation context `{"base": Path}`; without it they start
from the working directory.
"""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo, WithJsonSchema

from cds_service.settings.excerpts import may_hold_secret
from cds_service.settings.local_paths import check_local_path
from cds_service.settings.network import (
    address_or_network,
    http_url,
    listen_host,
    secure_location,
    secure_url,
    web_origin,
)
from cds_service.settings.time_zones import time_zone

_SQLITE: Final = re.compile(r"(?P<driver>sqlite(?:\+[a-z0-9]+)?):///(?P<path>[^?]+)(?P<query>\?.*)?")
_POSTGRESQL: Final = re.compile(r"postgresql(?:\+[a-z0-9]+)?://[^@/?#]*@?[^@?#]+(\?[^@]*)?")


def _base(info: ValidationInfo) -> Path:
    return (info.context or {}).get("base") or Path.cwd()


def _path(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str | Path) or not str(value).strip():
        return value
    if isinstance(value, str):
        check_local_path(value, info)
    return Path(_base(info), value)


def _readable(path: Path) -> Path:
    try:
        if path.exists() and not path.is_file():
            raise ValueError(f"is not a file: {path}")
        with path.open("rb"):
            return path
    except FileNotFoundError:
        if may_hold_secret(path.name):
            raise ValueError("no such file; write the name of the file that holds the key, not the key") from None
        raise ValueError(f"no such file: {path}") from None
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}: {path}") from None


def _decimal(value: object) -> object:
    # A float comes from a calling program only, never from YAML; its shortest text is what was typed there.
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _seconds(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


def _state_url(text: str, info: ValidationInfo) -> str:
    found = _SQLITE.fullmatch(text)
    if found is None:
        return _postgresql(text)
    name = found["path"]
    if name.startswith((":memory:", "file:")):
        raise ValueError("must name a database file: workers share what they know through it")
    check_local_path(name)
    return f"{found['driver']}:///{Path(_base(info), name)}{found['query'] or ''}"


def _postgresql(text: str) -> str:
    if _POSTGRESQL.fullmatch(text) is None:
        raise ValueError('write "sqlite:///FILE" or "postgresql://HOST/DATABASE"')
    user = text.partition("://")[2].rpartition("@")[0]
    if ":" in user or "password=" in text:
        raise ValueError("holds a password; put it into a PostgreSQL password file (passfile, PGPASSFILE)")
    return text


# A name or remark of one line.
Text = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^\S(.*\S)?$")]
ListenHost = Annotated[str, AfterValidator(listen_host)]
IPAddressOrNetwork = Annotated[str, AfterValidator(address_or_network)]
HttpUrl = Annotated[str, AfterValidator(http_url)]
SecureUrl = Annotated[str, AfterValidator(secure_url)]
SecureLocation = Annotated[str, AfterValidator(secure_location)]
WebOrigin = Annotated[str, AfterValidator(web_origin)]
TimeZone = Annotated[str, AfterValidator(time_zone)]
StateUrl = Annotated[str, AfterValidator(_state_url)]

LocalPath = Annotated[Path, BeforeValidator(_path)]
ReadableFile = Annotated[LocalPath, AfterValidator(_readable)]

Timeout = Annotated[float, Field(gt=0, le=60), BeforeValidator(_seconds)]
Cutoff = Annotated[
    Decimal,
    Field(gt=0, le=100_000),
    BeforeValidator(_decimal),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 100_000}),
]

Mode = Literal["active", "silent"]
# Asymmetric signatures only: with HS* or "none" whoever knows the public key could sign.
Algorithm = Literal["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
