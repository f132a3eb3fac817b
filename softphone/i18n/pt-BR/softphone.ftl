# Tudo o que aparece na janela do telefone, em português do Brasil. Uma seção por tela, na ordem dos
# arquivos em src/gui; as chaves e a ordem são as mesmas de en.

## Navegação (gui.rs)

nav-people = Pessoas
nav-log = Registro
nav-settings = Ajustes

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
