"""`python -m bench.chaos`: the command without the others."""

import typer

from bench.chaos.command import EPILOG, chaos

app = typer.Typer(pretty_exceptions_enable=False)
app.command(epilog=EPILOG)(chaos)
app()
