import pytest
from werkzeug.security import check_password_hash, generate_password_hash

from target_app.passwords import COST, hash_password


def test_werkzeug_takes_what_we_make() -> None:
    made = hash_password("pass wörd", "salt1", 7)

    assert made.startswith("scrypt:128:8:1$salt1$")
    assert check_password_hash(made, "pass wörd")
    assert not check_password_hash(made, "pass word")


@pytest.mark.costly
def test_the_usual_cost_is_werkzeugs() -> None:
    ours, theirs = hash_password("x", "s"), generate_password_hash("x")

    assert ours.split("$")[0] == theirs.split("$")[0] == f"scrypt:{2**COST}:8:1"
    assert len(ours.split("$")[2]) == len(theirs.split("$")[2])
    assert check_password_hash(ours, "x")


@pytest.mark.parametrize(("salt", "cost"), [("", 7), ("a$b", 7), ("ü", 7), ("s", 6), ("s", 21)])
def test_what_is_no_salt_or_cost_is_refused(salt: str, cost: int) -> None:
    with pytest.raises(ValueError, match=r"(salt|cost): must be .*; found"):
        hash_password("x", salt, cost)
