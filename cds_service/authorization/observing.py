"""What client trust tells the metrics, without knowing them."""

from __future__ import annotations

from typing import Protocol


class TrustObserver(Protocol):
    """Counts what hospital IT wants to be woken for. Names are those of the configuration, so there are few."""

    def count_key_set(self, client_name: str, *, usable: bool) -> None:
        """Count an attempt to read a client's keys; when it failed, the keys read before stay in force."""

    def count_limited_address(self, client_name: str | None) -> None:
        """Count an address that failed too often, with the client it claimed to be, if there is such a client."""


class SilentObserver:
    """Counts nothing: for commands and tests."""

    def count_key_set(self, client_name: str, *, usable: bool) -> None:
        """Do nothing."""

    def count_limited_address(self, client_name: str | None) -> None:
        """Do nothing."""
