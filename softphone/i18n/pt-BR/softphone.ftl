# Tudo o que aparece na janela do telefone, em português do Brasil. Uma seção por tela, na ordem dos
# arquivos em src/gui; as chaves e a ordem são as mesmas de en.

## Navegação (gui.rs)

nav-people = Pessoas
nav-log = Registro
nav-settings = Ajustes

## Problemas (trouble.rs): o título diz o que houve, o texto o que significa e o que fazer

trouble-unreachable-title = Não foi possível alcançar { $host }
trouble-unknown-host = Nenhum computador é conhecido por esse nome. Confira a escrita.
trouble-nobody-listens = Nenhum servidor de nomes responde nesse endereço. Confira o endereço e a porta e pergunte a quem o administra se está aberto.
trouble-no-answer = Não houve resposta. Confira o endereço e a sua rede.
trouble-network = A rede informa: { $why }. Verifique sua conexão e tente de novo.
trouble-no-registry-title = { $host } não é um servidor de nomes
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
trouble-clock-refused = Acerte a data e a hora deste computador e tente de novo. O servidor informa: { $why }.
trouble-full-title = { $host } está lotado no momento
trouble-full = O limite de conexões foi atingido. Tente de novo daqui a um minuto.
trouble-closed-title = { $host } encerrou a conexão
trouble-closed = O servidor informa: { $why }. Tente de novo ou fale com quem o administra.
trouble-not-proven-title = { $host } não conseguiu provar quem é
trouble-not-proven = Pode haver alguém no meio do caminho. Tente de outra rede e fale com quem administra o servidor.
trouble-key-changed-title = { $host } não é o servidor que você conhece
trouble-key-changed = Ele mostra uma chave diferente da anterior. Ou foi reinstalado, ou há alguém no meio do caminho. Fale com quem o administra antes de continuar.
trouble-known-title = A lista de servidores conhecidos não pode ser usada
trouble-known-damaged = A linha { $line } de { $path } está danificada. Corrija ou apague essa linha.
trouble-known-full = Não há espaço para mais um. Esqueça alguns em Ajustes.
trouble-file = Não é possível usar { $path }: { $why }.
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
    [one] Tente de novo em um segundo.
   *[other] Tente de novo em { $seconds } segundos.
}
trouble-too-many-title = O servidor não tem vaga no momento
trouble-too-many = Tente mais tarde ou fale com quem o administra.
trouble-registry-failed-title = O servidor falhou
trouble-registry-failed = Ele informa: { $why }. Tente de novo ou fale com quem o administra.
trouble-turned-away-title = O servidor não aceita você
trouble-turned-away = { $host } recusa a sua conexão: { $why }. Fale com quem o administra.
trouble-untrusted-title = O servidor pode ser outra pessoa
trouble-untrusted = { $host } não é mais confiável. Até isso se esclarecer, ninguém consegue ligar para você pelo nome.
trouble-offline-title = Sem conexão com { $host }
trouble-offline = Tentando de novo. Até lá, ninguém consegue ligar para você pelo nome; você ainda pode ligar para nome@endereço.
trouble-replaced-title = Você entrou em outro lugar
trouble-replaced = Outro telefone com este perfil tomou o lugar deste. Entre de novo para usar este aqui.
trouble-listen-title = Não é possível esperar chamadas
trouble-listen = O endereço { $address } não pode ser usado: { $why }. Abra o Ramal com outro --listen.
trouble-thread-title = Este computador está com pouca memória livre
trouble-thread = Feche alguns programas e tente de novo. O sistema informa: { $why }.
trouble-no-folder-title = Não há lugar para suas chaves
trouble-no-folder = O sistema não indica uma pasta de configurações. Abra o Ramal com --config e uma pasta.
trouble-in-use-title = { $name } está em uso por outro programa
trouble-in-use = O Ramal ou o ramal-phone já está aberto com este nome aqui. Feche-o ou escolha outro nome.
trouble-no-identity-title = Não há { $name } neste computador
trouble-no-identity = Conecte com o nome para criar um ou traga-o de outro computador.
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
name-empty = Digite um nome
name-too-long = No máximo 32 letras
name-space = Sem espaços: use ponto ou hífen
name-character = { $character } não pode estar em um nome: use letras, dígitos, ponto, hífen e sublinhado
name-beginning = Comece com uma letra ou um dígito
name-mixed = Use letras de um só alfabeto

## Entrar (sign_in.rs)

sign-in-title = Entrar
sign-in-name = Seu nome
sign-in-registry = Servidor de nomes
sign-in-connect = Conectar

## Pessoas (people.rs)

## Chamada recebida (incoming.rs, notify.rs, tray.rs)

## Chamada (call.rs)

## Registro (log.rs)

## Ajustes (settings.rs)
