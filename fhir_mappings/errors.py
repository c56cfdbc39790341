"""What is wrong with mapping data."""


class MappingError(ValueError):
    """A mapping row cannot be used. The text names the file and the row.

    >>> str(MappingError("units.toml, unit 3", "factor 'x' is no decimal number"))
    "units.toml, unit 3: factor 'x' is no decimal number"
    """

    def __init__(self, origin: str, problem: str) -> None:
        super().__init__(f"{origin}: {problem}")
        self.origin = origin
        self.problem = problem
