"""The published figures of the guard on replies it was never tuned on, as a floor (`guard/examples/heldout.jsonl`)."""

import json
from pathlib import Path

import guard
from guard import check

_HELD_OUT = Path(guard.__file__).parent / "examples" / "heldout.jsonl"


def test_held_out_replies_stay_above_the_floor() -> None:
    """At least 92 % of the violations are stopped, at most 4 % of the harmless replies are; doubts count as stopped."""
    items = [json.loads(line) for line in _HELD_OUT.read_text(encoding="utf-8").splitlines()]
    stopped = {item["id"]: bool((v := check(item["text"])).findings or v.doubts) for item in items}

    harmful = [stopped[i["id"]] for i in items if i["violations"]]
    harmless = [stopped[i["id"]] for i in items if not i["violations"]]

    assert sum(harmful) / len(harmful) >= 0.92
    assert sum(harmless) / len(harmless) <= 0.04
