# Everything that stands in the window of the phone, in English. One section a screen, in the order
# of the files in src/gui; pt-BR has the same keys in the same order.

## Navigation (gui.rs)

nav-people = People
nav-log = Log
nav-settings = Settings
cancel = Cancel
close = Close
copy = Copy
dismiss = Dismiss
close-title = Close Ramal?
close-text = If Ramal keeps running in the background, you can still be called.
close-always = Don’t ask again
close-no-tray = This desktop shows no icon for it. To see Ramal again, start it again.
close-quit = Quit
close-ring = Keep running
notice-sign-in = Sign in again
notice-find-out = Find out
notice-broke-off = A change of your identity broke off. Find out what came of it.
notice-met = First time at { $host }. Its key is { $key } and is remembered from now on. Whoever runs it can tell you whether that is right.
notice-damaged = Your settings could not be read and are as at the first start. The old ones are in { $path }.
notice-not-kept = Your settings can’t be saved.
notice-phone-hangs = The phone does not answer. If that stays so, quit Ramal and start it again.
warning-network = No call can be made or taken now: the system gives no network. Check that the computer is online, then try again.
warning-clock = This computer’s clock and the registry’s are more than 10 minutes apart, so calls may not ring. Set the clock.
warning-socket = Other programs can’t command this phone. To mend it, quit Ramal and start it again.
warning-keys-lost = This week’s keys are not saved.
warning-contacts-lost = Your contacts are not saved.
warning-calls-lost = Your list of calls is not saved.
warning-contact-dropped = A change of your contacts was not saved, because the disk does not keep up. Check that it is not full.
warning-calls-set-aside = Your list of calls was damaged and begins anew. The old one is in { $path }.
warning-part-failed = A part of the phone failed. If something does not work, quit Ramal and start it again.
recovery-title = Your recovery words
recovery-text = Write these twelve words on paper. They give the name { $name } back to you when this computer is lost or somebody takes the name.
recovery-warning = They are shown only until you have written them down. Don’t give them to anybody.
recovery-later = Show me later
recovery-written = I wrote them down


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
trouble-clock-refused = Set the date and time on this computer and try again.
trouble-full-title = { $host } is full at the moment
trouble-full = It has as many connections as it takes. Try again in a minute.
trouble-closed-title = { $host } closed the connection
closed-stopping = It is being stopped or restarted. Give it a moment.
closed-idle = Nothing was said for too long. If that happens often, check your network.
closed-slow = What it said did not reach you fast enough. Check your network.
closed-incomplete = What you sent did not arrive whole. Check your network.
closed-operator = Whoever runs it ended the connection. If that happens again, ask them.
trouble-address-full-title = Too many connections from your network
trouble-address-full = { $host } takes no more of them from your address. Close other phones there, or ask whoever runs the registry to allow more.
trouble-too-slow = Your greeting did not arrive in time. Check your network and try again.
trouble-broken = The connection broke off. Check your network.
trouble-stands-in-title = { $host } may be somebody else
trouble-stands-in = A phone answers there, where you know a registry. Somebody may be in between; ask whoever runs it before you go on.
trouble-barred = Until that is cleared up nobody can call you by name.
trouble-forget-elsewhere = If you are told that all is well, forget it under Settings, Identity, and try again.
trouble-not-proven-title = { $host } could not prove who it is
trouble-not-proven = Somebody may be in between. Try from another network, and ask whoever runs the registry.
trouble-key-changed-title = { $host } is not the registry you know
trouble-key-changed = It shows another key than before. It was set up anew, or somebody is in between. Ask whoever runs it before you go on.
trouble-known-title = The list of registries you have met can’t be used
trouble-known-damaged = Line { $line } of { $path } is damaged. Mend the line, or remove it.
trouble-known-full = There is no room for another one. Open { $path } in an editor and remove lines that you no longer need.
trouble-favourites-title = There is no room for another favourite
trouble-favourites = You can have { $most } favourites. Remove somebody from them, then try again.
trouble-file = { $path } can’t be used: { $why }. Check the file and that the disk is not full, then try again.
trouble-file-plain = { $path } can’t be used. Check the file and that the disk is not full, then try again.
trouble-other = This program does not know what it means. Update it, or ask whoever runs the registry.
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
trouble-too-fast-minutes = { $minutes ->
    [one] Try again in a minute.
   *[other] Try again in { $minutes } minutes.
}
trouble-too-fast-hours = { $hours ->
    [one] Try again in an hour.
   *[other] Try again in { $hours } hours.
}
trouble-too-fast-minute = You connect too often. Try again in a minute.
trouble-stale-title = Another phone of yours was faster
trouble-stale = It uses the same keys. Close Ramal where they were copied to, then sign in again here.
trouble-misunderstood-title = The registry does not understand this program
trouble-misunderstood = Update whichever of the two is older.
trouble-too-many-title = The registry has no room at the moment
trouble-too-many = Try again later, or ask whoever runs it.
trouble-registry-failed-title = The registry failed
trouble-registry-failed = Try again in a few minutes. If it stays so, tell whoever runs it.
trouble-offline-title = No connection to { $host }
trouble-offline = Ramal keeps trying. Until then nobody can call you by name; you can still call name@address.
trouble-over-title = The phone has ended
trouble-over = Something in it failed, and nobody can call you now. Sign in again. If it happens again, quit Ramal and start it anew.
trouble-replaced-title = You are signed in elsewhere
trouble-replaced = Another phone with this profile has taken this one’s place. Sign in again to use this one.
trouble-listen-title = Can’t wait for calls
trouble-listen = The address { $address } can’t be used: { $why }. Start Ramal with another --listen.
trouble-listen-plain = The address { $address } can’t be used. Start Ramal with another --listen.
trouble-thread-title = This computer has too little memory free
trouble-thread = Close some programs and try again.
trouble-no-folder-title = There is no place for your keys
trouble-no-folder =
    The system names no folder for settings. Open a terminal and start Ramal with a folder of your choice:
    ramal-softphone --config FOLDER
trouble-in-use-title = { $name } is in use by another program
trouble-in-use = Ramal or ramal-phone already runs with this name here. Close it, or choose another name.
trouble-no-identity-title = There is no { $name } on this computer
trouble-no-identity = Connect with the name to make one, or import it from another computer.
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
asked-too-fast = The registry was asked too often.
asked-too-many = The registry has too much to do. Try again later.
asked-banned = The registry turns you away. Ask whoever runs it.
asked-closed = The registry tells nobody’s address. Call name@address.
asked-not-found = The registry does not know anybody of that name. Check the spelling.
asked-malformed = The registry does not understand this program. Update whichever of the two is older.
asked-unregistered = You are not registered there. Wait until you are, then try again.
asked-failed = The registry failed. Try again in a few minutes; if it stays so, tell whoever runs it.
address-unknown = No computer is known as { $host }. Check the address.
address-refused = Nobody answers at { $host }. Check the address, or ask them to open Ramal.
address-silent = No answer came from { $host }. A firewall may be in the way; check the address and your network.
address-system = { $host } can’t be reached: { $why }. Check the address and your network.
address-other = { $host } answers, but it is no phone that speaks Ramal. Check the address and the port.
why-lost = The connection to { $host } was lost. Check your network and try again.
why-closed = The registry closed the connection. Give it a moment and try again.
why-silent = The registry does not answer. Check your network and try again.
why-no-registry = A phone answers at { $host }, where you know a registry. Somebody may be in between.
why-bad-answer = The registry’s answer makes no sense, so it is not used. Tell whoever runs it.
why-late = No answer came in time. Check your network and try again.
why-itself = That is this very phone. Choose somebody else.
why-bad-card = The keys shown there are not valid now. Check that the date is right on both computers.
why-somebody-else = Somebody else answers at that address. Ask for the address, or call again in a minute.
why-not-there = Whoever answers there is not { $name }. Check the address.
why-overwhelmed = The other phone has too much to do. Try again later.
why-nonsense = The two programs did not understand each other. Update whichever is older.
why-phone-lost = The connection to the other phone was lost. Call again.
why-no-phone = Whoever answers there is no phone. Check the address.
why-no-line = You have as many calls as there can be. End one of them first.
why-hidden = This phone is hidden, and whoever is asked at an address would see where it is. Call by name, or start Ramal without --hidden.
why-stopping = The phone is being stopped. Start it again first.
why-no-network = The system gives no network. Check that the computer is online, then call again.
name-empty = Type a name
name-too-long = At most 32 letters
name-space = Without spaces: use a dot or a dash
name-character = { $character } can’t be in a name: letters, digits, dot, dash and underscore can
name-beginning = Begin with a letter or a digit
name-other = That can’t be a name. Use letters and digits.
name-mixed = Use letters of one alphabet only

## Sign in (sign_in.rs)

sign-in-title = Sign in
sign-in-name = Your name
sign-in-registry = Registry
sign-in-connect = Connect
sign-in-text = Pick a name and type your registry’s address. Whoever runs it can tell you.
sign-in-name-example = anna
sign-in-registry-example = registry.example.org or 192.168.1.5
sign-in-registry-empty = Type where the registry is
sign-in-registry-wrong = That is no address: try 192.168.1.5 or 192.168.1.5:5000
sign-in-found = On your network
sign-in-known = Used before
sign-in-met = Used before
sign-in-have-invite = I have an invitation
sign-in-invite = Invitation code
sign-in-invite-example = From whoever runs the registry
sign-in-invite-wrong = A code has at most 32 letters and digits
sign-in-probing = Looking for { $host }…
sign-in-registering = Signing in as { $name }…
sign-in-import = Import an identity
sign-in-recover = Recover a name
sign-in-key-before = Key before
sign-in-key-now = Key now
sign-in-forget = Forget the old key…
sign-in-forget-title = Forget this registry?
sign-in-forget-text = Do this only if whoever runs { $host } has told you that it was set up anew. If its key is another one, all names there count as new, also those of verified contacts. If somebody is in between, they will be trusted from then on.
sign-in-forget-yes = Forget and connect


## People (people.rs)

people-search = Search, or type a name or name@address
people-tab-everyone = People
people-tab-recent = Recent calls
people-favourites = Favourites
people-registered = Online now
people-known = People you know
people-found = Found
presence-available = Available
presence-busy = In a call
presence-away = Away
presence-offline = Offline
people-call = Call { $name }
people-verified-hint = You have read the four words to each other. Whether the name is still theirs is asked when you open or call them.
people-call-short = Call
people-favourite-add = Add to favourites
people-favourite-remove = Remove from favourites
people-look-up = Look up { $typed }
people-look-up-hint = Ask the registry, or that address, for this name
people-name-empty = A name has at least one letter.
people-name-too-long = A name has at most { $most } characters.
people-name-character = A name has letters, digits, dots, hyphens and underscores, but not “{ $character }”.
people-name-beginning = A name begins with a letter or a digit.
people-name-mixed = The letters of a name all come from one alphabet.
people-host-bad = What follows the @ is an address such as 192.168.0.7:5000.
people-connecting-title = Asking who is here
people-connecting-text = The list appears as soon as the registry answers.
people-unregistered-title = No connection to the registry
people-unregistered-text = The phone keeps trying. Meanwhile you can call somebody directly as name@address.
people-empty-title = Nobody else is here yet
people-empty-text = Ask somebody to open Ramal, choose a name and connect to this registry. They appear here at once.
people-empty-address = Copy { $registry }
people-closed-title = This registry keeps its list private
people-closed-text = You can call everybody all the same: type their name above.
people-refused-title = The registry does not show its list now
people-refused-call = You can still type a name and call.
people-nobody-title = No { $typed } in the list
people-nobody-text = Press Enter to look up the name all the same.
people-bad-title = Not a valid name
recent-empty-title = No calls yet
recent-empty-text = Calls that you make, take or miss appear here.
recent-nothing-title = No calls with { $typed }
recent-clear = Clear the list
recent-clear-ask = Forget all calls in this list?
recent-clear-text = This cannot be undone. Contacts stay.
recent-clear-yes = Forget them
recent-missed = Missed call
recent-incoming = Incoming call
recent-outgoing = Outgoing call
recent-line = { $what } · { $more }
past-hangup = ended
past-declined-here = you declined
past-answered-elsewhere = taken on another of your phones
past-declined-elsewhere = declined on another of your phones
past-merged = you called each other
past-declined = declined
past-unavailable = took no call
past-busy = busy
past-no-answer = no answer
past-no-answer-incoming = you did not answer
past-cancelled-incoming = gave up
past-cancelled-outgoing = cancelled
past-not-found = was offline
past-unreachable = not reachable
past-registry-unreachable = no connection to the registry
past-media-failed = no voice connection
past-media-lost = connection lost
past-untrusted = not who they said
past-identity-changed = identity changed
past-failed = failed on this computer
when-yesterday = yesterday { $time }
when-weekday = { $day ->
    [1] Monday
    [2] Tuesday
    [3] Wednesday
    [4] Thursday
    [5] Friday
    [6] Saturday
   *[7] Sunday
} { $time }
when-date = { $day } { $month }
when-year = { $day } { $month } { $year }
when-month = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
}
lasted-seconds = { $seconds } s
lasted-minutes = { $minutes } min { $seconds } s
lasted-hours = { $hours } h { $minutes } min
standing-verified = Verified
standing-known = Known
standing-stranger = First contact
standing-changed = Identity changed
details-close = Close
details-looking = Looking for { $name }
details-not-found = Nobody called { $name } is registered here. Check the spelling, or ask them to connect.
details-not-found-at = Nobody called { $name } is registered at { $host }. Check the spelling and the address.
details-no-answer-title = Not found out where { $name } is.
details-unknown = Not known now
details-retry = Look up again
details-where = Address
details-hidden = Through the registry; they keep their address to themselves
details-copy = Copy { $what }
details-copied = Copied
details-identity = Identity
details-identity-hint = The same on every device that shows this person. Compare it to be sure who it is.
details-since = Known since
details-standing = Trust
details-verified-text = You have read the four words to each other, and they were the same.
details-known-text = Not verified yet. In the next call, read the four words to each other.
details-stranger-text = You have not called each other before. In the call, read the four words to each other.
details-changed-title = This name belongs to somebody else now
details-changed-text = The person you knew as { $name } had another identity. Ask them in another way whether they have a new phone. If so, forget the contact below and call again; if not, do not call.
details-block = Block
details-unblock = Unblock
details-blocked = Blocked: calls from { $name } do not ring here.
details-forget = Forget
details-forget-ask = Forget { $name }?
details-forget-text = Whoever has this name in the next call is taken for them, and has to be verified again.
details-forget-yes = Forget
details-cancel = Cancel
details-last-calls = Last calls
status-dnd = Do not disturb
status-dnd-on = No call rings here until you switch this off
status-dnd-off = Let no call ring here
status-away-on = Others see that you are away
status-away-off = Show others that you are away
people-search-tip = Search the list, or type whom to call
people-more = The registry has more names than are shown. Type a name to look it up.
recent-new = new
past-turned-away = not let in
details-nobody-title = Nobody chosen
details-nobody-text = Choose somebody to see where they are and to call them.
details-too-many = Too many are being looked up. Try again in a moment.
status-connecting = Connecting
status-unregistered = Offline

## Incoming (incoming.rs, notify.rs, tray.rs)

incoming-calls = { $name } is calling
incoming-title = Incoming call
incoming-waiting = Another call
incoming-waiting-text = If you answer, the call with { $name } is put on hold.
incoming-verified = Verified: you have compared the four words before.
incoming-known = You have talked before. Not verified yet.
incoming-first = Calling you for the first time.
incoming-confirmed = The registry confirms the name.
incoming-unconfirmed = The registry does not confirm the name. Anybody can call themselves that.
incoming-answer = Answer
incoming-decline = Decline
incoming-more = { $count ->
    [one] One more call rings
   *[other] { $count } more calls ring
}
identity-changed-title = Somebody else called as { $name }
identity-changed-text = The call was not let in: its identity is not the one you know under this name. Ask { $name } in another way whether they have a new phone.
notify-somebody = Somebody is calling
notify-missed = Missed call
notify-missed-from = { $name } called.
notify-missed-somebody = Somebody called.
tray-open = Open Ramal
tray-dnd = Do not disturb
tray-away = Away
tray-quit = Quit
tray-title = Ramal: { $name }
tray-ready = Can be called
tray-not-registered = Offline
tray-missed = { $count ->
    [one] One missed call
   *[other] { $count } missed calls
}
key-space = Space
incoming-understood = Understood

## Call (call.rs)

call-empty-title = No call now
call-empty-text = Choose somebody to call, or wait until somebody calls you.
call-empty-people = Show people
call-calling = Looking for their phone…
call-rings-there = Ringing…
call-connecting = Connecting…
call-held-here = On hold
call-held-there = { $name } has put you on hold
call-held-both = On hold on both sides
call-reconnecting = Connection lost, trying again…
call-mute = Mute
call-unmute = Unmute
call-muted = Microphone off
call-hold = Hold
call-resume = Resume
call-hangup = Hang up
call-cancel = Cancel
call-sound = Sound
call-figures = Quality
call-talk-hold = Hold { $key } to talk
call-talk-on = You are talking
call-you = You
call-words-title = Read these words to each other
call-words-text = If { $name } sees the same four, nobody is listening in. It takes ten seconds, once.
call-words-same = They are the same
call-words-differ = They differ
call-words-verified = The words of this call: { $words }
call-words-differ-title = Hang up. Somebody may be listening in
call-words-differ-text = Different words mean that this call does not go straight to { $name }. Say nothing that others must not hear, hang up, and meet or write to each other in another way.
call-words-differ-back = I misread, they are the same
call-encrypted = Encrypted end to end
call-path-direct = Direct to { $address }
call-path-unknown = Finding the way
call-quality-good = Good quality
call-quality-fair = Fair quality
call-quality-poor = Poor quality
call-quality-unknown = Measuring quality…
call-quality-tip = How well the call comes through. Press for figures.
call-quality-advice-fair = Some of the voice is lost on the way.
call-quality-advice-poor = Much of the voice is lost or late. Move closer to the Wi-Fi, or use a cable.
call-figure-loss = Lost
call-figure-concealed = Repaired
call-figure-jitter = Jitter
call-figure-rtt = Round trip
call-figure-delay = Delay
call-figure-loss-hint = Packets that did not come
call-figure-concealed-hint = Sound that was made up
call-figure-jitter-hint = How unevenly packets come
call-figure-rtt-hint = Time to them and back
call-figure-delay-hint = From their mouth to your ear
call-delay-parts = Delay in ms: microphone { $microphone }, coding { $coding }, network { $network }, waiting { $waiting }, loudspeaker { $loudspeaker }
call-figures-last = The last 60 seconds
call-percent = { $whole }.{ $tenth }%
call-millis = { $value } ms
call-warning-unspoken-action = Choose microphone
call-warning-input = Your microphone is gone, and the other side hears silence. Plug it in again, or choose another one.
call-warning-output-action = Choose loudspeaker
call-warning-output = Your loudspeaker is gone. Plug it in again, or choose another one.
call-warning-silence = Only silence comes from { $name }. They may have muted their microphone; ask them in another way.
call-warning-nothing = No sound arrives from { $name }. The network may hold it back; if it stays so, hang up and call again.
call-warning-unspoken = Your microphone is silent. Check that it is plugged in and switched on, or choose another one.
call-words-same-tip = Mark them as verified
call-sound-input = Microphone
call-sound-output = Loudspeaker
call-sound-default = System default
call-sound-volume = { $percent }%
call-others = Other calls
call-other-switch = Talk to { $name }
call-bar-back = Back to the call
call-bar-more = { $count ->
    [one] and one more
   *[other] and { $count } more
}
ended-lasted = Lasted { $lasted }
ended-again = Call again
ended-show = Show { $name }
ended-close = Close
ended-hangup = You hung up
ended-hangup-next = Call again whenever you like.
ended-declined-here = You declined the call
ended-declined-here-next = { $name } sees that you declined. Call back when it suits you.
ended-answered-elsewhere = Taken on another of your phones
ended-answered-elsewhere-next = The call goes on there.
ended-declined-elsewhere = Declined on another of your phones
ended-declined-elsewhere-next = Nothing else is to be done here.
ended-merged = You called each other at the same time
ended-merged-next = The two calls became one, which goes on.
ended-remote-hangup = { $name } hung up
ended-remote-hangup-next = Call again if there is more to say.
ended-declined = { $name } declined the call
ended-declined-next = Try again later.
ended-unavailable = { $name } takes no calls now
ended-unavailable-next = Perhaps they do not want to be disturbed. Try again later.
ended-busy = { $name } is in another call
ended-busy-next = Try again in a few minutes.
ended-no-answer = { $name } did not answer
ended-no-answer-next = It rang there. Try again later.
ended-cancelled-here = You cancelled the call
ended-cancelled-here-next = Call again whenever you like.
ended-cancelled-there = { $name } gave up
ended-cancelled-there-next = Call back to find out what it was.
ended-missed = { $name } called, and you did not answer
ended-missed-next = Call back when it suits you.
ended-own-name = That is your own name
ended-no-line = You have too many calls
ended-hidden = This phone is hidden
ended-refused = The registry does not say where { $name } is
ended-no-network = There is no network
ended-not-found = { $name } is offline
ended-not-found-next = Check the spelling, or ask them to connect. If you know their address, call name@address.
ended-unreachable = The phone of { $name } cannot be reached
ended-unreachable-next = It may have just been switched off, or a firewall is in the way. Try again in a minute.
ended-registry-unreachable = The registry cannot be reached
ended-registry-unreachable-next = Check your network. If you know their address, call name@address.
ended-media-failed = The voice did not get through
ended-media-failed-next = A firewall may block UDP between you. Try again, or from another network.
ended-media-lost = The connection was lost
ended-media-lost-next = Nothing was heard of { $name } for 8 seconds. Check your network and call again.
ended-untrusted = This was not { $name }
ended-untrusted-next = Whoever answered could not prove to be them, so the call was ended. Do not trust this connection, and try from another network.
ended-identity-changed = This name belongs to somebody else now
ended-identity-changed-next = You knew { $name } with another identity. Ask them in another way whether they have a new phone. If so, forget the contact and call again.
ended-failed = This computer could not make the call
ended-failed-next = Check microphone and loudspeaker in the settings, then call again.

## Log (log.rs)

log-filter = Filter the lines
log-all = All
log-sent = Sent
log-received = Received
log-notes = Notes
log-pause = Pause
log-go-on = Go on
log-paused = Paused. { $count ->
    [0] Nothing new
    [one] One new line
   *[other] { $count } new lines
}
log-copy-all = Copy all
log-copy-line = Copy this line
log-copied = { $count ->
    [one] One line copied
   *[other] { $count } lines copied
}
log-count = { $count ->
    [one] One line
   *[other] { $count } lines
}
log-empty-title = Nothing yet
log-empty-text = Every message that this phone sends and receives appears here.
log-nothing-title = No such line
log-nothing-text = No line fits the filter. Empty it to see all of them.
log-nothing-clear = Empty the filter
log-with-registry = Registry
log-with-here = This phone

## Settings (settings.rs)

settings-sound = Sound
settings-calls = Calls
settings-window = Window
settings-identity = Identity
settings-about = About
settings-registries = Registries you have met
settings-registries-text = Their keys are remembered. A registry that shows another key is not trusted.
settings-forget = Forget
as-system = System
scheme = Colours
scheme-light = Light
scheme-dark = Dark
language = Language
text-size = Text size
on-close = When you close the window
on-close-ask = Ask
on-close-ring = Keep running
on-close-quit = Quit
callers = Who may call you
callers-text = Everybody else just sees that you’re not taking calls.
callers-everyone = Everybody
callers-contacts = People I know
callers-nobody = Nobody
publish = Show whether I’m available
publish-text = Others see available, in a call, or away. Without it they only see that you are online.
push-to-talk = Push to talk
push-to-talk-text = The microphone is open only while you hold down the space bar.
notifications = Desktop notifications
notifications-text = Shows who is calling and which calls you missed.
sound-microphone = Microphone
sound-loudspeaker = Loudspeaker
sound-bell = Ringtone plays on
sound-volume = Volume
sound-level = Level
sound-default = System default
sound-same = Same as the loudspeaker
sound-away = { $device } (not connected)
sound-refresh = Look for devices again
sound-record = Record
sound-record-text = Record up to { $seconds } seconds and hear how you sound.
sound-record-stop = Stop and listen
sound-recording = Recording: { $seconds } of { $of } seconds
sound-replaying = This is how you sound.
sound-stop = Stop
sound-tone = Play a test sound
sound-tone-text = You should hear three soft notes.
sound-no-microphone = No microphone found. Connect one, then look again.
sound-no-loudspeaker = No loudspeaker found. Connect one, then look again.
sound-unknown = { $device } is not connected. Connect it, or choose another device.
sound-ambiguous = More than one device is called { $device }. Choose one from the list.
sound-cannot-open = { $device } can’t be opened: { $why }. Close what else uses it, or choose another device.
sound-lost = { $device } was unplugged. Connect it again, or choose another device.
sound-cannot-list = The sound system does not answer: { $why }. Check that it runs, then look again.
sound-cannot-read = { $path } can’t be played. Choose a microphone, or another WAV file.
sound-cannot-write = { $path } can’t be written. Choose a loudspeaker, or another file.
sound-unavailable = There is no sound: the sound system does not answer, or too little memory is free. Close some programs and try again.
identity-fingerprint-text = Your fingerprint: whoever you call sees the same, unless somebody is in between.
identity-export = Export your identity
identity-export-short = For another computer, or as a backup.
identity-export-text = Writes { $name } into a file, locked with a passphrase. Whoever has both is you.
identity-export-go = Export
identity-export-open = Export…
identity-exported = Your identity is in { $path }. On the other computer, choose “Import an identity” when signing in.
identity-import = Import an identity
identity-import-text = Reads a file that was exported on another computer. Both computers ring then.
identity-import-go = Import
identity-imported = { $name } is on this computer now. Its recovery words are the ones of before. Connect to use it.
identity-replace = Replace the one that is here
identity-rotate = New identity
identity-rotate-short = If somebody may have copied your keys.
identity-rotate-open = Change…
identity-rotate-text = { $name } gets new keys. Everybody who knows you is warned at the next call and should compare the four words with you. You get new recovery words. Calls in progress end.
identity-rotate-go = Change identity
identity-changed = { $name } has a new identity. Whoever knew the old one is warned: compare the four words with them in the next call.
identity-recover = Recover a name
identity-recover-text = With the twelve recovery words you get your name on this computer, with a new identity.
identity-recover-go = Recover
identity-release = Give the name up
identity-release-short = At { $registry }. Somebody else can have it then.
identity-release-open = Give up…
identity-release-text = For 72 hours only you or your recovery words get { $name } back. Then anybody can have it. Calls in progress end.
identity-release-go = Give it up
identity-released = { $name } is given up. For 72 hours you can have it back by connecting with it.
identity-running = One moment…
identity-backup = The one that was here is kept in { $path }.
identity-file = File
identity-file-example = ~/anna.ramal
identity-file-wrong = Type a file name
identity-passphrase = Passphrase
identity-passphrase-again = Once more
identity-passphrase-short = At least 10 letters; four or five unrelated words are good
identity-passphrase-empty = Type the passphrase it was exported with
identity-passphrase-differs = The two are not the same
identity-passphrase-wrong = The passphrase is not the one it was exported with.
identity-words = Recovery words
identity-words-example = Twelve words, in order
identity-words-wrong = Check the words: twelve, in order, as you wrote them down
identity-no-export = That file is not an exported identity. Choose the one that Ramal wrote.
identity-export-newer = It was exported by a newer Ramal. Update this one.
identity-export-damaged = The file is damaged or cut. Copy it again, whole.
identity-export-costly = Ramal did not make this file. Export the identity again.
identity-no-memory = This computer has too little memory free. Close some programs and try again.
identity-there = { $path } is there already. Choose another file name.
identity-unchanged = Nothing was changed.
identity-unknown = It is not known whether the registry made the change; both keys are kept. Do the same again to find out.
sign-out = Sign out
sign-out-text = Nobody can call you until you sign in again.
about-version = Version { $version }
about-text = Calls people by name, and talks directly to them.
about-private = What you say is encrypted from your computer to theirs. Read the four words of a call to each other once, and you know that nobody is in between.
about-licence = Free software under the MIT or Apache 2.0 licence.
hide-callers = Don’t show names
hide-callers-text = Notifications say that somebody is calling, but not who.
