"""Models the provider's prompt cache: which first part of a prompt it has seen before, in steps of 128 tokens."""

CHARACTERS_PER_TOKEN = 4
SHORTEST_CACHED_TOKENS = 1024
STEP_TOKENS = 128
_STEP = STEP_TOKENS * CHARACTERS_PER_TOKEN
_SHORTEST_STEPS = SHORTEST_CACHED_TOKENS // STEP_TOKENS


def tokens_of(text: str) -> int:
    """A cheap estimate of the number of tokens: one per four characters."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


class PrefixCache:
    """Remembers the newest prefixes; with `capacity` steps per generation memory stays bounded."""

    def __init__(self, capacity: int = 50_000) -> None:
        self._capacity = capacity
        self._young: set[int] = set()
        self._old: set[int] = set()

    def cached_tokens(self, group: str, prompt: str) -> int:
        """Tokens at the start of the prompt that were seen before in this group; then remembers the prompt.

        The group is what separates caches: model and `prompt_cache_key`. 0, or at least 1,024.
        """
        chain = hash(group)
        seen_steps, unbroken = 0, True
        for start in range(0, len(prompt) - _STEP + 1, _STEP):
            chain = hash((chain, prompt[start : start + _STEP]))
            if unbroken and (chain in self._young or chain in self._old):
                seen_steps += 1
            else:
                unbroken = False
            self._young.add(chain)
        if len(self._young) > self._capacity:
            self._old, self._young = self._young, set()
        return seen_steps * STEP_TOKENS if seen_steps >= _SHORTEST_STEPS else 0
