"""Writes what there is to read of a comparison into a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.report.comparison_markdown import render_comparison
from analysis.report.comparison_page import render_page


def write_comparison(document: Mapping[str, Any], folder: Path) -> Path:
    """Write a comparison as comparison.json, .md and .html.

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
    written = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    page = folder / "comparison.html"
    (folder / "comparison.json").write_text(written, encoding="utf-8")
    (folder / "comparison.md").write_text(render_comparison(document), encoding="utf-8")
    page.write_text(render_page(document), encoding="utf-8")
    return page
