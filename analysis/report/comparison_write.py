"""Writes what there is to read of a comparison into a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_comparison(document: Mapping[str, Any], folder: Path) -> Path:
    """Write a comparison as JSON.

    Parameters
    ----------
    document : mapping
        comparison.json.
    folder : Path
        Made when it is not there.

    Returns
    -------
    Path
        What to open.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "comparison.json"
    text = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path
