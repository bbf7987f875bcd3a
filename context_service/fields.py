"""What a block says: prose, a bullet list, or `chave: valor` lines; forgiving about accents, case and bold."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from context_service.documents import Block
from context_service.problems import Ledger, Place, suggestion

_KEY = re.compile(r"[*_]*([^\W\d_][\w ]{0,29}?)[*_]*\s*:(?!//)[*_]*\s*(.*)")
_BULLET = re.compile(r"\s*[-*•]\s+(.*)")
_KEY_WORDS = 3

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Shape:
    """Which keys a block may have, written as in the documents."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    """Keys whose value is a bullet list; always required."""

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys."""
        return (*self.required, *self.optional, *self.lists)


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of a block; a missing one is empty and stands at the block's heading."""

    title: Place
    texts: Mapping[str, Place]
    lists: Mapping[str, Sequence[Place]]

    def text(self, key: str) -> Place:
        """The value of `key`, possibly of several paragraphs."""
        return self.texts.get(key, Place(self.title.file, self.title.line, ""))

    def items(self, key: str) -> Sequence[Place]:
        """The bullets under `key`."""
        return self.lists.get(key, ())


def fold(text: str) -> str:
    """Lower case without accents, for comparing words that people type."""
    decomposed = unicodedata.normalize("NFD", text.casefold().strip())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def read_prose(block: Block) -> Place:
    """The block's paragraphs: lines joined by a space, paragraphs by an empty line."""
    return _join(block.title, block.body)


def read_bullets(block: Block, ledger: Ledger) -> list[Place]:
    """The block as a bullet list; an indented line continues the bullet above it."""
    bullets: list[Place] = []
    for line in block.body:
        if line.text:
            _add_bullet(bullets, line, ledger)
    return bullets


def read_fields(block: Block, shape: Shape, ledger: Ledger) -> Fields:
    """The block as `chave: valor` lines, checked against `shape`; a value may go on in the lines below its key."""
    names = {fold(key): key for key in shape.keys}
    texts: dict[str, list[Place]] = {}
    lists: dict[str, list[Place]] = {}
    key: str | None = None
    for line in block.body:
        match = _KEY.match(line.text.lstrip())
        if match is not None and len(match[1].split()) <= _KEY_WORDS:
            key = names.get(fold(match[1]))
            value = Place(line.file, line.line, match[2].strip())
            if key is None:
                hint = suggestion(match[1], shape.keys) + "; se é continuação do texto, junte à linha de cima"
                ledger.report(line, f"chave desconhecida: {match[1]!r}", hint)
                key = ""
            elif key in texts or key in lists:
                ledger.report(line, f"chave repetida: {key!r}", "deixe uma só; talvez falte um título '### ' acima")
            elif key in shape.lists:
                lists[key] = []
                if value.text:
                    ledger.report(line, f"{key!r} é uma lista", "escreva um item por linha abaixo, começando com '- '")
            else:
                texts[key] = [value]
        elif key == "":
            continue  # belongs to the unknown key that was reported
        elif key in lists and key is not None:
            if line.text:
                _add_bullet(lists[key], line, ledger)
        elif line.text and (key is None or _BULLET.fullmatch(line.text)):
            ledger.report(line, "linha fora de lugar", "escreva 'chave: valor', ou comece com '> ' se for comentário")
        elif key is not None:
            texts[key].append(line)
    fields = Fields(block.title, {key: _join(value[0], value) for key, value in texts.items()}, lists)
    for name in (*shape.required, *shape.lists):
        if not fields.text(name).text and not fields.items(name):
            place = (texts.get(name) or [block.title])[0]
            hint = "liste um item por linha com '- '" if name in shape.lists else f"escreva '{name}: ...'"
            ledger.report(place, f"falta {name!r} em {block.title.text!r}", hint)
    return fields


def read_choice(place: Place, allowed: Sequence[E], ledger: Ledger) -> E:
    """One of a closed set of words; the first allowed one when it is none, which is noted unless the text is empty."""
    for member in allowed:
        if fold(place.text) == fold(member):
            return member
    if place.text:
        known = [str(member) for member in allowed]
        ledger.report(place, f"valor desconhecido: {place.text!r}", suggestion(place.text, known))
    return allowed[0]


def check_length(place: Place, limit: int, what: str, ledger: Ledger) -> None:
    """Note a problem when the text is longer than the channel takes, in UTF-16 units, the larger way to count."""
    length = len(place.text.encode("utf-16-le")) // 2
    if length > limit:
        ledger.report(place, f"{what} com {length} caracteres: o máximo é {limit}", "encurte o texto")


def _add_bullet(bullets: list[Place], line: Place, ledger: Ledger) -> None:
    match = _BULLET.fullmatch(line.text)
    if match is not None:
        bullets.append(Place(line.file, line.line, match[1].strip()))
    elif bullets and line.text[0].isspace():
        last = bullets[-1]
        bullets[-1] = Place(last.file, last.line, f"{last.text} {line.text.strip()}")
    else:
        ledger.report(line, "linha fora da lista", "comece com '- ', ou com '> ' se for comentário")


def _join(at: Place, lines: Sequence[Place]) -> Place:
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line.text:
            paragraphs[-1].append(line.text.strip())
        else:
            paragraphs.append([])
    return Place(at.file, at.line, "\n\n".join(" ".join(lines) for lines in paragraphs if lines))
