"""Cases for the documented API: schemathesis makes them, valid and not, and this steers them.

What is made of a schema alone names records that do not exist, versions that are long gone and
cursors that are none. So ids are mostly turned into ones that are there, and conditions are mostly
left out. Everything is drawn from one seed: the same seed, the same cases.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

if TYPE_CHECKING:
    from schemathesis import APIOperation
    from schemathesis import Case as AnyCase

    Operation = APIOperation[Any, Any, Any, Any]
    Case = AnyCase[Any]

_TABLES = {
    "customer_id": "customers",
    "product_id": "products",
    "order_id": "orders",
    "feedback_id": "feedback",
    "owner_id": "users",
    "assigned_to": "users",
}
_STRANGERS = ("none", "unknown", "expired", "read")


@dataclass(slots=True)
class Planned:
    """A case, who sends it, and whether its input fits the document."""

    case: Case
    sender: str
    """A role, or what is wrong with the token."""
    fits: bool


class Plan:
    """
    The cases of one document.

    Parameters
    ----------
    document : dict
        OpenAPI.
    rows : mapping of str to int
        How many rows each table has; their ids go from 1 to that.
    seed : int
        Of everything that is drawn.
    """

    def __init__(self, document: dict[str, Any], rows: Mapping[str, int], seed: int) -> None:
        self._rows = rows
        self._seed = seed
        self._random = random.Random(seed)
        schema = schemathesis.openapi.from_dict(strict(document))
        # A case has no token among its headers: what reproduces it may show all of them.
        schema.config.output.sanitization.update(enabled=False)
        self.operations: dict[str, Operation] = {}
        for found in schema.get_all_operations():
            operation: Operation = found.ok()  # type: ignore[union-attr]
            self.operations[operation.definition.raw["operationId"]] = operation

    def cases(self, count: int) -> list[Planned]:
        """
        Make cases of all operations, as many of each, in any order.

        Parameters
        ----------
        count : int
            How many at least.
        """
        each = -(-count // len(self.operations))
        planned = [
            self._planned(case, fits=fits)
            for operation in self.operations.values()
            for fits, share in ((True, each - each // 3), (False, each // 3))
            for case in self._generate(operation, share, fits=fits)
        ]
        self._random.shuffle(planned)
        missing = count - len(planned)  # of operations that take no input there is but one case
        return planned + self.cases(missing) if 0 < missing < count else planned

    def following(self, name: str, identifier: int) -> Iterator[Planned]:
        """
        Make cases for what can be done with a record that has just been made.

        Parameters
        ----------
        name : str
            The operation that made it.
        identifier : int
            Its id.
        """
        made = self.operations[name].definition.raw["responses"]["201"]
        links = sorted(made.get("links", {}), key=lambda link: link.startswith("remove"))
        for link in links:
            operation = self.operations[link]
            for case in self._generate(operation, 1, fits=True, seed=identifier):
                planned = self._planned(case, fits=True)
                case.path_parameters = dict.fromkeys(case.path_parameters, identifier)
                planned.sender = "admin"
                yield planned

    def _generate(
        self, operation: Operation, count: int, *, fits: bool, seed: int = 0
    ) -> Sequence[Case]:
        """Have schemathesis make cases of one operation."""
        mode = GenerationMode.POSITIVE if fits else GenerationMode.NEGATIVE
        made: list[Case] = []

        @hypothesis.seed(hash((self._seed, seed)))
        @hypothesis.settings(
            max_examples=max(count, 1),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(operation.as_strategy(generation_mode=mode))
        def collect(case: Case) -> None:
            made.append(case)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the libraries, about the schema; tests hold that
            try:
                collect()
            except Unsatisfiable:  # what takes no input can be given no wrong one
                return []
        return made[-count:] if count else []

    def _planned(self, case: Case, *, fits: bool) -> Planned:
        """Steer a case, and choose who sends it."""
        allowed = case.operation.definition.raw.get("x-roles", ["admin"])
        chance = self._random.random()
        sender = self._random.choice(_STRANGERS if chance < 0.05 else allowed)
        if 0.05 <= chance < 0.15:
            sender = self._random.choice(("sales", "support", "marketing", "portal"))
        if case.headers is not None:
            case.headers.pop("Authorization", None)
            if self._random.random() < 0.7:
                case.headers.pop("If-Match", None)
        if fits and case.path_parameters:
            case.path_parameters = {
                name: self._near(name, value) for name, value in case.path_parameters.items()
            }
        if fits and case.query and self._random.random() < 0.8:
            case.query.pop("after", None)
        if fits:
            case.body = self._existing(case.body)
        return Planned(case, sender, fits)

    def _near(self, name: str, value: Any) -> Any:
        """Turn most ids into one that exists."""
        most = self._rows[_TABLES[name]]
        return self._random.randint(1, most) if self._random.random() < 0.9 else value

    def _existing(self, body: Any) -> Any:
        """Have a body name records that exist, and write whole numbers as such."""
        if isinstance(body, Mapping):
            whole = {name: self._existing(value) for name, value in body.items()}
            return {
                name: self._near(name, value) if name in _TABLES and value is not None else value
                for name, value in whole.items()
            }
        if isinstance(body, list):
            return [self._existing(each) for each in body]
        # To JSON Schema 1.0 is a whole number. Our rules want it written as one.
        return int(body) if isinstance(body, float) and body.is_integer() else body


def strict(node: Any) -> Any:
    """
    Have every answer hold what the document names, and nothing else.

    Parameters
    ----------
    node : object
        A part of the document; objects that name members may have no others.
    """
    if isinstance(node, list):
        return [strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    closed = {name: strict(each) for name, each in node.items()}
    if isinstance(closed.get("properties"), dict) and closed.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed
