"""Takes personal data out of what is logged: by shape in any text, and by key for what has no shape (names, texts)."""

import re
from collections.abc import Mapping

PERSONAL_KEYS = frozenset(
    {
        "sender_name",
        "name",
        "text",
        "customer_text",
        "reply_text",
        "body",
        "summary",
        "recent",
        "sender_id",
        "recipient_id",
    }
)
"""Fields that hold a person's words, name or address; their value is never logged, only its length."""

_EMAIL = re.compile(r"[\w.+%'&-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
# CPF 000.000.000-00, CNPJ 00.000.000/0000-00 and cards, with or without punctuation; telephone numbers with or without
# +55, area code and dashes. One rule covers them: nine or more digits, with at most four separators between two digits.
# The second form is a landline without its area code. An ISO timestamp has eight digits at most before a T or a colon.
_DIGITS = re.compile(r"\+?\(?\d(?:[\s().\-‐‑–—/_]{0,4}\d){8,}|(?<!\d)\d{4}-\d{4}(?!\d)")


def mask_text(text: str) -> str:
    """The text without e-mail addresses, telephone numbers, CPF, CNPJ and card numbers."""
    if "@" in text:
        text = _EMAIL.sub("[email]", text)
    return _DIGITS.sub("[number]", text)


def mask(value: object, key: str = "") -> object:
    """The value as it may be logged; mappings and sequences are masked inside."""
    if key in PERSONAL_KEYS:
        return f"[{len(value)} characters]" if isinstance(value, str) else "[masked]"
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {mask_text(str(name)): mask(item, str(name)) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) < 10**8 else "[number]"
    return mask_text(str(value))
