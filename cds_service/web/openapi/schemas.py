"""Small pieces of JSON Schema (2020-12) that requests and answers are written with."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

# White space as `str.strip` sees it, which is more than `\s` of regular expressions holds.
NOT_BLANK = r"[^\s\u001c-\u001f\u0085]"


def ref(name: str) -> Schema:
    """Point to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(description: str, **limits: Any) -> Schema:
    """Describe a string."""
    return {"type": "string", "description": description, **limits}


def array(items: Schema, **limits: Any) -> Schema:
    """Describe an array."""
    return {"type": "array", "items": items, **limits}


def counts(names: Schema, description: str) -> Schema:
    """Describe how often each of some names occurred."""
    values = {"type": "integer", "minimum": 1}
    return {
        "type": "object",
        "description": description,
        "propertyNames": names,
        "additionalProperties": values,
        "minProperties": 1,
    }


def answer(description: str, required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """Describe an object the service sends: nothing but these members."""
    return {
        "type": "object",
        "description": description,
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def accepted(
    description: str,
    required: dict[str, Schema],
    optional: dict[str, Schema] | None = None,
    never_null: dict[str, Schema] | None = None,
) -> Schema:
    """Describe an object the service takes.

    Other members are ignored; null is as good as a missing `optional` one, but not for those that are `never_null`.
    """
    members = {name: _or_null(schema) for name, schema in (optional or {}).items()}
    return {
        "type": "object",
        "description": f"{description} Other members are ignored.",
        "properties": {**required, **members, **(never_null or {})},
        "required": list(required),
    }


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}
