"""Sequences that ask, while they are gone through, whether to go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

# A resource is judged in some microseconds, one with a thousand components in some milliseconds.
_STRIDE: Final = 32


class Checked(Sequence[T]):
    """Resources on their way into the core, which knows no clock: `check` may raise between two of them."""

    def __init__(self, items: Sequence[T], check: Callable[[], None]) -> None:
        self._items = items
        self._check = check

    def __len__(self) -> int:
        """Count them."""
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        """Return one of them, or some."""
        return self._items[index]

    def __iter__(self) -> Iterator[T]:
        """Yield them, asking before the first of every 32."""
        for first in range(0, len(self._items), _STRIDE):
            self._check()
            yield from self._items[first : first + _STRIDE]
