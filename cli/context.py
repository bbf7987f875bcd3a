"""`pyloto context`: checks the institution's documents before they are used, and shows what they make the assistant say."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cli.terminal import err, out, print_json
from common.errors import InvalidInput
from common.institution import Institution
from context_service.load_context import load_context
from context_service.parse import DOCUMENTS
from context_service.problems import InvalidContext, suggestion

CHECK_EPILOG = """Examples:

pyloto context check

pyloto context check ./meus-documentos

pyloto context check --json
"""
SHOW_EPILOG = """Examples:

pyloto context show                     every intent with its first words

pyloto context show PRECO               what is answered, without a model, to one of them
"""
EXAMPLE_HOST = "pyloto.example"

Folder = Annotated[
    Path, typer.Argument(metavar="[DIR]", exists=True, file_okay=False, help="The folder with the three documents.")
]

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def context() -> None:
    """The institution's documents, which product people edit."""


@app.command(epilog=CHECK_EPILOG)
def check(
    directory: Folder = DOCUMENTS,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Check the documents; every problem with its file and line, exit code 1 when there is one."""
    try:
        institution = load_context(directory)
    except InvalidContext as invalid:
        _report(invalid, as_json=as_json)
        raise typer.Exit(1) from None
    warnings = _warnings(institution)
    counts = {
        "princípios": len(institution.principles),
        "vertentes": len(institution.lines),
        "intenções": len(institution.intents),
        "restrições": len(institution.constraints),
        "menus": len(institution.menus),
        "mídias": len(institution.media),
        "frases": len(institution.phrases),
    }
    if as_json:
        print_json({"ok": True, "version": institution.version, "counts": counts, "warnings": warnings, "problems": []})
        return
    out.print(Text(f"OK: versão {institution.version}", style="green"))
    out.print(", ".join(f"{number} {name}" for name, number in counts.items()))
    for warning in warnings:
        err.print(f"aviso: {warning}", style="yellow", markup=False, soft_wrap=True)


@app.command(epilog=SHOW_EPILOG)
def show(
    intent: Annotated[str, typer.Argument(metavar="[INTENT]", help="Id of an intent; without it, all are listed.")] = "",
    directory: Annotated[Path, typer.Option("--dir", exists=True, file_okay=False, help="The documents.")] = DOCUMENTS,
) -> None:
    """Show what the assistant answers, without a model, to an intent."""
    institution = load_context(directory)
    if not intent:
        for known in institution.intents.values():
            person = " → pessoa" if known.human else ""
            out.print(
                Text.assemble((f"{known.id}{person}: ", "bold"), known.answer[:90] + "…"), no_wrap=True, overflow="ellipsis"
            )
        return
    found = institution.intents.get(intent.upper())
    if found is None:
        raise InvalidInput("INTENT", f"{intent!r} não existe; {suggestion(intent, tuple(institution.intents))}")
    out.print(Text(f"{found.id} · {found.category} · vertente {found.vertente}", style="bold"))
    out.print(Text(found.answer))
    if found.human:
        out.print(Text("→ uma pessoa assume a conversa", style="yellow"))
    if found.menu:
        options = institution.menus[found.menu].options
        out.print(Text(f"menu {found.menu}: " + " | ".join(option.title for option in options)))
    out.print(Text("gatilhos: " + "; ".join(found.triggers), style="dim"))


def _report(invalid: InvalidContext, *, as_json: bool) -> None:
    if as_json:
        problems = [
            {"file": each.file, "line": each.line, "message": each.message, "hint": each.hint} for each in invalid.problems
        ]
        print_json({"ok": False, "problems": problems})
        return
    for problem in invalid.problems:
        out.print(Text(str(problem)), soft_wrap=True)
    count = len(invalid.problems)
    out.print(Text(f"{count} problema{'s' if count > 1 else ''}; a última versão boa continua em uso.", style="red"))


def _warnings(institution: Institution) -> list[str]:
    """What is not wrong, but not ready for customers either."""
    return [
        f"a mídia {media.id!r} usa um endereço de exemplo ({media.url}); troque antes de usar com clientes"
        for media in institution.media.values()
        if EXAMPLE_HOST in media.url
    ]
