"""A mistake in a rule file is told to the person who edits it, with the file and the rule."""

import pytest

from guard.rulebook import InvalidRules, _checked, _toml


def test_a_file_that_is_no_toml_is_named() -> None:
    """With the line, as TOML's reader knows it."""
    with pytest.raises(InvalidRules, match=r"guard/rules/price.toml: falta fechar"):
        _toml("price.toml", "[[regra]]\npadroes = ['a, ]\n")


@pytest.mark.parametrize(
    ("pattern", "problem"), [("custa (r$", "missing \\)"), ("custa {valro}", "não há vocabulário 'valro'")]
)
def test_a_pattern_that_cannot_be_read_is_named_with_its_rule(pattern: str, problem: str) -> None:
    """The pattern itself, and what is wrong with it."""
    with pytest.raises(InvalidRules, match=f"guard/rules/price.toml: regra 'valor': padrão .*{problem}"):
        _checked(pattern, {"valor": ["r$"]}, "guard/rules/price.toml: regra 'valor'")
