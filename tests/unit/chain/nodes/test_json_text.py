import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.nodes.json_text import Written, parse, write


def test_write__of_parameters_written_before__takes_their_text() -> None:
    calls = [
        {"jsonrpc": "2.0", "id": 7, "method": "m", "params": [1, "x"]},
        {"id": 8, "params": Written([2], (b"[", b"2]"))},
    ]
    assert b"".join(write(calls)) == b'[{"jsonrpc":"2.0","id":7,"method":"m","params":[1,"x"]},{"id":8,"params":[2]}]'
    assert b"".join(write(calls[1])) == b'{"id":8,"params":[2]}'


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text(), min_size=1, max_size=4), max_size=4))
def test_write__of_any_body__is_its_json(body: list[dict[str, object]]) -> None:
    assert json.loads(b"".join(write(body))) == body


@pytest.mark.fault("R32")
@pytest.mark.parametrize(
    ("data", "parsed"),
    [
        (b"[" * 32 + b"]" * 32, True),
        (b"[" * 33 + b"]" * 33, False),
        (b'{"a":' * 33 + b"1" + b"}" * 33, False),
        (b"[1," * 100_000, False),
        (b'["' + b"[" * 100_000 + b'"]', True),
        (rb'["\"[[\\", {}]', True),
        (rb'["' + rb"\"" * 100_000, False),
        (b"[" * 10 + b"]" * 9, False),
        (b"]" * 100_000, False),
    ],
)
def test_parse__of_deep_nesting__is_refused_before_it_recurses(data: bytes, parsed: bool) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        assert (parse(data) is not None) is parsed
    finally:
        sys.setrecursionlimit(limit)


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_parse__of_any_shallow_json__gives_it_back(value: object) -> None:
    assert parse(json.dumps([value]).encode()) == [value]
    assert parse(json.dumps([value], ensure_ascii=False).encode()) == [value]
