# Everything that stands in the window of the phone, in English. One section a screen, in the order
# of the files in src/gui; pt-BR has the same keys in the same order.

## Navigation (gui.rs)

nav-people = People
nav-log = Log
nav-settings = Settings

## Troubles (trouble.rs): a title says what happened, the text what it means and what to do

trouble-unreachable-title = Can’t reach { $host }
trouble-unknown-host = No computer is known by that name. Check how it is written.
trouble-nobody-listens = No registry answers there. Check the address and the port, and ask whoever runs the registry whether it is open.
trouble-no-answer = No answer came. Check the address and your network.
trouble-network = The network says: { $why }. Check your connection and try again.
trouble-no-registry-title = { $host } is not a registry
trouble-no-registry = Something else answers there. Check the address and the port.
trouble-version-title = The versions don’t match
trouble-version = { $host } speaks another version than this program. Update whichever of the two is older.
trouble-no-encryption-title = { $host } answers without encryption
trouble-no-encryption = Everybody on the way could read and change what is said. Check the address, or ask whoever runs the registry. If you trust your network, start Ramal with --plain.
trouble-plain-refused-title = { $host } wants an encrypted connection
trouble-plain-refused = Start Ramal again without --plain.
trouble-banned-title = The registry turns you away
trouble-banned = Whoever runs { $host } has banned this identity. Ask them.
trouble-name-banned = Whoever runs the registry no longer serves { $name }. Ask them, or use another registry.
trouble-clock-title = Your clock may be wrong
trouble-clock = { $host } can’t believe the date on this computer. Set the clock and try again.
trouble-clock-refused = Set the date and time on this computer and try again. The registry says: { $why }.
trouble-full-title = { $host } is full at the moment
trouble-full = It has as many connections as it takes. Try again in a minute.
trouble-closed-title = { $host } closed the connection
trouble-closed = It says: { $why }. Try again, or ask whoever runs it.
trouble-not-proven-title = { $host } could not prove who it is
trouble-not-proven = Somebody may be in between. Try from another network, and ask whoever runs the registry.
trouble-key-changed-title = { $host } is not the registry you know
trouble-key-changed = It shows another key than before. It was set up anew, or somebody is in between. Ask whoever runs it before you go on.
trouble-known-title = The list of registries you have met can’t be used
trouble-known-damaged = Line { $line } of { $path } is damaged. Mend the line, or remove it.
trouble-known-full = There is no room for another one. Forget some in Settings.
trouble-file = { $path } can’t be used: { $why }.
trouble-other-title = That did not work
trouble-taken-title = The name { $name } is taken
trouble-taken = It belongs to somebody else at this registry. Choose another name, or get it back with its recovery words if it is yours.
trouble-looks-taken-title = { $name } looks like a name that is taken
trouble-looks-taken = So that nobody can be mistaken for somebody else, choose another name.
trouble-too-many-names-title = You have as many names as one may have
trouble-too-many-names = Give one up first, or use one of them.
trouble-claims-closed-title = This registry takes nobody new
trouble-claims-closed = Ask whoever runs it, or use another registry.
trouble-not-invited-title = This registry wants an invitation
trouble-not-invited = Ask whoever runs it for an invitation code and type it below. If you typed one, it is wrong, used up or expired.
trouble-lost-title = { $name } was given to another key
trouble-lost = If that was not you, take the name back within 72 hours with its recovery words.
trouble-bad-recovery-title = These words do not open the name
trouble-bad-recovery = They are not, or no longer, the recovery words of { $name }. Check each word, and that this is the right registry.
trouble-not-owned-title = Nobody has the name { $name } here
trouble-not-owned = There is nothing to change. Check the registry, or just connect with the name.
trouble-too-fast-title = Asked too often
trouble-too-fast = { $seconds ->
    [one] Try again in a second.
   *[other] Try again in { $seconds } seconds.
}
trouble-too-many-title = The registry has no room at the moment
trouble-too-many = Try again later, or ask whoever runs it.
trouble-registry-failed-title = The registry failed
trouble-registry-failed = It says: { $why }. Try again, or ask whoever runs it.
trouble-turned-away-title = The registry turns you away
trouble-turned-away = { $host } takes no connection from you: { $why }. Ask whoever runs it.
trouble-untrusted-title = The registry may be somebody else
trouble-untrusted = { $host } is not trusted any more. Nobody can call you by name until that is cleared up.
trouble-offline-title = No connection to { $host }
trouble-offline = Trying again. Until then nobody can call you by name; you can still call name@address.
trouble-replaced-title = You are signed in elsewhere
trouble-replaced = Another phone with this profile has taken this one’s place. Sign in again to use this one.
trouble-listen-title = Can’t wait for calls
trouble-listen = The address { $address } can’t be used: { $why }. Start Ramal with another --listen.
trouble-thread-title = This computer has too little memory free
trouble-thread = Close some programs and try again. The system says: { $why }.
trouble-no-folder-title = There is no place for your keys
trouble-no-folder = The system names no folder for settings. Start Ramal with --config and a folder.
trouble-in-use-title = { $name } is in use by another program
trouble-in-use = Ramal or ramal-phone already runs with this name here. Close it, or choose another name.
trouble-no-identity-title = There is no { $name } on this computer
trouble-no-identity = Connect with the name to make one, or bring it from another computer.
trouble-exists-title = There already is a { $name } on this computer
trouble-exists = You can replace it. A backup of the one that is here is kept.
trouble-damaged-title = Your keys are damaged
trouble-damaged = The file { $path } is not whole. Put a copy back. Without a copy, move it away and get your name back with the recovery words.
trouble-contacts-damaged-title = Your contacts are damaged
trouble-contacts-damaged = The file { $path } is not whole. Put a copy back, or move it away; then nobody is known or blocked until the next call.
trouble-contacts-newer-title = Your contacts are from a newer Ramal
trouble-contacts-newer = Update this program to read { $path }.
trouble-calls-damaged-title = Your list of calls is damaged
trouble-calls-damaged = The file { $path } is not whole. Put a copy back, or move it away; then the list begins anew.
trouble-calls-newer-title = Your list of calls is from a newer Ramal
trouble-contacts-in-use-title = Your contacts are in use
trouble-contacts-in-use = Another program has been writing { $path } for a while. Close it and try again.
trouble-backups-title = Too many backups of your keys
trouble-backups = Move the oldest ones in { $path } to another place.
trouble-disk-title = Your files can’t be used
trouble-randomness-title = No keys can be made
trouble-randomness = The system gives no random numbers. Restart the computer and try again.
trouble-exposed-title = Others can get at your keys
trouble-exposed-file = Other users of this computer can read { $path }. In a terminal, type: { $command }
trouble-exposed-folder = Other users of this computer can get into { $path }. In a terminal, type: { $command }
trouble-exposed-foreign = { $path } belongs to another user. In a terminal, type: { $command }
trouble-exposed-link = { $path } only points to another place. Put the file itself there.
trouble-exposed-neither = { $path } is not what it should be. Move it away.
name-empty = Type a name
name-too-long = At most 32 letters
name-space = Without spaces: use a dot or a dash
name-character = { $character } can’t be in a name: letters, digits, dot, dash and underscore can
name-beginning = Begin with a letter or a digit
name-mixed = Use letters of one alphabet only

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
