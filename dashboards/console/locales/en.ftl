# Words of the console, English. The same keys in the same order stand in zh-CN.ftl.

## Frame
brand = Tongdao
document-title = { $page } · Tongdao
skip = Skip to content
nav = Pages
nav-overview = Overview
nav-gates = Gates
language = Language
language-zh-CN = 中文
language-en = English
scheme = Colours
scheme-light = Light
scheme-dark = Dark
scheme-system = System
person-menu = { $user }: settings and sign-out
sign-out = Sign out
lock-now = Lock this page
close = Close
cancel = Cancel
again = Try again
reload = Load again
printed = Printed { $time } by { $user }
loading = Loading
none = none
never = never
of = of { $of }
until = until { $time }
reason = Reason
reason-needed = Say why: it stands in the audit.
time = Time
state = State
result = Result
direction = Direction
link-live = Live
link-waiting = Connecting
link-stopped = Disconnected
stale = The connection is gone. What you see is from { $since }; nothing can be changed until it is back.
stale-retry =
    { $seconds ->
        [0] trying now
        [one] trying in 1 second
       *[other] trying in { $seconds } seconds
    }
stale-stopped = The server ended this connection ({ $reason }). Load the page again to go on.
needs-connection = Not while the connection is gone
hold-hint = Hold to confirm
hold-again = Press once more to confirm
no-server = The server cannot be reached.
no-server-text = This page keeps trying.
no-page = There is no such page
no-page-text = The address may be mistyped, or it belongs to something that is not there any more.
not-there = There is nothing here
not-for-you = Not open to you
not-for-you-text = Your role or your area does not include this. An administrator can change that.
page-fault = This page has a fault
page-fault-text = The rest still works. The browser's console has the details.

## Keys and palette
keys-help = Keyboard
keys-everywhere = Everywhere
keys-go = Go to
keys-tables = In tables
keys-tables-text = Arrow keys move along the rows, Home and End jump, Enter opens, Space ticks. On the map the arrow keys walk the network.
key-palette = Ctrl K
key-escape = Esc
go-to = { $page }
palette-open = Find or do
palette-placeholder = A page, a station, an action
palette-none = Nothing of that name
rail-hint-palette = Ctrl K  find or do
rail-hint-keys = ?  all keys

## Sign-in and lock
sign-in = Sign in
sign-in-text = With the name your administrator gave you.
sign-in-line = The whole network on one page, as it is this second.
sign-in-both = Both name and password are needed.
demo-people = This is a demo. Come in as
user = User
password = Password
session-expired = Your session has ended. Sign in to go on where you were.
too-many =
    { $seconds ->
        [one] Too many attempts. Try again in 1 second.
       *[other] Too many attempts. Try again in { $seconds } seconds.
    }
locked-title = Locked
locked-text = { $user } is signed in here. The password opens the page again.
unlock = Unlock

## Roles
role-teller = Teller
role-lobby = Lobby
role-remote_agent = Remote agent
role-supervisor = Supervisor
role-gate_operator = Gate operator
role-settlement = Settlement
role-technician = Technician
role-manager = Manager
role-inspector = Inspector
role-auditor = Auditor
role-admin = Administrator

## Overview
verdict-well = The city is well
verdict-stations =
    { $stations ->
        [one] One station needs a look
       *[other] { $stations } stations need a look
    }
verdict-slow = Answers are late: p99 { NUMBER($p99, maximumFractionDigits: 0) } ms, gates decide alone after { $deadline } ms
verdict-emergency =
    { $emergencies ->
        [one] Emergency at one station
       *[other] Emergency at { $emergencies } stations
    }
figure-taps = Taps
figure-p99 = Answers, p99
figure-p99-note = p50 { $p50 } ms, gates wait { $deadline } ms
figure-gates = Gates online
figure-gates-off =
    { $count ->
        [one] 1 offline
       *[other] { $count } offline
    }
figure-gates-all = all of them
figure-alarms = Alarms open
figure-alarms-acked = { $count } taken by somebody
figure-money = Posted this business day
figure-money-note = { $day }, { $journeys } journeys
unit-taps-s = taps/s
unit-ms = ms
span-ms = { $time } ms
span-s = { $time } s
chart-taps = Taps per second
chart-p99 = Answer time, p99 in ms
chart-last =
    { $minutes ->
        [one] last minute
       *[other] last { $minutes } minutes
    }
last-minute = last minute
last-minute-city = last minute, whole city
histogram = How long answers took
histogram-text =
    { $total ->
        [0] No taps in this time
       *[other] { $total } answers, { $late } after the deadline of { $deadline } ms
    }
deadline = gates wait { $deadline } ms
refusals = Refusals by reason
refusals-none = Nobody was refused
needs-you = Needs somebody
needs-nobody = Nothing needs you
needs-nobody-text = All gates are online, no alarm is open, no special mode is set.
no-stations = There are no stations yet
no-stations-text = A site file names them; see sites in the configuration.
of-stations =
    { $count ->
        [one] of 1 station
       *[other] of { $count } stations
    }
network = Network
open-gates = Open gates
wall = Wallboard
wall-toggle = Wallboard on and off
wall-leave = Leave the wallboard
gates-off = { $count } of { $of } offline
alarms-count =
    { $count ->
        [one] 1 alarm
       *[other] { $count } alarms
    }
alarms-raised-short = open
approvals-waiting-short = waiting

## Gates
gates = Gates
gate = Gate
station = Station
stations = Stations
gates-text = { $stations } stations, { $online } of { $of } gates online
gates-find = Find a station
gates-show = Show
gates-show-all = All
gates-show-needy = Need a look
gates-none = No station of that name
gates-empty = This station has no gates
map-label = Network with { $count } stations
map-well = In order
map-mode = Special mode
map-alarm = Needs a look
map-offline = Offline
map-emergency = Emergency
station-line = { $name }: { $online } of { $of } gates online, { $rate } taps/s, { $modes }, alarms: { $alarms }

## A station
back-to-gates = Back to all stations
link = Link
link-online = Online
link-offline = Offline
link-unknown = Never seen
service = Service
service-entry = Entry
service-exit = Exit
service-both = Both ways
service-open = Open
service-closed = Closed
service-paused = Paused
service-maintenance = Maintenance
service-entry-effect = lets riders in only
service-exit-effect = lets riders out only
service-both-effect = in and out
service-open-effect = stands open, taps still count
service-closed-effect = nobody passes
service-paused-effect = takes no taps for the moment
service-maintenance-effect = given to the technician
service-change = Change service
service-title = Change what gates do at { $name }
service-choose = What they do from now on
service-apply = Hold to set
mode = Mode
mode-normal = Normal service
meanwhile = Meanwhile changed by { $by }. Now: { $modes }
mode-closed = Station closed
mode-train_failure = Train failure
mode-time_waived = Time waived
mode-date_waived = Date waived
mode-fare_waived = Fare waived
mode-order_waived = Order waived
mode-entry_waived = Entry waived
mode-emergency = Emergency
mode-closed-effect = no entries; exits stay free to leave at their fare
mode-train_failure-effect = riders leave without charge, tickets stay good
mode-time_waived-effect = a stay of any length is accepted
mode-date_waived-effect = tickets of another day are accepted
mode-fare_waived-effect = nothing is deducted
mode-order_waived-effect = a missing entry is accepted
mode-entry_waived-effect = exits without an entry pay the lowest fare
mode-change = Change mode
mode-title = Change the mode of { $name }
mode-choose = Modes from now on; none is normal service
mode-until = Until
mode-minutes =
    { $minutes ->
        [0] until somebody ends it
       *[other] for { $minutes } minutes
    }
mode-apply = Hold to set
mode-apply-normal = Hold for normal service
mode-heard = as set ({ $rev })
mode-unheard = waits for { $rev }
blast =
    { $gates ->
        [one] Changes 1 gate, { $online } online now.
       *[other] Changes { $gates } gates, { $online } online now.
    }
blast-normal = Returns them to normal service.
blast-nothing = Normal service is what they have now. Choose a mode to set.
load = Opened, denied
denied = denied in the last second
list-version = Deny list
list-behind = Deny list: { $count } behind
last-tap = Last tap
faults = Faults
heat = Gates by second
heat-text = How often each of { $gates } gates opened, second by second
heat-hint = Point at a square to read it
heat-at = { $gate } at { $time }: { $count }
heat-full = { $count } and more
heat-before = { $minutes } min ago
heat-now = now
taps-newest = Newest taps
taps-none = No taps yet
doubtful =
    { $count ->
        [0] no doubtful records
        [one] 1 doubtful record
       *[other] { $count } doubtful records
    }
direction-entry = In
direction-exit = Out
chosen = { $count } of { $of } chosen
chosen-title = Chosen
chosen-clear = Choose none
choose = Choose { $gate }

## A change and its acknowledgements
change-title = Acknowledgement by gates
change-sending = Sending to the gates
change-progress = { $acked } of { $of } acknowledged
change-missing = missing: { $missing }
change-missing-more = missing: { $missing } and { $more } more
change-done =
    { $of ->
        [0] No gate to tell
        [one] The gate has acknowledged
       *[other] All { $of } gates have acknowledged
    }
change-took = within { $time } ms
change-by = { $by } at { $time }: { $reason }

## Emergency
emergency = Hold for emergency
emergency-reason = Emergency from the console
release = End the emergency
release-title = End the emergency at { $name }
release-text = All { $gates } gates return to service. A second person has to approve this before it happens.
release-ask = Ask for approval
release-asked = Asked. A second person can approve it now.
waiting-title = Waits for a second person
waiting-line = { $by } asks: { $op }
waiting-reason = { $reason } (until { $time })
waiting-other = Another person has to approve this.
waiting-back = Take back
approve = Hold to approve
reject = Reject
op-station-mode = change the mode
op-station-release = end the emergency
op-journey-adjust = correct a journey

## Codes of a tap
code-OK = Let through
code-DENY_LISTED = On the deny list
code-MEDIUM_EXPIRED = Medium expired
code-BAD_SIGNATURE = Signature wrong
code-COUNTER_REGRESS = Counter went back
code-FROZEN = Account frozen
code-UNKNOWN_MEDIUM = Unknown medium
code-ALREADY_IN = Already in
code-NO_ENTRY = No entry
code-OVERSTAY = Stayed too long
code-SAME_STATION = Same station
code-INSUFFICIENT = Not enough money
code-LIMIT_SINGLE = Over the limit of one ride
code-LIMIT_DAY = Over the limit of a day
code-LIMIT_YEAR = Over the limit of a year
code-STATION_CLOSED = Station closed
code-NOT_IN_SERVICE = Gate not in service
code-WRONG_DIRECTION = Wrong direction
code-AISLE_FULL = Too many in the aisle
code-BUSY = Server busy
code-EXPIRED = Too late
code-KEY_REUSED = Number used twice
code-UNKNOWN_DEVICE = Unknown device
code-WAIVED_BY_MODE = Waived by the station's mode

## Faults of a gate
fault-door_motor = Door motor
fault-reader_dirty = Reader dirty
fault-display_dark = Display dark
fault-sensor_blocked = Sensor blocked
fault-door_blocked = Door blocked
fault-reader = Reader
fault-printer = Printer
fault-tamper = Opened by force
fault-clock = Clock

## Refusals of a command
error-other = Refused: { $code }
error-bad-args = Something in the form cannot be taken: { $field }
error-unknown-op = This server does not know the operation.
error-not-found = There is no such thing in your area.
error-forbidden = Your role does not allow this.
error-wrong-state = Not possible in the present state.
error-stale-rev = Somebody was faster: the newest state is shown now. Look, then decide again.
error-needs-approval = A second person has to approve this first.
error-busy = The server is busy. Nothing was done; try again.
error-expired = It took too long. Nothing was done.
error-key-reused = This command id was used for something else.
error-contradicts = This contradicts what is there.
error-taken = It belongs to somebody else.
error-unauthenticated = You are signed out.
error-bad-credentials = Name or password is wrong.
error-locked = The page is locked.
error-bad-origin = This address is not allowed to sign in here.
error-too-many = Too many in too short a time.
error-internal = The server has a fault. Its log has the details.
error-not-sent = It could not be sent in time. Nothing was done.
error-unknown-outcome = Whether it was done is not known. Look at the board before trying again.
error-upstream-unknown = Another system has not answered yet.

## Alarms
nav-alarms = Alarms
alarms-text =
    { $raised ->
        [0] Nobody needs to come
        [one] 1 waits for somebody
       *[other] { $raised } wait for somebody
    }
alarms-show = Show
alarms-show-open = Open
alarms-show-all = All
alarms-none = No alarm is open
alarms-none-text = What comes up appears here by itself.
alarms-keys = On a row: A takes, Z snoozes, C clears, Enter opens the station.
alarm = Alarm
severity = Severity
severity-critical = Critical
severity-major = Major
severity-minor = Minor
severity-warning = Warning
where = Where
since = Since
actions = Actions
note = Note
and-more = and { $more } more
alarm-times =
    { $count ->
        [one] once
       *[other] { $count } times
    }
alarm-ack = Take
alarm-snooze = Snooze
alarm-clear = Clear
alarm-snooze-title = Snooze: { $alarm }
alarm-snooze-for = For how long
alarm-clear-title = Clear: { $alarm }
alarm-clear-text = Only where somebody has seen to it that the cause is gone.
alarm-state-raised = Nobody has it
alarm-state-acked = { $owner } has it
alarm-state-snoozed = Snoozed until { $time }
alarm-state-cleared = Over
alarm-gates_offline = Gates offline
alarm-gate_fault = Gate fault
alarm-emergency_button = Emergency button
alarm-fire = Fire alarm
alarm-intrusion = Somebody passed unpaid
alarm-door = Door open
alarm-tamper = Opened by force
alarm-journal_reserve = Disk nearly full
alarm-clock_step = Clock jumped
alarm-quarantine = An entity cannot be read

## Approvals
nav-approvals = Approvals
approvals-text = What one person asked for and another has to approve.
approvals-waiting = Waiting
approval-stale = The station has changed since this was asked: do not let it through. Whoever asked can ask anew.
approvals-none = Nothing waits for a second person
approvals-none-text = The end of an emergency and large waivers appear here.
approvals-past = Decided
approvals-past-none = Nothing was decided yet
approval-by = Asked by
approval-decided = Decided by
approval-left = { $minutes } min left, until { $time }
approval-state-pending = Waiting
approval-state-approved = Approved
approval-state-rejected = Rejected
approval-state-expired = Expired
approval-state-done = Approved and done
digest = Digest
arg-station = Station
arg-modes = Modes
arg-account = Account
arg-kind = Kind
arg-until = Until
arg-at = At
arg-token = Medium
arg-by = User
arg-user = User
arg-roles = Roles
arg-scope = Where
arg-device = Device
arg-site = Site
arg-reason = Reason
arg-note = Note
arg-from = From
arg-to = To
operation = Operation

## Audit
nav-audit = Audit
audit-text = Who did or saw what, chained so that nothing can be changed afterwards.
audit-newest = Newest
audit-fault = Device refused: { $fault }
event-account-opened = Opened an account
event-account-credited = Credited an account
event-account-frozen = Froze an account
event-account-unfrozen = Unfroze an account
event-journey-adjusted = Corrected a journey
event-medium-linked = Linked a medium
event-medium-unlinked = Unlinked a medium
event-record-struck = Decided a doubtful record
event-station-modes_set = Changed the mode
event-station-service_set = Changed gate service
event-station-alarmed = Alarm line
event-device-added = Added a device
event-device-rotated = Gave a new secret
event-device-revoked = Revoked a device
event-order-queued = Gave an order
event-user-added = Added a person
event-user-password_set = Set a password
event-user-roles_set = Changed roles
event-user-disabled = Disabled a person
event-user-sessions_ended = Ended sessions
event-user-token_made = Made a token
event-user-token_revoked = Revoked a token
event-alarm-acked = Took an alarm
event-alarm-snoozed = Snoozed an alarm
event-alarm-cleared = Cleared an alarm
event-approval-requested = Asked for approval
event-approval-approved = Approved
event-approval-rejected = Rejected
event-session-login = Signed in
event-session-refused = Sign-in refused
event-token-refused = Token refused
event-session-unlock = Unlocked the page
event-session-unlock_refused = Unlock refused
event-medium-find = Looked at a medium
event-account-show = Looked at an account
event-audit-verify = Verified the chain
wire-bad_credentials = wrong secret
wire-client_id_mismatch = foreign client id
wire-foreign_will = foreign will
wire-connect_rate = connects too often
wire-foreign_topic = foreign topic
wire-foreign_subscription = foreign subscription
wire-retained = retained message not allowed
wire-packet_too_large = packet too large
wire-message_rate = too many messages
wire-malformed_packet = malformed packet
wire-bad_payload = payload not understood
wire-refused = payload refused
wire-taken_over = taken over by a second connection
wire-keep_alive = fell silent
wire-slow_reader = reads too slowly
wire-revoked = revoked
audit-search = Search
audit-live = Back to live
audit-from = From
audit-to = To
audit-op = What begins with
audit-who = Who
audit-nobody = nobody
audit-what = What
audit-whom = Whom or what
audit-found = Found
audit-count =
    { $count ->
        [one] 1 entry
       *[other] { $count } entries
    }
audit-more = Search further back
audit-not-all = There may be more further back.
audit-not-yet = Nothing so far: the time further back is not searched yet.
audit-all = The whole time is searched.
audit-none = Nothing in this time
audit-only = What is shown
audit-only-people = People
audit-only-faults = Faults
audit-only-all = All
audit-span-missing = Two moments are needed: from and to.
audit-span-backwards = The end lies before the beginning.
audit-verify = Verify the chain
audit-verified = Unbroken: { $records } records were read and nothing was altered.
audit-verifying = { $records } records up to { $until } are unbroken …
audit-broken = The chain is broken: { $fault }

## Devices
nav-devices = Devices
devices-text = What stands out there, what it should be and what it says it is.
devices-find = Find a device
devices-by-id = Or by its id
open = Open
open-station = Open the station
device = Device
kind = Kind
kind-gate = Gate
kind-kiosk = Kiosk
kind-robot = Robot
kind-display = Display
site = Site
firmware = Firmware
device-add = Add a device
device-add-both = The device and its site are both needed.
device-id-hint = Letters, digits and hyphens; it never changes.
device-secret = Secret of { $device }
device-secret-text = Put this into the device as its password.
device-rotate = New secret
device-rotate-title = Give { $device } a new secret
device-rotate-text = The old secret ends at once; the device stays away until it has the new one.
device-rotate-hold = Hold for a new secret
device-revoke = Revoke
device-revoke-title = Revoke { $device }
device-revoke-text = It is let in no more, from this moment on.
device-revoke-hold = Hold to revoke
device-revoked = Revoked
last-seen = heard of { $ago }
device-last = last tap { $time }: { $direction }, { $result }
once-gone = It was done, but the connection was lost before the secret could be shown, and it is kept nowhere. Make another.
once-text = It is shown this once and kept nowhere in readable form.
once-kept = I have kept it
copy = Copy
copied = Copied
twin = Desired and reported
desired = Should be
reported = Says it is ({ $time })
reported-never = Has never said anything
twin-differs = differs
mode-rev = Mode, revision
orders = Orders
orders-none = Nothing was ordered
order = Order
order-give = Give an order
order-title = Order for { $device }
order-send = Send
order-sending = sending
order-within = To be done within
order-seconds =
    { $seconds ->
        [3600] 1 hour
        [300] 5 minutes
        [60] 1 minute
       *[other] { $seconds } seconds
    }
order-restart = Restart
order-maintain = Go into maintenance
order-resume = Back to service
order-config = Load configuration
order-test_print = Test print
order-state-queued = Waiting for the device
order-state-sent = Sent
order-state-done = Done
order-state-failed = Failed
order-state-expired = Too late
history = History
history-none = Nothing has happened yet
history-online = Came online
history-offline = Went offline
history-state = State
history-fault = Fault
history-alarm = Alarm
history-mode = Mode
history-command = Order
history-added = Added
history-rotated = New secret
history-revoked = Revoked

## Service desk
nav-desk = Service desk
desk-text = Find a medium, see its journeys, put right what went wrong.
desk-find = Find
desk-audited = Each look is noted in the audit.
desk-empty = Put the card on the reader or type its token
desk-empty-text = Nothing of a customer is kept once this page is left.
desk-demo = This is a demo. Try one of these:
desk-demo-stuck = { $token } (stuck)
medium = Medium
medium-token = Token of the medium, or the whole QR code
medium-none = No medium has this token.
account = Account { $account }
account-state-open = In order
account-state-frozen = Frozen
balance = Balance
held = Held
wallet-class = Class
passenger-adult = full fare
passenger-stored_value = stored value
passenger-pupil = pupil
journey = Journey
journeys = Journeys
journeys-none = No journeys
journey-both = From { $from } to { $to }
journey-entry = In at { $from }, not out yet
journey-exit = Out at { $to }, no entry known
journey-none = Not on a journey
journey-state-open = On the way
journey-state-closed = Closed
journey-state-missing_exit = Exit missing
journey-state-missing_entry = Entry missing
journey-state-overstay = Stayed too long
journey-state-same_station = Same station
journey-state-adjusted = Adjusted
journey-state-waived = Waived
journey-state-settled = Settled
fare-rule-ladder = By distance
fare-rule-matrix = By the fare between the two stations
fare-rule-zones = By zones
fare-rule-flat = One price for every ride
fare-rule-same_station = In and out at one station
fare-rule-same_station_refused = In and out at one station, which the gate refuses
fare-rule-overstay = Highest fare for too long a stay, and the ride
fare-rule-transfer = Transfer in time
fare-rule-cap = No more than the cap “{ $cap }”
fare-rule-missing_exit = No exit by the end of the day
fare-rule-missing_entry = No entry known
fare-rule-waived = Free of charge: waived
fare-table = Fare table { $table } since { $date }
fare = Fare
taps = Taps
postings = Postings
postings-none = No postings
posting-cause = Caused by
posting-tap = Tap at { $device }
posting-record = Record of { $device }
posting-pending = Pending
posting-final = Final
posting-provisional = Provisional
posting-void = Void
amount = Amount
adjust-add_entry = Add an entry
adjust-add_exit = Add an exit
adjust-overstay = Collect an overstay
adjust-waive = Waive
adjust-add_entry-text = The rider came in here, though no gate knows it.
adjust-add_exit-text = The rider went out here; the ride is charged.
adjust-overstay-text = Collects the highest fare from here; then the gate lets the rider out.
adjust-waive-text = Closes the journey without charge. Above the limit a second person approves.
adjust-hold = Hold to adjust
adjust-done = Adjusted. Charged: { $fare }
adjust-asked = Asked. A second person can approve it now.
unfreeze = Unfreeze
unfreeze-text = Taps of this account are taken again. Only after the suspicion was looked into.
unfreeze-hold = Hold to unfreeze
unfreeze-done = The account is in order again.
op-medium-unfreeze = unfreeze an account

## Administration
nav-admin = Administration
admin-text = Who may come in, as what, and where.
users = People
users-none = Nobody yet
users-count =
    { $count ->
        [one] 1 person
       *[other] { $count } people
    }
user-you = you
user-add = Add a person
user-roles = Change
user-roles-title = What { $user } may do
user-incomplete = A name, at least one role and a place are needed.
user-password = First password of { $user }
user-password-text = Give it to them by a way that nobody else sees.
user-disabled = Disabled
user-disable = Disable
user-disable-title = Disable { $user }
user-disable-text = They are signed out and let in no more. What they did stays in the audit.
user-disable-hold = Hold to disable
user-disable-done = { $user } is disabled.
user-end = End sessions
user-end-title = End the sessions of { $user }
user-end-text = They are signed out everywhere and can sign in again.
user-end-hold = Hold to end
user-end-done = The sessions of { $user } have ended.
tokens = Tokens
tokens-count =
    { $count ->
        [0] no token yet
        [one] 1 token
       *[other] { $count } tokens
    }
tokens-title = Tokens of { $user }
tokens-text = A program signs in with a token and may do at most what this person may. It goes on over restarts until it ends, is revoked, or its person is disabled.
tokens-none = No token is good now.
token-all = all roles
token-until = until { $date }
token-used = last used about { $time }
token-unused = never used
token-revoke = Hold to revoke
token-new = A new token of yours
token-name = What it is for
token-days = Good for
token-days-of = { $days } days
token-roles = Only as (nothing chosen: as all of your roles)
token-make = Make it
token-made = A new token
token-made-text = The program sends it as “Authorization: Bearer …”.
roles = Roles
scope = Where
scope-all = Everywhere
scope-sites = Sites
scope-stations = Stations
scope-sites-of = Sites: { $sites }
scope-stations-of = Stations: { $stations }
scope-hint = Ids, separated by commas
sessions =
    { $count ->
        [0] not here
        [one] 1 session
       *[other] { $count } sessions
    }
added = Added
save = Save

# Doubtful records
nav-doubtful = Doubtful records
doubtful-text = What a gate says and what is known contradict each other. Nothing is charged until somebody decides.
doubtful-which = Which records
doubtful-everywhere = All stations
doubtful-empty = Nothing is doubtful
doubtful-empty-text = Records that contradict what is known come here by themselves.
doubtful-fault = The records cannot be read now
doubtful-more = Show more
doubtful-why = Why
doubtful-state-open = To decide
doubtful-state-accepted = Accepted
doubtful-state-rejected = Rejected
doubtful-state-all = All
doubtful-gate = Gate and number
doubtful-said = The gate says
doubtful-first = It said first
doubtful-known = The account has
doubtful-other = Collides with
doubtful-clock = The gate's clock
doubtful-clock-off = { $seconds } s beside ours
doubtful-clock-corrected = { $seconds } s beside ours; its time was put right
doubtful-account = Account
doubtful-nobody = no account has this medium
doubtful-returned = Given back by the account
doubtful-accept = Hold to accept
doubtful-reject = Reject
doubtful-accepted = Accepted: the account is charged what the table says.
doubtful-rejected = Rejected: it leaves no charge.
doubt-key_reused = The number was used before
doubt-twin = One medium, two gates at once
doubt-at = Another time than its tap
doubt-direction = Another direction than its tap
doubt-medium = Another medium than its tap
doubt-record = A second record of one tap
doubt-too_old = Older than what is kept
doubt-ahead = Its time lies ahead
doubt-currency = Another currency
doubt-unknown_medium = Nobody has this medium
doubt-text-key_reused = The gate gave this number to something else first, and that stands. Accept where both have happened (a gate that began its numbers again); reject an altered copy.
doubt-text-twin = Both gates opened within a moment; one fare is charged. Accept where two persons went through.
doubt-text-at = Accepted, the record takes the place of what the server had decided.
doubt-text-direction = Accepted, the record takes the place of what the server had decided.
doubt-text-medium = Accepted, the record takes the place of what the server had decided.
doubt-text-record = Accepted, it takes the place of the first.
doubt-text-too_old = It cannot be priced any more: correct the journey by hand and reject it.
doubt-text-ahead = Accepted, it counts at the time at which it came in.
doubt-text-currency = It cannot be charged to this account.
doubt-text-unknown_medium = Once the medium belongs to an account it can be accepted.
shown-open = opened
shown-deny = stayed shut
op-record-decide = decide a doubtful record
alarm-doubtful_many = Many doubtful records wait
event-doubtful-accepted = Accepted a doubtful record
event-doubtful-rejected = Rejected a doubtful record
passage-passed = went through
passage-not_passed = did not go through
passage-tailgate = somebody behind
passage-reverse = walked back
passage-intrusion = without a tap
