"""Joins text and form into one message under the channel's limits, pure: degrades without loss, never truncates.

Buttons become a list, a list becomes numbered text, media becomes text with its link; a text that is too long goes on in
further texts. What the customer can read and choose is always all there.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from common.taxonomy import MessageKind
from gateway.channel_limits import ChannelLimits


@dataclass(frozen=True, slots=True)
class Choice:
    """One option."""

    id: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset of the catalogue."""

    id: str
    url: str
    mime_type: str = ""
    title: str = ""
    latitude: float = 0.0
    longitude: float = 0.0


@dataclass(frozen=True, slots=True)
class Form:
    """The form that was chosen."""

    kind: MessageKind = MessageKind.TEXT
    choices: tuple[Choice, ...] = ()
    button_label: str = ""
    asset: Asset | None = None


@dataclass(frozen=True, slots=True)
class Composed:
    """One message as the channel takes it; `degraded` says from which form and why, empty when it was not."""

    kind: MessageKind
    text: str
    further_texts: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    button_label: str = ""
    asset: Asset | None = None
    degraded: str = ""

    def words(self) -> tuple[str, ...]:
        """Every text that the customer will read."""
        titles = [part for choice in self.choices for part in (choice.title, choice.description)]
        asset = (self.asset.title,) if self.asset else ()
        return tuple(part for part in (self.text, *self.further_texts, self.button_label, *titles, *asset) if part)


def compose(text: str, form: Form, limits: ChannelLimits) -> Composed:
    """The message. Law: every word of the text, every choice and every link is in it, in order."""
    if form.kind in {MessageKind.BUTTON, MessageKind.LIST}:
        return _with_choices(text, form, limits)
    if form.kind is MessageKind.TEXT or form.asset is None:
        return _plain(text, limits)
    return _with_asset(text, form, form.asset, limits)


def _with_choices(text: str, form: Form, limits: ChannelLimits) -> Composed:
    """The rungs: what was wanted, then a list, then numbered text."""
    if not form.choices:
        return _plain(text, limits)
    rungs = [MessageKind.BUTTON, MessageKind.LIST] if form.kind is MessageKind.BUTTON else [MessageKind.LIST]
    for kind in rungs:
        problem = _fits_buttons(text, form, limits) if kind is MessageKind.BUTTON else _fits_list(text, form, limits)
        if not problem:
            label = form.button_label or "Ver opções"
            return Composed(
                kind,
                text,
                choices=form.choices,
                button_label=label if kind is MessageKind.LIST else "",
                degraded="" if kind is form.kind else f"{form.kind}: {_fits_buttons(text, form, limits)}",
            )
    numbered = "\n".join(_numbered(number, choice) for number, choice in enumerate(form.choices, start=1))
    return replace(
        _plain(f"{text}\n\n{numbered}", limits), choices=form.choices, degraded=f"{form.kind}: {_fits_list(text, form, limits)}"
    )


def _fits_buttons(text: str, form: Form, limits: ChannelLimits) -> str:
    """Why these are no buttons on the channel; empty when they are."""
    if MessageKind.BUTTON not in limits.kinds:
        return "not on this channel"
    if len(form.choices) > limits.buttons:
        return f"more than {limits.buttons} options"
    if any(choice.description for choice in form.choices):
        return "descriptions"
    if not text or units(text) > limits.button_body:
        return f"text not within {limits.button_body}"
    return _titles_problem(form.choices, limits.button_title)


def _fits_list(text: str, form: Form, limits: ChannelLimits) -> str:
    if MessageKind.LIST not in limits.kinds:
        return "not on this channel"
    if len(form.choices) > limits.rows:
        return f"more than {limits.rows} rows"
    if any(units(choice.description) > limits.row_description for choice in form.choices):
        return f"description over {limits.row_description}"
    if not text or units(text) > limits.list_body:
        return f"text not within {limits.list_body}"
    if units(form.button_label) > limits.list_button:
        return f"button over {limits.list_button}"
    return _titles_problem(form.choices, limits.row_title)


def _titles_problem(choices: Sequence[Choice], limit: int) -> str:
    if any(not choice.title.strip() or units(choice.title) > limit for choice in choices):
        return f"title not within {limit}"
    if len({choice.title for choice in choices}) < len(choices):
        return "titles not unique"
    return ""


def _numbered(number: int, choice: Choice) -> str:
    return f"{number}. {choice.title}: {choice.description}" if choice.description else f"{number}. {choice.title}"


def _with_asset(text: str, form: Form, asset: Asset, limits: ChannelLimits) -> Composed:
    """Media with the text as caption, or as a message of its own where the form has no caption or it is too long."""
    if form.kind not in limits.kinds:
        return _as_link(text, form, asset, limits, "not on this channel")
    if form.kind is MessageKind.CTA_URL:
        fits = bool(text) and units(text) <= limits.link_body and 0 < units(asset.title) <= limits.link_title
        return Composed(form.kind, text, asset=asset) if fits else _as_link(text, form, asset, limits, "text or title too long")
    if form.kind in {MessageKind.AUDIO, MessageKind.LOCATION, MessageKind.TEMPLATE}:
        return Composed(form.kind, "", further_texts=_parts(text, limits.text), asset=asset)
    if units(text) > limits.caption:
        return Composed(form.kind, "", further_texts=_parts(text, limits.text), asset=asset)
    return Composed(form.kind, text, asset=asset)


def _as_link(text: str, form: Form, asset: Asset, limits: ChannelLimits, why: str) -> Composed:
    place = f"{asset.latitude:.6f}, {asset.longitude:.6f}" if form.kind is MessageKind.LOCATION else ""
    link = " ".join(part for part in (asset.title, asset.url, place) if part)
    return replace(_plain(f"{text}\n\n{link}" if link else text, limits), degraded=f"{form.kind}: {why}")


def _plain(text: str, limits: ChannelLimits) -> Composed:
    first, *further = _parts(text, limits.text) or ("",)
    return Composed(MessageKind.TEXT, first, tuple(further))


def _parts(text: str, limit: int) -> tuple[str, ...]:
    """The text in parts of at most `limit` units, cut after a paragraph, else a line, else a word, else between characters.

    No part is empty, and there is none for an empty text.
    """
    parts = []
    rest = text
    while units(rest) > limit:
        cut = _cut(rest, limit)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return tuple(part for part in (*parts, rest) if part)


def _cut(text: str, limit: int) -> int:
    end = _within(text, limit)
    for border in ("\n\n", "\n", ". ", " "):
        found = text.rfind(border, end // 2, end)
        if found > 0 and not _continues(text, found + len(border)):
            return found + len(border)
    # Between two characters; where even the character is too long, there is nothing left to respect.
    return next((at for at in range(end, end // 2, -1) if not _continues(text, at)), end)


_JOINER = "\u200d"
_MARKS = frozenset({"Mn", "Mc", "Me", "Cf"})


def _continues(text: str, at: int) -> bool:
    """Whether the code point at `at` belongs to the character before it (accents, emoji sequences, flags, Korean letters)."""
    here, before = text[at], text[at - 1]
    if _is_flag_half(here) and _is_flag_half(before):
        start = at
        while start > 0 and _is_flag_half(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 1
    return (
        before == _JOINER
        or unicodedata.category(here) in _MARKS
        or "\U0001f3fb" <= here <= "\U0001f3ff"  # skin tones
        or "\u1160" <= here <= "\u11ff"
    )


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _within(text: str, limit: int) -> int:
    """How many characters of the text fit into `limit` units; at least 1."""
    used = 0
    for index, character in enumerate(text):
        used += 2 if ord(character) > 0xFFFF else 1
        if used > limit:
            return max(index, 1)
    return len(text)


def units(text: str) -> int:
    """The text's length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
