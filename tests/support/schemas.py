"""The JSON Schemas that come with the analysis, to hold documents against."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator

import analysis

FOLDER = Path(analysis.__file__).parent / "schema"


@cache
def validator(name: str) -> Draft202012Validator:
    """Read a schema by its name, and see that it is one."""
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
