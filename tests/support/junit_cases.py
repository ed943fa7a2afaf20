"""Reads what a CI server would show."""

from __future__ import annotations

import xml.etree.ElementTree as ET


def kinds(text: str) -> dict[str, str]:
    """Kind of each case of a JUnit report, ``ok`` where it is green; names must differ."""
    found: dict[str, str] = {}
    for case in ET.fromstring(text.encode()).iter("testcase"):
        of = [child.tag for child in case if child.tag != "system-out"]
        name = case.get("name", "")
        assert name not in found, name
        found[name] = of[0] if of else "ok"
    return found


def facts(text: str) -> dict[str, str]:
    """Properties of the suite; the last of each name."""
    root = ET.fromstring(text.encode())
    return {each.get("name", ""): each.get("value", "") for each in root.iter("property")}
