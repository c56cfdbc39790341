"""Typed, strict reading of one table of a mapping file."""

from decimal import Decimal, InvalidOperation

from fhir_mappings.errors import MappingError


class RowReader:
    """Takes named values out of one table; every key must be asked for, else `finish` refuses the table.

    Every method raises MappingError, naming the origin, when the value is missing or has another type.
    """

    def __init__(self, raw: object, origin: str) -> None:
        if not isinstance(raw, dict):
            raise MappingError(origin, "is not a table")
        self._raw: dict[str, object] = dict(raw)
        self.origin = origin

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not empty."""
        value = self._raw.pop(key, default)
        if not isinstance(value, str) or (not value and default is None):
            raise self._wrong(key, "a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts that is not empty."""
        value = self._raw.pop(key, None)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            raise self._wrong(key, "a list of texts")
        return tuple(value)

    def flag(self, key: str) -> bool:
        """Return true or false; false when the key is missing."""
        value = self._raw.pop(key, False)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def names(self) -> tuple[str, ...]:
        """Return the keys that were not asked for yet."""
        return tuple(self._raw)

    def integer(self, key: str) -> int:
        """Return a whole number."""
        value = self._raw.pop(key, None)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(key, "a whole number")
        return value

    def decimal(self, key: str) -> Decimal:
        """Return an exact decimal number. It stands in quotes, because a TOML float would be rounded."""
        text = self.text(key)
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise self._wrong(key, "a decimal number in quotes") from None
        if not number.is_finite():
            raise self._wrong(key, "a decimal number in quotes")
        return number

    def finish(self) -> None:
        """Refuse keys that nobody asked for: a mistyped optional key must not go unnoticed."""
        if self._raw:
            raise MappingError(self.origin, f"unknown key {', '.join(sorted(self._raw))}")

    def _wrong(self, key: str, wanted: str) -> MappingError:
        return MappingError(self.origin, f"{key} must be {wanted}")
