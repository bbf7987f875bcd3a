"""Numbers written in words (Portuguese, English, Spanish) turned into digits, so that a rule needs to know digits only."""

import re

from guard.normalise import Folded

_UNITS = {
    "dois": 2, "duas": 2, "two": 2, "tres": 3, "three": 3, "quatro": 4, "four": 4, "cuatro": 4, "cinco": 5, "five": 5,
    "seis": 6, "six": 6, "sete": 7, "seven": 7, "siete": 7, "oito": 8, "eight": 8, "ocho": 8, "nove": 9, "nine": 9,
    "nueve": 9, "dez": 10, "ten": 10, "diez": 10, "onze": 11, "eleven": 11, "doze": 12, "twelve": 12, "doce": 12,
    "treze": 13, "thirteen": 13, "trece": 13, "catorze": 14, "quatorze": 14, "fourteen": 14, "catorce": 14,
    "quinze": 15, "fifteen": 15, "quince": 15, "dezesseis": 16, "sixteen": 16, "dieciseis": 16, "dezessete": 17,
    "seventeen": 17, "dezoito": 18, "eighteen": 18, "dezenove": 19, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "vinte": 20, "twenty": 20, "veinte": 20, "trinta": 30, "thirty": 30, "treinta": 30, "quarenta": 40, "forty": 40,
    "cuarenta": 40, "cinquenta": 50, "fifty": 50, "cincuenta": 50, "sessenta": 60, "sixty": 60, "sesenta": 60,
    "setenta": 70, "seventy": 70, "oitenta": 80, "eighty": 80, "ochenta": 80, "noventa": 90, "ninety": 90,
}  # fmt: skip
_HUNDREDS = {
    "cem": 100, "cento": 100, "cien": 100, "ciento": 100, "duzentos": 200, "duzentas": 200, "doscientos": 200,
    "trezentos": 300, "trezentas": 300, "trescientos": 300, "quatrocentos": 400, "cuatrocientos": 400,
    "quinhentos": 500, "quinhentas": 500, "quinientos": 500, "seiscentos": 600, "seiscientos": 600, "setecentos": 700,
    "setecientos": 700, "oitocentos": 800, "ochocientos": 800, "novecentos": 900, "novecientos": 900,
}  # fmt: skip
_ADDED = _UNITS | _TENS | _HUNDREDS
_SCALES = {
    "hundred": 100, "mil": 1_000, "thousand": 1_000, "grand": 1_000, "milhao": 1_000_000, "milhoes": 1_000_000,
    "million": 1_000_000, "millon": 1_000_000, "millones": 1_000_000,
}  # fmt: skip
# Words that are numbers only before a unit: "um", "one" are articles, "dos" is Portuguese "of the".
_UNIT_NOUN = (
    r"(?=\s+(?:uteis\s+)?(?:dias?|dais|semanas?|quinzenas?|mes|meses|horas?|minutos?|min|anos?|days?|weeks?|months?|hours?|minutes?"
    r"|real|reais|reales|dolar(?:es)?|dollars?|bucks?|conto|centavos?|vezes|parcelas?|mil|millon|milhao|grand|hundred"
    r"|thousand|por\s+cento|percent|por\s+ciento)\b)"
)
_ONES = {"um": 1, "uma": 1, "one": 1, "un": 1, "una": 1, "uno": 1, "a": 1, "an": 1, "dos": 2, "once": 11}

_NUMBER = rf"(?:{'|'.join(sorted(_ADDED | _SCALES, key=len, reverse=True))})"
_RUN = re.compile(
    rf"(?<!\w)(?:(?:um|one|un|a|an|dos|once|\d+(?:[.,]\d+)?)[\s-]+(?={'|'.join(_SCALES)}\b))?"
    rf"(?<!por\s){_NUMBER}(?!\w)(?:(?:[\s-]+(?:e|y|and)?[\s-]*){_NUMBER}(?!\w))*"
)
_ONE = re.compile(rf"(?<!\w)(?:um|uma|one|un|una|uno|an?|(?:(?<=en\s)|(?<=por\s)|(?<=de\s))dos|once)(?!\w){_UNIT_NOUN}")
_WORD = re.compile(r"[a-z]+|\d+(?:[.,]\d+)?")


def with_digits(folded: Folded) -> Folded:
    """The folded text with numbers in words as digits: "mil e quinhentos reais" becomes "1500 reais"."""
    folded = folded.replaced([(m.start(), m.end(), str(_value(m.group()))) for m in _RUN.finditer(folded.text)])
    return folded.replaced([(m.start(), m.end(), str(_ONES[m.group()])) for m in _ONE.finditer(folded.text)])


def _value(words: str) -> int:
    """The number that a run of number words says; a loose run ("dois, tres") gives their sum, which is still a number."""
    total = 0.0
    current = 0.0
    for word in _WORD.findall(words):
        if word in _SCALES:
            scale = _SCALES[word]
            if scale == 100:
                current = (current or 1) * 100
            else:
                total += (current or 1) * scale
                current = 0.0
        elif word in _ADDED:
            current += _ADDED[word]
        elif word in _ONES:
            current += _ONES[word]
        elif word[0].isdigit():
            current += float(word.replace(".", "").replace(",", "."))
    return int(total + current)
