"""With the filter the expressions find exactly what they find one by one."""

import re
import tomllib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import fsm_service.understanding
from fsm_service.understanding.dataset import EXAMPLES, read_messages
from fsm_service.understanding.patterns import PatternSet
from fsm_service.understanding.text import fold

SIGNS = tomllib.loads(Path(fsm_service.understanding.__file__).with_name("signals.toml").read_text(encoding="utf-8"))
EXPRESSIONS = [expression for sign in SIGNS.values() for expression in sign["any"]]
ALL = PatternSet(EXPRESSIONS)
COMPILED = [re.compile(expression) for expression in EXPRESSIONS]


def by_re(folded: str) -> set[int]:
    """The numbers of the expressions that `re` finds."""
    return {number for number, pattern in enumerate(COMPILED) if pattern.search(folded)}


def test_the_same_signs_in_real_messages() -> None:
    """The shipped expressions on the messages of two writers."""
    for name in ("messages_c1.jsonl", "messages_m1.jsonl"):
        for item in read_messages(EXAMPLES / name):
            folded = fold(item.text)

            assert ALL.found(folded) == by_re(folded), item.text


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_the_same_signs_in_any_text(text: str) -> None:
    """Also in what nobody would write."""
    folded = fold(text)

    assert ALL.found(folded) == by_re(folded)
