from keeper.routing.search.filling import Filled, Swap
from keeper.routing.search.network import Edge
from keeper.routing.search.paths import Path, paths_of
from tests.builders import address
from tests.sides import Flat

ANY = Flat(1.0, 10**30)


def swap(number: int, tail: int, head: int, sold: int) -> Swap:
    return Swap(Edge(address(number), tail, head, ANY), sold, sold)


def numbers(paths: list[Path]) -> list[tuple[list[int], int]]:
    return [([int(edge.pool, 16) for edge in path.edges], path.planned) for path in paths]


def split(*swaps: Swap, rests: tuple[bool, ...] = (True, True, True, True), joins: bool = True):  # type: ignore[no-untyped-def]
    return numbers(paths_of(Filled(swaps, 0, 0), rests, lambda one, other: joins))


def test_paths__of_pools_side_by_side__are_one_each() -> None:
    assert split(swap(1, 0, 1, 60), swap(2, 0, 1, 40)) == [([1], 60), ([2], 40)]


def test_paths__one_in_one_out__go_on_in_one_call() -> None:
    assert split(swap(1, 0, 2, 60), swap(2, 0, 1, 40), swap(3, 2, 1, 60)) == [([1, 3], 60), ([2], 40)]


def test_paths__where_no_call_carries_both__meet_in_the_middle_token() -> None:
    assert split(swap(1, 0, 2, 60), swap(3, 2, 1, 60), joins=False) == [([1], 60), ([3], 60)]


def test_paths__where_several_arrive__end_there_so_that_no_pool_is_used_twice() -> None:
    found = split(swap(1, 0, 2, 60), swap(2, 0, 2, 40), swap(3, 2, 1, 70), swap(4, 2, 1, 30))
    assert found == [([1], 60), ([2], 40), ([3], 70), ([4], 30)]


def test_paths__through_a_token_in_which_nothing_may_rest__are_carried_through() -> None:
    swaps = (swap(1, 0, 2, 60), swap(2, 0, 2, 40), swap(3, 2, 1, 70), swap(4, 2, 1, 30))
    found = split(*swaps, rests=(True, True, False, False))
    assert found == [([1, 3], 60), ([2, 4], 30), ([2, 3], 10)]
    assert sum(planned for _, planned in found) == 100


def test_paths__of_three_pools__are_one_call() -> None:
    assert split(swap(1, 0, 2, 50), swap(2, 2, 3, 50), swap(3, 3, 1, 50)) == [([1, 2, 3], 50)]
