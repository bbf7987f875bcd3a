"""What the model is shown."""

import json

from guard import check
from response_service import prompt
from tests.institution import shipped
from tests.response_service.test_generate_response import CANONICAL, PRICE, TURN


def test_after_a_violation_the_model_sees_how_the_documents_say_no() -> None:
    """What product people write under `como recusar` is what it may say instead."""
    institution = shipped()
    refusal = next(constraint.refusal for constraint in institution.constraints if constraint.id == "PRICE")

    data = json.loads(prompt.user(TURN, CANONICAL, institution, check(PRICE).findings))

    assert refusal
    assert [(it["violation"], it["say_instead"]) for it in data["previous_attempt_refused"]] == [("PRICE", refusal)]


def test_a_first_attempt_has_nothing_to_mend() -> None:
    """The customer's words are data in the JSON, and nothing else."""
    data = json.loads(prompt.user(TURN, CANONICAL, shipped()))

    assert data["message"] == TURN.customer_text
    assert "previous_attempt_refused" not in data
