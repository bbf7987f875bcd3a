"""Each way to break the documents is refused with its file, its line and what to do; the forgiving ones are not."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from common.errors import InvalidSetting
from context_service.documents import IDENTITY, KNOWLEDGE, LINES, MAX_BYTES
from context_service.parse import DOCUMENTS, InvalidContext, Problem, load
from tests.context_service.editing import allow_all, copy_documents, edit, line_of, problems_of

LONG = "Uma frase que se repete para passar do limite. " * 30

BAD_EDITS = {
    # what was done: file, text, its replacement, words on the line that must be named, words of the message
    "principle dropped": (IDENTITY, "### 4. Dignidade", "### 5. Dignidade", "### 5. Dignidade", "fora da sequência"),
    "principle not numbered": (IDENTITY, "### 1. Confiança", "### Confiança", "### Confiança", "fora da sequência"),
    "principle without text": (
        IDENTITY,
        "\nNada é confiável só por ter chegado: todo acesso, dado e pedido é conferido.\n",
        "",
        "### 1. Conf",
        "falta o texto",
    ),
    "seventh principle": (IDENTITY, "## Princípios\n", "## Princípios\n\n### 1. A\n\nb\n", "## Princípios", "há 7"),
    "section emptied": (
        IDENTITY,
        "A Pyloto nasceu da Moto Ponta Brasil, um projeto local de entregas que cresceu e virou um ecossistema.",
        "",
        "## De onde viemos",
        "está vazia",
    ),
    "section misspelt": (KNOWLEDGE, "## Intenções", "## Intençoens", "## Intençoens", "seção desconhecida"),
    "section missing": (KNOWLEDGE, "## Menus", "> Menus", "# Contexto", "falta a seção 'Menus'"),
    "section twice": (LINES, "## CRM", "## ENTREGA", "## ENTREGA\n\nnome: Pyloto CRM", "seção repetida"),
    "item where none belongs": (LINES, "## ENTREGA\n", "## ENTREGA\n### Coletas\n", "### Coletas", "não tem itens"),
    "heading too deep": (KNOWLEDGE, "### PRECO", "#### PRECO", "#### PRECO", "título fora de lugar"),
    "line without audience": (LINES, "público: lojas", "> público: lojas", "## ENTREGA", "falta 'público'"),
    "list written in one line": (LINES, "oferece:\n", "oferece: coletas\n", "oferece: coletas", "é uma lista"),
    "list item without dash": (LINES, "- coletas", "coletas", "coletas e entregas", "fora da lista"),
    "category misspelt": (KNOWLEDGE, "- LEGAL:", "- LEGAU:", "- LEGAU:", "valor desconhecido: 'LEGAU'"),
    "category without text": (KNOWLEDGE, "- LEGAL: LGPD", "- LEGAL LGPD", "- LEGAL LGPD", "sem descrição"),
    "category twice": (KNOWLEDGE, "- LEGAL:", "- SPAM:", "- SPAM: propaganda", "categoria repetida"),
    "unknown key": (KNOWLEDGE, "categoria: INST", "categora: INST", "categora: INST", "chave desconhecida: 'categora'"),
    "key twice": (KNOWLEDGE, "humano: não", "humano: não\nhumano: sim", "\nhumano: sim", "chave repetida: 'humano'"),
    "stray words": (KNOWLEDGE, "### PRECO\n", "### PRECO\nrever isto\n", "rever isto", "linha fora de lugar"),
    "stray words before items": (KNOWLEDGE, "## Menus\n", "## Menus\nrever\n", "\nrever\n", "linha fora de lugar"),
    "bullet after a text": (KNOWLEDGE, "menu: principal\n", "menu: principal\n- oi\n", "- oi\n", "linha fora de lugar"),
    "unknown category": (KNOWLEDGE, "categoria: LEGAL", "categoria: LEIS", "categoria: LEIS", "valor desconhecido"),
    "unknown line": (KNOWLEDGE, "vertente: CRM", "vertente: SAAS", "vertente: SAAS", "valor desconhecido: 'SAAS'"),
    "neither yes nor no": (KNOWLEDGE, "humano: sim\n", "humano: talvez\n", "humano: talvez", "valor desconhecido: 'talvez'"),
    "intent twice": (KNOWLEDGE, "### PRAZOS\n", "### CANAIS\n> aqui\n", "### CANAIS\ncategoria", "código repetido"),
    "intent id in small letters": (KNOWLEDGE, "### PRAZOS", "### prazos", "### prazos", "código inválido"),
    "answer missing": (KNOWLEDGE, "resposta: Claro. Uma", "> Claro. Uma", "### CONTATO_HUMANO", "falta 'resposta'"),
    "answer emptied": (
        KNOWLEDGE,
        "resposta: Entendo o seu pedido. Eu não trato de condições comerciais: em qualquer uma das linhas, isso é com "
        "uma pessoa da equipe, que continua esta conversa com o que você já contou.",
        "resposta:",
        "resposta:\ngatilhos",
        "falta 'resposta'",
    ),
    "answer too long": (KNOWLEDGE, "resposta: Claro.", "resposta: " + LONG, "resposta: Uma frase", "o máximo é 1024"),
    "trigger in two intents": (KNOWLEDGE, "- tem desconto", "- quanto custa", "- quanto custa\n- faz", "gatilho repetido"),
    "menu that does not exist": (KNOWLEDGE, "menu: crm", "menu: crn", "menu: crn", "o menu 'crn' não existe"),
    "rule of the guard missing": (KNOWLEDGE, "### PRICE", "### PRICES", "## Restrições", "falta a restrição 'PRICE'"),
    "rules emptied": (
        KNOWLEDGE,
        "## Quando uma pessoa assume\n",
        "## Quando uma pessoa assume\n## Menus\n",
        "## Quando uma pessoa assume",
        "está vazia",
    ),
    "menu of an unknown kind": (KNOWLEDGE, "tipo: LIST\n", "tipo: LISTS\n", "tipo: LISTS", "valor desconhecido"),
    "list without its button": (KNOWLEDGE, "botão: Ver opções\n", "", "### principal", "falta 'botão'"),
    "list button too long": (KNOWLEDGE, "Ver opções", "Ver todas as opções já", "botão: Ver todas", "o máximo é 20"),
    "fourth button": (
        KNOWLEDGE,
        "- entrega-area |",
        "- entrega-prazo | Prazos | | PRAZOS\n- entrega-area |",
        "- pessoa | Falar com uma pessoa | | ",
        "BUTTON aceita até 3",
    ),
    "option without intent": (KNOWLEDGE, "| | AREA_ATENDIDA", "| AREA_ATENDIDA", "- entrega-area", "opção incompleta"),
    "option to nowhere": (KNOWLEDGE, "| | AREA_ATENDIDA", "| | AREAS", "- entrega-area", "'AREAS' não existe"),
    "option title too long": (
        KNOWLEDGE,
        "| Área atendida |",
        "| Área que é atendida hoje |",
        "- entrega-area",
        "o máximo é 20",
    ),
    "option title too long for the channel's count": (
        KNOWLEDGE,
        "| Área atendida |",
        "| Área atendida 🛵🛵🛵🛵 |",
        "- entrega-area",
        "22 caracteres",
    ),
    "option description too long": (
        KNOWLEDGE,
        "Diaristas, técnicos e outros profissionais |",
        "Diaristas, técnicos, eletricistas, encanadores e todos os outros profissionais |",
        "- servicos |",
        "o máximo é 72",
    ),
    "option title twice in a menu": (
        KNOWLEDGE,
        "| Área atendida |",
        "| tenho uma LOJA |",
        "- entrega-area",
        "título repetido",
    ),
    "option id twice in a menu": (KNOWLEDGE, "- entrega-area |", "- entrega-lojas |", "Área atendida", "código repetido"),
    "option id with another meaning": (
        KNOWLEDGE,
        "- pessoa | Falar com uma pessoa | | CONTATO_HUMANO",
        "- pessoa | Falar com uma pessoa | | PARCERIAS",
        "| PARCERIAS",
        "já leva a outra intenção",
    ),
    "media over http": (KNOWLEDGE, "url: https://pyloto", "url: http://pyloto", "url: http://", "endereço inválido"),
    "media without address": (KNOWLEDGE, "url: https://pyloto.example/\n", "", "### site", "endereço inválido"),
    "media of an unknown kind": (KNOWLEDGE, "tipo: IMAGE", "tipo: FOTO", "tipo: FOTO", "valor desconhecido: 'FOTO'"),
    "media with the wrong format": (
        KNOWLEDGE,
        "formato: image/png",
        "formato: application/pdf",
        "formato: application/pdf\n\n### site",
        "formato inválido",
    ),
    "format where none belongs": (KNOWLEDGE, "título: retomar", "formato: x\ntítulo: retomar", "formato: x", "não usa"),
    "place without coordinates": (KNOWLEDGE, "tipo: TEMPLATE", "tipo: LOCATION", "### retomar", "coordenada inválida"),
    "phrase missing": (KNOWLEDGE, "### SAFE\n", "### SAVE\n", "## Frases fixas", "falta a frase 'SAFE'"),
    "phrase unknown": (KNOWLEDGE, "### SAFE\n", "### SAVE\n", "### SAVE", "frase desconhecida: 'SAVE'"),
}


@pytest.mark.parametrize("case", BAD_EDITS.values(), ids=BAD_EDITS.keys())
def test_a_bad_edit_is_named_with_its_line(tmp_path: Path, case: tuple[str, str, str, str, str]) -> None:
    """Given one mistake, when the documents are loaded, then a problem says what it is on the line where it stands."""
    file, old, new, marker, message = case
    directory = copy_documents(tmp_path)
    edit(directory, file, old, new)

    problems = problems_of(directory)

    line = line_of(directory, file, marker) + (marker.startswith("\n"))
    found = [problem for problem in problems if (problem.file, problem.line) == (file, line)]
    assert any(message in problem.message for problem in found), "\n".join(map(str, problems))
    assert all(problem.hint for problem in problems)


def test_all_mistakes_are_told_together_in_reading_order(tmp_path: Path) -> None:
    """Nobody has to mend and try again once per mistake."""
    directory = copy_documents(tmp_path)
    edit(directory, KNOWLEDGE, "menu: crm", "menu: crn")
    edit(directory, KNOWLEDGE, "humano: sim\n", "humano: talvez\n")
    edit(directory, LINES, "nome: Pyloto CRM", "> sem nome")

    with pytest.raises(InvalidSetting) as refused:
        load(directory, allow_all)

    lines = str(refused.value).splitlines()
    assert len(lines) == 3
    number = line_of(directory, KNOWLEDGE, "menu: crn")
    assert lines[0] == f"{KNOWLEDGE}:{number}: o menu 'crn' não existe (você quis dizer 'crm'?)"
    assert lines[2].startswith(f"{LINES}:")


def test_a_misspelt_word_gets_the_nearest_known_one(tmp_path: Path) -> None:
    """The hint spares a look into the manual."""
    directory = copy_documents(tmp_path)
    edit(directory, KNOWLEDGE, "descrição: De onde", "descricção: De onde")

    unknown, missing = sorted(problems_of(directory), key=lambda problem: "falta" in problem.message)

    assert "você quis dizer 'descrição'?" in unknown.hint
    assert missing.message == "falta 'descrição' em 'HISTORIA_PYLOTO'"


def test_a_text_that_the_guard_blocks_is_named_with_its_line_and_the_reason(tmp_path: Path) -> None:
    """The guard is passed in; what it says becomes a problem like any other."""
    directory = copy_documents(tmp_path)
    edit(directory, KNOWLEDGE, "texto: Agradecemos a mensagem", "texto: Custa R$ 10")

    with pytest.raises(InvalidContext) as refused:
        load(directory, lambda *parts: ["informa um preço"] if any("R$" in part for part in parts) else [])

    line = line_of(directory, KNOWLEDGE, "texto: Custa R$ 10")
    hint = "reescreva sem isso; veja a seção Restrições"
    assert refused.value.problems == (Problem(KNOWLEDGE, line, "texto bloqueado: informa um preço", hint),)


def test_an_answer_is_shown_to_the_guard_with_its_menu_as_well(tmp_path: Path) -> None:
    """The last door reads them together; what it would block is refused here, before a customer meets it."""
    directory = copy_documents(tmp_path)
    line = line_of(directory, KNOWLEDGE, shipped_answer_with_a_menu())

    with pytest.raises(InvalidContext) as refused:
        load(directory, lambda *parts: ["afirma um prazo"] if len(parts) > 1 else [])

    assert any(problem.line == line and "junto com o menu" in problem.message for problem in refused.value.problems)


def shipped_answer_with_a_menu() -> str:
    """The first answer of the documents that has one."""
    return next(intent.answer for intent in load(DOCUMENTS, allow_all).intents.values() if intent.menu)


def test_every_text_that_may_reach_a_customer_is_shown_to_the_guard() -> None:
    """Answers, refusals, phrases, list buttons, option titles and descriptions, media titles and captions."""
    seen: set[str] = set()

    def remember(*parts: str) -> Sequence[str]:
        seen.update(parts)
        return ()

    institution = load(DOCUMENTS, remember)

    options = [option for menu in institution.menus.values() for option in menu.options]
    outgoing = {intent.answer for intent in institution.intents.values()}
    outgoing |= {constraint.refusal for constraint in institution.constraints}
    outgoing |= set(institution.phrases.values())
    outgoing |= {menu.button for menu in institution.menus.values()}
    outgoing |= {option.title for option in options} | {option.description for option in options}
    outgoing |= {media.title for media in institution.media.values()}
    outgoing |= {media.caption for media in institution.media.values()}
    assert seen == outgoing - {""}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (KNOWLEDGE, "categoria: INSTITUCIONAL", "**Categoria:** institucional"),
        (KNOWLEDGE, "descrição: De onde veio", "Descricao : De onde veio"),
        (KNOWLEDGE, "## Intenções", "##INTENCOES"),
        (KNOWLEDGE, "- quanto custa", "  * quanto custa"),
        (KNOWLEDGE, "humano: não", "humano: Nao"),
        (KNOWLEDGE, "menu: principal", "   menu: principal   "),
        (LINES, "## SERVICOS", "## Serviços"),
        (IDENTITY, "### 1. Confiança", "### 1) Confiança"),
    ],
)
def test_small_slips_are_forgiven(tmp_path: Path, file: str, old: str, new: str) -> None:
    """Case, accents, bold, blanks and the kind of dash change nothing."""
    directory = copy_documents(tmp_path)
    edit(directory, file, old, new)

    institution = load(directory, allow_all)

    assert institution.prompt.casefold() == load(DOCUMENTS, allow_all).prompt.casefold()


def test_an_answer_may_go_on_in_the_next_line_and_have_paragraphs(tmp_path: Path) -> None:
    """A line break joins with a blank, an empty line parts."""
    directory = copy_documents(tmp_path)
    edit(directory, KNOWLEDGE, "resposta: Claro.", "resposta: Claro,\nsem problema.\n\n")

    answer = load(directory, allow_all).intents["CONTATO_HUMANO"].answer

    assert answer.startswith("Claro, sem problema.\n\nUma pessoa")


def test_the_intent_in_the_editing_guide_can_be_pasted_as_it_is(tmp_path: Path) -> None:
    """The guide's recipe works."""
    guide = (Path(__file__).parents[2] / "docs" / "editing-the-context.md").read_text(encoding="utf-8")
    recipe = guide.split("```\n### ")[1].split("```")[0]
    directory = copy_documents(tmp_path)
    edit(directory, KNOWLEDGE, "## Restrições", f"### {recipe}\n## Restrições")

    institution = load(directory, allow_all)

    assert len(institution.intents) == len(load(DOCUMENTS, allow_all).intents) + 1


def test_comments_change_the_version_but_not_the_prompt(tmp_path: Path) -> None:
    """The version follows the files' content; the provider's cache follows the prompt."""
    directory = copy_documents(tmp_path)
    before = load(directory, allow_all)
    edit(directory, KNOWLEDGE, "### PRECO\n", "> revisado em reunião\n### PRECO\n> e aqui também\n")

    after = load(directory, allow_all)

    assert after.version != before.version
    assert after.prompt == before.prompt


def test_the_version_does_not_depend_on_the_editor(tmp_path: Path) -> None:
    """Windows newlines and a byte-order mark are the same content."""
    directory = copy_documents(tmp_path)
    for file in (IDENTITY, LINES, KNOWLEDGE):
        content = (directory / file).read_bytes()
        (directory / file).write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))

    assert load(directory, allow_all) == load(DOCUMENTS, allow_all)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Even though there is no line to point at."""
    directory = copy_documents(tmp_path)
    (directory / LINES).unlink()

    (problem,) = problems_of(directory)

    assert (problem.file, problem.line, problem.message) == (LINES, 1, "arquivo não encontrado")


def test_a_file_that_is_not_utf8_is_named_with_the_line(tmp_path: Path) -> None:
    """As when an old editor saves Latin-1."""
    directory = copy_documents(tmp_path)
    line = line_of(directory, LINES, "público")
    (directory / LINES).write_bytes((directory / LINES).read_text(encoding="utf-8").encode("latin-1"))

    (problem,) = problems_of(directory)

    assert problem.file == LINES
    assert problem.line <= line
    assert "UTF-8" in problem.message


def test_a_file_that_is_far_too_large_is_refused_unread(tmp_path: Path) -> None:
    """A dump pasted by mistake does not become part of every prompt."""
    directory = copy_documents(tmp_path)
    (directory / LINES).write_bytes(b"x" * (MAX_BYTES + 1))

    (problem,) = problems_of(directory)

    assert "maior que 256 KiB" in problem.message


def test_a_directory_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """Any trouble with reading is a problem of the documents, not a crash."""
    directory = copy_documents(tmp_path)
    (directory / LINES).unlink()
    (directory / LINES).mkdir()

    (problem,) = problems_of(directory)

    assert "não foi possível ler" in problem.message
