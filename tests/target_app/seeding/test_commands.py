from pathlib import Path

import pytest
from click.testing import CliRunner

from target_app import seeding
from target_app.cli import main

pytestmark = pytest.mark.costly  # datasets are made


def test_seed_takes_what_decides_the_rows(tmp_path: Path) -> None:
    words = ["--customers", "2", "--seed", "3", "--accounts", "4", "--locale", "zh_CN", "--verify"]
    result = CliRunner().invoke(main, ["seed", *words, "--data", str(tmp_path)])

    assert result.exit_code == 0
    assert "made: 24 users, 24 api_tokens, 2 customers, " in result.stderr
    assert result.stderr.endswith(", as its rows have\n")
    recipe = seeding.seed(tmp_path, customers=2, seed=3, accounts=4, locale="zh_CN").manifest.recipe
    assert recipe.asked() == {"customers": 2, "seed": 3, "accounts": 4, "locale": "zh_CN"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["seed", "--accounts", "0"], "0 is not in the range 1<=x<=5000"),
        (["seed", "--accounts", "5001"], "5001 is not in the range 1<=x<=5000"),
        (["seed", "--locale", "de_DE"], "'de_DE' is not one of 'en_US', 'zh_CN'"),
        (["seed", "--database", "mysql"], "must be sqlite, postgres, or a URL such as"),
        (["seed", "--database", "mysql://h/x"], "is no URL of PostgreSQL"),
        (["seed", "--database", "postgresql://u:pw@h/x"], "into the environment variable CRM_SEED"),
        (["reset", "--data", ".", "--to", "postgresql://u:pw@h/x"], "variable CRM_RESET_TO"),
        (["reset", "--data", "."], "Missing option '--to'"),
    ],
)
def test_bad_usage_is_explained(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, words)

    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert ":pw@" not in result.stderr


def test_a_file_is_copied_to_a_file(dataset: seeding.Found, tmp_path: Path) -> None:
    for target, message in (
        (str(tmp_path), "is a folder. Name a file"),
        ("postgresql://h/x", "the dataset is a file, so name a file"),
    ):
        words = ["reset", "--data", str(dataset.folder), "--to", target]
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 2
        assert message in result.stderr
