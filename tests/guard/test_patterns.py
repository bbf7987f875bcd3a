"""RE2 says which patterns can match; it may say too many, never too few."""

import json
from importlib import resources

from hypothesis import given
from hypothesis import strategies as st

from guard.normalise import fold_with_offsets
from guard.numbers import with_digits
from guard.patterns import PatternIndex, loosened
from guard.rulebook import rulebook


def _example_texts() -> list[str]:
    folder = resources.files("guard") / "examples"
    lines = [
        line for entry in folder.iterdir() if entry.name.endswith(".jsonl") for line in entry.read_text("utf-8").splitlines()
    ]
    return [json.loads(line)["text"] for line in lines][::7]


def test_every_pattern_that_matches_an_example_is_a_candidate_for_it() -> None:
    """The rules find the same with the filter as without."""
    index = rulebook().index
    everything = range(len(index))

    for text in map(_folded, _example_texts()):
        found = index.matches(index.candidates(text), text)
        assert [match.span() for match in found] == [match.span() for match in index.matches(everything, text)]


PATTERNS = (r"\w+ reais", r"(?<!\d)\d{2}\s+horas", r"[^\s.!?]+ gratis", r"so\W+hoje", r"[\w.]+@\w+")


@given(st.text(max_size=60), st.sampled_from(PATTERNS))
def test_no_text_hides_a_match_from_the_filter(noise: str, pattern: str) -> None:
    """Whatever letters and spaces of the world surround it."""
    index = PatternIndex()
    index.add([pattern])
    index.freeze()

    text = f"{noise} 48 horas são 15 reais, é gratis, so hoje: eu@voce {noise}"

    assert not index.matches([0], text) or 0 in index.candidates(text)


def test_look_around_and_narrow_classes_are_loosened() -> None:
    """What RE2 cannot read, or reads more narrowly, is widened."""
    assert loosened(r"(?<!\d)\d+(?!x)") == r"[\d\x{80}-\x{10FFFF}]+"
    assert loosened(r"[^\s.]\w") == r"[^\s.][\w\x{80}-\x{10FFFF}]"


def _folded(text: str) -> str:
    return with_digits(fold_with_offsets(text)).text
