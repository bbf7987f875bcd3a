"""The rules find the same with the filter as without."""

import json
from itertools import pairwise
from pathlib import Path

import guard
from guard.normalise import fold_with_offsets
from guard.numbers import with_digits
from guard.rulebook import rulebook


def test_every_pattern_that_matches_an_example_is_a_candidate_for_it() -> None:
    """In labelled replies, in pairs of them and in what rules must match."""
    replies = [
        json.loads(line)["text"]
        for path in sorted((Path(guard.__file__).parent / "examples").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ][::7]
    index = rulebook().index
    everything = range(len(index))

    for text in (
        *replies,
        *map("\n".join, pairwise(replies)),
        *(text for rule in rulebook().rules for text in rule.must_match),
    ):
        folded = with_digits(fold_with_offsets(text)).text
        found = index.matches(index.candidates(folded), folded)

        assert [match.span() for match in found] == [match.span() for match in index.matches(everything, folded)]
