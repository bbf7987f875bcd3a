"""Tells Portuguese from English and Spanish by the small words that each language cannot do without."""

_ENGLISH = frozenset(
    ["the", "you", "your", "is", "are", "do", "does", "can", "i", "my", "we", "our", "how", "what", "who", "where", "when", "which", "much", "many", "need", "want", "with", "for", "and", "of", "to", "this", "that", "it", "have", "has", "please", "hello", "hi", "thanks", "thank", "good", "morning", "would", "could", "a", "an", "in", "on", "at", "get", "not", "no", "someone", "help", "your", "from", "speak", "talk", "price", "cost", "work", "deliver", "delivery", "day", "about", "me", "he", "she", "they", "will", "if", "or", "but", "so", "all", "any", "there", "here", "yes", "bye", "build", "custom", "order", "account", "store", "there's", "don't", "doesn't", "i'm", "it's"]
)
_SPANISH = frozenset(
    ["el", "la", "los", "las", "un", "una", "unos", "y", "o", "que", "de", "en", "por", "para", "con", "sin", "es", "son", "esta", "estan", "soy", "eres", "hola", "buenos", "buenas", "dias", "gracias", "cuanto", "cuesta", "cuestan", "quiero", "necesito", "tengo", "tienen", "hacen", "puedo", "pueden", "puede", "usted", "ustedes", "mi", "mis", "tu", "tus", "su", "sus", "pero", "muy", "donde", "cual", "cuales", "quien", "como", "hay", "yo", "mucho", "muchas", "muchos", "porque", "cuando", "adios", "hasta", "luego", "dime", "muestra", "muestrame", "olvida", "ahora", "reglas", "precio", "precios", "envios", "mensaje", "mensajes", "pedido", "llego", "tienda", "ayuda", "persona", "hablar", "alguien", "no", "si", "lo", "le", "les", "del", "al", "ni", "ya", "favor", "equivocado", "numero", "perdon", "trabajar", "limpian", "limpio", "ser"]
)
_PORTUGUESE = frozenset(
    ["o", "a", "os", "as", "um", "uma", "de", "do", "da", "dos", "das", "em", "no", "na", "nos", "nas", "por", "pra", "para", "com", "sem", "que", "e", "voce", "voces", "nao", "tem", "tenho", "quero", "preciso", "queria", "fazem", "faz", "como", "quanto", "qual", "quais", "onde", "quem", "meu", "minha", "meus", "minhas", "seu", "sua", "esta", "ta", "to", "sao", "isso", "isto", "aqui", "ai", "la", "tambem", "mais", "mas", "se", "ou", "ja", "so", "muito", "obrigado", "oi", "ola", "bom", "boa", "dia", "tarde", "noite", "ele", "ela", "eles", "elas", "eu", "tudo", "bem", "quer", "pode", "consigo", "entrega", "entregas", "sistema", "alguem", "gente", "mesmo", "ser", "foi", "era", "agora", "hoje", "ainda", "porque", "quando", "ate", "depois", "das", "pelo", "pela", "nosso", "nossa", "loja"]
)
_ONLY_SPANISH = frozenset(
    ["hola", "buenos", "buenas", "gracias", "cuanto", "cuesta", "cuestan", "quiero", "necesito", "tengo", "tienen", "hacen", "puedo", "pueden", "usted", "ustedes", "pero", "muy", "donde", "hay", "yo", "mucho", "muchas", "muchos", "cuando", "adios", "luego", "dime", "muestrame", "olvida", "ahora", "reglas", "precio", "precios", "envios", "mensaje", "mensajes", "llego", "tienda", "hablar", "alguien", "los", "las", "el", "y", "con", "mis", "tus", "eres", "soy", "una", "del", "al", "hasta", "ayuda", "equivocado", "perdon", "limpio", "dejo", "carga", "cobran", "haz", "instrucciones", "mostrarme", "sus", "son", "es", "su", "un", "cual", "cuales", "quien"]
)
_ONLY_ENGLISH = _ENGLISH - _PORTUGUESE - _SPANISH


def language(folded: str) -> str:
    """`pt`, `en` or `es` for folded text; Portuguese in doubt, because nearly every customer writes it."""
    tokens = folded.split()
    portuguese = sum(token in _PORTUGUESE for token in tokens)
    english = sum(token in _ONLY_ENGLISH for token in tokens)
    spanish = sum(token in _SPANISH for token in tokens)
    distinctly_spanish = sum(token in _ONLY_SPANISH and token not in _PORTUGUESE for token in tokens)
    if english > portuguese and english > spanish:
        return "en"
    if distinctly_spanish and spanish >= portuguese:
        return "es"
    return "pt"
