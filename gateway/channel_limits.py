"""What each channel takes, as data; lengths in UTF-16 units, the larger of the two ways a channel may count characters."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from common.taxonomy import MessageKind


@dataclass(frozen=True, slots=True)
class ChannelLimits:
    """Limits of one channel."""

    text: int
    buttons: int
    button_title: int
    button_body: int
    rows: int
    row_title: int
    row_description: int
    list_body: int
    list_button: int
    caption: int
    link_body: int
    link_title: int
    kinds: frozenset[MessageKind]


WHATSAPP = ChannelLimits(
    text=4096,
    buttons=3,
    button_title=20,
    button_body=1024,
    rows=10,
    row_title=24,
    row_description=72,
    list_body=4096,
    list_button=20,
    caption=1024,
    link_body=1024,
    link_title=20,
    kinds=frozenset(MessageKind),
)
"""Source: Meta's Cloud API reference, interactive messages and media."""

PLAIN_TEXT = ChannelLimits(
    text=4096,
    buttons=0,
    button_title=0,
    button_body=0,
    rows=0,
    row_title=0,
    row_description=0,
    list_body=0,
    list_button=0,
    caption=0,
    link_body=0,
    link_title=0,
    kinds=frozenset({MessageKind.TEXT}),
)
"""For a channel about which nothing is known: text gets through everywhere."""

LIMITS: Mapping[str, ChannelLimits] = MappingProxyType({"whatsapp": WHATSAPP, "console": WHATSAPP})


def limits_of(channel: str) -> ChannelLimits:
    """The channel's limits; plain text for an unknown one."""
    return LIMITS.get(channel, PLAIN_TEXT)
