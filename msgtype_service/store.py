"""The form that was chosen per turn."""

import time
from dataclasses import asdict, dataclass
from typing import cast

from common.institution import Media, Option
from common.mongo import Database, Documents
from common.taxonomy import MessageKind, Vertente
from common.turn import Provenance, Turn, provenance_from_document, provenance_to_document
from msgtype_service.form import Form


@dataclass(frozen=True, slots=True)
class StoredForm:
    """The result for a turn."""

    form: Form
    provenance: Provenance


class FormStore:
    """`forms`: one result per turn id, never changed."""

    def __init__(self, database: Database) -> None:
        self._forms = Documents(database, "forms")

    async def find(self, turn_id: str) -> StoredForm | None:
        """The stored result, or None."""
        document = await self._forms.find(turn_id)
        return form_from_document(document) if document else None

    async def save(self, turn: Turn, stored: StoredForm) -> StoredForm:
        """Keep the result; when there is one already, that stays and is returned."""
        inserted = await self._forms.insert(
            {
                "_id": turn.turn_id,
                "conversation_id": turn.conversation_id,
                "form": _form_to_document(stored.form),
                "provenance": provenance_to_document(stored.provenance),
                "at_ms": int(time.time() * 1000),
            }
        )
        return stored if inserted else await self.find(turn.turn_id) or stored


def _form_to_document(form: Form) -> dict[str, object]:
    return {
        "kind": form.kind,
        "menu_id": form.menu_id,
        "button_label": form.button_label,
        "options": [
            {"id": option.id, "title": option.title, "description": option.description, "intent": option.intent}
            for option in form.options
        ],
        "media": asdict(form.media) if form.media else None,
    }


def form_from_document(document: dict[str, object]) -> StoredForm:
    """The result that `save` wrote."""
    form = cast("dict[str, object]", document["form"])
    media = cast("dict[str, object] | None", form["media"])
    return StoredForm(
        form=Form(
            kind=MessageKind(cast("str", form["kind"])),
            menu_id=cast("str", form["menu_id"]),
            button_label=cast("str", form["button_label"]),
            options=tuple(Option(**option) for option in cast("list[dict[str, str]]", form["options"])),
            media=_media(media) if media else None,
        ),
        provenance=provenance_from_document(document["provenance"]),
    )


def _media(document: dict[str, object]) -> Media:
    return Media(
        **{  # type: ignore[arg-type]  # written from the same fields
            **document,
            "kind": MessageKind(cast("str", document["kind"])),
            "vertente": Vertente(cast("str", document["vertente"])),
        }
    )
