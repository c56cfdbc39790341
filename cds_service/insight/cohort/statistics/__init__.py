"""The figures of a validation: pure functions of arrays, each with its definition and source in the docstring."""
