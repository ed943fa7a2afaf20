"""A page as a parser sees it, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from typing import Any

VOID = frozenset({"br", "img", "input", "link", "meta", "wbr"})
LABELLED = frozenset({"input", "select", "textarea"})
NEVER = frozenset({"script", "iframe", "object", "embed", "base", "style"})
LOADING = frozenset({"src", "srcset", "data", "poster", "background"})

Attributes = dict[str, str | None]


class Markup(HTMLParser):
    """The tags of a page with their attributes, its text, and what does not fit together."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Attributes]] = []
        self.text = ""
        self.unbalanced: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.unbalanced += [f"<{tag}> is never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.unbalanced.append(f"</{tag}> at {self.getpos()} closes {self._open[-1:]}")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **wanted: Any) -> list[Attributes]:
        """The attributes of the tags of a kind that have those that are named."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in wanted.items()}
        return [a for t, a in self.tags if t == tag and wanted.items() <= a.items()]

    def one(self, tag: str, **wanted: Any) -> Attributes:
        (attributes,) = self.all(tag, **wanted)
        return attributes

    def faults(self) -> list[str]:
        """What a browser or a screen reader would stumble over, in words; best none."""
        return [
            *self.unbalanced,
            *self._faults_of_ids(),
            *self._faults_of_fields(),
            *self._faults_of_structure(),
            *self._faults_of_trust(),
        ]

    def _faults_of_ids(self) -> list[str]:
        ids = Counter(a["id"] for _, a in self.tags if a.get("id"))
        faults = [f"id {name} is there {n} times" for name, n in ids.items() if n > 1]
        for tag, attributes in self.tags:
            for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
                missing = set((attributes.get(name) or "").split()) - set(ids)
                faults += [f"<{tag} {name}> names {missing}"] if missing else []
            href = attributes.get("href") or ""
            if tag == "a" and href.startswith("#") and href[1:] not in ids:
                faults.append(f"link to {href}")
        return faults

    def _faults_of_fields(self) -> list[str]:
        labels = {a.get("for") for a in self.all("label")}
        return [
            f"<{tag} name={a.get('name')}> has no label"
            for tag, a in self.tags
            if tag in LABELLED and a.get("type") != "hidden" and a.get("id") not in labels
        ]

    def _faults_of_structure(self) -> list[str]:
        tags = Counter(tag for tag, _ in self.tags)
        faults = [f"{tags[t]} <{t}>" for t in ("h1", "main", "title", "header") if tags[t] != 1]
        if tags["table"] != tags["caption"]:
            faults.append("a table without a caption")
        faults += ["a heading of a table without scope" for a in self.all("th") if not a["scope"]]
        faults += ["a picture without alt" for a in self.all("img") if "alt" not in a]
        if not self.all("html", lang="en"):
            faults.append("no language")
        return faults

    def _faults_of_trust(self) -> list[str]:
        faults = [f"<{tag}>" for tag, _ in self.tags if tag in NEVER]
        for tag, attributes in self.tags:
            faults += [f"{n} of <{tag}>" for n in attributes if n.startswith("on") or n == "style"]
            for name in LOADING & attributes.keys():
                if not (attributes[name] or "").startswith("/static/"):
                    faults.append(f"<{tag}> loads {attributes[name]}")
        forms = len(self.all("form", method="post"))
        if forms != len(self.all("input", type="hidden", name="csrf_token")):
            faults.append("a form without a token")
        return faults
