"""The three markdown files as sections (`##`) and items (`###`) with line numbers; what they mean is read elsewhere."""

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from context_service.problems import Ledger, Place

IDENTITY = "visao_principios-e-posicionamento.md"
LINES = "vertentes.md"
KNOWLEDGE = "contexto_llm/doc.md"
FILES = (IDENTITY, LINES, KNOWLEDGE)

MAX_BYTES = 256 * 1024
"""Per file; the shipped ones are below 64 KiB, so anything larger was pasted by mistake."""

_HEADING = re.compile(r"(#{1,6})\s*(.*)")


@dataclass(slots=True)
class Block:
    """A heading and the lines below it, down to the next heading. Blank lines are kept as empty text."""

    title: Place
    body: list[Place] = field(default_factory=list)


@dataclass(slots=True)
class Section:
    """A `##` heading with its own lines and its `###` items."""

    head: Block
    items: list[Block] = field(default_factory=list)


def read_document(directory: Path, file: str, ledger: Ledger) -> str:
    """The file's text with newlines as `\\n`; empty, with a problem noted, when it cannot be read."""
    start = Place(file, 1, "")
    try:
        with (directory / file).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        ledger.report(start, "arquivo não encontrado", f"crie o arquivo {file} nesta pasta")
        return ""
    except OSError as error:
        ledger.report(start, f"não foi possível ler o arquivo: {error.strerror}", "verifique o caminho e a permissão")
        return ""
    if len(content) > MAX_BYTES:
        ledger.report(start, f"arquivo maior que {MAX_BYTES // 1024} KiB", "confira se não colou algo a mais")
        return ""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        ledger.report(Place(file, line, ""), "há um caractere que não é UTF-8", "salve o arquivo como UTF-8")
        return ""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_sections(file: str, text: str, ledger: Ledger) -> list[Section]:
    """Cut a file into sections.

    What stands before the first `##` is an introduction for people; so is every line that starts with `>`.
    """
    sections: list[Section] = []
    block: Block | None = None
    for number, words in enumerate(unicodedata.normalize("NFC", text).split("\n"), start=1):
        line = Place(file, number, words.rstrip())
        heading = _HEADING.match(line.text)
        if heading is None:
            if block is not None and not line.text.lstrip().startswith(">"):
                block.body.append(line)
            continue
        title = Place(file, number, heading[2].strip(" #*"))
        level = len(heading[1])
        if level == 2:
            block = Block(title)
            sections.append(Section(block))
        elif level == 3 and sections:
            block = Block(title)
            sections[-1].items.append(block)
        elif level != 1 or sections:
            ledger.report(title, f"título fora de lugar: {line.text!r}", "use '## ' para seção e '### ' para item")
    return sections
