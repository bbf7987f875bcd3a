"""Readable signs in one folded message: greeting, human request, price, incident, negation of a hand-off, spam shapes."""

import re

from fsm_service.understanding.text import strip_accents

# Each pattern is matched (search) against folded text: see text.fold. The names are features of the model, and the
# ones that decide by themselves are read in `fsm_service/fallback.py`.
PATTERNS: dict[str, str] = {
    # An explicit wish that nobody be called, or a matter that a person already has in hand.
    "no_handoff": (
        r"\bnao (?:precisa|preciso|quero|me|e preciso|e necessario|chama|chame|passa|passe|aciona|acione|liga|ligue|transfere|transfira)\b"
        r"(?: \w+){0,3}? ?(?:chamar|chama|chame|acionar|falar com|passar|passa|transferir|ligar|liga|ligue|ligacao|atendente|vendedor|humano|ninguem|consultor|incomodar|retorno)"
        r"|\bsem (?:precisar|necessidade de|ter que)? ?(?:chamar|acionar|falar com|passar|vendedor|atendente)"
        r"|\b(?:do not|don t|dont|no need to) (?:call|transfer|contact|connect|need (?:a |any)?(?:human|agent|person|one|call))"
        r"|\bno (?:hace falta|necesito|quiero) (?:que )?(?:llamar|llamen|hablar con|un asesor|un humano|nadie)"
    ),
    "handled": (
        r"\b(?:ja|to|estou|ontem|ta)\b.{0,30}\b(?:falei|falando|conversei|tratando|vendo|recebi|combinei|agendei|marquei|mandei|pedi|assinei|resolvi|comigo|analisando|avaliando)\b"
        r".{0,60}\b(?:vendedor|comercial|proposta|orcamento|consultor|reuniao|aguardando|esperando|moca|rapaz|equipe|avaliando|analisando)\b"
        r"|\bso (?:to )?(?:aguardando|esperando|avisando|pesquisando|olhando|dando uma olhada|curiosidade)\b"
    ),
    "not_now": r"\b(?:nao quero (?:contratar|comprar|fechar|proposta|orcamento)|agora nao|por enquanto nao|depois eu|mais pra frente|ainda nao|nao agora|ano que vem)\b",
    "human": (
        r"\b(?:falar|conversar|tratar|resolver|papo|continuar)(?: \w+){0,2} com (?:(?:o|a|um|uma|os|as|seu|sua|algum|alguma|outra|outro) )?(?:\w+ )?(?:atendente|pessoa|humano|alguem|gente|gerente|responsavel|vendedor\w*|consultor\w*|"
        r"supervisor\w*|especialista|dono|equipe|comercial|representante|analista|desenvolvedor|tecnico|moca|rapaz|setor)"
        r"|\b(?:chama|chame|chamar|passa|passe|passar|transfere|transfira|transferir|bota|coloca|encaminha|encaminhe|conecta|poe)(?: \w+){0,3} (?:pra |pro |com |a |o |um |uma |)(?:atendente|pessoa|humano|alguem|gente|gerente|"
        r"responsavel|vendedor\w*|consultor\w*|supervisor\w*|especialista|setor|comercial)"
        r"|^(?:um |uma |quero |queria )?(?:um |uma )?(?:atendente|humano|pessoa|gerente|vendedor|consultor|atendimento humano|atendente humano|supervisor|pessoa real|alguem)(?: por favor| ai| humano)*$"
        r"|\b(?:me|nos) (?:liga\w*|ligue\w*|telefon\w*|retorn\w*|contat\w*)|\b(?:podem|pode|possa|consegue|poderia)(?: me)? (?:ligar|telefonar|retornar)\b"
        r"|\bgente de verdade|\balguem de verdade|\bpessoa (?:de verdade|real)|\bcarne e osso|\bser humano\b.*(?:atend|fal)|\bquero (?:um |uma )?(?:humano|pessoa|atendente|gente)\b"
        r"|\b(?:chega|cansei|nada) de robo|\bnao quero (?:falar com )?(?:robo|maquina|bot)"
        r"|\b(?:talk|speak|chat)(?: \w+)? (?:to|with) (?:a |an |some|your )?(?:\w+ )?(?:human|person|agent|someone|representative|somebody|manager|people)|\breal (?:person|human) please|\bcall me\b"
        r"|\bhablar con (?:un|una|alguien|el|la)|\bpas[ae]me con|\basesor\b|\bagente humano|\bque me llamen"
        r"|\balguem (?:da equipe |do time |ai |de voces )?(?:pode|podia|consegue|que possa)(?: \w+)? (?:falar|ligar|atender|entrar em contato|me)"
        r"|\bquem (?:pode )?me atende|\bagend\w+ uma ligacao|\btem alguem (?:ai )?(?:pra|que possa) (?:me )?(?:atender|ligar|falar|explicar)"
    ),
    "price": (
        r"\b(?:quanto|quantos reais)(?: que)?(?: \w+){0,3}? ?\b(?:custa\w*|fica\w*|sai|saem|sairia|cobra\w*|e|seria|ta|vale|pago|paga|gasto|gastaria|sao|da|vai dar|dao)\b"
        r"|\b(?:preco|precos|precinho|orcamento|cotacao|cotar|tabela de preco|mensalidade|tarifa|tarifas)\b|\b(?:qual|que|saber|passa|passar|manda|mandar|me de|ver|diz) (?:o |os |e o |me o |ai o )?(?:valor|valores|custo|taxa|plano|planos|investimento)\b"
        r"|^(?:valor|valores|quanto|quanto e|preco|planos?|reais|dinheiro|quanto custa)\b|\b(?:e|sao|sai|fica|ta) (?:muito )?(?:caro|barato|cara|salgado|gratis|pago|de graca)\b|\bde graca\b|\bgratis\b|\bgratuit|\bteste gratis|\bcobra(?:m|) (?:taxa|por|quanto|alguma|mensal)"
        r"|\bhow much|\bprice|\bpricing|\bquote\b|\bquotation|\bcosts?\b|\bcuanto (?:cuesta|sale|cobran?|vale|es|me)|\bprecios?\b|\bpresupuesto|\bcotizacion|\btarifas?\b"
        r"|\b(?:faixa|media|ideia|nocao|base|chute|estimativa) de (?:preco|valor|quanto|custo)|\bvalor (?:aproximado|medio|da|do|de|por|pra)\b|\bcabe no (?:bolso|orcamento)|\b\d+ (?:mil |reais )(?:reais )?(?:da|dao|e suficiente|paga|resolve)\b"
    ),
    "negotiation": (
        r"\bdesconto|\bdescontinho|\bparcel|\b(?:divid\w+|faz\w*) (?:\w+ )?(?:em|de) \w* ?(?:vezes|\d+ ?x|\d+)|\b\d+x\b|\ba vista|\bpermuta|\bcupom|\bisent|\bisenc|\bnegociar\b|\bnegociavel|\bnegocia (?:ai|comigo)|\babaixa|\bbaixa (?:o|a|um|isso)|\bfaz(?:em)? (?:por|a)\b.{0,12}\d|\bfaz(?:em)? por menos"
        r"|\bmelhora\w* (?:o|esse|esses|a|um pouco|ai)|\bse eu (?:fechar|contratar|pagar|assinar|levar|indicar|pegar)\b|\b(?:cobre|cobrem|cobrir)\b.{0,25}(?:proposta|concorrente|oferta|preco)|\b(?:concorrente|outra empresa|outro lugar)\b.{0,40}(?:menos|barato|gratis|free|desconto|\d)"
        r"|\bmais em conta|\bprecinho|\bcondicao especial|\bcondicoes (?:especiais|de pagamento|melhores)|\bdiscount|\bcheaper|\bdescuento|\brebaja|\bfecho (?:agora|hoje|na hora|com voces) se|\bassino\b.{0,30}\bse\b|\b(?:de )?entrada\b.{0,20}\b(?:resto|pode ser|e o)|\btroca de (?:servico|divulgacao|participacao|posts?)"
    ),
    "hire": (
        r"\b(?:quero|queria|gostaria de|vou|preciso|vamos|bora|como (?:faco pra |que |eu |se )?|posso|desejo|decidi|to querendo|interesse em) ?(?:contratar|contrato|fechar|assinar|assino|aderir|comprar|adquirir|virar cliente|ser cliente|migrar pra)\b"
        r"|\bmanda\w* (?:\w+ )?(?:proposta|contrato)|\b(?:uma|quero|faz|fazer|preciso de|solicito|pedir) (?:uma )?proposta|\bproposta (?:comercial|formal|pra|de)\b|\b(?:fechar|fechamos) (?:negocio|contrato|com voces|parceria)|\bcom quem (?:eu )?(?:falo|fecho|trato)|\bquem (?:me )?atende\b|\bquero (?:colocar|cadastrar|por) (?:a |o )?(?:minha|meu|nossa|nosso)\b"
        r"|\bhire you|\bsign up\b|\bquiero contratar|\bready to (?:buy|start)|\bpropuesta|\bproposal"
    ),
    "demo": r"\bdemo\b|\bdemonstrac|\bdemostracion|\b(?:agendar|marcar|agenda|marca) (?:uma )?(?:reuniao|call|apresentacao|conversa|visita|bate papo)|\bver (?:\w+ ){0,2}funcionando|\btrial\b|\bteste gratis|\breuniao\b",
    "partner": r"\bparceria|\bparceir[oa]s?\b|\brevend(?:er|a|edor)\b|\bafiliad|\bfranquia|\bfranquead|\bconvenio|\bpartnership|\bwhite label|\binvestir (?:na|em voces|no)|\blevar (?:a )?pyloto",
    "deadline": (
        r"\b(?:garant\w+|promet\w+|asseguram?)\b|\bprazo (?:fechado|certo|garantido|maximo)|\b(?:fica|ficaria|estaria|entregam?|consegue\w* entregar|sai) pronto\b|\bpronto (?:ate|em|pra)\b|\bem quant[oa]s? (?:tempo|meses|dias|semanas)\b.{0,30}\bpront|\bsem falta\b|\bate (?:o fim|dia|o dia|semana|sexta|segunda|o natal)\b"
    ),
    "incident": (
        r"\b(?:meu|minha|nosso|nossa|o|a|meus|os|as)? ?(?:pedido|encomenda|pacote|entrega|mercadoria|produto|comida|pizza|marmita|lanche)\b.{0,40}\b(?:nao (?:chegou|veio|foi entregue|apareceu|recebi)|atras\w+|sumiu|errad\w|quebrad\w|amassad\w|frio|fria|revirad\w|aberto|violad\w|extravi\w+|perdid\w)"
        r"|\b(?:entregador|motoboy|motoqueiro|motorista|diarista|faxineira|moca|rapaz|tecnico|eletricista|encanador|pintor|prestador\w?|pedreiro|cara)\b.{0,30}\b(?:nao (?:chegou|veio|apareceu|veio|atende|achou|acha)|sumiu|atras\w+|parado|furou|quebrou|levou|foi grosso|desapareceu|cancelou|bateu|nunca)"
        r"|\b(?:sistema|site|app|aplicativo|integracao|automacao|crm|plataforma|painel|whatsapp|instagram|api|relatorio|bot|robo|software|funil|chat|login|conta|acesso|mensagens|conversas|sincronizacao|webhook|qr code)\b.{0,45}"
        r"\b(?:caiu|fora do ar|parou|parada|parado|travou|travad\w|travando|nao (?:abre|funciona|carrega|entra|conecta|chega\w*|ta\w? (?:funcionando|chegando|abrindo|puxando|enviando)|esta|roda|sincroniza|aparece\w*|envia)|erro|bug\w*|bloquead\w|desconect\w+|sumiu|sumiram|duplic\w+|zerou|deslog\w+|indisponivel|com problema|instavel)"
        r"|\bnao (?:to |estou |ta )?(?:consigo|consegui|conseguindo) (?:mais )?(?:entrar|acessar|logar|abrir|enviar|conectar|ver|usar|fazer login|emitir)|\bfora do ar\b|\bnao recebi\b|\bcobra(?:ram|do|da|nca)\b.{0,25}\b(?:duas vezes|errad\w|indevid\w|a mais|2x|dobro)|\bduas vezes\b"
        r"|\b(?:cade|kade|onde ta|onde esta|aonde ta)\b.{0,25}\b(?:meu|minha|o|a|nosso|nossa)\b|\bate agora (?:nada|ninguem|nao)|\be nada (?:ate agora|ainda)|\bestorno|\breembolso|\bquero (?:cancelar|remarcar|trocar)\b|\bmeu dinheiro de volta|\bprotocolo|\babri (?:um |uma )?(?:chamado|reclamacao|ticket)"
        r"|\b(?:that|que) voces (?:fizeram|montaram|desenvolveram|entregaram|instalaram|mandaram)\b.{0,60}\b(?:parou|caiu|erro|travou|nao|errad\w|duplic\w+|quebr\w+|lent\w|mal)|\b(?:furou|bateram|bati|cai|caiu) (?:o|a|da|de|na|com)\b.{0,30}\b(?:pneu|moto|rota|entrega|corrida)|\b(?:me )?bloquearam|\bfui (?:bloquead|cobrad|desativad)|\bexcecao\b|\bexcepcional"
        r"|\b(?:is|are|was) (?:locked|blocked|down|late|missing|broken|not working)|\bnever arrived|\bdidn t (?:show|arrive|come)|\bnot (?:working|arriving|answering|loading)|\bno (?:funciona|llego|llega|carga|vino|puedo entrar|aparece)|\bdejo de funcionar|\brefund\b"
    ),
    "howto": (
        r"\bcomo (?:eu )?(?:faco|faz|fazer|que (?:eu )?(?:faco|faz)|posso)\b(?: pra)? (?:ver|mudar|trocar|alterar|rastrear|acompanhar|criar|adicionar|remover|exportar|importar|conectar|configurar|colocar|avaliar|emitir|atualizar|cadastrar|imprimir|baixar|acessar|gerar|desativar|ativar|silenciar|arquivar|excluir uma|responder|transferir|chamar|pedir|editar|ficar|puxar|usar|incluir|redefinir|recuperar|entrar|logar|mandar|enviar|marcar|agendar)"
        r"|\bcomo (?:eu )?(?:altero|mudo|troco|crio|adiciono|removo|exporto|importo|conecto|configuro|coloco|vejo|imprimo|emito|atualizo|uso|acesso|baixo|arquivo|transfiro|rastreio|chamo|cadastro mais|redefino|leio|autentico|edito|desativo|ativo|gero|abro um|tiro|apago uma|incluo|desconecto|mando|reseto|reagendo)\b"
        r"|\bonde (?:eu )?(?:vejo|fica|acho|clico|troco|cadastro|coloco|encontro|mudo|altero|baixo|configuro|ativo)\b|\btutorial|\bmanual\b|\bpasso a passo|\bhow (?:do|can) i\b|\bcomo (?:puedo|conecto|cambio|hago para|rastreo)"
    ),
    "legal_specific": (
        r"\bmulta\b|\bclausula|\brescis|\brescind|\bvinculo|\btrabalhista|\bprocessar\b|\bna justica|\bjuridic|\bjudicial|\badvogad|\bindeniza|\bnda\b|\bconfidencialidade|\bpropriedade intelectual|\bdireitos? autora|\bquem (?:responde|paga|e responsavel)|\bresponsabilidade|\bfidelidade\b|\bcontrato (?:tem|diz|renova|preve|fala)|\bforo\b|\bliminar|\bprocon|\bcdc\b|\bquebra de contrato|\bnotificac\w+ extra|\bdpa\b"
        r"|\b(?:apag\w+|exclu\w+|delet\w+|remov\w+|elimin\w+)\b.{0,25}\b(?:meus? dados?|tudo (?:que|meu|o que)|minhas? informac\w+|meu (?:numero|nome|cadastro|contato))|\brevog\w+|\bdireito (?:de|ao) (?:acesso|esquecimento)|\bquais dados (?:meus )?(?:voces )?(?:tem|guardam)|\bcopia (?:dos meus dados|do contrato)"
        r"|\bliab|\bcontractual|\bunder the contract|\bpenalty|\bdelete (?:all )?my|\bborren|\bdemandar|\bwho owns|\blegally"
    ),
    "privacy": r"\blgpd\b|\bgdpr\b|\bprivacidade|\bprivacy|\b(?:meus|minhas|os|nossos|dos) dados\b|\bdados (?:dos|do|da|de|pessoais)|\bvaz(?:a|am|ar|ou|aram)\b|\bgrava(?:d|m|r)?\w*\b|\bguard(?:a|am|ado|ada|ados)\b|\bcompartilh|\bterceiros|\bdpo\b|\bcriptograf|\barmazen|\bmis datos|\bmy (?:personal )?data|\bsigilo",
    "anger": (
        r"\babsurd|\bpalhacad|\bvergonh|\bridicul|\blixo\b|\bpessim|\bhorrive|\bincompetent|\bdesrespeit|\bdescaso|\benrola(?:ram|ndo|m|cao)|\bladra|\bladroes|\bgolpistas|\bmerda|\bporra|\bcaralh|\bpqp|\bodio|\bcansei|\breclame aqui|\bnunca mais|\blamentavel|\binadmissivel|\bbosta|\bfdp\b|\bindignad|\bperd\w+ (?:a |minha )?paciencia|\bpaciencia (?:ta )?(?:acab|esgot)|\bde saco cheio|\bvou processar|\bque raiva|\bto puto|\bputa (?:da|que)|\bme fizeram de|\bcaloteir|\bpilantra|\bsem vergonha|\bterceira vez|\bde novo isso"
        r"|\bridiculous|\bterrible|\bworst|\bawful|\bunacceptable|\bscam(?:mers)?\b|\bverguenza|\bladrones|\bpesimo|\bhartos?\b|\bestafa"
    ),
    "third_party": r"\b(?:ifood|rappi|uber|correios|outra empresa|outro (?:app|pessoal|sistema|cara|lugar|fornecedor)|concorrente|antigo|antiga|anterior|ex (?:funcionario|socio)|meu (?:chefe|vizinho|contador|vendedor|funcionario|atendente)|minha (?:equipe|vizinha|internet)|vivo|tim|claro|banco|governo|prefeitura|terceirizad\w|transportadora|o pessoal (?:la|de la)|empresa que (?:fez|me))\b",
    "ours": r"\b(?:voces|pyloto|de voce|com voce|contrataram|voce)\b",
    "robot_question": (
        r"\b(?:voce|isso|isto|ai|aqui|quem|falando|to|e|c)\b.{0,25}\b(?:robo|robozinho|bot|maquina|inteligencia artificial|ia|humano|pessoa de verdade|pessoa real|automatico|gpt|chatgpt|gravacao)\b"
        r"|^(?:robo|bot|ia|chatgpt)$|\bare you (?:a |an )?(?:bot|robot|human|ai|real)|\beres (?:un |una )?(?:robot|humano|bot|maquina|persona)|\btalking to a"
    ),
    "signup": r"\bcadastr\w*|\bme inscrev|\btrabalhar (?:com|pra|ai)\b|\brodar\b|\bser (?:entregador\w*|prestador\w*|motoboy|diarista)|\bentrar (?:pra|na|no) (?:equipe|plataforma|time)|\bvaga\b|\boferecer (?:meu|meus|minha)|\bsou (?:motoboy|entregador|diarista|faxineira|eletricista|pintor|encanador|pedreiro|tecnico|jardineir\w|cuidador\w|marceneiro|montador|manicure|prestador\w?)",
    "owner": r"\b(?:tenho|temos|minha|meu|nossa|nosso|sou dono|sou dona|aqui na|aqui no|da minha|do meu)\b",
    "need": r"\b(?:preciso|precisamos|precisava|quero|queria|procuro|gostaria|busco|necessito|to procurando|atras de|need|looking for|necesito|quiero|busco)\b",
    "capability": r"\b(?:voces|tem|fazem|faz|atendem|trabalham|da pra|tem como|consigo|consegue|conseguem|mexem|rola|do you|can you|can i|tienen|hacen|pueden)\b",
    "existing": r"\b(?:que voces (?:fizeram|montaram|desenvolveram|entregaram|mandaram|instalaram|colocaram)|meu pedido|minha entrega|nosso projeto|minha conta|ja (?:contratei|paguei|sou cliente)|contratei|paguei|marquei|agendei|pedi)\b",
    "priority": r"\b(?:urgente|prioridade|primeiro|antes|comeca\w*|mais importante|por enquanto|por agora|agora e|o que (?:ta )?peg|principal\w*|foco)\b",
    "thanks": r"\b(?:obrigado|valeu|agradeco|grato|gratidao|thanks|thank you|thx|tks|gracias|deus (?:te |lhe |abencoe)|tmj)\b",
    "goodbye": r"\b(?:tchau|ate (?:mais|logo|breve|amanha|depois|a proxima|segunda)|falou|fui|abracos?|beijos|bye|goodbye|see you|adios|hasta (?:luego|pronto|manana)|chau|bom descanso|fica com deus|fique com deus|bom (?:dia|fim de semana|trabalho|feriado) pra (?:voce|voces|ti))\b",
    "only_that": r"\b(?:(?:era|e|foi|por (?:hoje|enquanto|agora) (?:e )?) ?so isso|so isso mesmo|so era isso|mais nada|nada mais|pode (?:encerrar|fechar a conversa|finalizar)|encerr\w+ (?:aqui|a conversa|o atendimento)|ja (?:resolvi|consegui|entendi tudo)|that s all|eso es todo|es todo|por enquanto so isso|vou pensar|qualquer coisa (?:eu )?(?:chamo|volto|falo|te chamo|aviso)|depois (?:eu )?(?:volto|chamo|te chamo)|tirou (?:minha|a|todas as) duvida)\b",
    "wrong_number": r"\b(?:numero errado|errei (?:o |de )?numero|mandei errado|mensagem errada|contato errado|pessoa errada|era pra outr[ao]|nao e (?:da|do|a|o|ai)\b.{0,30}\b(?:foi mal|desculpa|kkk|pizzaria)|confundi (?:o )?(?:numero|contato)|engano|wrong number|numero equivocado|me equivoque|mandei sem querer|grupo errado|conversa errada|chat errado|ignora)\b",
    "apology": r"\b(?:foi mal|desculpa\w*|desculpe|perdao|sorry|perdon|ops|opa foi mal|mals?)\b",
    "waiting": r"\b(?:aguardo|to aguardando|fico no aguardo|fico aguardando|vou aguardar|espero|to esperando aqui|combinado|beleza|ok|ta bom|certo|perfeito|show|otimo|massa|top|okay|entendi|entendido|ta certo|tudo bem|sem problema|de boa|tranquilo)\b",
}

_SPAM_SHAPES = (
    r"\b(?:ganhe|ganhar|gane|gana|lucr\w+|fature|receba|faturar)\b.{0,40}\b(?:reais|mil|por dia|por semana|por mes|dinheiro|em dobro|dolar\w*|desde casa|de casa|em casa|k)\b",
    r"\b(?:repass\w+|envi\w+|encaminh\w+|compartilh\w+|mand\w+) (?:\w+ ){0,5}(?:pra|a|para|com|essa?|esta) (?:\w+ ){0,4}?(?:\d+|todos|sete|dez|nove|doze|vinte|amigos|contatos|pessoas|corrente|grupos)",
    r"\bcorrente\b.{0,40}\b(?:quebre|contatos|amigos|pessoas|repass)", r"\bnao (?:quebre|quebra|interrompa)\b",
    r"\b(?:emprestimo|credito|consignado|fgts|score)\b.{0,50}\b(?:liberado|sem consulta|negativad\w|na hora|aprovado|antecip\w+|clique|chama|facil|link|aposentad\w+)",
    r"\b(?:oi|ola|bom dia|boa tarde)? ?(?:mae|pai|vo|vovo|filha|filho|tia|tio|mainha|painho|amor)\b.{0,60}\b(?:numero|celular|chip|banco|pix|transfer\w+|deposit\w+)",
    r"\b(?:troquei|mudei) de (?:numero|chip|celular)\b.{0,80}\b(?:pix|transfer|pag\w+|banco|salva)",
    r"\b(?:vendo|vendemos|compro) (?:seguidores|lista|leads|curso|contas?|milhas|consorcio|packs?|conteud\w+|banco de dados|likes|curtidas|rifa|precatorio)", r"\bseguidores\b.{0,30}\b(?:reais|brasileiros|br|pacote|\d+k?|conto)",
    r"\b(?:tigrinho|fortune|cassino|apostas?|bet\d*|roleta|green|odds|slots?)\b.{0,60}\b(?:pagando|bonus|cadastro|grupo|vip|link|plataforma|ganh\w+|lucr\w+|dia|free|giros|rodadas)",
    r"\b(?:bitcoin|cripto\w*|crypto|forex|trader?|day trade|opcoes binarias)\b.{0,60}\b(?:lucr\w+|retorno|garantid\w+|double|dobr\w+|profit|ganh\w+|mes|dia|invest\w+|curso|mentor\w+|sala)",
    r"\b(?:somos|sou|represento|aqui e|falo) (?:\w+ ){0,8}?(?:oferec\w+|apresentar|vend\w+|fornec\w+|portfolio|catalogo|energia solar|plano de saude|telefonia)",
    r"\b(?:ofereco|oferecemos|temos a melhor|conheca nossa|conheca nossos|conheca o nosso|posso (?:te |lhe )?apresentar (?:nosso|nossa|a nossa|o nosso)|gostaria de apresentar (?:nosso|nossa|a|o)|apresentar nossas? solu\w+)\b",
    r"\b(?:voce|seu cpf|seu numero|voce ja|your number|ha|has) (?:foi |ganhou|sido |tem |e ?o ?)(?:\w+ )?(?:sorteado|premiado|ganhador|selecionad\w|contemplado|ganado|ganhou|um iphone|um premio|\w+ esquecidos)", r"\b(?:resgat\w+|retir\w+|saque)\b.{0,25}\b(?:premio|agora|imediato|valores|saldo)",
    r"\b(?:conta|whatsapp|cpf|cartao|chave pix)\b.{0,30}\b(?:sera|foi) (?:bloquead\w|cancelad\w|suspens\w|desativad\w)\b.{0,60}\b(?:clique|link|atualiz\w+|confirm\w+|regulariz\w+|acesse|ligue)",
    r"\b(?:taxad\w|retid\w|alfandega)\b.{0,60}\b(?:pag\w+|taxa|regulariz\w+|link|libera\w+)", r"\bcodigo de (?:6|seis|verificacao|confirmacao)\b.{0,40}\b(?:passa|manda|celular|sms|chegou)|\bpassa o codigo",
    r"\b(?:million|widow|inheritance|lottery|prince|donat\w+|barrister|beneficiary)\b.{0,80}\b(?:dollars|usd|reply|details|transfer|winner|you|kindly|help)", r"\bherencia\b|\bpremio\b.{0,30}\bhaz clic|\bhaz clic\b",
    r"\b(?:deposit\w+|invist\w+|aplique|transfira|pague) (?:\w+ )?\d+.{0,25}\b(?:recebe|receba|ganhe|vira|volta|retorno|saque)", r"\b(?:deposite|transfira|invista|pague)\b.{0,30}\b(?:dobro|triplo)",
    r"\b(?:oportunidade|proposta) (?:\w+ )?(?:unica|imperdivel|irrecusavel|de ouro)|\bultimas vagas|\bvagas limitadas|\bpromocao relampago|\bso hoje\b.{0,30}\b(?:clique|link|compre|off)|\brenda extra\b.{0,60}|\bliberdade financeira|\bmarketing multinivel",
    r"\b(?:limp\w+|tir\w+) (?:seu|o|o seu) nome|\bnome sujo|\bcnh sem|\bdiploma (?:reconhecido|em)|\biptv\b|\bamarracao|\bpessoa amada|\btrabalhos espirituais|\btarot?\b|\bemagre\w+ \d+|\bperca \d+ ?k",
    r"\b(?:home office|trabalhe|vaga de avaliador)\b.{0,60}\b(?:ganh\w+|por dia|receb\w+|dolar|curtindo|avaliando)", r"\b(?:avalia\w+|curtir|curtindo|tarefas|pesquisas)\b.{0,40}\b(?:ganh\w+|receb\w+|pix|reais)", r"\bclick here|\bclique (?:no link|aqui|agora)|\bclica (?:no link|aqui|ja)\b",
    r"\b(?:seo services|rank your|guest post|web design services|lead generation|backlinks?)\b", r"\boracao\b.{0,40}\b(?:pessoas|envie|repasse|amigos|grupos)|\bmilagre\b.{0,40}\b(?:envi|mand|repass|pessoas)|\bbencao\b.{0,60}\b(?:contatos|amigos|pessoas|envi|repass)|\bmand\w+ pra \d+ pessoas",
)  # fmt: skip

GREETING_WORDS = frozenset(
    ["oi", "oie", "oii", "oiee", "ola", "opa", "opaa", "e", "ai", "eai", "eae", "iae", "iai", "eaí", "fala", "falae", "salve", "bom", "boa", "dia", "tarde", "noite", "bons", "buenas", "buenos", "buenas", "tardes", "noches", "dias", "hello", "hi", "hey", "hola", "good", "morning", "afternoon", "evening", "alo", "aloo", "ae", "tudo", "bem", "bao", "bom", "joia", "certo", "tranquilo", "beleza", "como", "vai", "vao", "voce", "voces", "esta", "ta", "estao", "td", "pessoal", "gente", "galera", "meu", "minha", "querido", "querida", "amigo", "amiga", "mano", "moco", "moca", "senhor", "senhora", "saudacoes", "coe", "koe", "qual", "e", "q", "a", "o", "sumido", "sumida", "turma", "pra", "todos", "there", "dms", "demais", "com", "tao", "tche", "uai", "so", "grupo", "feliz", "natal", "ano", "novo", "domingo", "sabado", "pascoa", "que", "deus", "abencoe", "tamo", "junto", "otimo", "excelente", "semana", "pyloto", "otto", "rapaz", "guri", "guria", "bah", "oxe", "eita", "ow", "olaa", "oiie", "bommm", "diaa"]
)
GREETING_CORE = frozenset(
    ["oi", "oie", "oii", "oiee", "ola", "olaa", "opa", "opaa", "eai", "eae", "iae", "iai", "salve", "hello", "hi", "hey", "hola", "alo", "aloo", "coe", "koe", "buenas", "buenos", "saudacoes", "fala", "falae", "dia", "tarde", "noite", "morning", "afternoon", "evening", "bao", "joia", "ae", "feliz"]
)
ACK_WORDS = frozenset(
    ["ok", "okay", "okey", "sim", "nao", "ta", "bom", "certo", "beleza", "entendi", "entendido", "aham", "uhum", "hum", "hm", "hmm", "hmmm", "ah", "oh", "ata", "tah", "talvez", "pode", "ser", "sei", "ue", "uai", "eita", "vish", "vixe", "vixi", "affs", "aff", "kkk", "isso", "exato", "claro", "perfeito", "show", "legal", "massa", "top", "joia", "blza", "combinado", "otimo", "bacana", "entao", "nada", "pera", "perai", "peraí", "calma", "depois", "ja", "volto", "deixa", "uma", "hein", "ne", "poxa", "nossa", "que", "mesmo", "so", "de", "boa", "tranquilo", "fechado", "fechou", "aguardo", "espero", "to", "aguardando", "no", "fico", "vou", "e", "o", "a", "yes", "no", "si", "yeah", "sure", "vale", "fine"]
)
_EMOJI = re.compile(r"[\u2190-\u2bff\u2600-\u27bf\U0001f000-\U0001faff]")
_GREETING_EMOJI = re.compile(r"[\U0001f44b\U0001f64b\U0001f91d\u270b\U0001f596\U0001f590\U0001f31e\u2600]")
_THANKS_EMOJI = re.compile(r"[\U0001f64f\u2764\U0001f970\U0001f618\U0001fac2\U0001f917]")
_VOWELS = frozenset("aeiouy")
_URL = re.compile(r"https?://|www\.|\b[\w-]+\.(?:com|net|example|bit|ly|me|top|xyz|shop|online|br)\b|bit\.ly|t\.me")
_COMPILED = {name: re.compile(pattern) for name, pattern in PATTERNS.items()}
_SPAM = re.compile("|".join(f"(?:{shape})" for shape in _SPAM_SHAPES))


def signals(text: str, folded: str) -> frozenset[str]:
    """The names of the signs found; `text` as written, `folded` by text.fold."""
    found = {name for name, pattern in _COMPILED.items() if pattern.search(folded)}
    tokens = folded.split()
    if _SPAM.search(folded):
        found.add("spam_shape")
    if _URL.search(strip_accents(text)):
        found.add("url")
    letters = [char for char in text if char.isalpha()]
    if len(letters) > 9 and sum(char.isupper() for char in letters) > 0.7 * len(letters):
        found.add("caps")
    if text.count("!") >= 2:
        found.add("exclaims")
    if "?" in text:
        found.add("question")
    if any(char.isdigit() for char in text):
        found.add("digits")
    if _EMOJI.search(text):
        found.add("emoji")
    if not tokens:
        found.add(_wordless_kind(text))
    elif all(token in GREETING_WORDS or token == "kkk" for token in tokens) and GREETING_CORE.intersection(tokens):  # noqa: S105 -- laughter, not a secret
        found.add("greeting_only")
    elif all(token in ACK_WORDS for token in tokens):
        found.add("ack_only")
    elif is_gibberish(tokens):
        found.add("gibberish")
    return frozenset(found)


def _wordless_kind(text: str) -> str:
    if _GREETING_EMOJI.search(text):
        return "greeting_only"
    if _THANKS_EMOJI.search(text):
        return "thanks"
    return "gibberish"


def is_gibberish(tokens: list[str]) -> bool:
    """True when no token looks like a word of a Latin language: keys hit at random, or digits alone."""
    return not any(_looks_like_word(token) for token in tokens)


_ODD = re.compile(
    r"[bcdfghjklmnpqrstvwxz]{4,}|[qw][^uaeio]|[aeiou]{4,}|(?:asd|sdf|dfg|fgh|ghj|hjk|jkl|qwe|wer|ert|zxc|xcv|lkj|kjh|poi|oiu)"
)


def _looks_like_word(token: str) -> bool:
    return token.isalpha() and bool(_VOWELS.intersection(token)) and len(token) > 1 and not _ODD.search(token)
