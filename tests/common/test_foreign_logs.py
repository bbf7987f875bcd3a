"""What libraries log through the standard library ends in the same JSON lines as our own."""

import io
import logging

import orjson

from common import observability
from common.settings import Settings


def test_a_librarys_warning_is_one_json_line() -> None:
    """With the service's name and the level; personal data is masked there too."""
    lines = io.StringIO()
    before = logging.getLogger().handlers[:]
    observability.setup("test", Settings(), lines)
    try:
        logging.getLogger("library").warning("no answer from %s", "ana@example.com")
    finally:
        logging.getLogger().handlers[:] = before

    line = orjson.loads(lines.getvalue())
    assert (line["service"], line["level"]) == ("test", "warning")
    assert line["event"].startswith("no answer from")
    assert "ana@example.com" not in lines.getvalue()
