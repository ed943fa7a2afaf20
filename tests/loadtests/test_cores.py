"""How the machine's cores are shared out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.cores import named, share


def test_they_are_disjoint_while_everything_fits() -> None:
    cores = share(1, 1, frozenset({4, 7}))

    assert cores.generator == frozenset({4})
    assert cores.target == frozenset({7})


def test_they_are_shared_when_it_does_not_fit_or_the_target_is_not_ours() -> None:
    assert share(2, 1, frozenset({0, 1})).target is None
    assert share(0, 1, frozenset({0, 1})).generator is None


def test_each_generator_gets_one_of_them_and_the_manifest_names_it() -> None:
    cores = share(1, 2, frozenset({1, 3, 5}))

    assert [named(cores.of_generator(process)) for process in (0, 1)] == [[1], [3]]
    assert named(share(1, 1, frozenset({0})).of_generator(0)) == "shared"


@settings(derandomize=True, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.frozensets(st.integers(0, 63), min_size=1))
def test_nobody_gets_fewer_cores_than_processes(
    workers: int, generators: int, usable: frozenset[int]
) -> None:
    cores = share(workers, generators, usable)

    if cores.generator is not None and cores.target is not None:
        assert len(cores.generator) == generators
        assert len(cores.target) == workers
        assert not cores.generator & cores.target
        assert cores.generator | cores.target <= usable
