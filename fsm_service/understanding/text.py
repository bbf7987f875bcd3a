"""Folds WhatsApp Portuguese into plain words: no accents, abbreviations expanded, laughter and stretched letters shortened."""

import re
import unicodedata
from functools import lru_cache

# Written as people type on a phone, after accents are gone. A value may be several words.
ABBREVIATIONS: dict[str, str] = {
    "vc": "voce", "vcs": "voces", "ce": "voce", "ces": "voces", "voceis": "voces", "oces": "voces",
    "tu": "voce", "c6": "voces", "vx": "voce", "vcz": "voces",
    "tb": "tambem", "tbm": "tambem", "tbem": "tambem", "tmb": "tambem",
    "n": "nao", "nn": "nao", "naum": "nao", "nop": "nao", "nope": "nao",
    "q": "que", "qe": "que", "ki": "que", "oq": "o que", "oque": "o que", "oqe": "o que",
    "pq": "porque", "pk": "porque", "pqe": "porque",
    "hj": "hoje", "oje": "hoje", "amn": "amanha", "amnh": "amanha", "ont": "ontem",
    "msm": "mesmo", "mesma": "mesmo", "msma": "mesmo",
    "ngm": "ninguem", "alg": "alguem", "algm": "alguem", "alguen": "alguem", "algem": "alguem",
    "mt": "muito", "mto": "muito", "mta": "muito", "mts": "muitos", "muita": "muito",
    "qto": "quanto", "qnto": "quanto", "qnt": "quanto", "qt": "quanto", "quantu": "quanto", "qtos": "quantos", "qts": "quantos",
    "qdo": "quando", "qnd": "quando", "qd": "quando", "ql": "qual", "qq": "qualquer",
    "cmg": "comigo", "ctg": "contigo", "dnv": "de novo", "dps": "depois", "dpois": "depois", "agr": "agora",
    "td": "tudo", "tds": "todos", "hr": "hora", "hrs": "horas", "min": "minutos", "mins": "minutos", "seg": "segunda",
    "msg": "mensagem", "msgs": "mensagens", "mensage": "mensagem", "menssagem": "mensagem",
    "zap": "whatsapp", "zapzap": "whatsapp", "whats": "whatsapp", "wpp": "whatsapp", "wats": "whatsapp", "whatsap": "whatsapp",
    "wpps": "whatsapp", "watsap": "whatsapp", "wa": "whatsapp", "whatssap": "whatsapp", "zapi": "whatsapp",
    "insta": "instagram", "ig": "instagram", "instagran": "instagram", "face": "facebook", "fb": "facebook", "tel": "telefone",
    "para": "pra", "pro": "pra", "pros": "pra", "pras": "pra", "p": "pra", "prum": "pra um", "pruma": "pra uma",
    "estou": "to", "tou": "to", "esta": "ta", "estao": "tao", "estamos": "tamo", "tava": "estava", "tavam": "estavam",
    "eh": "e", "aki": "aqui", "aq": "aqui", "ak": "aqui", "ae": "ai", "fds": "fim de semana", "pfv": "por favor",
    "pfvr": "por favor", "pf": "por favor", "pls": "por favor", "plz": "por favor", "obg": "obrigado",
    "obrigada": "obrigado", "obgd": "obrigado", "obgda": "obrigado", "brigado": "obrigado", "brigada": "obrigado",
    "brigadao": "obrigado", "obrigadao": "obrigado", "agradecida": "obrigado", "agradecido": "obrigado", "grata": "grato",
    "vlw": "valeu", "vlws": "valeu", "flw": "falou", "blz": "beleza", "bjs": "beijos", "bj": "beijos", "abs": "abracos",
    "kd": "cade", "vdd": "verdade", "gnt": "gente", "mlr": "melhor", "bora": "vamos", "bra": "pra",
    "preciza": "precisa", "precizo": "preciso", "presiso": "preciso", "nessecito": "preciso", "nois": "nos",
    "agente": "a gente", "concerteza": "com certeza", "d": "de", "dum": "de um", "duma": "de uma", "cm": "com",
    "apto": "apartamento", "ap": "apartamento", "ape": "apartamento", "orcam": "orcamento", "orc": "orcamento",
    "orsamento": "orcamento", "motoboi": "motoboy", "motoboys": "motoboy", "pc": "computador", "func": "funcionario",
    "info": "informacoes", "infos": "informacoes", "doc": "documento", "docs": "documentos", "qlqr": "qualquer",
    "bd": "bom dia", "bdia": "bom dia", "bt": "boa tarde", "bn": "boa noite", "soh": "so",
    "voseis": "voces", "fas": "faz", "fasem": "fazem", "fazen": "fazem", "intrega": "entrega", "intregador": "entregador",
    "cistema": "sistema", "sitema": "sistema", "cervico": "servico", "servisso": "servico", "cadatro": "cadastro",
}  # fmt: skip

_INVISIBLE = re.compile(r"[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe0e\ufe0f]")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
LAUGHTER = "kkk"
_LAUGH = re.compile(
    r"\b(?:k{2,}|(?:[ah]*ha){2,}h?|(?:rs){1,}r?|(?:he){2,}h?|(?:hua|uha|hue|aue|sua){2,}\w*|lol+|jaja\w*|ja(?:ja)+)\b"
)
_WORD = re.compile(r"[a-z0-9]+(?:\$)?")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# What folding must not lose, as words of its own.
_SYMBOLS = (("r$", " reais "), ("us$", " reais "), ("$", " dinheiro "), ("%", " porcento "))


def strip_accents(text: str) -> str:
    """`text` in lower case without accents, invisible characters or compatibility forms."""
    return _CONTROL.sub(" ", _NOT_ASCII.sub(_bare, text).lower())


def _bare(match: re.Match[str]) -> str:
    return _bare_character(match.group())


@lru_cache(maxsize=4096)
def _bare_character(char: str) -> str:
    decomposed = unicodedata.normalize("NFKD", _INVISIBLE.sub("", char))
    return "".join(part for part in decomposed if not unicodedata.combining(part))


def words(text: str) -> list[str]:
    """The folded words of `text`, in order; laughter is the one word `kkk`."""
    bare = strip_accents(text)
    for symbol, word in _SYMBOLS:
        if symbol in bare:
            bare = bare.replace(symbol, word)
    bare = _LAUGH.sub(" kkk ", bare)
    stretched = _STRETCHED.search(bare) is not None
    found: list[str] = []
    for token in _WORD.findall(bare):
        if token == LAUGHTER:
            if not found or found[-1] != LAUGHTER:
                found.append(token)
            continue
        short = _STRETCHED.sub(r"\1", token) if stretched else token
        expanded = ABBREVIATIONS.get(short)
        if expanded is None:
            found.append(short)
        else:
            found.extend(expanded.split())
    return found


def fold(text: str) -> str:
    """`text` as folded words joined by single spaces; this is what rules match against."""
    return " ".join(words(text))
