"""What tests of every room share: golden files, the system's Chromium, real commands."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.chromium import find_chromium, must_be_there

# Many small objects come and go while everything that was imported stays: the collector's usual
# threshold has it look through all of that again and again, for an eighth of the tests' time.
gc.set_threshold(100_000)

# `make test` takes half as many examples as Hypothesis does, for the time of all tests, and
# `make unit` a tenth. Tests are not timed: what an example takes says how busy the machine is.
hypothesis.settings.register_profile("whole", deadline=None, max_examples=50)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=10)
hypothesis.settings.load_profile("whole")

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.harness import Harness


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write golden files anew instead of comparing with them",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long: two processes then end at about the same time."""
    long = {item.path for item in items if any(item.iter_markers("slow"))}
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    gc.freeze()  # the modules and the tests themselves: they are there to the end


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a file in the folder ``golden`` beside the test."""
    folder = Path(request.path).parent / "golden"
    update = bool(request.config.getoption("--update-golden"))

    def compare(name: str, text: str) -> None:
        path = folder / name
        if update:
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"{path} is missing: pytest --update-golden writes it"
        assert text == path.read_text(encoding="utf-8"), "pytest --update-golden takes the new one"

    return compare


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's Chromium; skips without one, and fails in CI."""
    path = find_chromium()
    if path is None:
        (pytest.fail if must_be_there() else pytest.skip)(
            "no Chromium on PATH: python tests/chromium.py installs it where it may"
        )
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One headless Chromium for the whole session."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where datasets are kept between the runs of a session."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def harness(tmp_path: Path, cache: Path) -> Iterator[Harness]:
    """A harness that leaves no process behind."""
    from tests.support.harness import Harness  # most tests start nothing

    harness = Harness(tmp_path, cache)
    yield harness
    harness.clean()
