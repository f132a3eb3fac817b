# The window of a registry.

title = Ramal registry
title-open = Ramal registry at { $address }

# Places
users = Users
bans = Bans
activity = Activity
log = Log
settings = Settings
help = First steps

# Open and Close
listens-on = Listens on
port = Port
ip-tip = Which of this machine’s addresses: 0.0.0.0 is all of them, 127.0.0.1 is for this machine only
port-tip = From 1024 to 65535; phones try 5000 by themselves
wrong-ip = Type an IP address, such as 0.0.0.0
wrong-port = Type a port from 1 to 65535
open = Open
open-tip = Phones can register and find each other
opening = Opening
close = Close
close-tip = Takes no more connections and answers what was asked
closing = Closing
state-open = Open
state-closed = Closed
state-opening = Opening
state-closing = Closing
state-failed = Not open
closing-text = The registry is closing: what was asked is being answered, for { $seconds ->
        [one] one second
       *[other] { $seconds } seconds
    } at most.
closing-late = The registry is still closing: the disk takes long to keep the last changes. You can wait, or close this window: it then waits { $seconds } seconds at most.
close-at-once = Close at once
closed-cut = The registry is closed. { $finished ->
        [one] One connection ended
       *[other] { $finished } connections ended
    } in good order, { $cut ->
        [one] one was
       *[other] { $cut } were
    } cut off.
leave-title = Close the registry?
leave-follows = { $users ->
        [one] One person is registered.
       *[other] { $users } people are registered.
    } Nobody finds them here until you open it again. Calls that are already going on are not cut.
leave = Close and quit
leaving-title = Closing the registry
leaving-text = What was asked is being answered. The window closes by itself, in { $seconds ->
        [one] one second
       *[other] { $seconds } seconds
    } at most.
leaving-hurried = Nobody is waited for any more, and the last changes are being kept. The window closes by itself, in { $seconds ->
        [one] one second
       *[other] { $seconds } seconds
    } at most.
quit-now = Quit now
try-again = Try again
cancel = Cancel
dismiss = Dismiss
copy = Copy
copied = Copied. Paste it where you need it.

# The foot
foot-users = { $count } registered
foot-connections = { $count ->
        [one] one connection
       *[other] { $count } connections
    }
foot-requests = { $value } requests/s
foot-folder = Folder: { $path }

# Durations
seconds = { $count } s
minutes = { $count } min
hours = { $count } h
days = { $count } d
ago = { $duration } ago
within-the-hour = within the last hour
date = { $year }-{ $month }-{ $day }
date-time = { $month }-{ $day } { $time }

# Users
users-search = Search
users-search-tip = A part of a name or of an address
users-registered = Registered
users-all = All names
users-banned = Banned
users-count = { $matching } of { $owned ->
        [one] one name
       *[other] { $owned } names
    }
users-more = These are the first { $shown } of { $matching }. Search to find the others.
users-look-in-all = Search all names
users-unfound-title = Nobody found
users-unfound-text = Nobody here has “{ $search }” in their name or address.
users-nobody-title = Nobody is registered yet
users-nobody-text = Give the address of this registry to the people who should find each other. They appear here as soon as their phones register.
users-nobody-action = Show the address
users-nobody-banned-title = Nobody is banned
users-nobody-banned-text = Whoever you ban is listed here, and can be let in again.
users-closed-title = The registry is closed
users-closed-text = Open it, and the phones that know it come back by themselves.
sort-tip = Sorts by this column; once more turns the order round
column-name = Name
column-address = Address
column-state = State
column-since = Since
column-lease = Expires in
column-device = Device
column-connection = Connection
not-registered = not registered
hidden = hidden
no-connection = none
banned = Banned
unverified = Not heard yet
in-a-call = In a call
away = Away
available = Available

# One user
close-panel = Close
person-banned = Banned: none of their phones is served.
person-free = Given up by its owner; free for others from { $day }.
person-key = Key
copy-key = Copy the whole key
copy-address = Copy the address
person-claimed = Owned since
person-absent = Not registered
person-last-seen = Last used { $ago }
person-hidden = Hidden: this phone is called through the registry only
person-no-connection = None: reached directly until the lease ends
person-device = Phone { $device }
disconnect = Disconnect
disconnect-tip = Ends the connections of their phones, which come back by themselves
disconnect-title = Disconnect { $name }?
disconnect-follows = { $devices ->
        [one] Their phone is
       *[other] Their { $devices } phones are
    } disconnected now and will come back within seconds. A call that is going on is not cut.
release = Release the name
release-tip = Takes the name from its owner, so that somebody else can have it
release-title = Release { $name }?
release-follows = The name stops being theirs at once, and whoever claims it next has it. This cannot be undone. Those who know { $name } will be warned that it is somebody else.
ban = Ban
ban-tip = Serves them no more, until you lift the ban
ban-title = Ban { $name }?
ban-follows = All phones of the owner of { $name } are disconnected now. They cannot register, be found or find anybody here until you lift the ban. Their names stay theirs.
ban-typed-follows = If somebody owns { $name }, all their phones are disconnected now, and they are not served until you lift the ban. If nobody owns it, nobody can claim it.
unban = Lift the ban
unban-tip = Lets them in again
unban-title = Lift the ban of { $name }?
unban-follows = It counts at once. Their phones come back by themselves within a minute or so.

# Bans
bans-typed = Name or key to ban
bans-typed-tip = As the list of users shows it
bans-count = { $count ->
        [0] none
        [one] one ban
       *[other] { $count } bans
    }
bans-none-title = No bans
bans-none-text = Type a name or a key above to serve somebody no more, or ban a user from the list of users.
bans-closed-title = The registry is closed
bans-closed-text = Bans are shown and changed while it is open. They count as long as you do not lift them.
ban-of-key = Key
ban-of-name = Name
ban-since = since { $day }

# What was done
done-released = { $name } is free: whoever claims it next has it.
done-banned = { $who } is banned; { $connections ->
        [0] no connection was open.
        [one] one connection was ended.
       *[other] { $connections } connections were ended.
    }
done-unbanned = The ban of { $who } is lifted.
done-disconnected = { $connections ->
        [0] { $who } had no open connection.
        [one] One connection of { $who } was ended; the phone comes back by itself.
       *[other] { $connections } connections of { $who } were ended; the phones come back by themselves.
    }
done-invited = { $codes ->
        [one] One invite code was
       *[other] { $codes } invite codes were
    } made.
failed-closed = The registry is closed. Open it and try again.
failed-nobody = “{ $typed }” is neither a name nor a key. Type it as the list of users shows it.
failed-not-owned = Nobody owns { $name } any more. Look at the list of users.
failed-not-banned = { $who } is not banned. Look at the list of bans.
failed-too-many-bans = There are as many bans as can be kept. Lift one that is no longer needed.
failed-not-kept = The disk did not keep that, so it was not done. Check that the disk has room and works, and try again. The system says: { $why }
failed-machine = This machine failed at that: { $why }. Try again; if it stays so, close the registry and open it again.
failed-other = That was not done. Look at the list, and try again.
unread = This list may be out of date, and is read again by itself. { $why }
busy = The registry is busy and did not take that. Try again in a moment.
not-remembered = What you set counts until you close the window, but could not be kept: { $why }. Check the folder below.
preferences-damaged = The settings could not be read, so these are the defaults. The damaged file is kept as { $path }.

# Activity
activity-span = the last 10 minutes
activity-empty-title = Nothing to plot yet
activity-empty-text = Open the registry to see registrations, lookups and calls second by second.
a-second = { $value }/s
plot-registrations = Registrations
plot-lookups = Lookups
plot-envelopes = Envelopes (signals of calls)
plot-users = Registered users
figures = Since it was opened
figure-uptime = Open for
figure-connections = Connections now
figure-owned = Names owned
figure-registered = Names registered now
figure-registrations = Registrations
figure-refreshes = Renewals
figure-lookups = Lookups
figure-envelopes = Envelopes
figures-limits = Limits that were reached
figures-limits-help = A few are usual: phones that lose their network, or that come back all at once. Many that keep growing are somebody who asks for too much; the log says who.
figure-turned-away = Connections turned away
figure-ended = Connections ended
figure-refused = Requests refused
figure-slowed = Requests slowed down

# Log
log-search = Search in the log
log-search-tip = Lines that have all of these words in them
log-all = All
log-received = Received
log-sent = Sent
log-events = Events
log-warnings = Warnings
log-count = { $kept ->
        [one] one line
       *[other] { $kept } lines
    }
log-count-found = { $shown } of { $kept } lines
log-looking = { $shown } found so far
log-empty-title = Nothing in the log yet
log-empty-open = Every message that phones send and receive appears here.
log-empty-closed = Open the registry: every message that phones send and receive appears here.
log-unfound-title = No such line
log-unfound-text = None of the lines has these words in it.
log-show-all = Show all lines
log-paused = Paused. { $more ->
        [0] Nothing new came
        [one] One new line came
       *[other] { $more } new lines came
    } meanwhile.
log-dropped = { $dropped ->
        [one] One older line is
       *[other] { $dropped } older lines are
    } no longer kept here.
log-missed = { $missed ->
        [one] One line is
       *[other] { $missed } lines are
    } missing: they came faster than they could be written down.
log-exported = { $lines ->
        [one] One line was
       *[other] { $lines } lines were
    } written to { $path }
log-not-exported = { $path } could not be written: { $why }. Check the disk and the folder, and try again.
pause = Pause
pause-tip = Keeps the lines still, so that they can be read
go-on = Go on
log-copy-tip = Copies the lines that are shown, the last { $most } at most, with times in UTC
log-copy-line-tip = Copies the chosen line
export = Export
export-tip = Writes the lines that are shown to a file
export-title = Write the log to a file
export-follows = { $lines ->
        [one] The line that is shown goes
       *[other] The { $lines } lines that are shown go
    } into a new file that only you can read, with times in UTC.
export-file = File
show-folder = Show the folder
show-folder-tip = Opens the folder in this desktop’s program for files
folder-not-shown = This desktop could not show { $path }. Open it by hand.
copy-path = Copy the path
log-exists = There is a file { $path } already. It was left as it is; export again and type another name.
clear-tip = Forgets all lines
way-received = received
way-sent = sent
way-connection = connection
way-note = note
way-warning = warning
way-missing = missing
line-missing = { $lines ->
        [one] one line is missing here
       *[other] { $lines } lines are missing here
    }

# Settings
settings-registry = Registry
settings-next-time = What you change here counts when the registry is opened next time.
settings-window = Window
lease = Longest lease
lease-help = A phone that says nothing for this long is no longer registered. Phones ask for 60 seconds.
lease-wrong = { $least } to { $most } seconds
unit-seconds = seconds
directory = Who may see the list of names
directory-help = A name that somebody knows is found in any case.
directory-open = Everybody
directory-members = Registered phones
directory-closed = Nobody
plain = Unencrypted connections
plain-help = Phones connect by TLS. Others are for tests.
plain-never = Never
plain-loopback = From this machine only
plain-any = From everywhere
plain-any-follows = Whoever is on the way of an unencrypted connection sees who calls whom.
open-at-start = Open the registry when this window opens
language = Language
language-system = System
scheme = Colours
scheme-system = System
scheme-light = Light
scheme-dark = Dark
text-size = Text size
percent = { $percent }%
folder = Folder
folder-help = Here are the names, the registry’s key and these settings. Keep a copy: phones know the registry by its key. Another folder is chosen at the start, with --data.

# First steps
help-what = A registry is where phones find each other by name. People register with a name, and whoever knows the name can call them. What they say does not pass through here.
help-open-title = Open the registry
help-open-text = This machine then listens for phones. The port above can stay as it is.
help-give-title = Give this address to others
help-give-text = They type it as the registry when they sign in.
help-give-closed = It is shown here as soon as the registry is open.
help-local = Only programs on this machine reach it. To let others in, close it, type 0.0.0.0 above, and open it again.
help-outside = From another network, your router has to pass TCP port { $port } on to this machine.
help-fingerprint-title = Let them compare the fingerprint
help-fingerprint-text = Their phones show it the first time. If it is the same, nobody is in between.
copy-fingerprint = Copy the fingerprint
help-call-title = Call each other
help-call-text = Each person picks a name in ramal-softphone and signs in. Then they see each other, and call with a click. You see them all under Users.
help-keep = This is the first start: the registry has made its key. Keep a copy of { $folder }, because phones know the registry by that key.
help-another-key = There was no key in { $folder }, so the registry has made a new one. Phones that know it stop until their owner accepts the new fingerprint. If you have a copy of the old key, close the registry and put it back.

# What is wrong while it runs
alarm-not-kept = New names, changes and bans are refused: the disk does not keep them. The system says: { $why }. If the disk is full, make room on it; the registry tries again by itself every few seconds.
alarm-store-failed = The registry can keep nothing more, because of a mistake in this program. Close it and open it again; the names that were acknowledged are on the disk.
alarm-names-lost = The registry was closed before the disk took the last changes, so these are lost; nobody was told that they were kept. Check the disk before you open it again.
alarm-no-connections = The system gives the registry no more connections, so nobody new gets in. It says: { $why }. Close other programs on this machine, or allow this one more open files (ulimit -n).
alarm-fewer = The system allows too few open files: { $held } phones can be connected at a time instead of { $wanted }. If you expect more, raise the limit (ulimit -Hn) and start this program again.
alarm-clock = This machine’s clock has jumped far ahead, so no name is freed until it is right. Set the clock. If it is right, close the registry and open it again.
alarm-no-socket = The command ramal-registry admin does not reach this registry, because { $path } could not be made. The system says: { $why }. This window works all the same; to mend the command, check the folder, close the registry and open it again.
alarm-not-announced = Phones on this network may not find this registry by themselves. Give people its address instead: it is under First steps. The system says: { $why }
alarm-failed = The registry had failed before it was closed, because of a mistake in this program. Open it again; what was acknowledged is on the disk. It said: { $why }
alarm-no-log = The log stays empty, because the system gives no thread for it. It says: { $why }. Close other programs on this machine, then close the registry and open it again.

# Why it did not open
port-taken = Port { $port } is taken by another program.
port-taken-next = Stop that program, or type another port above, and open again.
port-forbidden = The system does not let this program have port { $port }.
port-forbidden-next = Type a port above 1023, such as 5000, and open again.
not-this-machine = { $ip } is not an address of this machine.
not-this-machine-next = Type one of its own addresses above, or 0.0.0.0 for all of them, and open again.
port-failed = The registry cannot listen on { $listen }.
port-failed-next = The system says: { $why }. Try another address or port.
in-use = A registry already runs with this folder.
in-use-next = It is in another window, or is ramal-registry in a terminal. Use that one, or close it first. For a second registry, start this program with --data and another folder.
folder-unusable = { $path } cannot be used.
folder-unusable-next = The system says: { $why }. Check the folder, or start this program with --data and another one.
folder-forbidden-next = This user may not write there. Change that, or start this program with --data and another folder.
disk-full-next = The disk is full. Make room on it, and open again.
exposed = Other users of this machine can get at { $path }.
exposed-next = The secrets of the registry must be for you alone. This command keeps others out; then open again.
exposed-foreign-next = It belongs to another user. Run this program as that user, or take it over with this command; then open again.
exposed-unusable = { $path } is not what it should be.
exposed-link-next = It is a symbolic link. Put the file itself in its place, and open again.
exposed-neither-next = It is neither a file with a secret nor the folder of one. Move it away, and open again.
key-damaged = The key of the registry in { $path } is damaged.
key-damaged-next = Put a copy of the file back. Without a copy, move it away: a new key is made, and every phone has to accept it.
store-damaged = The file with the names is damaged ({ $why }). It was left as it is.
store-damaged-next = Put a backup of { $path } back. Without one, move it away to begin without names, which are then free for anybody.
store-too-new = { $path } was written by a newer version of Ramal.
store-too-new-next = Use that version, or start this program with --data and another folder.
certificate-failed = The registry has no certificate to encrypt connections with.
certificate-not-pem = { $path } is not what it should be: it has to begin with a line -----BEGIN. Put a copy back, or move it away: a new one is made, and no phone notices.
certificate-not-of-key = { $key } is not the key of { $certificate }. Put both of one pair back, or move both away: a new pair is made, and no phone notices.
certificate-unusable = { $path } cannot be used. Put a copy back, or move it away: a new one is made, and no phone notices. The system says: { $why }
certificate-not-made = None could be made. Try again; if it stays so, restart this machine. The system says: { $why }
machine-failed = The registry could not be opened.
machine-failed-next = The system says: { $why }. Try again; if it stays so, restart this machine.
