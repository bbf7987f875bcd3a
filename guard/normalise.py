"""Text as a reader perceives it: folded letters and digits, with the way back to the original positions."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Letters of other scripts that look like Latin ones (Unicode TR 39 "confusables", the part that is used to slip past filters).
_LOOK_ALIKES = dict(
    zip(
        "авеёкмнорстухіјѕԁɡһԛԝьαβεηικμνορτυχγωϲⅼ∕⁄−‐‑‒–—’‘´`“”„«»…ıłøđħŧƨ",
        [
            *"abeekmhopctyxijsdghqwb",
            *"abenikmvoptuxywcl",
            *"//-------",
            *"''''",
            *('"' * 5),
            "...",
            *"ilodhts",
        ],
        strict=False,
    )
)
_LEET = str.maketrans("01345789@$!", "oieastbgasi")
_LEET_WORD = re.compile(r"(?<![\w@$!.,/])(?=[\w@$!]*[a-z][01345789@$!]{1,2}[a-z])[a-z01345789@$!]{3,}(?![\w@$]|[.,/]\w)")
_CURRENCY_START = re.compile(r"(?:r|us|u|a|s|c|mx)\$")
_SPELLED_DIGITS = re.compile(r"(?<![\d.,])\d(?:[ \t\n._-]\d){2,}(?!\d)")
_BROKEN_DIGITS = re.compile(r"(?<=[\d.,])[ \t]*\n\s*(?=\d)")
_SPELLED_LETTERS = re.compile(r"(?<!\w)[a-z0-9](?:[ \t\n._*-][a-z0-9]){4,}(?!\w)")
_SEPARATORS = re.compile(r"[ \t\n._*-]")
_CHARACTERS_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` as perceived; `starts[i]` and `ends[i]` bound the original characters that folded character `i` stands for."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text that `text[start:end]` was read from."""
        if not self.text:
            return 0, 0
        first = min(max(start, 0), len(self.text) - 1)
        last = min(max(end - 1, first), len(self.text) - 1)
        return self.starts[first], self.ends[last]

    def replaced(self, edits: list[tuple[int, int, str]]) -> "Folded":
        """The same with `text[start:end]` replaced for each `(start, end, new)`; edits are in order and do not overlap."""
        if not edits:
            return self
        text: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for start, end, new in edits:
            text.append(self.text[at:start])
            starts += self.starts[at:start]
            ends += self.ends[at:start]
            text.append(new)
            starts += [self.starts[start]] * len(new)
            ends += [self.ends[end - 1]] * len(new)
            at = end
        text.append(self.text[at:])
        starts += self.starts[at:]
        ends += self.ends[at:]
        return Folded("".join(text), tuple(starts), tuple(ends))


def fold(text: str) -> str:
    """Lower-case text without accents, invisible characters, look-alike letters, leetspeak and spelled-out words."""
    return fold_with_offsets(text).text


def fold_with_offsets(text: str) -> Folded:
    """What `fold` gives, with the original position of each of its characters."""
    letters = text.translate(_PLAIN)
    if _PLAIN.one_to_one.issuperset(text):
        folded = Folded(letters, range(len(text)), range(1, len(text) + 1))
    else:
        folded = _folded_one_by_one(text)
    folded = folded.replaced([(m.start(), m.end(), "") for m in _BROKEN_DIGITS.finditer(folded.text)])
    folded = folded.replaced(list(_joined(_SPELLED_DIGITS, folded.text)))
    folded = folded.replaced(list(_joined(_SPELLED_LETTERS, folded.text)))
    return folded.replaced(list(_leet_words(folded.text)))


def _folded_one_by_one(text: str) -> Folded:
    """A text in which a character shows nothing, or stands for several."""
    plains = [_plain(character) for character in text]
    places = [index for index, plain in enumerate(plains) for _ in plain]
    return Folded("".join(plains), places, [index + 1 for index in places])


class _PlainTable(dict[int, str]):
    """What `str.translate` looks characters up in; filled as they come, up to a bound."""

    def __init__(self) -> None:
        super().__init__()
        self.one_to_one: set[str] = set()

    def __missing__(self, code: int) -> str:
        plain = _plain(chr(code))
        if len(self) < _CHARACTERS_KEPT:
            self[code] = plain
            if len(plain) == 1:
                self.one_to_one.add(chr(code))
        return plain


def _plain(character: str) -> str:
    """One character as lower-case base letters; "" for one that shows nothing."""
    if " " <= character < "\x7f":
        return character.lower()
    if character in "\n\r\x0b\x0c\u2028\u2029\x85":
        return "\n"
    if character == "\t":
        return " "
    kind = unicodedata.category(character)
    if kind in ("Cf", "Cc", "Mn", "Me", "Cs", "Co", "Cn") or character in "\u115f\u1160\u3164\u2800\uffa0":
        return ""
    if kind == "Zs":
        return " "
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    if "\U0001f1e6" <= character <= "\U0001f1ff":  # regional indicators, used as letters
        return chr(ord(character) - 0x1F1E6 + ord("a"))
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    base = "".join(_LOOK_ALIKES.get(c, c) for c in decomposed if unicodedata.category(c) not in ("Mn", "Me", "Cf"))
    return "".join(_LOOK_ALIKES.get(c, c) for c in unicodedata.normalize("NFKD", base) if not unicodedata.combining(c))


def _joined(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int, str]]:
    """Edits that delete the separators inside what `pattern` finds."""
    for match in pattern.finditer(text):
        for separator in _SEPARATORS.finditer(text, match.start(), match.end()):
            yield separator.start(), separator.end(), ""


def _leet_words(text: str) -> Iterator[tuple[int, int, str]]:
    """Edits that read digits and signs between letters as letters; units such as "24h" and "r$150" are not words."""
    for match in _LEET_WORD.finditer(text):
        word = match.group()
        if _CURRENCY_START.match(word) or sum(c.isalpha() for c in word) < 2 or "!" in word[-1:]:
            continue
        yield match.start(), match.end(), word.translate(_LEET)


_PLAIN = _PlainTable()
