# Tudo o que aparece na janela do telefone, em português do Brasil. Uma seção por tela, na ordem dos
# arquivos em src/gui; as chaves e a ordem são as mesmas de en.

## Navegação (gui.rs)

nav-people = Pessoas
nav-log = Log
nav-settings = Configurações
cancel = Cancelar
close = Fechar
copy = Copiar
dismiss = Dispensar
close-title = Fechar o Ramal?
close-text = Se o Ramal ficar aberto em segundo plano, você continua recebendo chamadas.
close-always = Não perguntar de novo
close-no-tray = Aqui não aparece um ícone dele. Para ver o Ramal de novo, é só abri-lo outra vez.
close-quit = Sair
close-ring = Deixar aberto
notice-sign-in = Entrar de novo
notice-find-out = Verificar
notice-broke-off = Uma troca da sua identidade foi interrompida. Verifique o que aconteceu.
notice-met = Primeira vez em { $host }. A chave dele é { $key } e fica guardada de agora em diante. Quem o administra pode dizer se está certa.
notice-damaged = Suas configurações não puderam ser lidas e voltaram ao início. As antigas estão em { $path }.
notice-not-kept = Não foi possível guardar suas configurações.
notice-phone-hangs = O telefone não responde. Se continuar assim, saia do Ramal e abra-o de novo.
warning-network = Nenhuma chamada pode ser feita nem recebida agora: o sistema não dá acesso à rede. Veja se o computador está conectado e tente de novo.
warning-clock = O relógio deste computador e o do servidor diferem em mais de 10 minutos, e as chamadas podem não tocar. Acerte o relógio.
warning-socket = Outros programas não conseguem comandar este telefone. Para resolver, saia do Ramal e abra-o de novo.
warning-keys-lost = As chaves desta semana não foram guardadas.
warning-contacts-lost = Seus contatos não foram guardados.
warning-calls-lost = Sua lista de chamadas não foi guardada.
warning-contact-dropped = Uma mudança nos seus contatos não foi guardada porque o disco não deu conta. Verifique se ele não está cheio.
warning-calls-set-aside = Sua lista de chamadas estava danificada e recomeça vazia. A antiga está em { $path }.
warning-part-failed = Uma parte do telefone falhou. Se algo não funcionar, saia do Ramal e abra-o de novo.
recovery-title = Suas palavras de recuperação
recovery-text = Anote estas doze palavras em papel. Elas devolvem o nome { $name } a você se este computador for perdido ou alguém tomar o nome.
recovery-warning = Elas só são mostradas até você anotá-las. Não as dê a ninguém.
recovery-later = Mostrar depois
recovery-written = Já anotei


## Problemas (trouble.rs): o título diz o que houve, o texto o que significa e o que fazer

trouble-unreachable-title = Não foi possível alcançar { $host }
trouble-unknown-host = Nenhum computador é conhecido por esse nome. Confira a escrita.
trouble-nobody-listens = Nenhum servidor Ramal responde nesse endereço. Confira o endereço e a porta e pergunte a quem o administra se está aberto.
trouble-no-answer = Não houve resposta. Confira o endereço e a sua rede.
trouble-network = A rede informa: { $why }. Verifique sua conexão e tente de novo.
trouble-no-registry-title = { $host } não é um servidor Ramal
trouble-no-registry = Outro programa responde nesse endereço. Confira o endereço e a porta.
trouble-version-title = As versões não combinam
trouble-version = { $host } usa uma versão diferente da deste programa. Atualize o mais antigo dos dois.
trouble-no-encryption-title = { $host } responde sem criptografia
trouble-no-encryption = Qualquer um no caminho poderia ler e alterar o que é dito. Confira o endereço ou fale com quem administra o servidor. Se você confia na sua rede, abra o Ramal com --plain.
trouble-plain-refused-title = { $host } exige conexão criptografada
trouble-plain-refused = Abra o Ramal de novo, sem --plain.
trouble-banned-title = O servidor não aceita você
trouble-banned = Quem administra { $host } bloqueou esta identidade. Fale com essa pessoa.
trouble-name-banned = Quem administra o servidor não atende mais { $name }. Fale com essa pessoa ou use outro servidor.
trouble-clock-title = Seu relógio pode estar errado
trouble-clock = { $host } não aceita a data deste computador. Acerte o relógio e tente de novo.
trouble-clock-refused = Acerte a data e a hora deste computador e tente de novo.
trouble-full-title = { $host } está lotado no momento
trouble-full = O limite de conexões foi atingido. Tente de novo daqui a um minuto.
trouble-closed-title = { $host } encerrou a conexão
closed-stopping = Ele está sendo desligado ou reiniciado. Espere um momento.
closed-idle = Nada foi dito por tempo demais. Se acontecer muito, confira sua rede.
closed-slow = O que ele enviou não chegou a você a tempo. Confira sua rede.
closed-incomplete = O que você enviou não chegou inteiro. Confira sua rede.
closed-operator = Quem o administra encerrou a conexão. Se acontecer outra vez, fale com essa pessoa.
trouble-address-full-title = Conexões demais da sua rede
trouble-address-full = { $host } não aceita mais conexões do seu endereço. Feche outros telefones aí ou peça a quem administra o servidor que permita mais.
trouble-too-slow = Sua saudação não chegou a tempo. Confira sua rede e tente de novo.
trouble-broken = A conexão caiu. Confira sua rede.
trouble-stands-in-title = { $host } pode ser outra pessoa
trouble-stands-in = Um telefone responde onde você conhece um servidor. Pode haver alguém no meio do caminho; fale com quem o administra antes de continuar.
trouble-barred = Até isso se esclarecer, ninguém consegue ligar para você pelo nome.
trouble-forget-elsewhere = Se disserem que está tudo certo, esqueça-o em Configurações, Identidade, e tente de novo.
trouble-not-proven-title = { $host } não conseguiu provar quem é
trouble-not-proven = Pode haver alguém no meio do caminho. Tente de outra rede e fale com quem administra o servidor.
trouble-key-changed-title = { $host } não é o servidor que você conhece
trouble-key-changed = Ele mostra uma chave diferente da anterior. Ou foi reinstalado, ou há alguém no meio do caminho. Fale com quem o administra antes de continuar.
trouble-known-title = A lista de servidores conhecidos não pode ser usada
trouble-known-damaged = A linha { $line } de { $path } está danificada. Corrija ou apague essa linha.
trouble-known-full = Não há espaço para mais um. Abra { $path } em um editor e apague as linhas de que não precisa mais.
trouble-favourites-title = Não cabe mais ninguém nos favoritos
trouble-favourites = Você pode ter até { $most } favoritos. Tire alguém de lá e tente de novo.
trouble-file = Não é possível usar { $path }: { $why }. Confira o arquivo e se há espaço no disco e tente de novo.
trouble-file-plain = Não é possível usar { $path }. Confira o arquivo e se há espaço no disco e tente de novo.
trouble-other = Este programa não sabe o que isso quer dizer. Atualize-o ou fale com quem administra o servidor.
trouble-other-title = Não funcionou
trouble-taken-title = O nome { $name } já tem dono
trouble-taken = Ele pertence a outra pessoa neste servidor. Escolha outro nome ou, se ele for seu, recupere-o com as palavras de recuperação.
trouble-looks-taken-title = { $name } se parece com um nome que já tem dono
trouble-looks-taken = Para que ninguém seja confundido com outra pessoa, escolha outro nome.
trouble-too-many-names-title = Você já tem o máximo de nomes
trouble-too-many-names = Libere um deles antes ou use um dos que já tem.
trouble-claims-closed-title = Este servidor não aceita ninguém novo
trouble-claims-closed = Fale com quem o administra ou use outro servidor.
trouble-not-invited-title = Este servidor pede um convite
trouble-not-invited = Peça um código de convite a quem o administra e digite-o abaixo. Se você já digitou um, ele está errado, foi usado ou venceu.
trouble-lost-title = { $name } passou para outra chave
trouble-lost = Se não foi você, recupere o nome em até 72 horas com as palavras de recuperação.
trouble-bad-recovery-title = Estas palavras não servem para o nome
trouble-bad-recovery = Elas não são, ou já não são, as palavras de recuperação de { $name }. Confira cada palavra e se o servidor é o certo.
trouble-not-owned-title = Ninguém tem o nome { $name } aqui
trouble-not-owned = Não há nada a mudar. Confira o servidor ou simplesmente conecte com o nome.
trouble-too-fast-title = Tentativas demais
trouble-too-fast = { $seconds ->
    [1] Tente de novo em um segundo.
   *[other] Tente de novo em { $seconds } segundos.
}
trouble-too-fast-minutes = { $minutes ->
    [1] Tente de novo em um minuto.
   *[other] Tente de novo em { $minutes } minutos.
}
trouble-too-fast-hours = { $hours ->
    [1] Tente de novo em uma hora.
   *[other] Tente de novo em { $hours } horas.
}
trouble-too-fast-minute = Você se conecta vezes demais. Tente de novo em um minuto.
trouble-stale-title = Outro telefone seu foi mais rápido
trouble-stale = Ele usa as mesmas chaves. Feche o Ramal no lugar para onde elas foram copiadas e entre de novo aqui.
trouble-misunderstood-title = O servidor não entende este programa
trouble-misunderstood = Atualize o mais antigo dos dois.
trouble-too-many-title = O servidor não tem vaga no momento
trouble-too-many = Tente mais tarde ou fale com quem o administra.
trouble-registry-failed-title = O servidor falhou
trouble-registry-failed = Tente de novo em alguns minutos. Se continuar assim, avise quem o administra.
trouble-offline-title = Sem conexão com { $host }
trouble-offline = O Ramal continua tentando. Até lá, ninguém consegue ligar para você pelo nome; você ainda pode ligar para nome@endereço.
trouble-over-title = O telefone parou
trouble-over = Algo nele falhou e ninguém consegue ligar para você agora. Entre de novo. Se acontecer outra vez, saia do Ramal e abra-o de novo.
trouble-replaced-title = Você entrou em outro lugar
trouble-replaced = Outro telefone com este perfil tomou o lugar deste. Entre de novo para usar este aqui.
trouble-listen-title = Não é possível esperar chamadas
trouble-listen = O endereço { $address } não pode ser usado: { $why }. Abra o Ramal com outro --listen.
trouble-listen-plain = O endereço { $address } não pode ser usado. Abra o Ramal com outro --listen.
trouble-thread-title = Este computador está com pouca memória livre
trouble-thread = Feche alguns programas e tente de novo.
trouble-no-folder-title = Não há lugar para suas chaves
trouble-no-folder =
    O sistema não indica uma pasta de configurações. Abra um terminal e inicie o Ramal com uma pasta à sua escolha:
    ramal-softphone --config PASTA
trouble-in-use-title = { $name } está em uso por outro programa
trouble-in-use = O Ramal ou o ramal-phone já está aberto com este nome aqui. Feche-o ou escolha outro nome.
trouble-no-identity-title = Não há { $name } neste computador
trouble-no-identity = Conecte com o nome para criar um ou importe-o de outro computador.
trouble-exists-title = Já existe { $name } neste computador
trouble-exists = Você pode substituí-lo. Uma cópia do que está aqui será guardada.
trouble-damaged-title = Suas chaves estão danificadas
trouble-damaged = O arquivo { $path } está incompleto. Restaure uma cópia. Sem cópia, mova o arquivo e recupere seu nome com as palavras de recuperação.
trouble-contacts-damaged-title = Seus contatos estão danificados
trouble-contacts-damaged = O arquivo { $path } está incompleto. Restaure uma cópia ou mova o arquivo; nesse caso, ninguém é conhecido nem bloqueado até a próxima chamada.
trouble-contacts-newer-title = Seus contatos são de um Ramal mais novo
trouble-contacts-newer = Atualize este programa para ler { $path }.
trouble-calls-damaged-title = Sua lista de chamadas está danificada
trouble-calls-damaged = O arquivo { $path } está incompleto. Restaure uma cópia ou mova o arquivo; nesse caso, a lista começa de novo.
trouble-calls-newer-title = Sua lista de chamadas é de um Ramal mais novo
trouble-contacts-in-use-title = Seus contatos estão em uso
trouble-contacts-in-use = Outro programa está gravando { $path } há algum tempo. Feche-o e tente de novo.
trouble-backups-title = Cópias demais das suas chaves
trouble-backups = Mova as mais antigas de { $path } para outro lugar.
trouble-disk-title = Seus arquivos não podem ser usados
trouble-randomness-title = Não é possível criar chaves
trouble-randomness = O sistema não fornece números aleatórios. Reinicie o computador e tente de novo.
trouble-exposed-title = Outras pessoas podem acessar suas chaves
trouble-exposed-file = Outros usuários deste computador podem ler { $path }. Em um terminal, digite: { $command }
trouble-exposed-folder = Outros usuários deste computador podem entrar em { $path }. Em um terminal, digite: { $command }
trouble-exposed-foreign = { $path } pertence a outro usuário. Em um terminal, digite: { $command }
trouble-exposed-link = { $path } apenas aponta para outro lugar. Coloque o próprio arquivo ali.
trouble-exposed-neither = { $path } não é o que deveria ser. Mova-o para outro lugar.
asked-too-fast = Houve perguntas demais ao servidor.
asked-too-many = O servidor está sobrecarregado. Tente mais tarde.
asked-banned = O servidor não aceita você. Fale com quem o administra.
asked-closed = O servidor não informa endereços. Ligue para nome@endereço.
asked-not-found = O servidor não conhece ninguém com esse nome. Confira como se escreve.
asked-malformed = O servidor não entende este programa. Atualize o mais antigo dos dois.
asked-unregistered = Você não está conectado lá. Espere a conexão e tente de novo.
asked-failed = O servidor falhou. Tente de novo em alguns minutos; se continuar assim, avise quem o administra.
address-unknown = Nenhum computador é conhecido como { $host }. Confira o endereço.
address-refused = Ninguém responde em { $host }. Confira o endereço ou peça à pessoa que abra o Ramal.
address-silent = Nenhuma resposta veio de { $host }. Pode haver um firewall no caminho; confira o endereço e sua rede.
address-system = Não é possível chegar a { $host }: { $why }. Confira o endereço e sua rede.
address-other = { $host } responde, mas não é um telefone que fale Ramal. Confira o endereço e a porta.
why-lost = A conexão com { $host } caiu. Confira sua rede e tente de novo.
why-closed = O servidor encerrou a conexão. Espere um momento e tente de novo.
why-silent = O servidor não responde. Confira sua rede e tente de novo.
why-no-registry = Um telefone responde em { $host }, onde você conhece um servidor. Pode haver alguém no meio do caminho.
why-bad-answer = A resposta do servidor não faz sentido e não será usada. Avise quem o administra.
why-late = Nenhuma resposta chegou a tempo. Confira sua rede e tente de novo.
why-itself = Esse é este mesmo telefone. Escolha outra pessoa.
why-bad-card = As chaves mostradas lá não valem agora. Confira se a data está certa nos dois computadores.
why-somebody-else = Outra pessoa responde nesse endereço. Peça o endereço ou ligue de novo daqui a um minuto.
why-not-there = Quem responde lá não é { $name }. Confira o endereço.
why-overwhelmed = O outro telefone está sobrecarregado. Tente mais tarde.
why-nonsense = Os dois programas não se entenderam. Atualize o mais antigo.
why-phone-lost = A conexão com o outro telefone caiu. Ligue de novo.
why-no-phone = Quem responde lá não é um telefone. Confira o endereço.
why-no-line = Você já tem o máximo de chamadas. Encerre uma delas antes.
why-hidden = Este telefone está oculto, e quem fosse procurado em um endereço veria onde ele está. Ligue pelo nome ou abra o Ramal sem --hidden.
why-stopping = O telefone está sendo encerrado. Abra-o de novo antes.
why-no-network = O sistema não dá acesso à rede. Veja se o computador está conectado e ligue de novo.
name-empty = Digite um nome
name-too-long = No máximo 32 letras
name-space = Sem espaços: use ponto ou hífen
name-character = { $character } não pode estar em um nome: use letras, dígitos, ponto, hífen e sublinhado
name-beginning = Comece com uma letra ou um dígito
name-other = Isso não pode ser um nome. Use letras e dígitos.
name-mixed = Use letras de um só alfabeto

## Entrar (sign_in.rs)

sign-in-title = Entrar
sign-in-name = Seu nome
sign-in-registry = Servidor
sign-in-connect = Conectar
sign-in-text = Escolha um nome e digite o endereço do servidor. Quem o administra informa.
sign-in-name-example = ana
sign-in-registry-example = ramal.exemplo.org ou 192.168.1.5
sign-in-registry-empty = Digite onde está o servidor
sign-in-registry-wrong = Isto não é um endereço: tente 192.168.1.5 ou 192.168.1.5:5000
sign-in-found = Na sua rede
sign-in-known = Usados antes
sign-in-met = Usado antes
sign-in-have-invite = Tenho um convite
sign-in-invite = Código de convite
sign-in-invite-example = De quem administra o servidor
sign-in-invite-wrong = Um código tem no máximo 32 letras e dígitos
sign-in-probing = Procurando { $host }…
sign-in-registering = Entrando como { $name }…
sign-in-import = Importar identidade
sign-in-recover = Recuperar um nome
sign-in-key-before = Chave anterior
sign-in-key-now = Chave atual
sign-in-forget = Esquecer a chave antiga…
sign-in-forget-title = Esquecer este servidor?
sign-in-forget-text = Só faça isto se quem administra { $host } disse que ele foi reinstalado. Se a chave for outra, todos os nomes de lá contam como novos, mesmo os de contatos verificados. Se houver alguém no meio do caminho, essa pessoa passa a ser confiável.
sign-in-forget-yes = Esquecer e conectar


## Pessoas (people.rs)

people-search = Busque ou digite nome ou nome@endereço
people-tab-everyone = Pessoas
people-tab-recent = Chamadas recentes
people-favourites = Favoritos
people-registered = Conectados agora
people-known = Pessoas que você conhece
people-found = Encontrados
presence-available = Disponível
presence-busy = Em chamada
presence-away = Ausente
presence-offline = Desconectado
people-call = Ligar para { $name }
people-verified-hint = Vocês leram as quatro palavras um para o outro. Se o nome ainda é dessa pessoa, o Ramal pergunta quando você abre ou liga.
people-call-short = Ligar
people-favourite-add = Adicionar aos favoritos
people-favourite-remove = Tirar dos favoritos
people-look-up = Procurar { $typed }
people-look-up-hint = Pergunta por esse nome ao servidor, ou nesse endereço
people-name-empty = Um nome tem pelo menos uma letra.
people-name-too-long = Um nome tem no máximo { $most } caracteres.
people-name-character = Um nome tem letras, números, pontos, hifens e sublinhados, mas não “{ $character }”.
people-name-beginning = Um nome começa com letra ou número.
people-name-mixed = As letras de um nome são todas do mesmo alfabeto.
people-host-bad = Depois do @ vem um endereço, como 192.168.0.7:5000.
people-connecting-title = Vendo quem está aqui
people-connecting-text = A lista aparece assim que o servidor responder.
people-unregistered-title = Sem conexão com o servidor
people-unregistered-text = O telefone continua tentando. Enquanto isso, você pode ligar direto para nome@endereço.
people-empty-title = Ninguém mais por aqui ainda
people-empty-text = Peça a alguém que abra o Ramal, escolha um nome e se conecte a este servidor. A pessoa aparece aqui na hora.
people-empty-address = Copiar { $registry }
people-closed-title = Este servidor não mostra a lista
people-closed-text = Você pode ligar para todos do mesmo jeito: digite o nome acima.
people-refused-title = O servidor não mostra a lista agora
people-refused-call = Você ainda pode digitar um nome e ligar.
people-nobody-title = Não há { $typed } na lista
people-nobody-text = Tecle Enter para procurar o nome mesmo assim.
people-bad-title = Nome inválido
recent-empty-title = Nenhuma chamada ainda
recent-empty-text = As chamadas que você fizer, atender ou perder aparecem aqui.
recent-nothing-title = Nenhuma chamada com { $typed }
recent-clear = Limpar a lista
recent-clear-ask = Esquecer todas as chamadas desta lista?
recent-clear-text = Não dá para desfazer. Os contatos continuam.
recent-clear-yes = Esquecer
recent-missed = Chamada perdida
recent-incoming = Chamada recebida
recent-outgoing = Chamada feita
recent-line = { $what } · { $more }
past-hangup = encerrada
past-declined-here = você recusou
past-answered-elsewhere = atendida em outro telefone seu
past-declined-elsewhere = recusada em outro telefone seu
past-merged = vocês ligaram um para o outro
past-declined = recusada
past-unavailable = não aceitou chamadas
past-busy = ocupado
past-no-answer = não atendeu
past-no-answer-incoming = você não atendeu
past-cancelled-incoming = desistiu
past-cancelled-outgoing = cancelada
past-not-found = estava desconectado
past-unreachable = não foi possível alcançar
past-registry-unreachable = sem conexão com o servidor
past-media-failed = sem conexão de voz
past-media-lost = conexão perdida
past-untrusted = não era quem dizia ser
past-identity-changed = identidade mudou
past-failed = falha neste computador
when-yesterday = ontem { $time }
when-weekday = { $day ->
    [1] segunda
    [2] terça
    [3] quarta
    [4] quinta
    [5] sexta
    [6] sábado
   *[7] domingo
} { $time }
when-date = { $day } de { $month }
when-year = { $day } de { $month } de { $year }
when-month = { $month ->
    [1] janeiro
    [2] fevereiro
    [3] março
    [4] abril
    [5] maio
    [6] junho
    [7] julho
    [8] agosto
    [9] setembro
    [10] outubro
    [11] novembro
   *[12] dezembro
}
lasted-seconds = { $seconds } s
lasted-minutes = { $minutes } min { $seconds } s
lasted-hours = { $hours } h { $minutes } min
standing-verified = Verificado
standing-known = Conhecido
standing-stranger = Primeiro contato
standing-changed = Identidade mudou
details-close = Fechar
details-looking = Procurando { $name }
details-not-found = Não há ninguém chamado { $name } conectado aqui. Confira o nome ou peça que a pessoa se conecte.
details-not-found-at = Não há ninguém chamado { $name } conectado em { $host }. Confira o nome e o endereço.
details-no-answer-title = Não deu para saber onde { $name } está.
details-unknown = Não se sabe agora
details-retry = Procurar de novo
details-where = Endereço
details-hidden = Pelo servidor; a pessoa não mostra o endereço
details-copy = Copiar { $what }
details-copied = Copiado
details-identity = Identidade
details-identity-hint = É a mesma em todo aparelho que mostra esta pessoa. Compare para ter certeza de quem é.
details-since = Conhecido desde
details-standing = Confiança
details-verified-text = Vocês leram as quatro palavras um para o outro, e eram iguais.
details-known-text = Ainda não verificado. Na próxima chamada, leiam as quatro palavras um para o outro.
details-stranger-text = Vocês nunca se falaram por aqui. Na chamada, leiam as quatro palavras um para o outro.
details-changed-title = Este nome agora é de outra pessoa
details-changed-text = Quem você conhecia como { $name } tinha outra identidade. Pergunte por outro meio se a pessoa trocou de telefone. Se trocou, esqueça o contato abaixo e ligue de novo; se não, não ligue.
details-block = Bloquear
details-unblock = Desbloquear
details-blocked = Bloqueado: chamadas de { $name } não tocam aqui.
details-forget = Esquecer
details-forget-ask = Esquecer { $name }?
details-forget-text = Quem tiver esse nome na próxima chamada será tomado por essa pessoa e terá de ser verificado de novo.
details-forget-yes = Esquecer
details-cancel = Cancelar
details-last-calls = Últimas chamadas
status-dnd = Não perturbe
status-dnd-on = Nenhuma chamada toca aqui até você desligar isto
status-dnd-off = Não deixar nenhuma chamada tocar aqui
status-away-on = Os outros veem que você está ausente
status-away-off = Mostrar aos outros que você está ausente
people-search-tip = Busque na lista ou digite para quem ligar
people-more = O servidor tem mais nomes do que aparecem aqui. Digite um nome para procurar.
recent-new = nova
past-turned-away = não entrou
details-nobody-title = Ninguém escolhido
details-nobody-text = Escolha alguém para ver onde está e ligar.
details-too-many = Há buscas demais em andamento. Tente de novo daqui a pouco.
status-connecting = Conectando
status-unregistered = Desconectado

## Chamada recebida (incoming.rs, notify.rs, tray.rs)

incoming-calls = { $name } está ligando
incoming-title = Recebendo chamada
incoming-waiting = Outra chamada
incoming-waiting-text = Se você atender, a chamada com { $name } fica em espera.
incoming-verified = Verificado: vocês já compararam as quatro palavras.
incoming-known = Vocês já se falaram. Ainda não verificado.
incoming-first = Liga para você pela primeira vez.
incoming-confirmed = O servidor confirma o nome.
incoming-unconfirmed = O servidor não confirma o nome. Qualquer um pode se chamar assim.
incoming-answer = Atender
incoming-decline = Recusar
incoming-more = { $count ->
    [1] Mais uma chamada tocando
   *[other] Mais { $count } chamadas tocando
}
identity-changed-title = Outra pessoa ligou como { $name }
identity-changed-text = A chamada não entrou: a identidade não é a que você conhece com esse nome. Pergunte a { $name } por outro meio se trocou de telefone.
notify-somebody = Alguém está ligando
notify-missed = Chamada perdida
notify-missed-from = { $name } ligou.
notify-missed-somebody = Alguém ligou.
tray-open = Abrir o Ramal
tray-dnd = Não perturbe
tray-away = Ausente
tray-quit = Sair
tray-title = Ramal: { $name }
tray-ready = Pode receber chamadas
tray-not-registered = Desconectado
tray-missed = { $count ->
    [1] Uma chamada perdida
   *[other] { $count } chamadas perdidas
}
key-space = Espaço
incoming-understood = Entendi

## Chamada (call.rs)

call-empty-title = Nenhuma chamada agora
call-empty-text = Escolha alguém para ligar ou espere até alguém ligar para você.
call-empty-people = Ver pessoas
call-calling = Procurando o telefone…
call-rings-there = Chamando…
call-connecting = Conectando…
call-held-here = Em espera
call-held-there = { $name } colocou você em espera
call-held-both = Em espera dos dois lados
call-reconnecting = Conexão perdida, tentando de novo…
call-mute = Mudo
call-unmute = Reativar
call-muted = Microfone desligado
call-hold = Espera
call-resume = Retomar
call-hangup = Desligar
call-cancel = Cancelar
call-sound = Som
call-figures = Qualidade
call-talk-hold = Segure { $key } para falar
call-talk-on = Você está falando
call-you = Você
call-words-title = Leiam estas palavras um para o outro
call-words-text = Se { $name } vê as mesmas quatro, ninguém está escutando. Leva dez segundos, uma única vez. As palavras são em inglês.
call-words-same = São iguais
call-words-differ = São diferentes
call-words-verified = As palavras desta chamada: { $words }
call-words-differ-title = Desligue. Alguém pode estar escutando
call-words-differ-text = Palavras diferentes indicam que esta chamada não vai direto até { $name }. Não diga nada que outros não possam ouvir, desligue e falem-se pessoalmente ou por outro meio.
call-words-differ-back = Li errado, são iguais
call-encrypted = Criptografada de ponta a ponta
call-path-direct = Direto a { $address }
call-path-unknown = Procurando o caminho
call-quality-good = Qualidade boa
call-quality-fair = Qualidade regular
call-quality-poor = Qualidade ruim
call-quality-unknown = Medindo a qualidade…
call-quality-tip = A qualidade da chamada. Clique para ver os números.
call-quality-advice-fair = Parte da voz se perde no caminho.
call-quality-advice-poor = Boa parte da voz se perde ou atrasa. Chegue mais perto do Wi-Fi ou use um cabo.
call-figure-loss = Perdas
call-figure-concealed = Reconstruído
call-figure-jitter = Variação
call-figure-rtt = Ida e volta
call-figure-delay = Atraso
call-figure-loss-hint = Pacotes que não chegaram
call-figure-concealed-hint = Som que foi reconstruído
call-figure-jitter-hint = Irregularidade da chegada
call-figure-rtt-hint = Tempo até lá e de volta
call-figure-delay-hint = Da boca da pessoa ao seu ouvido
call-delay-parts = Atraso em ms: microfone { $microphone }, codificação { $coding }, rede { $network }, espera { $waiting }, alto-falante { $loudspeaker }
call-figures-last = Os últimos 60 segundos
call-percent = { $whole },{ $tenth }%
call-millis = { $value } ms
call-warning-unspoken-action = Escolher microfone
call-warning-input = Seu microfone sumiu, e o outro lado só ouve silêncio. Conecte de novo ou escolha outro.
call-warning-output-action = Escolher alto-falante
call-warning-output = Seu alto-falante sumiu. Conecte de novo ou escolha outro.
call-warning-silence = Só chega silêncio de { $name }. Talvez o microfone esteja no mudo; pergunte por outro meio.
call-warning-nothing = Não chega som de { $name }. A rede pode estar bloqueando o som; se continuar assim, desligue e ligue de novo.
call-warning-unspoken = Seu microfone está em silêncio. Confira se está conectado e ligado, ou escolha outro.
call-words-same-tip = Marcar como verificado
call-sound-input = Microfone
call-sound-output = Alto-falante
call-sound-default = Padrão do sistema
call-sound-volume = { $percent }%
call-others = Outras chamadas
call-other-switch = Falar com { $name }
call-bar-back = Voltar à chamada
call-bar-more = { $count ->
    [1] e mais uma
   *[other] e mais { $count }
}
ended-lasted = Durou { $lasted }
ended-again = Ligar de novo
ended-show = Ver { $name }
ended-close = Fechar
ended-hangup = Você desligou
ended-hangup-next = Ligue de novo quando quiser.
ended-declined-here = Você recusou a chamada
ended-declined-here-next = { $name } vê que você recusou. Ligue de volta quando puder.
ended-answered-elsewhere = Atendida em outro telefone seu
ended-answered-elsewhere-next = A chamada continua lá.
ended-declined-elsewhere = Recusada em outro telefone seu
ended-declined-elsewhere-next = Não há mais nada a fazer aqui.
ended-merged = Vocês ligaram um para o outro ao mesmo tempo
ended-merged-next = As duas chamadas viraram uma só, que continua.
ended-remote-hangup = { $name } desligou
ended-remote-hangup-next = Ligue de novo se ainda houver assunto.
ended-declined = { $name } recusou a chamada
ended-declined-next = Tente mais tarde.
ended-unavailable = { $name } não aceita chamadas agora
ended-unavailable-next = Talvez não queira ser perturbado. Tente mais tarde.
ended-busy = { $name } está em outra chamada
ended-busy-next = Tente daqui a alguns minutos.
ended-no-answer = { $name } não atendeu
ended-no-answer-next = Tocou lá. Tente mais tarde.
ended-cancelled-here = Você cancelou a chamada
ended-cancelled-here-next = Ligue de novo quando quiser.
ended-cancelled-there = { $name } desistiu
ended-cancelled-there-next = Ligue de volta para saber o que era.
ended-missed = { $name } ligou e você não atendeu
ended-missed-next = Ligue de volta quando puder.
ended-own-name = Esse é o seu próprio nome
ended-no-line = Você tem chamadas demais
ended-hidden = Este telefone está oculto
ended-refused = O servidor não informa onde { $name } está
ended-no-network = Não há rede
ended-not-found = { $name } está desconectado
ended-not-found-next = Confira o nome ou peça que a pessoa se conecte. Se souber o endereço, ligue para nome@endereço.
ended-unreachable = Não foi possível alcançar o telefone de { $name }
ended-unreachable-next = Pode ter acabado de ser desligado, ou há um firewall no caminho. Tente de novo em um minuto.
ended-registry-unreachable = Não foi possível alcançar o servidor
ended-registry-unreachable-next = Confira sua rede. Se souber o endereço, ligue para nome@endereço.
ended-media-failed = A voz não passou
ended-media-failed-next = Um firewall pode estar bloqueando UDP entre vocês. Tente de novo ou de outra rede.
ended-media-lost = A conexão caiu
ended-media-lost-next = Nada se ouviu de { $name } por 8 segundos. Confira sua rede e ligue de novo.
ended-untrusted = Não era { $name }
ended-untrusted-next = Quem atendeu não conseguiu provar ser essa pessoa, e a chamada foi encerrada. Não confie nesta conexão e tente de outra rede.
ended-identity-changed = Este nome agora é de outra pessoa
ended-identity-changed-next = Você conhecia { $name } com outra identidade. Pergunte por outro meio se trocou de telefone. Se trocou, esqueça o contato e ligue de novo.
ended-failed = Este computador não conseguiu fazer a chamada
ended-failed-next = Confira microfone e alto-falante nas configurações e ligue de novo.

## Log (log.rs)

log-filter = Filtrar as linhas
log-all = Todas
log-sent = Enviadas
log-received = Recebidas
log-notes = Notas
log-pause = Pausar
log-go-on = Continuar
log-paused = Em pausa. { $count ->
    [0] Nada de novo
    [1] Uma linha nova
   *[other] { $count } linhas novas
}
log-copy-all = Copiar tudo
log-copy-line = Copiar esta linha
log-copied = { $count ->
    [1] Uma linha copiada
   *[other] { $count } linhas copiadas
}
log-count = { $count ->
    [1] Uma linha
   *[other] { $count } linhas
}
log-empty-title = Nada ainda
log-empty-text = Cada mensagem que este telefone envia e recebe aparece aqui.
log-nothing-title = Nenhuma linha assim
log-nothing-text = Nenhuma linha passa pelo filtro. Limpe-o para ver todas.
log-nothing-clear = Limpar o filtro
log-with-registry = Servidor
log-with-here = Este telefone

## Configurações (settings.rs)

settings-sound = Som
settings-calls = Chamadas
settings-window = Janela
settings-identity = Identidade
settings-about = Sobre
settings-registries = Servidores que você conhece
settings-registries-text = As chaves deles ficam guardadas. Um servidor que mostra outra chave não é confiável.
settings-forget = Esquecer
as-system = Sistema
scheme = Cores
scheme-light = Claro
scheme-dark = Escuro
language = Idioma
text-size = Tamanho do texto
on-close = Ao fechar a janela
on-close-ask = Perguntar
on-close-ring = Deixar aberto
on-close-quit = Sair
callers = Quem pode ligar para você
callers-text = Os demais só veem que você não está atendendo.
callers-everyone = Todos
callers-contacts = Quem eu conheço
callers-nobody = Ninguém
publish = Mostrar se estou disponível
publish-text = Os outros veem se você está disponível, em chamada ou ausente. Sem isso, só veem que você está conectado.
push-to-talk = Apertar para falar
push-to-talk-text = O microfone só fica aberto enquanto você segura a barra de espaço.
notifications = Notificações na área de trabalho
notifications-text = Mostra quem está ligando e quais chamadas você perdeu.
sound-microphone = Microfone
sound-loudspeaker = Alto-falante
sound-bell = Saída do toque
sound-volume = Volume
sound-level = Nível
sound-default = Padrão do sistema
sound-same = O mesmo alto-falante
sound-away = { $device } (desconectado)
sound-refresh = Procurar dispositivos de novo
sound-record = Gravar
sound-record-text = Grave até { $seconds } segundos e ouça como sua voz soa.
sound-record-stop = Parar e ouvir
sound-recording = Gravando: { $seconds } de { $of } segundos
sound-replaying = É assim que você soa.
sound-stop = Parar
sound-tone = Tocar som de teste
sound-tone-text = Você deve ouvir três notas suaves.
sound-no-microphone = Nenhum microfone encontrado. Conecte um e procure de novo.
sound-no-loudspeaker = Nenhum alto-falante encontrado. Conecte um e procure de novo.
sound-unknown = { $device } não está conectado. Conecte-o ou escolha outro dispositivo.
sound-ambiguous = Há mais de um dispositivo chamado { $device }. Escolha um na lista.
sound-cannot-open = Não foi possível abrir { $device }: { $why }. Feche o que o está usando ou escolha outro dispositivo.
sound-lost = { $device } foi desconectado. Conecte-o de novo ou escolha outro dispositivo.
sound-cannot-list = O sistema de som não responde: { $why }. Verifique se está ativo e procure de novo.
sound-cannot-read = Não é possível tocar { $path }. Escolha um microfone ou outro arquivo WAV.
sound-cannot-write = Não é possível gravar em { $path }. Escolha um alto-falante ou outro arquivo.
sound-unavailable = Não há som: o sistema de som não responde ou há pouca memória livre. Feche alguns programas e tente de novo.
identity-fingerprint-text = Sua impressão digital: quem fala com você vê a mesma, a menos que haja alguém no meio do caminho.
identity-export = Exportar sua identidade
identity-export-short = Para outro computador ou como cópia de segurança.
identity-export-text = Grava { $name } em um arquivo, protegido por uma frase secreta. Quem tiver os dois será você.
identity-export-go = Exportar
identity-export-open = Exportar…
identity-exported = Sua identidade está em { $path }. No outro computador, escolha “Importar identidade” ao entrar.
identity-import = Importar identidade
identity-import-text = Lê um arquivo exportado em outro computador. Depois disso, os dois tocam.
identity-import-go = Importar
identity-imported = { $name } está neste computador agora. As palavras de recuperação continuam as mesmas. Conecte para usar.
identity-replace = Substituir a que está aqui
identity-rotate = Nova identidade
identity-rotate-short = Se alguém pode ter copiado suas chaves.
identity-rotate-open = Trocar…
identity-rotate-text = { $name } recebe chaves novas. Quem conhece você será avisado na próxima chamada e deve comparar as quatro palavras com você. Você recebe novas palavras de recuperação. Chamadas em andamento são encerradas.
identity-rotate-go = Trocar identidade
identity-changed = { $name } tem uma nova identidade. Quem conhecia a antiga será avisado: compare as quatro palavras na próxima chamada.
identity-recover = Recuperar um nome
identity-recover-text = Com as doze palavras de recuperação, você recebe seu nome neste computador, com uma nova identidade.
identity-recover-go = Recuperar
identity-release = Liberar o nome
identity-release-short = Em { $registry }. Depois, outra pessoa poderá tê-lo.
identity-release-open = Liberar…
identity-release-text = Por 72 horas, só você, aqui ou com as palavras de recuperação, pode retomar { $name }. Depois, qualquer pessoa pode tê-lo. Chamadas em andamento são encerradas.
identity-release-go = Liberar
identity-released = { $name } foi liberado. Por 72 horas, você pode tê-lo de volta conectando com ele.
identity-running = Um momento…
identity-backup = A que estava aqui foi guardada em { $path }.
identity-file = Arquivo
identity-file-example = ~/ana.ramal
identity-file-wrong = Digite um nome de arquivo
identity-passphrase = Frase secreta
identity-passphrase-again = Mais uma vez
identity-passphrase-short = Pelo menos 10 letras; quatro ou cinco palavras sem relação são boas
identity-passphrase-empty = Digite a frase secreta usada na exportação
identity-passphrase-differs = As duas não são iguais
identity-passphrase-wrong = A frase secreta não é a usada na exportação.
identity-words = Palavras de recuperação
identity-words-example = Doze palavras, em ordem
identity-words-wrong = Confira as palavras: doze, em ordem, como você anotou
identity-no-export = Este arquivo não é uma identidade exportada. Escolha o que o Ramal gravou.
identity-export-newer = Foi exportada por um Ramal mais novo. Atualize este.
identity-export-damaged = O arquivo está danificado ou cortado. Copie-o de novo, inteiro.
identity-export-costly = Este arquivo não foi feito pelo Ramal. Exporte a identidade de novo.
identity-no-memory = Este computador está com pouca memória livre. Feche alguns programas e tente de novo.
identity-there = { $path } já existe. Escolha outro nome de arquivo.
identity-unchanged = Nada foi alterado.
identity-unknown = Não se sabe se o servidor fez a troca; as duas chaves estão guardadas. Repita para descobrir.
sign-out = Sair da conta
sign-out-text = Ninguém consegue ligar para você até entrar de novo.
about-version = Versão { $version }
about-text = Liga para pessoas pelo nome e fala diretamente com elas.
about-private = O que você diz vai criptografado do seu computador ao da outra pessoa. Leiam as quatro palavras da chamada um para o outro uma vez, e vocês sabem que não há ninguém no meio.
about-licence = Software livre sob a licença MIT ou Apache 2.0.
hide-callers = Não mostrar nomes
hide-callers-text = As notificações avisam que alguém está ligando, sem dizer quem.
