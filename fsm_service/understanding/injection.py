"""Recognises attempts to command the assistant instead of talking to it, in Portuguese, English and Spanish."""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator

from fsm_service.understanding.text import fold, strip_accents

# The things an attacker names. Rules, prompt, instructions: the assistant's, never the customer's.
_RULES = (
    r"(?:instruc\w+|regras?|prompt|diretriz\w*|orientac\w+|comandos?|restric\w+|politicas?|programac\w+|limitac\w+|limites|filtros?|regulamento|protocolo de seguranca|treinamento|guardrails?|"
    r"instructions?|rules?|guidelines|restrictions|polic(?:y|ies)|constraints|programming|directives|filters|safety|"
    r"reglas|instrucciones|ordenes|restricciones|directrices|politicas|limitaciones|indicaciones)"
)
_SECRET = (
    r"(?:prompt\w*|instruc\w+|system message|mensagem de sistema|mensaje de sistema|configurac\w+ intern\w+|regras? (?:internas?|secretas?|ocultas?|iniciais)|contexto (?:interno|oculto|completo|de sistema)|"
    r"instructions|hidden (?:rules|instructions|text|context)|initial (?:rules|instructions|prompt)|system prompt|your (?:rules|guidelines|configuration)|tus (?:reglas|instrucciones)|suas (?:regras|diretrizes|configurac\w+)|"
    r"api ?key|chave (?:de |da )?api|token de acesso|variave(?:l|is) de ambiente|env vars?|environment variables|clave (?:de )?api|credencia\w+|senha do (?:sistema|servidor|banco|admin)|arquivo \w*config\w*|codigo interno)"
)
_REVEAL = (
    r"(?:mostr\w+|revel\w+|exib\w+|imprim\w+|repit\w+|repet\w+|list\w+|escrev\w+|traduz\w*|resum\w+|envi\w+|mand\w+|cola|cole|copi\w+|diga|diz|fala|fale|conta|conte|passa|passe|transcrev\w+|recit\w+|parafrase\w*|codifi\w+|vaz\w+|"
    r"show|reveal|print|repeat|list|write|translate|summarize|send|output|paste|copy|tell|give|dump|display|encode|leak|what (?:is|are|was|were)|"
    r"muestr\w+|muestrame|revela\w*|imprime|dime|enseña\w*|ensena\w*|escribe|traduce|repite|cual(?:es)? (?:es|son|fueron)|dame|copia|quais? (?:sao|foram|e|era|eram|as|os)|qual (?:e|foi|era))"
)
_OBEY = (
    r"(?:ignor\w+|esquec\w+|esquece|desconsider\w+|desobed\w+|descart\w+|apag\w+ (?:da (?:sua )?memoria|as|suas|todas)|sobrescrev\w+|substitu\w+|burl\w+|desativ\w+|deslig\w+|remov\w+|quebr\w+|viol\w+|pul\w+ (?:as|suas)|deixa de lado|deixe de lado|nao (?:siga|obedeca|respeite)|para de seguir|pare de seguir|abandon\w+|anul\w+|supera|"
    r"ignore|forget|disregard|override|bypass|disable|drop|do not follow|don t follow|stop following|discard|break|skip|erase|"
    r"olvid\w+|ignora\w*|desactiv\w+|no sigas|omite|descarta|deja de lado|salta\w*|rompe|desobedece)"
)
_ROLE = (
    r"(?:finja|finge|simul\w+|atue|atua|aja|comporte se|comporta se|imagin\w+|interpret\w+|encarn\w+|fa[cz]a? de conta|faz de conta|faca o papel|faz o papel|assuma (?:o papel|a identidade|que)|incorpore|"
    r"pretend|act as|roleplay|role play|imagine|simulate|behave as|let s play|you are playing|play the role|"
    r"finge|actua|simula|imagina|haz de cuenta|haz el papel|juguemos|comportate|vamos (?:jogar|brincar|fazer um jogo|fazer um teatro|encenar))"
)
_PRIZE = (
    r"(?:preco|precos|desconto|gratis|gratuit\w+|de graca|sem custo|custo zero|valor\w*|contrato|prompt|regra\w*|restric\w+|limite\w*|filtro\w*|segredo\w*|aprov\w+|autoriz\w+|libera\w*|confirm\w+|dono|ceo|admin\w*|diretor\w*|gerente|chefe|desenvolvedor\w*|hacker|instruc\w+|sem etica|qualquer coisa|tudo que|vendedor|senha|"
    r"price|discount|free|contract|rules|restrictions|unrestricted|owner|developer|secret\w*|anything|evil|system|filter\w*|prompt|"
    r"precio\w*|descuento\w*|gratis|contrato|reglas|restricciones|dueno|secret\w*|sin limites|instrucciones|sin filtros)"
)
_AUTHORITY = (
    r"(?:(?:a |o |seu |sua |os |as |um |uma )?(?:empresa|pyloto|gerencia|gerente|diretoria|diretor\w*|chefe|dono|dona|criador\w*|programador\w*|desenvolvedor\w*|equipe|suporte|ti|administra\w+|ceo|presidente|supervisor\w*|comercial|financeiro|openai|matriz|marketing|juridico|rh|time (?:de|da) \w+|vendedor\w*)"
    r"|(?:the |your )(?:company|manager|boss|ceo|owner|creators?|developers?|admin\w*|team|director)"
    r"|(?:la |el |tu |tus )(?:empresa|gerencia|gerente|jefe|dueno|creador\w*|desarrollador\w*|equipo|director\w*))"
)

_FOLDED = (
    rf"\b{_OBEY}\b(?: \w+){{0,6}}? (?:\w+ )?{_RULES}\b",
    rf"\b{_OBEY} (?:tudo|everything|all|todo|o que|lo que)(?: \w+){{0,3}}? (?:que (?:te )?(?:disseram|falaram|mandaram|ensinaram|foi dito|voce (?:sabe|aprendeu))|acima|antes|anterior\w*|above|before|previous|you were told|prior|te dijeron|aprendiste|disseram|anteriormente)\b",
    rf"\b{_REVEAL}\b(?: \w+){{0,7}}? {_SECRET}\b",
    r"\b(?:instruc\w+|regras?|orientac\w+|prompt|ordens)(?: \w+){0,4} (?:que (?:te |voce |lhe |vc )(?:deram|passaram|deu|recebeu|recebe|tem|segue|foram dad\w+)|(?:you|were) (?:given|got|received|follow)|que te dieron|que sigues|que recibiste)\b",
    r"\b(?:mostr\w+|revel\w+|dump|print|leak|copi\w+|repet\w+|repit\w+|repeat|repite) (?:\w+ ){0,3}(?:texto|mensagem|mensagens|tudo|conversa|text|message|words|everything|todo|texto)(?: \w+){0,3} (?:acima|anterior\w*|above|before|antes (?:dessa|desta|disso|da minha)|arriba|inicial|invisivel|oculto)\b",
    rf"\b{_ROLE}\b.{{0,90}}\b{_PRIZE}\b",
    r"\b(?:a partir de agora|de agora em diante|agora|daqui pra frente|from now on|now|a partir de ahora|desde ahora|ahora)(?: \w+){0,2} (?:voce (?:e|vai ser|deve|sera|responde|obedece|so|se chama|atua)|you (?:are|will|must|obey)|eres|debes|obedece\w*|seu nome e)\b(?! (?:humano|robo|bot|gente))",
    r"\b(?:voce agora e|you are now|ahora eres|tu es agora) ",
    r"\b(?:modo|mode) (?:desenvolvedor|dev|developer|debug|admin\w*|root|deus|god|manutencao|teste interno|irrestrito|livre|sem filtro|depuracao|desarrollador|maestro|mestre|dan|diagnostico|supervisor|auditoria)\b|\b(?:developer|debug|admin|god|dan|maintenance|jailbreak|unrestricted|sudo|root) mode\b|\bjailbreak\w*\b|\bdo anything now\b|\bsudo\b|\bsem (?:restricoes|censura|filtros?|limites)\b.{0,30}|\bsin (?:restricciones|censura|filtros)\b|\bwithout (?:restrictions|filters|rules|limits)\b|\b(?:voce|you|como|ser|e|es) (?:e |are |o |a |the )?dan\b",
    r"\b(?:nova|novas|new|nueva|nuevas) (?:politica|regra|regras|diretriz\w*|instruc\w+|ordem|ordens|policy|rules?|instructions?|orders|directive|politica|regla|reglas|orden|instrucciones)\b.{0,80}\b(?:assistente|bot|otto|ia|voce|confirm\w+|deve|assistant|you|must|asistente|debes|desconto|discount|descuento|obede\w+|vigor|effective|vigente)\b",
    rf"\b{_AUTHORITY}\b.{{0,15}} (?:te |ja |me |lhe |you |voce )?(?:ja )?(?:autoriz\w+|liber\w+|mandou|mandaram|deixou|deixaram|disse(?:ram)?|falou|falaram|ordenou|permit\w+|decidiu|aprovou|determin\w+|garantiu|confirmou|combinou|pediu|avisou|said|told|authori[sz]ed|allows?|allowed|approved|ordered|wants|instructed|te dijo|dijo|autorizo|autorizan?|permite|ordeno|aprobo|quiere|me dijo|te autoriza)\b"
    r".{0,60}\b(?:voce (?:\w+ )?(?:pode|deve|tem que|precisa|vai|a|que|confirm\w+|dar|falar|passar|mostr\w+|liber\w+)|pra voce|que voce|te (?:autoriz\w+|liber\w+|mandou)|you (?:can|may|must|to|should|have)|puedes|debes|que me (?:des|diga\w*|muestr\w+|de)|falar (?:o|os) preco\w*|passar (?:o|os) (?:preco\w*|valor\w*)|(?:pode|podes?) (?:falar|passar|mostrar|dar|liberar|revelar|ignorar)|dar desconto|ignorar|mostrar (?:o|as|os) (?:prompt|instruc\w+|regras?)|sem restric\w+)\b",
    r"\b(?:te|voce foi|voces foram|foi) (?:autoriz\w+|liberad\w|permitid\w)(?: \w+){0,4} (?:falar|passar|dar|mostrar|revelar|informar|confirmar|negociar|aprovar|ignorar|quebrar)\b|\byou (?:are|were|have been) (?:authori[sz]ed|allowed|instructed|permitted) to\b|\b(?:estas|fuiste) autorizad\w (?:a|para)\b|\bte autoriz\w+ (?:a|pra|para)\b",
    r"\b(?:sou|aqui e|eu sou|falo como|soy|i am|i m|this is)(?: \w+){0,3}? (?:desenvolvedor\w*|programador\w*|admin\w*|criador\w*|dono|dona|ceo|engenheir\w+|auditor\w*|tecnico interno|suporte interno|developer|creator|owner|engineer|auditor|root|desarrollador\w*|dueno|ingeniero|diretor\w*|ti da pyloto|da ti)\b(?: \w+){0,3}? (?:da pyloto|do sistema|desse bot|deste bot|seu|do assistente|do bot|do otto|of pyloto|of this (?:bot|system)|your|da openai|at openai|de pyloto|del sistema|pyloto|de ti)\b.{0,100}",
    r"\b(?:responda|responde|diga|diz|escreva|confirme|confirma|repita|repete|fale|fala|digite|say|reply|answer|respond|write|confirm|repeat|di|responde|escribe|confirma|repite) (?:\w+ ){0,2}?(?:so|apenas|somente|exatamente|only|exactly|just|solo|exactamente|literalmente|com as palavras|a frase|the (?:phrase|words|sentence)|la frase)\b.{0,80}\b(?:contrato|fechado|gratis|desconto|free|discount|aprovad\w|confirmad\w|garantid\w|reais|sim|yes|approved|descuento|aceito|zero|combinado|deal|accept\w*|cerrado|gratuito)\b",
    r"\b(?:confirme|confirma|escreva|diga|declare|afirme|registre|prometa|confirm|declare|state|escribe|di)(?: \w+){0,4}? (?:que|that) .{0,60}\b(?:gratis|de graca|gratuit\w+|for free|desconto de|\d+ porcento|zero|1 real|um real|descuento|discount|contrato (?:esta|foi|ta) (?:fechado|assinado|cancelado)|custa (?:r |zero|um|1)|free)\b",
    r"\b(?:decodifi\w+|decifr\w+|descript\w+|descodifi\w+|decode|decrypt|deciph\w+|descifra)\b.{0,60}\b(?:execut\w+|sig\w+|obede\w+|faca|cumpr\w+|follow|run|execute|obey|do|comply|haz|respond\w+|base ?64|hex\w*|rot ?13|binario|binary|morse)\b|\bbase ?64\b|\brot ?13\b|\b(?:em|in|en) (?:hexadecimal|codigo morse|morse code)\b.{0,60}\b(?:instruc\w+|prompt|regras|rules|reglas|responda|answer)\b",
    r"\b(?:dados|telefone|telefones|nome|nomes|numero|numeros|contato|contatos|endereco\w*|conversas?|mensagens|historico|cpf|email|lista|pedidos?) (?:\w+ ){0,4}?(?:de|do|da|dos|das) (?:\w+ )?(?:outros?|outras?|ultimo|ultimos|demais|todos os|proximo) (?:clientes?|usuarios?|pessoas?|contatos?)\b|\b(?:other|last|previous|all|another) (?:customers?|clients?|users?)(?: s)?\b.{0,40}\b(?:data|phone|name|number|conversations?|messages|chat|info\w*|details|email)\b|\b(?:data|phone|names?|numbers?|conversations?|messages|details|list|emails?) (?:\w+ ){0,3}(?:other|last|previous|all|another) (?:customers?|clients?|users?)\b|\b(?:datos|telefono\w*|nombre\w*|conversaci\w+|mensajes|lista) (?:\w+ ){0,3}?(?:otros?|ultimo|todos los|demas) (?:clientes?|usuarios?)\b",
    r"\b(?:chave|clave|token|senha|password|credencia\w+)(?: \w+){0,3} (?:api|openai|servidor|banco de dados|admin\w*|root|sistema interno|do bot|do sistema de voces|do llm|aws|database|del servidor)\b|\bapi ?key\b|\bopenai key\b|\bvariave(?:l|is) de ambiente\b|\benvironment variables?\b",
    r"\b(?:aplique|aplica|libere|libera|aprove|aprova|conceda|confirme|grant|apply|approve|aplica|concede|aprueba)(?: \w+){0,4} (?:\d+ porcento|desconto total|100|desconto maximo|cortesia|credito)\b.{0,60}\b(?:sistema|automaticamente|agora mesmo|imediatamente|comando|override|codigo|now|immediately|order|ordem)\b",
    r"\b(?:fim|final|end|inicio|begin|start|fin) (?:das?|do|of|de las?|del) (?:instruc\w+|prompt|conversa|system|contexto|instructions|conversation|instrucciones|mensagem do usuario|user (?:input|message))\b|\b(?:override|sobrescrever|sobrescreva)\b.{0,40}\b(?:politica\w*|regra\w*|system|sistema|policy|settings|rules|seguranca|safety|prompt)\b|\bprompt injection\b|\bsystem override\b|\bcomando de override\b",
    r"\b(?:complet\w+|continu\w+|complete|continue|finish)(?: \w+){0,4} (?:frase|texto|sentence|text|prompt|oracion)\b.{0,60}\b(?:minhas instruc\w+|meu prompt|minhas regras|my instructions|my (?:system )?prompt|my rules|mis instrucciones|mis reglas)\b|\b(?:minhas|my|mis) (?:instrucoes|instructions|instrucciones)(?: \w+)? (?:sao|are|son)\b",
    r"\b(?:poema|musica|historia|conto|poem|song|story|poema|cuento|rap|acrostico|acrostic)\b.{0,60}\b(?:suas? (?:instruc\w+|regras?|prompt)|your (?:instructions|rules|prompt)|tus (?:instrucciones|reglas)|seu prompt|tu prompt|instruc\w+ (?:secretas|internas)|system prompt)\b",
    r"\b(?:lembr\w+|remember|recuerda\w*|como combinamos|conforme combin\w+|voce (?:ja )?(?:prometeu|confirmou|concordou|aceitou|disse que)|you (?:already )?(?:promised|agreed|confirmed|said)|ya (?:prometiste|aceptaste|confirmaste)|prometiste|quedamos en)\b.{0,80}\b(?:ignor\w+|sem (?:regras|restric\w+|filtros?)|mostra\w* (?:o|as|seu) (?:prompt|instruc\w+|regras)|obedec\w+|no rules|without rules|sin reglas|modo \w+|seu papel|voce era|voce seria|novo papel|new role|revel\w+|(?:dar|darias?|give|aplicar|conceder) (?:me )?(?:\d+|o|um|100|a) ?\w* ?(?:porcento|desconto|discount|descuento)|(?:90|80|70|100|99|50) porcento)\b",
    r"\b(?:hipotetic\w+|hypothetical\w*|em teoria|so pra (?:fins de )?(?:teste|pesquisa|estudo)|for (?:educational|research|testing) purposes|con fines educativos)\b.{0,80}\b(?:prompt|instruc\w+|regras|sem restric\w+|rules|instructions|reglas|preco secreto|revel\w+|se (?:voce )?nao (?:tivesse|houvesse) (?:regras|restric\w+|limites))\b|\bse (?:voce )?nao (?:tivesse|houvesse|existissem?) (?:nenhuma )?(?:regras?|restric\w+|limites?|filtros?)\b|\bif you had no (?:rules|restrictions|limits)\b|\bsi no tuvieras (?:reglas|restricciones|limites)\b",
    r"\b(?:qual|que|what|cual)(?: \w+){0,3} (?:prompt|system prompt|system message|mensagem de sistema|temperatura do modelo|seed|contexto do sistema)\b|\b(?:seu|teu|your|tu) (?:system )?prompt\b|\bprompt (?:do|de|del) sistema\b|\bsystem prompt\b",
    r"\b(?:drop table|select .{0,40} from|script alert|rm rf|exec os|import os|eval)\b",
    r"\b(?:avo|vo|avozinha|grandma|grandmother|abuela|falecida)\b.{0,100}\b(?:prompt|instruc\w+|instructions|regras|api|chaves?|keys?|licen\w+|senha\w*|reglas|precos? secret\w+)\b",
    r"\b(?:desative|desligue|desabilite|turn off|disable|apaga|desactiva)(?: \w+){0,4} (?:guard\w*|filtro\w*|moderac\w+|seguranca|safety|verificac\w+|censura|protec\w+|moderation|security|seguridad|checks?)\b",
    r"\b(?:tudo|everything|todo)(?: \w+){0,3} (?:antes|before|above|acima|arriba)(?: \w+){0,3} (?:nao (?:vale|conta|importa)|era (?:um )?teste|falso|cancelado|was a test|no longer|doesn t count|no cuenta|es falso|foi cancelad\w)\b",
    r"\b(?:responda|responde|answer|reply|conteste|contesta)(?: \w+){0,4} (?:como|as) (?:se (?:voce )?(?:fosse|nao)|if you (?:were|had)|si fueras|un ia|uma ia|an ai|um (?:modelo|assistente|hacker|vendedor|gerente|humano sem))\b",
    r"\b(?:sua|suas|your|tu|tus)(?: \w+)? (?:verdadeir\w+|real|reais|true|hidden|ocult\w+|secret\w+|verdader\w+|nova|new|nueva) (?:identidade|instruc\w+|identity|instructions|identidad|tarefa|missao|task|mission|mision|funcao|personalidade|persona|purpose|objetivo)\b|\b(?:sua|seu|your|tu) (?:unica|only|unico|nov[ao]) (?:funcao|tarefa|task|job|tarea|papel|objetivo|regra|rule|goal)\b",
)  # fmt: skip
# Marks that only a machine's text has: looked for in the raw text, because folding drops punctuation.
_RAW = (
    r"\[\s*/?(?:system|sistema|admin|administrador|root|inst|assistant|assistente|dev|developer|override|instru\w+|internal|interno|ordem|manutencao|nota (?:interna|do sistema)|system note|user|context|debug)\b",
    r"<\s*/?\s*\|?\s*(?:system|sistema|im_start|im_end|assistant|user|admin|inst|instructions?|prompt|context|endoftext|regras|rules|s)\b\s*\|?[^>]*>|<\|",
    r"^\s*(?:#+\s*)?(?:system|sistema|assistant|assistente|developer|root|admin)\s*(?:prompt|message|note|override)?\s*(?::|>|=>|\n)",
    r"\n\s*(?:#+\s*)?(?:system|sistema|assistant|developer|admin)\s*(?:prompt|message|note)?\s*:",
    r"###\s*(?:instru|system|nova|new|nuev|regra|rule|admin|sistema|fim|end)", r"\{\{.*\}\}|\{%.*%\}", r"[\"'](?:role|system|instructions?|prompt|override|escalate|vertente)[\"']\s*:", r"<!--", r"\]\]>", r"---+\s*(?:system|fim|end|begin|nova|new|admin|sistema)",
    r"\b(?:print|exec|eval|system|import)\s*\(", r"\\x[0-9a-f]{2}\\x",
)  # fmt: skip

_FOLDED_PATTERN = re.compile("|".join(f"(?:{pattern})" for pattern in _FOLDED))
_RAW_PATTERN = re.compile("|".join(f"(?:{pattern})" for pattern in _RAW), re.IGNORECASE | re.MULTILINE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){10,}")
_BINARY = re.compile(r"(?:[01]{8}[ ]?){6,}")
_LEET = str.maketrans("013457@$!", "oieastasi")
_SPELLED = re.compile(r"(?:\b\w[\s.\-_*]+){5,}\w\b")
_MAX_CHARS = 4000


def is_injection(text: str) -> bool:
    """True when `text` tries to command the assistant: plain, in disguise (leetspeak, spaced letters) or encoded."""
    clipped = text[:_MAX_CHARS]
    if _RAW_PATTERN.search(strip_accents(clipped)):
        return True
    return any(_FOLDED_PATTERN.search(form) is not None for form in _readings(clipped))


def _readings(text: str) -> Iterator[str]:
    """`text` and every other way to read it that is worth trying."""
    folded = fold(text)
    yield folded
    if any(char.isdigit() or char in "@$!" for char in text):
        yield fold(text.lower().translate(_LEET))
    if _SPELLED.search(text):
        # Letters one by one: spaces between words are lost with those between letters unless they are wider.
        wide = re.sub(r"\s{2,}", "\n", text)
        yield fold(" ".join(re.sub(r"[\s.\-_*]+", "", part) for part in wide.split("\n")))
        yield from _unspaced(re.sub(r"[\s.\-_*]+", "", strip_accents(text)))
    if len(folded) > 24:
        yield fold(text[::-1])
        yield fold(codecs.encode(text, "rot13"))
    yield from map(fold, _decoded(text))


def _unspaced(letters: str) -> Iterator[str]:
    """A run of letters with spaces put back round the words that an attack cannot do without."""
    parts = re.split(
        r"(ignore|ignora|esqueca|olvida|forget|todas|tudo|suas|your|tus|las|the|instrucoes|instructions|instrucciones|regras|rules|reglas|prompt|system|sistema|mostre|revele|reveal|show|anteriores|previous|all|as|o)",
        letters,
    )
    yield " ".join(part for part in parts if part)


def _decoded(text: str) -> Iterator[str]:
    for match in _BASE64.finditer(text):
        chunk = match.group().rstrip("=").replace("-", "+").replace("_", "/")
        try:
            yield base64.b64decode(chunk + "=" * (-len(chunk) % 4)).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
    for match in _HEX.finditer(text):
        try:
            yield bytes.fromhex(match.group().replace(":", "").replace(" ", "")).decode("utf-8")
        except (ValueError, UnicodeDecodeError):
            continue
    for match in _BINARY.finditer(text):
        bits = match.group().replace(" ", "")
        yield "".join(chr(int(bits[index : index + 8], 2)) for index in range(0, len(bits), 8))
