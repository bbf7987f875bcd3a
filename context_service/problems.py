"""What is wrong in the context documents, said so that the person who edits them can mend it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from common.errors import InvalidSetting


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in one place; message and hint are Portuguese."""

    file: str
    """Path inside the context directory, with `/`."""
    line: int
    """Counted from 1; 1 also stands for the whole file."""
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} ({self.hint})"


class InvalidContext(InvalidSetting):
    """The documents cannot be used; `problems` holds every mistake found, in file and line order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of text and where it stands."""

    file: str
    line: int
    text: str


@dataclass(slots=True)
class Ledger:
    """What reading collects on the way: the problems, and what can only be checked once all is read."""

    problems: list[Problem] = field(default_factory=list)
    outgoing: list[Place] = field(default_factory=list)
    """Every text that may reach a customer."""
    intent_references: list[Place] = field(default_factory=list)
    menu_references: list[Place] = field(default_factory=list)

    def report(self, place: Place, message: str, hint: str) -> None:
        """Note a problem at `place`."""
        self.problems.append(Problem(place.file, place.line, message, hint))


def suggestion(wrong: str, known: Sequence[str]) -> str:
    """The hint for an unknown word: the known word nearest to it, or all of them."""
    near = get_close_matches(wrong.casefold(), [word.casefold() for word in known], n=1, cutoff=0.6)
    if near:
        return "você quis dizer " + repr(next(word for word in known if word.casefold() == near[0])) + "?"
    return "use um destes: " + ", ".join(known)
