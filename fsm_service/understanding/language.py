"""Tells Portuguese from English and Spanish by the small words that each language cannot do without."""

from fsm_service.understanding.wordlists import wordlist


def language(folded: str) -> str:
    """`pt`, `en` or `es` for folded text; Portuguese in doubt, because nearly every customer writes it."""
    tokens = folded.split()
    only_english = wordlist("english") - wordlist("portuguese") - wordlist("spanish")
    only_spanish = wordlist("only_spanish") - wordlist("portuguese")
    portuguese = sum(token in wordlist("portuguese") for token in tokens)
    english = sum(token in only_english for token in tokens)
    spanish = sum(token in wordlist("spanish") for token in tokens)
    distinctly_spanish = sum(token in only_spanish for token in tokens)
    if english > portuguese and english > spanish:
        return "en"
    if distinctly_spanish and spanish >= portuguese:
        return "es"
    return "pt"
