# Words of the virtual gate, English. The same keys in the same order stand in zh-CN.ftl.

## Frame
brand = Tongdao
title = Virtual gate
document-title = Virtual gate · Tongdao
lead = A metro gate in your browser: it speaks MQTT to the server like any other gate. Tap, go through, pull its plug.
language = Language
language-zh-CN = 中文
language-en = English
scheme = Colours
scheme-light = Light
scheme-dark = Dark
scheme-system = System
joiner = { " · " }

## What the gate shows
no-gate = No gate yet
no-gate-text = Choose a station.
no-device = no gate
ready = Ready
ready-text = Choose a medium and tap.
asking = One moment
asking-text = The gate waits for the server, at most { $seconds } s.
free = Please go through
free-emergency = Emergency: the gate stands open for everybody, and the way out costs nothing.
free-open = The gate stands open; taps count as usual.
closed = This gate is out of service
did-passed = Gone through
did-not_passed = Turned back
by-server = Decided by the server in { $ms } ms: { $code }
alone-open = Please go through
alone-deny = Please see the staff
alone-trusted = Decided alone, without the server: trusted, to be charged later.
alone-released = Decided alone, without the server: the gate stands open.
alone-closed = Decided alone, without the server: out of service.
alone-direction = Decided alone, without the server: not this way.
alone-denied = Decided alone, without the server: it stands on the deny list.
alone-listed = Decided alone, without the server: refused here before.
fare = Fare
balance = Balance
riders =
    { $riders ->
        [one] 1 person may go through
       *[other] { $riders } people may go through
    }
nobody = Nobody in the aisle
go-through = Go through
turn-back = Turn back

## Its mode and its line
mode-none = Normal service
mode = { $text } (mode { $rev })
mode-closed = Station closed
mode-train_failure = Train failure
mode-time_waived = Time waived
mode-date_waived = Date waived
mode-fare_waived = Fare waived
mode-order_waived = Order waived
mode-entry_waived = Entry waived
mode-emergency = Emergency
service-entry = Entry only
service-exit = Exit only
service-both = Both ways
service-open = Standing open
service-closed = Closed
service-paused = Paused
service-maintenance = Maintenance
link-none = No line
link-connecting = Connecting
link-live = Connected
link-unplugged = Unplugged
link-away = Line lost, trying again
link-taken = Taken over
link-refused = Refused
link-lost = Loan over
link-taken-text = Another page is this gate now.
link-refused-text = The server does not know this gate, or its secret is another.

## What a person chooses
controls = You and the gate
station = Station
station-hint = Another station has another gate; what you carry comes along.
station-kept =
    { $count ->
        [one] This gate keeps a record that only it has: plug it in before you go.
       *[other] This gate keeps { $count } records that only it has: plug it in before you go.
    }
all-taken = { " " }(all taken)
trouble-TAKEN = Others have all gates there. Try another station.
trouble-NOT_FOUND = There is no gate to borrow.
trouble-BUSY = The server cannot be reached. Try again.
borrow-again = Borrow it again
direction = Direction
entry = Entry
exit = Exit
medium = Medium
medium-wallet = e-CNY wallet
medium-wallet-text = well filled
medium-card = Transit card
medium-card-text = enough for a few trips
medium-poor = Nearly empty card
medium-poor-text = less than the lowest fare
medium-unknown = Unknown card
medium-unknown-text = nobody has registered it
inside = in
outside = out
token = Token
kind-card = Transit card
kind-ecny = e-CNY wallet
kind-ecny_hard = e-CNY hard wallet
kind-bank = Bank card
kind-face = Face
kind-qr = QR code
own-text = This server lends no gates. Become one of your own: add it with “tongdao device add” first.
own-site = Site
own-device = Device
own-secret = Secret
own-connect = Connect
tap = Tap
plug = Network plug
plugged = The server decides; the gate only when no answer comes in time.
unplugged = Pulled: the gate decides alone and keeps its records until it is plugged in.
take-back = Connect again

## Records
records = The gate’s own account
records-caption = Taps that this gate keeps or has just handed over, newest first
records-none = No tap yet.
account-empty = Every tap is kept here until the server has it.
account-waits =
    { $count ->
        [one] 1 record that only this gate has waits for the line.
       *[other] { $count } records that only this gate has wait for the line.
    }
account-sending =
    { $count ->
        [one] 1 record is on its way.
       *[other] { $count } records are on their way.
    }
account-later =
    { $count ->
        [one] 1 record goes out with the next account, every 30 s.
       *[other] { $count } records go out with the next account, every 30 s.
    }
account-done = All acknowledged up to number { $upto }.
message-refused = The server refused a message: { $name } ({ $code }).
seq = No.
time = Time
shown = Shown
decided-by = Decided by
passage = Passage
record = Record
opened = opened
stayed-shut = shut
answer-late = answer came late
by-server-short = server
by-gate-short = gate alone
passage-none = –
passage-waited = waited for
passage-passed = went through
passage-not_passed = turned back
record-open = open
record-no = kept here
record-sent = sent
record-kept = acknowledged
record-rejected = rejected: { $code }
