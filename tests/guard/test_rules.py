"""Each rule's own examples, as its author wrote them in `guard/rules/*.toml`."""

import pytest

from guard import check
from guard.check import rule_hits
from guard.normalise import fold_with_offsets
from guard.numbers import with_digits
from guard.rulebook import rulebook

_MATCH = [(rule.id, text) for rule in rulebook().rules for text in rule.must_match]
_NO_MATCH = [(rule.id, text) for rule in rulebook().rules for text in rule.must_not_match]


@pytest.mark.parametrize(("rule", "text"), _MATCH)
def test_rule_finds_what_it_must(rule: str, text: str) -> None:
    """A `must_match` example is blocked, and its own rule holds in it."""
    read = with_digits(fold_with_offsets(text))

    holding = {hit.rule.id for hit in rule_hits(read) if hit.holds}

    assert rule in holding
    verdict = check(text)
    assert verdict.blocked or verdict.doubtful


@pytest.mark.parametrize(("rule", "text"), _NO_MATCH)
def test_rule_spares_what_it_must(rule: str, text: str) -> None:
    """A `must_not_match` example passes the whole guard, not only this rule."""
    verdict = check(text)

    assert verdict.findings == ()
    assert verdict.doubts == ()


def test_every_rule_explains_itself() -> None:
    """A product person finds a reason and examples of both kinds in every rule, and ids are unique."""
    rules = rulebook().rules

    assert len({rule.id for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.reason.endswith("."), rule.id
        assert rule.must_match, rule.id
        assert rule.must_not_match, rule.id
