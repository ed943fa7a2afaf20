"""A process of its own that composes: what it makes is inserted meanwhile, on another core."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import IO, cast

from target_app.seeding.compose import Composition, Ending, Part, compose
from target_app.seeding.manifest import Recipe

_WORTH_IT = 100_000
"""Customers, from which on the second process saves more than its start takes."""


@contextmanager
def composing(recipe: Recipe) -> Iterator[Composition]:
    """
    Compose a dataset, beside this process where it is large.

    Parameters
    ----------
    recipe : Recipe
        Decides everything.

    Yields
    ------
    Composition
    """
    if recipe.customers < _WORTH_IT:
        yield Composition.of(compose(recipe))
        return
    words = [sys.executable, "-m", "target_app.seeding.composer", json.dumps(asdict(recipe))]
    # Whoever reads may end in any way: the other then finds its pipe broken, and ends too.
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    stream = cast(IO[bytes], process.stdout)
    try:
        yield Composition.of(_received(process, stream))
    finally:
        process.kill()
        process.wait()
        stream.close()


def _received(process: subprocess.Popen[bytes], stream: IO[bytes]) -> Generator[Part]:
    """
    Read what the other process makes.

    Raises
    ------
    RuntimeError
        When it ends before its work does.
    """
    while True:
        try:
            part: Part = pickle.load(stream)  # noqa: S301 - from our own child
        except EOFError:
            raise RuntimeError(
                f"the process that composes the rows ended with status {process.wait()}"
            ) from None
        yield part
        if isinstance(part, Ending):
            return


def main() -> None:
    """Compose the recipe that is given as JSON, and write everything to the standard output."""
    try:
        for part in compose(Recipe(**json.loads(sys.argv[1]))):
            pickle.dump(part, sys.stdout.buffer, protocol=5)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(1)  # nobody reads any more; a usual end would try to write what is left


if __name__ == "__main__":
    main()
