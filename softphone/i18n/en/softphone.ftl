# Everything that stands in the window of the phone, in English. One section a screen, in the order
# of the files in src/gui; pt-BR has the same keys in the same order.

## Navigation (gui.rs)

nav-people = People
nav-log = Log
nav-settings = Settings

## Sign in (sign_in.rs)

sign-in-title = Sign in
sign-in-name = Your name
sign-in-registry = Registry
sign-in-connect = Connect

## People (people.rs)

## Incoming (incoming.rs, notify.rs, tray.rs)

## Call (call.rs)

## Log (log.rs)

## Settings (settings.rs)
