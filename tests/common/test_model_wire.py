"""How long a provider asks us to wait."""

import email.utils
import time

import pytest

from common.model_wire import retry_after_s


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_headers(headers: dict[str, str], wait_s: float | None) -> None:
    """Milliseconds are more exact than seconds; rubbish is as nothing."""
    assert retry_after_s(headers) == wait_s


def test_a_date() -> None:
    """The other form that HTTP allows."""
    wait_s = retry_after_s({"retry-after": email.utils.formatdate(time.time() + 10, usegmt=True)})

    assert wait_s is not None
    assert 8 < wait_s <= 10
