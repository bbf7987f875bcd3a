"""Ids that are the same for the same cause, so that a repeated step finds what the first one did."""

import hashlib
import hmac

_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def derived_id(kind: str, *parts: str) -> str:
    """An id such as `turn-fbhade…` (24 letters): the same parts always give the same id.

    Letters only, so that no id can look like a telephone number or a CPF and be masked in a log.
    """
    digest = hashlib.sha256("\x1f".join((kind, *parts)).encode()).hexdigest()[:24]
    return f"{kind}-{digest.translate(_LETTERS)}"


def pseudonym(key: str, value: str) -> str:
    """A keyed hash (16 letters) that stands for `value` where personal data may not be."""
    digest = hmac.digest(key.encode(), value.encode(), "sha256").hex()[:16]
    return digest.translate(_LETTERS)
