"""`python -m simulator`: the same as `pyloto simulate-llm`."""

import typer

from simulator.command import EPILOG, simulate_llm

app = typer.Typer(add_completion=False)
app.command(epilog=EPILOG)(simulate_llm)

if __name__ == "__main__":
    app()
