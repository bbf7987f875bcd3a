"""Whatever is done to a line of the documents, they load or are refused with a line number; nothing else happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from context_service.documents import FILES
from context_service.parse import DOCUMENTS, InvalidContext, Problem, load
from tests.context_service.editing import allow_all, copy_documents

SHIPPED = {file: (DOCUMENTS / file).read_text(encoding="utf-8").split("\n") for file in FILES}
places = st.sampled_from([(file, number) for file, lines in SHIPPED.items() for number in range(len(lines))])
words = st.one_of(
    st.text(max_size=40).map(lambda text: text.replace("\n", " ")),
    st.sampled_from(["# ", "## ", "### ", "- ", ":", "menu:", "tipo: LIST", "- a | b | c | d", "## Menus", "url: https://["]),
)


@contextmanager
def with_lines(file: str, lines: list[str]) -> Iterator[Path]:
    with TemporaryDirectory() as name:
        directory = copy_documents(Path(name))
        (directory / file).write_text("\n".join(lines), encoding="utf-8")
        yield directory


def problems_in(directory: Path) -> tuple[Problem, ...]:
    """None when the documents load; any exception but InvalidContext fails the test."""
    try:
        load(directory, allow_all)
    except InvalidContext as refused:
        return refused.problems
    return ()


def assert_loads_or_names_lines(file: str, lines: list[str]) -> None:
    with with_lines(file, lines) as directory:
        for problem in problems_in(directory):
            assert problem.file in FILES
            assert 1 <= problem.line <= max(len(lines), len(SHIPPED[problem.file]))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(places)
def test_any_line_may_be_deleted(place: tuple[str, int]) -> None:
    """A slip of the hand never takes the service down."""
    file, number = place
    lines = SHIPPED[file]

    assert_loads_or_names_lines(file, lines[:number] + lines[number + 1 :])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(places, words)
def test_any_line_may_be_replaced_by_anything(place: tuple[str, int], text: str) -> None:
    """Nor does a wrong paste."""
    file, number = place
    lines = SHIPPED[file]

    assert_loads_or_names_lines(file, [*lines[:number], text, *lines[number + 1 :]])


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.sampled_from(FILES), st.binary(max_size=300))
def test_any_bytes_may_stand_in_a_file(file: str, content: bytes) -> None:
    """Nor does a file of another kind under the same name."""
    with with_lines(file, []) as directory:
        (directory / file).write_bytes(content)

        assert all(problem.line >= 1 for problem in problems_in(directory))
