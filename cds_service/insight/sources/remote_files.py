"""Files that are named by an address: of HDFS and of S3, read through pyarrow, byte for byte.

They are paths like those of this machine, as far as the reading of an export needs it. Who may read, and where the
servers are, is found as pyarrow finds it: Hadoop's configuration and native library, the AWS_… variables.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

SCHEMES: Final = ("hdfs", "s3a", "s3", "file")
_BETWEEN: Final = "://"
# Spark calls it so, and Hadoop; everybody else says s3.
_SPELLED: Final = {"s3a": "s3"}
_WITHOUT_HOST: Final = "file"


class RemoteStat(NamedTuple):
    """What is known of a file before it is read."""

    st_size: int


class RemotePath(PurePosixPath):
    """A file or folder of a store, by its address."""

    @property
    def address(self) -> str:
        """The address as it was given."""
        scheme, _, rest = str(self).partition(":/")
        return f"{scheme}{_BETWEEN}{'/' if scheme == _WITHOUT_HOST else ''}{rest}"

    def is_dir(self) -> bool:
        """Tell whether it is a folder. Raises OSError where the store cannot be asked."""
        return bool(self._info().type == _fs().FileType.Directory)

    def is_file(self) -> bool:
        """Tell whether it is a file. Raises OSError where the store cannot be asked."""
        return bool(self._info().type == _fs().FileType.File)

    def exists(self) -> bool:
        """Tell whether there is such a file or folder. Raises OSError where the store cannot be asked."""
        return self.is_dir() or self.is_file()

    def stat(self) -> RemoteStat:
        """Return its size. Raises OSError, and FileNotFoundError where there is no such file."""
        size = self._info().size
        if size is None:
            raise FileNotFoundError(f"{self.address}: there is no such file")
        return RemoteStat(size)

    def open(self, _mode: str = "rb", buffering: int = 0) -> BinaryIO:  # noqa: ARG002  as of a path of this machine
        """Open it for reading its bytes. Raises OSError."""
        system, path = self._located()
        return cast("BinaryIO", system.open_input_file(path))

    def read_bytes(self) -> bytes:
        """Return all bytes. Raises OSError."""
        with self.open() as stream:
            return stream.read()

    def glob(self, pattern: str) -> Iterator[RemotePath]:
        """Yield what stands in this folder under names of a pattern. Raises OSError."""
        return self._within(pattern, recursive=False)

    def rglob(self, pattern: str) -> Iterator[RemotePath]:
        """Yield what stands in this folder and all folders below it. Raises OSError."""
        return self._within(pattern, recursive=True)

    def _within(self, pattern: str, *, recursive: bool) -> Iterator[RemotePath]:
        system, path = self._located()
        for info in system.get_file_info(_fs().FileSelector(path, recursive=recursive)):
            if fnmatchcase(info.base_name, pattern):
                yield self / PurePosixPath(info.path).relative_to(path)

    def _info(self) -> Any:
        system, path = self._located()
        return system.get_file_info(path)

    def _located(self) -> tuple[Any, str]:
        scheme, _, rest = str(self).partition(":/")
        if scheme == _WITHOUT_HOST:
            return _file_system(f"{scheme}{_BETWEEN}/"), f"/{rest}"
        host, _, path = rest.partition("/")
        system = _file_system(f"{_SPELLED.get(scheme, scheme)}{_BETWEEN}{host}")
        return system, f"/{path}" if scheme == "hdfs" else rest


ExportPath = Path | RemotePath


def shown(path: ExportPath) -> str:
    """Return how a path or an address is called in what people read."""
    return path.address if isinstance(path, RemotePath) else str(path)


def is_address(text: str) -> bool:
    """Tell whether a text is an address, and not a path of this machine."""
    return _BETWEEN in text


def parse_address(text: str) -> RemotePath:
    """Return the file or folder of an address. Raises ValueError with a sentence."""
    scheme, _, rest = text.partition(_BETWEEN)
    if scheme not in SCHEMES:
        raise ValueError(f"{text!r} is no address that can be read: {', '.join(f'{name}://' for name in SCHEMES)}")
    if not rest or rest.startswith("/") != (scheme == _WITHOUT_HOST):
        raise ValueError(f"{text!r} names no host or bucket; write it out, as in hdfs://namenode:8020/export")
    return RemotePath(text)


def _fs() -> Any:
    return import_module("pyarrow.fs")


@lru_cache(maxsize=16)
def _file_system(root: str) -> Any:
    """Return the store behind an address. Raises OSError where it cannot be reached."""
    try:
        return _fs().FileSystem.from_uri(root)[0]
    except ValueError as error:
        raise OSError(f"{root}: {error}") from error
