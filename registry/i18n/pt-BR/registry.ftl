# A janela de um servidor.

title = Servidor Ramal
title-open = Servidor Ramal em { $address }

# Places
users = Usuários
bans = Bloqueios
activity = Atividade
log = Log
settings = Configurações
help = Primeiros passos

# Open and Close
listens-on = Escuta em
port = Porta
ip-tip = Em qual endereço desta máquina: 0.0.0.0 são todos, 127.0.0.1 é só para esta máquina
port-tip = De 1024 a 65535; os telefones tentam a 5000 sozinhos
wrong-ip = Digite um endereço IP, como 0.0.0.0
wrong-port = Digite uma porta de 1 a 65535
open = Abrir
open-tip = Os telefones podem se registrar e se encontrar
opening = Abrindo
close = Fechar
close-tip = Não aceita mais conexões e responde ao que já foi pedido
closing = Fechando
state-open = Aberto
state-closed = Fechado
state-opening = Abrindo
state-closing = Fechando
state-failed = Não abriu
closing-text = O servidor está fechando: o que já foi pedido está sendo respondido, por no máximo { $seconds ->
        [1] 1 segundo
       *[other] { $seconds } segundos
    }.
closing-late = O servidor ainda está fechando: o disco está demorando para guardar as últimas mudanças. Você pode esperar ou fechar esta janela, que então espera no máximo { $seconds } segundos.
close-at-once = Fechar já
closed-cut = O servidor está fechado. { $finished ->
        [1] Uma conexão terminou
       *[other] { $finished } conexões terminaram
    } em ordem, { $cut ->
        [1] uma foi cortada
       *[other] { $cut } foram cortadas
    }.
leave-title = Fechar o servidor?
leave-follows = { $users ->
        [1] Há uma pessoa registrada.
       *[other] Há { $users } pessoas registradas.
    } Ninguém encontra ninguém aqui até você abrir de novo. As chamadas em andamento não caem.
leave = Fechar e sair
leaving-title = Fechando o servidor
leaving-text = O que já foi pedido está sendo respondido. A janela fecha sozinha em no máximo { $seconds ->
        [1] 1 segundo
       *[other] { $seconds } segundos
    }.
leaving-hurried = Ninguém mais está sendo esperado, e as últimas mudanças estão sendo guardadas. A janela fecha sozinha em no máximo { $seconds ->
        [1] 1 segundo
       *[other] { $seconds } segundos
    }.
quit-now = Sair agora
try-again = Tentar de novo
cancel = Cancelar
dismiss = Dispensar
copy = Copiar
copied = Copiado. Cole onde precisar.

# The foot
foot-users = { $count ->
        [1] 1 registrado
       *[other] { $count } registrados
    }
foot-connections = { $count ->
        [1] 1 conexão
       *[other] { $count } conexões
    }
foot-requests = { $value } pedidos/s
foot-folder = Pasta: { $path }

# Durations
seconds = { $count } s
minutes = { $count } min
hours = { $count } h
days = { $count } d
ago = há { $duration }
within-the-hour = há menos de uma hora
date = { $day }/{ $month }/{ $year }
date-time = { $day }/{ $month } { $time }

# Users
users-search = Buscar
users-search-tip = Parte de um nome ou de um endereço
users-registered = Registrados
users-all = Todos os nomes
users-banned = Bloqueados
users-count = { $matching } de { $owned ->
        [1] 1 nome
       *[other] { $owned } nomes
    }
users-more = Estes são os primeiros { $shown } de { $matching }. Busque para achar os outros.
users-look-in-all = Buscar em todos os nomes
users-unfound-title = Ninguém encontrado
users-unfound-text = Ninguém aqui tem “{ $search }” no nome ou no endereço.
users-nobody-title = Ninguém se registrou ainda
users-nobody-text = Passe o endereço deste servidor para quem precisa se encontrar. As pessoas aparecem aqui assim que o telefone delas se registra.
users-nobody-action = Mostrar o endereço
users-nobody-banned-title = Ninguém está bloqueado
users-nobody-banned-text = Quem você bloquear aparece aqui e pode ser liberado depois.
users-closed-title = O servidor está fechado
users-closed-text = Abra, e os telefones que o conhecem voltam sozinhos.
sort-tip = Ordena por esta coluna; mais um clique inverte a ordem
column-name = Nome
column-address = Endereço
column-state = Estado
column-since = Desde
column-lease = Expira em
column-device = Aparelho
column-connection = Conexão
not-registered = não registrado
hidden = oculto
no-connection = nenhuma
banned = Bloqueado
unverified = Sem notícia
in-a-call = Em chamada
away = Ausente
available = Disponível

# One user
close-panel = Fechar
person-banned = Bloqueado: nenhum telefone desta pessoa é atendido.
person-free = O dono desistiu deste nome; fica livre para outros a partir de { $day }.
person-key = Chave
copy-key = Copiar a chave inteira
copy-address = Copiar o endereço
person-claimed = Dono desde
person-absent = Não registrado
person-last-seen = Usado pela última vez { $ago }
person-hidden = Oculto: este telefone só recebe chamadas pelo servidor
person-no-connection = Nenhuma: alcançado diretamente até a validade acabar
person-device = Telefone { $device }
disconnect = Desconectar
disconnect-tip = Encerra as conexões dos telefones, que voltam sozinhos
disconnect-title = Desconectar { $name }?
disconnect-follows = { $devices ->
        [1] O telefone é desconectado agora e volta
       *[other] Os { $devices } telefones são desconectados agora e voltam
    } em alguns segundos. Uma chamada em andamento não cai.
release = Liberar o nome
release-tip = Tira o nome do dono, para que outra pessoa possa usá-lo
release-title = Liberar { $name }?
release-follows = O nome deixa de ser desta pessoa na hora, e quem pedir primeiro fica com ele. Não dá para desfazer. Quem conhece { $name } vai ser avisado de que é outra pessoa.
ban = Bloquear
ban-tip = Deixa de atender esta pessoa até você desbloquear
ban-title = Bloquear { $name }?
ban-follows = Todos os telefones do dono de { $name } são desconectados agora. Eles não podem se registrar, ser encontrados nem encontrar ninguém aqui até você desbloquear. Os nomes continuam sendo desta pessoa.
ban-typed-follows = Se { $name } tem dono, todos os telefones desta pessoa são desconectados agora e não são atendidos até você desbloquear. Se não tem, ninguém pode pedir este nome.
unban = Desbloquear
unban-tip = Deixa esta pessoa entrar de novo
unban-title = Desbloquear { $name }?
unban-follows = Vale na hora. Os telefones voltam sozinhos em cerca de um minuto.

# Bans
bans-typed = Nome ou chave a bloquear
bans-typed-tip = Como aparece na lista de usuários
bans-count = { $count ->
        [0] nenhum
        [1] 1 bloqueio
       *[other] { $count } bloqueios
    }
bans-none-title = Nenhum bloqueio
bans-none-text = Digite um nome ou uma chave acima para deixar de atender alguém, ou bloqueie alguém na lista de usuários.
bans-closed-title = O servidor está fechado
bans-closed-text = Os bloqueios aparecem e mudam com o servidor aberto. Eles valem até você desbloquear.
ban-of-key = Chave
ban-of-name = Nome
ban-since = desde { $day }

# What was done
done-released = { $name } está livre: quem pedir primeiro fica com ele.
done-banned = { $who } está bloqueado; { $connections ->
        [0] nenhuma conexão estava aberta.
        [1] uma conexão foi encerrada.
       *[other] { $connections } conexões foram encerradas.
    }
done-unbanned = { $who } foi desbloqueado.
done-disconnected = { $connections ->
        [0] { $who } não tinha nenhuma conexão aberta.
        [1] Uma conexão de { $who } foi encerrada; o telefone volta sozinho.
       *[other] { $connections } conexões de { $who } foram encerradas; os telefones voltam sozinhos.
    }
done-invited = { $codes ->
        [1] Um código de convite foi criado.
       *[other] { $codes } códigos de convite foram criados.
    }
failed-closed = O servidor está fechado. Abra e tente de novo.
failed-nobody = “{ $typed }” não é nem um nome nem uma chave. Digite como aparece na lista de usuários.
failed-not-owned = { $name } não tem mais dono. Veja a lista de usuários.
failed-not-banned = { $who } não está bloqueado. Veja a lista de bloqueios.
failed-too-many-bans = Não cabem mais bloqueios. Desbloqueie alguém que não precise mais estar na lista.
failed-not-kept = O disco não gravou isso, então não foi feito. Confira se o disco tem espaço e funciona, e tente de novo. O sistema diz: { $why }
failed-machine = Esta máquina falhou: { $why }. Tente de novo; se continuar assim, feche o servidor e abra de novo.
failed-other = Isso não foi feito. Confira a lista e tente de novo.
unread = Esta lista pode estar desatualizada e vai ser lida de novo sozinha. { $why }
busy = O servidor está ocupado e não aceitou o pedido. Tente de novo daqui a pouco.
not-remembered = O que você configurou vale até fechar a janela, mas não foi possível guardar: { $why }. Confira a pasta abaixo.
preferences-damaged = Não foi possível ler as configurações, então estas são as padrão. O arquivo danificado ficou guardado como { $path }.

# Activity
activity-span = os últimos 10 minutos
activity-empty-title = Ainda não há nada para mostrar
activity-empty-text = Abra o servidor para ver registros, consultas e chamadas segundo a segundo.
a-second = { $value }/s
plot-registrations = Registros
plot-lookups = Consultas
plot-envelopes = Envelopes (sinais de chamadas)
plot-users = Usuários registrados
figures = Desde que foi aberto
figure-uptime = Aberto há
figure-connections = Conexões agora
figure-owned = Nomes com dono
figure-registered = Nomes registrados agora
figure-registrations = Registros
figure-refreshes = Renovações
figure-lookups = Consultas
figure-envelopes = Envelopes
figures-limits = Limites atingidos
figures-limits-help = Alguns são normais: telefones que perdem a rede ou que voltam todos de uma vez. Muitos, e sempre aumentando, são de alguém que pede demais; o log mostra quem.
figure-turned-away = Conexões recusadas
figure-ended = Conexões encerradas
figure-refused = Pedidos recusados
figure-slowed = Pedidos atrasados

# Log
log-search = Buscar no log
log-search-tip = Linhas que tenham todas estas palavras
log-all = Todas
log-received = Recebidas
log-sent = Enviadas
log-events = Eventos
log-warnings = Avisos
log-count = { $kept ->
        [1] 1 linha
       *[other] { $kept } linhas
    }
log-count-found = { $shown } de { $kept } linhas
log-looking = { $shown } até agora
log-empty-title = Ainda não há nada no log
log-empty-open = Cada mensagem enviada ou recebida aparece aqui.
log-empty-closed = Abra o servidor: cada mensagem enviada ou recebida aparece aqui.
log-unfound-title = Nenhuma linha assim
log-unfound-text = Nenhuma das linhas tem estas palavras.
log-show-all = Mostrar todas as linhas
log-paused = Em pausa. { $more ->
        [0] Não chegou nada de novo
        [1] Chegou uma linha nova
       *[other] Chegaram { $more } linhas novas
    } desde então.
log-dropped = { $dropped ->
        [1] Uma linha mais antiga já não está
       *[other] { $dropped } linhas mais antigas já não estão
    } guardada aqui.
log-missed = { $missed ->
        [1] Falta uma linha: ela chegou
       *[other] Faltam { $missed } linhas: elas chegaram
    } mais depressa do que dava para anotar.
log-exported = { $lines ->
        [1] Uma linha foi gravada
       *[other] { $lines } linhas foram gravadas
    } em { $path }
log-not-exported = Não foi possível gravar { $path }: { $why }. Confira o disco e a pasta e tente de novo.
pause = Pausar
pause-tip = Deixa as linhas paradas, para você ler com calma
go-on = Continuar
log-copy-tip = Copia as linhas mostradas, no máximo as últimas { $most }, com horários em UTC
log-copy-line-tip = Copia a linha escolhida
export = Exportar
export-tip = Grava as linhas mostradas em um arquivo
export-title = Gravar o log em um arquivo
export-follows = { $lines ->
        [1] A linha mostrada vai
       *[other] As { $lines } linhas mostradas vão
    } para um arquivo novo que só você pode ler, com horários em UTC.
export-file = Arquivo
show-folder = Mostrar a pasta
show-folder-tip = Abre a pasta no programa de arquivos desta área de trabalho
folder-not-shown = Não foi possível mostrar { $path }. Abra a pasta à mão.
copy-path = Copiar o caminho
log-exists = Já existe um arquivo { $path }. Ele ficou como estava; exporte de novo e digite outro nome.
clear-tip = Esquece todas as linhas
way-received = recebida
way-sent = enviada
way-connection = conexão
way-note = nota
way-warning = aviso
way-missing = faltam
line-missing = { $lines ->
        [1] falta uma linha aqui
       *[other] faltam { $lines } linhas aqui
    }

# Settings
settings-registry = Servidor
settings-next-time = O que você mudar aqui vale na próxima vez que o servidor for aberto.
settings-window = Janela
lease = Validade máxima
lease-help = Um telefone que fica este tempo sem dar sinal deixa de estar registrado. Os telefones pedem 60 segundos.
lease-wrong = De { $least } a { $most } segundos
unit-seconds = segundos
directory = Quem pode ver a lista de nomes
directory-help = Um nome que alguém já conhece é encontrado de qualquer forma.
directory-open = Todos
directory-members = Telefones registrados
directory-closed = Ninguém
plain = Conexões sem criptografia
plain-help = Os telefones se conectam por TLS. As outras são para testes.
plain-never = Nunca
plain-loopback = Só desta máquina
plain-any = De qualquer lugar
plain-any-follows = Quem está no caminho de uma conexão sem criptografia vê quem chama quem.
open-at-start = Abrir o servidor junto com esta janela
language = Idioma
language-system = Sistema
scheme = Cores
scheme-system = Sistema
scheme-light = Claro
scheme-dark = Escuro
text-size = Tamanho do texto
percent = { $percent }%
folder = Pasta
folder-help = Aqui ficam os nomes, a chave do servidor e estas configurações. Guarde uma cópia: os telefones conhecem o servidor pela chave. Outra pasta se escolhe ao iniciar, com --data.

# First steps
help-what = O servidor é onde os telefones se encontram pelo nome. Cada pessoa se registra com um nome, e quem sabe o nome pode ligar. O que elas falam não passa por aqui.
help-open-title = Abra o servidor
help-open-text = Esta máquina passa a esperar pelos telefones. A porta acima pode ficar como está.
help-give-title = Passe este endereço para os outros
help-give-text = É o que cada pessoa digita em “Servidor” ao entrar.
help-give-closed = Ele aparece aqui assim que o servidor estiver aberto.
help-local = Só programas desta máquina chegam até ele. Para os outros entrarem, feche, digite 0.0.0.0 acima e abra de novo.
help-outside = Para quem está em outra rede, o seu roteador precisa encaminhar a porta TCP { $port } para esta máquina.
help-fingerprint-title = Peça que comparem a impressão digital
help-fingerprint-text = O telefone mostra na primeira vez. Se for igual, não há ninguém no meio do caminho.
copy-fingerprint = Copiar a impressão digital
help-call-title = Liguem uns para os outros
help-call-text = Cada pessoa escolhe um nome no ramal-softphone e entra. A partir daí todos se veem e ligam com um clique. Você vê todos em Usuários.
help-keep = Esta é a primeira vez: o servidor criou a chave dele. Guarde uma cópia de { $folder }, porque os telefones conhecem o servidor por essa chave.
help-another-key = Não havia chave em { $folder }, então o servidor criou uma nova. Os telefones que o conhecem param até o dono aceitar a nova impressão digital. Se você tem uma cópia da chave antiga, feche o servidor e coloque-a de volta.

# What is wrong while it runs
alarm-not-kept = Nomes novos, mudanças e bloqueios estão sendo recusados: o disco não está gravando. O sistema diz: { $why }. Se o disco está cheio, libere espaço; o servidor tenta de novo sozinho a cada poucos segundos.
alarm-store-failed = O servidor não consegue gravar mais nada por causa de um erro deste programa. Feche e abra de novo; os nomes já confirmados estão no disco.
alarm-names-lost = O servidor fechou antes de o disco gravar as últimas mudanças, e elas se perderam; ninguém recebeu confirmação delas. Confira o disco antes de abrir de novo.
alarm-no-connections = O sistema não dá mais conexões ao servidor, então ninguém novo entra. Ele diz: { $why }. Feche outros programas desta máquina, ou permita mais arquivos abertos para este (ulimit -n).
alarm-fewer = O sistema permite poucos arquivos abertos: cabem { $held } telefones conectados ao mesmo tempo, em vez de { $wanted }. Se você espera mais, aumente o limite (ulimit -Hn) e inicie este programa de novo.
alarm-clock = O relógio desta máquina deu um salto para a frente, então nenhum nome fica livre até ele estar certo. Acerte o relógio. Se ele está certo, feche o servidor e abra de novo.
alarm-no-socket = O comando ramal-registry admin não alcança este servidor, porque não foi possível criar { $path }. O sistema diz: { $why }. Esta janela funciona mesmo assim; para o comando voltar, confira a pasta, feche o servidor e abra de novo.
alarm-not-announced = Talvez os telefones desta rede não achem este servidor sozinhos. Passe o endereço para as pessoas: ele está em Primeiros passos. O sistema diz: { $why }
alarm-failed = O servidor falhou antes de ser fechado, por causa de um erro deste programa. Abra de novo; o que já foi confirmado está no disco. Ele disse: { $why }
alarm-no-log = O log fica vazio, porque o sistema não dá uma thread para ele. Ele diz: { $why }. Feche outros programas desta máquina; depois feche o servidor e abra de novo.

# Why it did not open
port-taken = A porta { $port } está em uso por outro programa.
port-taken-next = Encerre esse programa, ou digite outra porta acima, e abra de novo.
port-forbidden = O sistema não deixa este programa usar a porta { $port }.
port-forbidden-next = Digite uma porta acima de 1023, como 5000, e abra de novo.
not-this-machine = { $ip } não é um endereço desta máquina.
not-this-machine-next = Digite acima um dos endereços dela, ou 0.0.0.0 para todos, e abra de novo.
port-failed = O servidor não consegue escutar em { $listen }.
port-failed-next = O sistema diz: { $why }. Tente outro endereço ou outra porta.
in-use = Já há um servidor rodando com esta pasta.
in-use-next = Ele está em outra janela, ou é o ramal-registry em um terminal. Use aquele, ou feche-o primeiro. Para um segundo servidor, inicie este programa com --data e outra pasta.
folder-unusable = Não é possível usar { $path }.
folder-unusable-next = O sistema diz: { $why }. Confira a pasta, ou inicie este programa com --data e outra pasta.
folder-forbidden-next = Este usuário não pode gravar ali. Mude isso, ou inicie este programa com --data e outra pasta.
disk-full-next = O disco está cheio. Libere espaço e abra de novo.
exposed = Outros usuários desta máquina têm acesso a { $path }.
exposed-next = Os segredos do servidor precisam ser só seus. Este comando deixa os outros de fora; depois abra de novo.
exposed-foreign-next = Pertence a outro usuário. Rode este programa como aquele usuário, ou assuma com este comando; depois abra de novo.
exposed-unusable = { $path } não é o que deveria ser.
exposed-link-next = É um link simbólico. Coloque o próprio arquivo no lugar dele e abra de novo.
exposed-neither-next = Não é nem um arquivo com um segredo nem a pasta de um. Tire-o dali e abra de novo.
key-damaged = A chave do servidor em { $path } está danificada.
key-damaged-next = Coloque uma cópia do arquivo de volta. Se não tem cópia, tire-o dali: uma chave nova é criada, e cada telefone terá de aceitá-la.
store-damaged = O arquivo com os nomes está danificado ({ $why }). Ele foi deixado como está.
store-damaged-next = Coloque uma cópia de { $path } de volta. Se não tem cópia, tire-o dali para começar sem nomes, que ficam livres para qualquer um.
store-too-new = { $path } foi gravado por uma versão mais nova do Ramal.
store-too-new-next = Use aquela versão, ou inicie este programa com --data e outra pasta.
certificate-failed = O servidor não tem um certificado para criptografar as conexões.
certificate-not-pem = { $path } não é o que deveria ser: precisa começar com uma linha -----BEGIN. Coloque uma cópia de volta, ou tire-o dali: um novo é criado, e nenhum telefone percebe.
certificate-not-of-key = { $key } não é a chave de { $certificate }. Coloque de volta os dois do mesmo par, ou tire os dois dali: um novo par é criado, e nenhum telefone percebe.
certificate-unusable = Não é possível usar { $path }. Coloque uma cópia de volta, ou tire-o dali: um novo é criado, e nenhum telefone percebe. O sistema diz: { $why }
certificate-not-made = Não foi possível criar um. Tente de novo; se continuar assim, reinicie a máquina. O sistema diz: { $why }
machine-failed = Não foi possível abrir o servidor.
machine-failed-next = O sistema diz: { $why }. Tente de novo; se continuar assim, reinicie a máquina.
