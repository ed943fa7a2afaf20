"""The accounts of a dataset, for tests that ask as somebody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient


@dataclass(frozen=True, slots=True)
class Accounts:
    password: str
    all: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, folder: Path) -> Accounts:
        lines = (folder / "accounts.jsonl").read_text(encoding="utf-8").splitlines()
        head, *accounts = map(json.loads, lines)
        return cls(head["password"], accounts)

    def of_role(self, role: str) -> list[Mapping[str, Any]]:
        """Ordinary accounts of a role; those with a note are for tests of what is refused."""
        return [a for a in self.all if a["role"] == role and not a.get("note")]

    def noted(self, word: str) -> Mapping[str, Any]:
        """The account whose note has a word in it."""
        return next(a for a in self.all if word in (a.get("note") or ""))

    def client(self, app: Flask, role: str, number: int = 0) -> FlaskClient:
        """A client that sends the token of the n-th account of a role."""
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = bearer(self.of_role(role)[number])
        return client


def bearer(account: Mapping[str, Any]) -> str:
    return f"Bearer {account['token']}"
