// The words of the wire as the pages see them. Generated from the server's own types; do not edit:
// TONGDAO_BLESS=1 cargo test -p tongdao-protocol
// Moments are RFC 3339 in UTC; durations carry their unit in the name; money is decimal text with its currency.

/** `ack`: the answer to a command. */
export interface Ack {
  /** The effect is visible in this channel … */
  ch?: string;
  /** Why it is refused. */
  error?: ErrorBody;
  /** The console's own id. */
  id: FrameId;
  /** Done? */
  ok: boolean;
  /** What it answers. */
  result?: any;
  /** … at this position. */
  seq?: number;
}

export type AdjustKind = "add_entry" | "add_exit" | "overstay" | "waive";

/** `journey.adjust`: what was charged. */
export interface Adjusted {
  /** The amount; 0 where nothing was. */
  fare: Money;
}

/** `alarm.ack`, `alarm.clear`. */
export interface AlarmArgs {
  /** The alarm, `{code}.{source}`. */
  id: Name;
  /** A note. */
  note?: Note;
}

export type AlarmCode = "gates_offline" | "gate_fault" | "emergency_button" | "fire" | "intrusion" | "door" | "tamper" | "journal_reserve" | "clock_step" | "quarantine" | "doubtful_many";

/** Alarms that are not over. */
export interface AlarmCounts {
  /** Somebody knows, or has put them off. */
  acked: number;
  /** Nobody has taken them. */
  raised: number;
}

/** An event of `alarms`. */
export type AlarmEvent = AlarmItem & { k: "alarm" };

/** An alarm. */
export interface AlarmItem {
  /** Its name, `{code}.{source}`. */
  alarm: string;
  /** When it last changed. */
  changed_at: Time;
  /** Can a person end it? */
  clearable: boolean;
  /** What is wrong. */
  code: AlarmCode;
  /** How often it was told since it began. */
  count: number;
  /** Devices that the cause is there at. */
  devices: string[];
  /** Who has taken it. */
  owner?: string;
  /** Its revision, for `if_rev`. */
  rev: number;
  /** How bad. */
  severity: Severity;
  /** When it began. */
  since: Time;
  /** The site it belongs to. */
  site?: string;
  /** Until when it is put off. */
  snoozed_until?: Time;
  /** Where: a station, a device or `node`. */
  source: string;
  /** Where it stands. */
  state: AlarmState;
  /** The station it belongs to. */
  station?: string;
}

/** The snapshot of a list. */
export interface AlarmItemList {
  /** When it was taken. */
  at: Time;
  /** Newest first. */
  items: AlarmItem[];
  /** The position it stands at. */
  rev: number;
}

/** A page of a list, in the order of the items' ids: at most `limit` of them (100 where none is given, 500 at most). Where many are not for the caller a page may be short, or empty, and still have a `next`. */
export interface AlarmItemPage {
  /** What is on it. */
  items: AlarmItem[];
  /** The id that the next page begins behind; null = no more. */
  next: string | null;
}

/** `alarm.snooze`: put an alarm off. */
export interface AlarmSnoozeArgs {
  /** The alarm, `{code}.{source}`. */
  id: Name;
  /** A note. */
  note?: Note;
  /** Until when. */
  until: Time;
}

export type AlarmState = "raised" | "acked" | "snoozed" | "cleared";

export type Amount = string;

/** `approval.approve`, `approval.reject`. */
export interface ApprovalArgs {
  /** The digest of the command that was seen. */
  digest: Digest;
  /** The approval. */
  id: Id;
  /** A note. */
  note?: Note;
}

/** An event of `approvals`. */
export type ApprovalEvent = ApprovalItem & { k: "approval" };

/** A command that waits for a second person, or waited. */
export interface ApprovalItem {
  /** Its id. */
  approval: string;
  /** Its arguments. */
  args: any;
  /** When. */
  asked_at: Time;
  /** Who asks. */
  by: string;
  /** When it was decided, or expired. */
  decided_at?: Time;
  /** Who decided. */
  decided_by?: string;
  /** SHA-256 over both: what an approver sends back. */
  digest: string;
  /** Nobody can approve it from this moment on. */
  expires_at: Time;
  /** What the decider noted. */
  note?: string;
  /** The operation. */
  op: string;
  /** Why it is asked for. */
  reason: string;
  /** The code of the refusal that the command met when it was run. */
  refused?: string;
  /** Where it stands. */
  state: ApprovalState;
  /** The station it concerns. */
  station?: string;
}

/** The snapshot of a list. */
export interface ApprovalItemList {
  /** When it was taken. */
  at: Time;
  /** Newest first. */
  items: ApprovalItem[];
  /** The position it stands at. */
  rev: number;
}

/** A page of a list, in the order of the items' ids: at most `limit` of them (100 where none is given, 500 at most). Where many are not for the caller a page may be short, or empty, and still have a `next`. */
export interface ApprovalItemPage {
  /** What is on it. */
  items: ApprovalItem[];
  /** The id that the next page begins behind; null = no more. */
  next: string | null;
}

export type ApprovalState = "pending" | "approved" | "rejected" | "expired" | "done";

/** An event of `audit`. */
export type AuditEvent = AuditItem & { k: "audit" };

/** Something that a person did or saw, or faults of the outside world that were counted. */
export interface AuditItem {
  /** When it was committed. */
  at: Time;
  /** Who; absent for counted faults. */
  by?: string;
  /** The command that caused it. */
  command_id?: string;
  /** What else is to be known, such as `count 3`. */
  detail?: string;
  /** Its place in the journal: `{partition}/{seq}`. */
  id: string;
  /** What: the event's name (`station.modes_set`) or the noted operation (`session.login`). */
  op: string;
  /** The reason given. */
  reason?: string;
  /** The site it concerns. */
  site?: string;
  /** The station it concerns. */
  station?: string;
  /** Whom or what it concerns: `station/tianfu`. */
  target: string;
}

/** The snapshot of a list. */
export interface AuditItemList {
  /** When it was taken. */
  at: Time;
  /** Newest first. */
  items: AuditItem[];
  /** The position it stands at. */
  rev: number;
}

/** A page of a list, in the order of the items' ids: at most `limit` of them (100 where none is given, 500 at most). Where many are not for the caller a page may be short, or empty, and still have a `next`. */
export interface AuditItemPage {
  /** What is on it. */
  items: AuditItem[];
  /** The id that the next page begins behind; null = no more. */
  next: string | null;
}

export type AuditOnly = "people" | "faults";

/** `audit.search`: newest first. A page may have nothing on it and still have a `next`: so much was looked at and nothing found. */
export interface AuditPage {
  /** What was found. */
  items: AuditItem[];
  /** Where to go on; null = the whole time was searched. */
  next: string | null;
}

/** `audit.search`: who did what, newest first. */
export interface AuditSearchArgs {
  /** Only this user. */
  by?: Id;
  /** Goes on where an earlier answer ended (its `next`). */
  cursor?: Path;
  /** From this moment on. */
  from: Time;
  /** Only what people did, or only faults that were counted. */
  only?: AuditOnly;
  /** Only operations that begin with this. */
  op?: Id;
  /** Up to this moment, exclusive. */
  to: Time;
}

/** `audit.verify`: check the hash chain of what was committed in this time. */
export interface AuditVerifyArgs {
  /** From this moment on. */
  from: Time;
  /** Up to this moment, exclusive. */
  to: Time;
}

/** `batch`: several frames at once, in order. */
export interface Batch {
  /** Whole frames. */
  items: any[];
}

/** `beat`: the server is alive; the position of each subscribed channel shows what was missed. */
export interface Beat {
  /** The server's clock. */
  now: Time;
  /** Channel → position. */
  positions: Record<string, number>;
}

/** `GET /api/v1/boards/{channel}`. */
export interface BoardAnswer {
  /** The board instance that `seq` counts in. */
  epoch: string;
  /** The position of the snapshot. */
  seq: number;
  /** The state; begins `{rev, at}`. */
  snapshot: any;
}

export type By = "server" | "gate";

/** `bye`: the server closes the connection. */
export interface Bye {
  /** The close code that follows. */
  code: number;
  /** Why. */
  reason: string;
  /** Connect again after this; absent where that is of no use. */
  retry_ms?: number;
}

/** A change of modes or services and how far it has come. */
export interface Change {
  /** How many have acknowledged it. */
  acked: number;
  /** Who set it; `station` where an alarm or a deadline did. */
  by: string;
  /** Since when it counts. */
  from: Time;
  /** Its id. */
  id: string;
  /** Which have not. */
  missing: string[];
  /** How many gates it concerns. */
  of: number;
  /** Why. */
  reason: string;
  /** Its revision. */
  rev: number;
  /** How long it took until all had acknowledged, in milliseconds. */
  took_ms?: number;
}

/** `station.mode`, `station.release`, `gate.service`: which change, and how many gates will acknowledge it. */
export interface Changed {
  /** Id of the change. */
  id: string;
  /** How many gates it concerns. */
  of: number;
  /** Its revision. */
  rev: number;
}

/** `beat`: the console is alive; `active` says that a person used it since the last one. */
export interface ClientBeat {
  /** Somebody is there. */
  active?: boolean;
}

/** `cmd`: a command. */
export interface Cmd {
  /** Its arguments. */
  args: Json;
  /** The key of idempotence: the same again gets the same answer. */
  command_id: Path;
  /** The console's own id for the answer, which echoes it. */
  id: FrameId;
  /** The revision that was shown; refused with `STALE_REV` where there is a newer one. */
  if_rev?: number;
  /** The operation. */
  op: Id;
  /** W3C trace context. */
  traceparent?: Text;
  /** Not to be done after this many milliseconds. */
  ttl_ms: number;
}

export type Code = string;

/** A stable code. */
export type Code2 = "BAD_ARGS" | "UNKNOWN_OP" | "NOT_FOUND" | "FORBIDDEN" | "WRONG_STATE" | "STALE_REV" | "NEEDS_APPROVAL" | "NEEDS_CONSENT" | "NOT_VERIFIED" | "NOT_RECORDING" | "COUNTER_TAKEN" | "QUEUE_CLOSED" | "QUOTE_EXPIRED" | "QUOTA_EXCEEDED" | "NO_STOCK" | "TOKEN_USED" | "NO_ROBOT" | "NO_AGENT" | "UPSTREAM_UNKNOWN" | "EXPIRED" | "BUSY" | "KEY_REUSED" | "CONTRADICTS" | "TAKEN" | "UNAUTHENTICATED" | "BAD_CREDENTIALS" | "LOCKED" | "BAD_ORIGIN" | "TOO_MANY" | "INTERNAL";

/** The body of `POST /api/v1/commands`: the same door as `cmd`. */
export interface CommandBody {
  /** Its arguments. */
  args: Json;
  /** The key of idempotence. */
  command_id: Path;
  /** The revision that was shown. */
  if_rev?: number;
  /** The operation. */
  op: Id;
  /** Not to be done after this many milliseconds. */
  ttl_ms: number;
}

/** What one connection may use. */
export interface ConnectionLimits {
  /** Commands a second. */
  commands_per_s: number;
  /** Longest message of the console, in bytes. */
  message_bytes: number;
  /** Subscriptions at one time. */
  subscriptions: number;
}

export type Currency = "CNY" | "GBP" | "USD";

/** Money of the business day. */
export interface DayMoney {
  /** `YYYY-MM-DD`; it switches at 02:00. */
  business_day: string;
  /** Journeys that ended. */
  journeys: number;
  /** What was charged. */
  posted: Money;
}

/** What a device should be. */
export interface Desired {
  /** Revision of the mode it should obey. */
  mode: number;
  /** The station's modes. */
  modes: StationMode[];
  /** What it should do. */
  service?: Service;
}

/** `device.add`: register a device; answers its secret once. */
export interface DeviceAddArgs {
  /** The device. */
  device: Id;
  /** Its kind. */
  kind: DeviceKind;
  /** Why. */
  reason?: Reason;
  /** Its site. */
  site: Id;
}

/** `device.rotate` (answers the new secret once), `device.revoke`. */
export interface DeviceArgs {
  /** The device. */
  device: Id;
  /** Why. */
  reason?: Reason;
}

/** `device.command`: tell a device to do something. */
export interface DeviceCommandArgs {
  /** Its arguments, an object. */
  args?: Json;
  /** What. */
  command: OrderWord;
  /** The device. */
  device: Id;
  /** Why. */
  reason?: Reason;
  /** Not to be done after this many milliseconds. */
  ttl_ms: number;
}

/** An event of the channel. */
export type DeviceEvent = { desired: Desired; faults: string[]; firmware?: string; k: "twin"; link: Link; online: boolean; orders_rev: number; reported?: Reported; rev: number; revoked: boolean; service?: string } | OrderItem & { k: "command" } | { item: HistoryItem; k: "history" };

/** A device as `GET /api/v1/devices` shows it. */
export interface DeviceItem {
  /** When it was registered (again). */
  added_at: Time;
  /** What it should do; absent where it is no gate. */
  desired?: Service;
  /** The device. */
  device: string;
  /** Codes of its faults. */
  faults: string[];
  /** Its firmware. */
  firmware?: string;
  /** What it is. */
  kind: DeviceKind;
  /** When something was last heard of it. */
  last_seen?: Time;
  /** Has it a link? */
  link: Link;
  /** Revision of the mode that it obeys; 0 = none yet. */
  mode: number;
  /** Orders that it has not acknowledged. */
  orders_open: number;
  /** Revision of this entry, for `if_rev`. */
  rev: number;
  /** Let in no more. */
  revoked: boolean;
  /** What it does, in its own words; absent = it never said anything. */
  service?: string;
  /** Its site. */
  site: string;
  /** Its station; null where it stands in none. */
  station: string | null;
  /** Versions of what it holds. */
  versions: Record<string, string>;
}

/** A page of a list, in the order of the items' ids: at most `limit` of them (100 where none is given, 500 at most). Where many are not for the caller a page may be short, or empty, and still have a `next`. */
export interface DeviceItemPage {
  /** What is on it. */
  items: DeviceItem[];
  /** The id that the next page begins behind; null = no more. */
  next: string | null;
}

export type DeviceKind = "gate" | "kiosk" | "robot" | "display";

/** The snapshot. */
export interface DeviceSnapshot {
  /** When it was taken. */
  at: Time;
  /** Orders that wait and the last few that ended, newest first. */
  commands: OrderItem[];
  /** What it should be. */
  desired: Desired;
  /** The device. */
  device: string;
  /** Codes of its faults. */
  faults: string[];
  /** Its firmware. */
  firmware?: string;
  /** What happened to it, newest first, at most 100. */
  history: HistoryItem[];
  /** What it is. */
  kind: DeviceKind;
  /** Its last tap. */
  last?: LastTap;
  /** When something was last heard of it. */
  last_seen?: Time;
  /** The same, with "never seen". */
  link: Link;
  /** Has it a link? */
  online: boolean;
  /** Revision of its orders, for `if_rev` of `device.command`. */
  orders_rev: number;
  /** What it says it is; absent = it never said anything. */
  reported?: Reported;
  /** Revision of its entry in the registry, for `if_rev` of `device.rotate` and `device.revoke`. */
  rev: number;
  /** Let in no more. */
  revoked: boolean;
  /** What it does, in its own words. */
  service?: string;
  /** Its site. */
  site: string;
  /** Its station, where it stands in one. */
  station?: string;
}

export type Digest = string;

export type Direction = "entry" | "exit";

/** One doubtful record with what its medium's account says, as `GET /api/v1/doubtful/{id}` shows it. */
export interface DoubtfulEvidence {
  /** The account of its medium; absent where none has it. */
  account?: string;
  /** Our clock minus the gate's, in milliseconds, as it was known when the record came. */
  clock_ms: number;
  /** Is the gate's clock so wrong that its time was put right? */
  corrected: boolean;
  /** When it was decided. */
  decided_at?: Time;
  /** Who decided. */
  decided_by?: string;
  /** The gate. */
  device: string;
  /** Why it is doubtful: `key_reused twin at direction medium record too_old ahead currency unknown_medium`; more may come. */
  doubt: string;
  /** The gate's boot. */
  epoch: number;
  /** What the gate had said first under this number, as far as it was at hand. */
  first?: Record;
  /** The same tap as the account has it; absent where it has none. */
  known?: FoundTap;
  /** The account's other taps around that time, by time of travel. */
  near: FoundTap[];
  /** When the desk heard of it. */
  opened_at: Time;
  /** Another tap that it collides with, as `device/epoch/seq`. */
  other?: string;
  /** When the account had it. */
  posted_at?: Time;
  /** Why. */
  reason?: string;
  /** When the record came. */
  received_at: Time;
  /** Its name: `{device}.{epoch}.{seq}`, and of an altered copy the hash of its meaning. */
  record: string;
  /** Why the account gave it back after it was accepted; it is open again. */
  returned?: string;
  /** What the gate said. */
  said: Record;
  /** `open accepted rejected`. */
  state: string;
  /** The gate's station. */
  station: string;
  /** When the rider was there, by what is known of the gate's clock; so it counts when it is accepted. */
  travelled_at: Time;
}

/** A doubtful record as `GET /api/v1/doubtful` lists it. */
export interface DoubtfulItem {
  /** Our clock minus the gate's, in milliseconds, as it was known when the record came. */
  clock_ms: number;
  /** Is the gate's clock so wrong that its time was put right? */
  corrected: boolean;
  /** When it was decided. */
  decided_at?: Time;
  /** Who decided. */
  decided_by?: string;
  /** The gate. */
  device: string;
  /** Why it is doubtful: `key_reused twin at direction medium record too_old ahead currency unknown_medium`; more may come. */
  doubt: string;
  /** The gate's boot. */
  epoch: number;
  /** What the gate had said first under this number, as far as it was at hand. */
  first?: Record;
  /** When the desk heard of it. */
  opened_at: Time;
  /** Another tap that it collides with, as `device/epoch/seq`. */
  other?: string;
  /** When the account had it. */
  posted_at?: Time;
  /** Why. */
  reason?: string;
  /** When the record came. */
  received_at: Time;
  /** Its name: `{device}.{epoch}.{seq}`, and of an altered copy the hash of its meaning. */
  record: string;
  /** Why the account gave it back after it was accepted; it is open again. */
  returned?: string;
  /** What the gate said. */
  said: Record;
  /** `open accepted rejected`. */
  state: string;
  /** The gate's station. */
  station: string;
  /** When the rider was there, by what is known of the gate's clock; so it counts when it is accepted. */
  travelled_at: Time;
}

/** A page of a list, in the order of the items' ids: at most `limit` of them (100 where none is given, 500 at most). Where many are not for the caller a page may be short, or empty, and still have a `next`. */
export interface DoubtfulItemPage {
  /** What is on it. */
  items: DoubtfulItem[];
  /** The id that the next page begins behind; null = no more. */
  next: string | null;
}

/** A refusal on the wire. */
export interface ErrorBody {
  /** Why. */
  code: Code2;
  /** Key of the sentence that a page shows. */
  message_key: string;
  /** What the sentence mentions: `field`, `approval`, `hint`, `retry_ms` …. */
  params: Record<string, any>;
  /** May the same command with the same id be tried again? */
  retry: boolean;
}

/** `error`: a frame that asks for no answer of its own was understood, and nothing came of it. */
export interface ErrorFrame {
  /** The channel that it named. */
  ch?: string;
  /** Why nothing came of it. */
  error: ErrorBody;
  /** The word in `t` of what was sent. */
  of: string;
}

/** `event`: something has happened; `seq` is exactly 1 more than the last one of the channel. */
export interface EventFrame {
  /** When it was committed. */
  at: Time;
  /** The command that caused it. */
  cause?: string;
  /** The channel. */
  ch: string;
  /** What: `{k: "…", …}`. */
  d: any;
  /** Its position. */
  seq: number;
}

/** What changes each second; state lane `figures`. */
export interface Figures {
  /** Alarms that are not over. */
  alarms: AlarmCounts;
  /** Gates with a link. */
  gates: Online;
  /** Decisions of the last minute by time. */
  latency: Latency;
  /** Money of the business day. */
  money: DayMoney;
  /** Half of the decisions of the last minute were faster, in milliseconds; null where there were none. */
  p50_ms: number | null;
  /** 99 of 100 were; null where there were none. */
  p99_ms: number | null;
  /** Refusals of the last minute by code. */
  refusals: Record<string, number>;
  /** Taps a second. */
  taps_s: number;
}

/** `medium.find`: the account of a medium, in plain words. */
export interface Found {
  /** The account. */
  account: string;
  /** Prepaid balance; negative = debt. */
  balance: Money;
  /** Wallet class, `1` to `4`. */
  class: string;
  /** Held for the open journey. */
  held: Money;
  /** The journey that the rider is in. */
  journey?: FoundJourney;
  /** Journeys, newest first. */
  journeys: FoundJourney[];
  /** Passenger class. */
  passenger_class: string;
  /** Postings, newest first. */
  postings: FoundPosting[];
  /** `open` or `frozen`. */
  state: string;
  /** Taps that are kept, newest first. */
  taps: FoundTap[];
}

/** A journey of a found medium. */
export interface FoundJourney {
  /** Where it began. */
  entry?: Stop;
  /** Where it ended. */
  exit?: Stop;
  /** What it cost. */
  fare?: Money;
  /** Its reference. */
  id: string;
  /** What its price comes from; absent while it is open. */
  rule?: FoundRule;
  /** `open`, `closed`, `missing_exit`, `missing_entry`, `overstay`, `adjusted`, `waived` …. */
  state: string;
}

/** A posting of a found medium's account. */
export interface FoundPosting {
  /** How much; negative = charged. */
  amount: Money;
  /** When. */
  at: Time;
  /** The command that caused it. */
  command_id: string;
  /** Its reference. */
  ref: string;
  /** `pending`, `final`, `provisional` or `void`. */
  state: string;
}

/** What the price of a journey comes from. */
export interface FoundRule {
  /** The cap, by its name in the table. */
  cap?: string;
  /** `ladder`, `flat`, `zones` or `matrix` (the published fare, by that kind of table), `same_station`, `same_station_refused`, `overstay`, `transfer`, `cap`, `missing_exit`, `missing_entry` or `waived`. */
  kind: string;
  /** Since when the version of it counts that was used. */
  since?: Time;
  /** The fare table. */
  table?: string;
}

/** A tap of a found medium. */
export interface FoundTap {
  /** When, by the gate's clock. */
  at: Time;
  /** The gate's code, where it is known. */
  code?: string;
  /** The gate. */
  device: string;
  /** Which way. */
  direction: Direction;
  /** What was charged. */
  fare?: Money;
  /** `{device}/{epoch}/{seq}`. */
  id: string;
  /** What the rider did, as far as is known. */
  passage?: string;
  /** What it was told. */
  result: Shown;
  /** Its station. */
  station?: string;
}

/** A console's own id of a frame: a text or a number; the answer echoes it as it came. */
export type FrameId = number | Id;

/** A gate. */
export interface GateRow {
  /** The gate. */
  device: string;
  /** Codes of its faults. */
  faults: string[];
  /** Its last tap. */
  last_tap_at?: Time;
  /** Has it a link? */
  link: Link;
  /** Version of its deny list; 0 = none yet. */
  list_version: number;
  /** The revision of the mode that it obeys; 0 = none yet. */
  mode: number;
  /** What it does. */
  service: Service;
}

/** `gate.service`: set what gates do. */
export interface GateServiceArgs {
  /** The gates; all stand in one station. */
  devices: Id[];
  /** Why. */
  reason: Reason;
  /** What they do. */
  service: Service;
}

/** An event of the channel. */
export type GatesEvent = TapItem & { k: "tap" } | ModeChange & { k: "mode" } | ModeAck & { k: "mode_ack" } | GateRow & { k: "gate" } | { k: "list"; list_version: number } | { doubtful: number; k: "doubtful" };

/** The snapshot. */
export interface GatesSnapshot {
  /** When it was taken. */
  at: Time;
  /** The newest change of modes or services. */
  change?: Change;
  /** Records that are in doubt. */
  doubtful: number;
  /** Its gates, in the order of the site file. */
  gates: GateRow[];
  /** Opens by gate and second. */
  heat: Heat;
  /** The newest version of the deny list; 0 = none yet. A gate whose `list_version` is another is behind. */
  list_version: number;
  /** Its modes; none = normal service. */
  modes: StationMode[];
  /** Its name. */
  name: Record<string, string>;
  /** The position it stands at. */
  rev: number;
  /** The station. */
  station: string;
  /** The newest taps, at most 50, newest first. */
  taps: TapItem[];
  /** Until when they count. */
  until?: Time;
}

/** Opens by gate and second. */
export interface Heat {
  /** Gates, in the order of the columns. */
  of: string[];
  /** A row a second, at most 120, oldest first: opens by gate. */
  rows: number[][];
  /** Seconds between two rows. */
  step_s: number;
  /** The second of the first row. */
  t0: Time;
}

/** `hello`: the first frame of a connection. */
export interface Hello {
  /** The connection. */
  conn: string;
  /** A `beat` comes at least this often. */
  heartbeat_ms: number;
  /** What this connection may use. */
  limits: ConnectionLimits;
  /** The node. */
  node: string;
  /** The server's clock. */
  now: Time;
  /** What they may do. */
  roles: Role[];
  /** Where. */
  scope: Scope;
  /** Who is signed in. */
  user: string;
}

/** A password on its way in: never printed, never written. */
export type Hidden = Text;

/** Something that happened to a device. */
export interface HistoryItem {
  /** When. */
  at: Time;
  /** What goes with it: a code, a service, who did it. */
  detail?: string;
  /** `online`, `offline`, `state`, `fault`, `alarm`, `mode`, `command`, `added`, `rotated` or `revoked`. */
  k: string;
}

export type Id = string;

/** `journey.adjust`: correct a journey at the service desk. */
export interface JourneyAdjustArgs {
  /** The account. */
  account: Id;
  /** When the rider was there; now where not given. */
  at?: Time;
  /** What is corrected. */
  kind: AdjustKind;
  /** Why. */
  reason: Reason;
  /** Where the rider was, or is. */
  station: Id;
}

/** Any JSON. */
export type Json = any;

/** The last tap of a gate. */
export interface LastTap {
  /** When. */
  at: Time;
  /** The gate's code. */
  code: string;
  /** Which way. */
  direction: Direction;
  /** What it was told. */
  result: Shown;
}

/** A histogram of decisions by time. */
export interface Latency {
  /** Upper bounds of the buckets in milliseconds; the last bucket has none. */
  bounds_ms: number[];
  /** One count more than there are bounds. */
  counts: number[];
}

/** Has a device a link? */
export type Link = "unknown" | "online" | "offline";

/** What a gate did in a second. */
export interface Load {
  /** Taps that did not. */
  deny: number;
  /** Taps that opened it. */
  open: number;
}

/** `lock`: after a while without a person the page is locked; nothing is shown or sent until the password unlocks it. */
export interface Lock {
  /** Locked? */
  on: boolean;
}

/** `POST /api/v1/login`. */
export interface LoginBody {
  /** Password. */
  password: Hidden;
  /** User id. */
  user: Id;
}

/** `GET /api/v1/me`; also the answer to a sign-in. */
export interface Me {
  /** The server runs a demo: what a page says about it. */
  demo?: any;
  /** The language they chose. */
  locale?: string;
  /** The page is locked: the password unlocks it. */
  locked: boolean;
  /** What they may do. */
  roles: Role[];
  /** Where. */
  scope: Scope;
  /** Who is signed in. */
  user: string;
}

/** A medium as the gate read it. */
export interface Medium {
  /** A hard wallet's counter. */
  counter?: number;
  /** What was presented. */
  kind: MediumKind;
  /** A medium's signature. */
  signature?: Code;
  /** The imported `medium_token`; for `qr` the whole code, whose part before the first dot is the medium. */
  token: Code;
}

/** `medium.find`: what a medium's account, taps and journeys are. */
export interface MediumFindArgs {
  /** The medium's token, or the whole QR code. */
  token: Code;
}

export type MediumKind = "qr" | "face" | "ecny" | "ecny_hard" | "bank" | "card";

/** `medium.unfreeze`: take the taps of the medium's account again. */
export interface MediumUnfreezeArgs {
  /** Why. */
  reason?: Reason;
  /** The medium's token. */
  token: Id;
}

/** A gate has acknowledged the change. */
export interface ModeAck {
  /** How many have acknowledged it by now. */
  acked: number;
  /** The gate. */
  device: string;
  /** Id of the change. */
  id: string;
  /** How many there are. */
  of: number;
  /** Its revision. */
  rev: number;
  /** How long it took until all had, in milliseconds; absent while some are missing. */
  took_ms?: number;
}

/** Modes or services were set. */
export interface ModeChange {
  /** The change. */
  change: Change;
  /** The modes from now on. */
  modes: StationMode[];
  /** Until when. */
  until?: Time;
}

/** An amount and its currency. */
export interface Money {
  /** Decimal with two places, as a string. */
  amount: Amount;
  /** ISO 4217 code. */
  currency: Currency;
}

export type Name = string;

export type Note = string;

/** An operation that has nothing to say beside "done". */
export type Nothing = Record<string, any>;

/** So many of so many. */
export interface Online {
  /** All. */
  of: number;
  /** With a link. */
  online: number;
}

/** An order. */
export interface OrderItem {
  /** Its arguments. */
  args?: any;
  /** Since when. */
  at: Time;
  /** Who gave it. */
  by?: string;
  /** What. */
  command: string;
  /** In the device's words. */
  detail?: string;
  /** Not to be done after this. */
  expires_at: Time;
  /** Its id. */
  id: string;
  /** Where it is in its life. */
  state: OrderState;
}

export type OrderState = "queued" | "sent" | "done" | "failed" | "expired";

export type OrderWord = "restart" | "maintain" | "resume" | "config" | "test_print";

/** `device.command`: the order's id; its life is shown by `device:{device}`. */
export interface Ordered {
  /** Id of the order. */
  id: string;
}

/** An event of the channel: what happens to stations as a whole. */
export type OverviewEvent = { by?: string; k: "mode"; modes: StationMode[]; station: string };

/** The snapshot. */
export interface OverviewSnapshot {
  /** Alarms that are not over. */
  alarms: AlarmCounts;
  /** When it was taken. */
  at: Time;
  /** A gate's deadline, for the histogram. */
  deadline_ms: number;
  /** Gates with a link. */
  gates: Online;
  /** Decisions of the last minute by time. */
  latency: Latency;
  /** Tracks, as pairs of stations. */
  links: [string, string][];
  /** Money of the business day. */
  money: DayMoney;
  /** Half of the decisions of the last minute were faster, in milliseconds; null where there were none. */
  p50_ms: number | null;
  /** 99 of 100 were; null where there were none. */
  p99_ms: number | null;
  /** Refusals of the last minute by code. */
  refusals: Record<string, number>;
  /** The remote centre. */
  remote: RemoteCounts;
  /** The position it stands at. */
  rev: number;
  /** The last minutes. */
  series: Series;
  /** Customers being served. */
  serving: number;
  /** Every station with its place on the map. */
  stations: StationRow[];
  /** Taps a second. */
  taps_s: number;
  /** Tickets waiting. */
  waiting: number;
}

/** `user.add`: the generated password, told this once. */
export interface Password {
  /** The password; null where the command was done before and nobody knows it any more: `tongdao user passwd` makes another. */
  password: string | null;
}

export type Path = string;

/** A problem of RFC 9457, as HTTP answers it. */
export interface Problem {
  /** Why. */
  code: Code2;
  /** Key of the sentence that a page shows. */
  message_key: string;
  /** What the sentence mentions: `field`, `approval`, `hint`, `retry_ms` …. */
  params: Record<string, any>;
  /** May the same command with the same id be tried again? */
  retry: boolean;
  /** The HTTP status. */
  status: number;
  /** The code in words. */
  title: string;
  /** `urn:tongdao:code:{code}`. */
  type: string;
}

export type Reason = string;

/** One line of the gate's own account of its taps. */
export interface Record {
  /** When, by the gate's clock. */
  at: Time;
  /** Who decided. */
  by: By;
  /** Which way. */
  direction: Direction;
  /** What was presented; null for an intrusion. */
  medium: Medium | null;
  /** `rev` of the mode that the gate obeyed; 0 = none yet. */
  mode: number;
  /** What the rider did. */
  passage: RecordPassage;
  /** The tap's sequence. */
  seq: number;
  /** What the gate did. */
  shown: Shown;
}

/** `record.decide`: accept or reject a doubtful record. */
export interface RecordDecideArgs {
  /** It is true: post it to its account. Otherwise it leaves no charge. */
  accept: boolean;
  /** Why. */
  reason: Reason;
  /** The doubtful record, by its name in the list. */
  record: Name;
}

export type RecordPassage = "passed" | "not_passed" | "tailgate" | "reverse" | "intrusion" | "none";

/** `relay` (both ways): handed on to the others of a channel, never stored. Over 64 KiB in parts. */
export interface Relay {
  /** The channel. */
  ch: Code;
  /** What. */
  d: Json;
  /** Who sent it; the server sets it. */
  from?: Id;
  /** How many parts there are. */
  of?: number;
  /** Number of this part, from 1. */
  part?: number;
  /** For whom alone. */
  to?: Id;
}

/** The remote centre. */
export interface RemoteCounts {
  /** With an agent. */
  active: number;
  /** Waiting for an agent. */
  waiting: number;
}

/** What a device says it is. */
export interface Reported {
  /** When it said so, by its own clock. */
  at: Time;
  /** Revision of the mode it obeys. */
  mode: number;
  /** What it does. */
  service: string;
  /** Versions of what it holds. */
  versions: Record<string, string>;
}

/** `rights`: roles or scope of the user have changed. Before it come the ends of the subscriptions that they no longer cover, and new snapshots of the lists of which they show other items. */
export interface Rights {
  /** What they may do now. */
  roles: Role[];
  /** Where. */
  scope: Scope;
}

export type Role = "teller" | "lobby" | "remote_agent" | "supervisor" | "gate_operator" | "settlement" | "technician" | "manager" | "inspector" | "auditor" | "admin";

/** Where a person's roles count: `"all"`, `{"sites":[…]}` or `{"stations":[…]}`. */
export type Scope = "all" | { sites: Id[] } | { stations: Id[] };

/** `device.add`, `device.rotate`: the secret, told this once. */
export interface Secret {
  /** The device's password; null where the command was done before and nobody knows it any more: rotate makes another. */
  secret: string | null;
}

/** The last minutes, one value a step. */
export interface Series {
  /** p99 in milliseconds, as many values; null where there was no tap. */
  p99: (number | null)[];
  /** Seconds between two values. */
  step_s: number;
  /** The moment of the first value. */
  t0: Time;
  /** Taps a second, at most 300 values. */
  taps: number[];
}

export type Service = "entry" | "exit" | "both" | "open" | "closed" | "paused" | "maintenance";

export type Severity = "warning" | "minor" | "major" | "critical";

export type Shown = "open" | "deny";

/** `state`: of these values only the newest counts; one may be left out. */
export interface StateFrame {
  /** The channel. */
  ch: string;
  /** The value. */
  d: any;
  /** Which value. */
  key: string;
}

/** What changes at a station; state lane `stations`. */
export interface StationFigures {
  /** Alarms that are not over. */
  alarms: number;
  /** Its modes; none = normal service. */
  modes: StationMode[];
  /** Gates. */
  of: number;
  /** Gates with a link. */
  online: number;
  /** Taps a second. */
  taps_s: number;
}

/** A station as `GET /api/v1/stations` shows it. */
export interface StationItem {
  /** Its gates, in the order of the site file. */
  gates: string[];
  /** Its modes; none = normal service. */
  modes: StationMode[];
  /** Its name by language. */
  name: Record<string, string>;
  /** Its revision. */
  rev: number;
  /** Its site. */
  site: string;
  /** The station. */
  station: string;
}

/** A page of a list, in the order of the items' ids: at most `limit` of them (100 where none is given, 500 at most). Where many are not for the caller a page may be short, or empty, and still have a `next`. */
export interface StationItemPage {
  /** What is on it. */
  items: StationItem[];
  /** The id that the next page begins behind; null = no more. */
  next: string | null;
}

export type StationMode = "closed" | "train_failure" | "time_waived" | "date_waived" | "fare_waived" | "order_waived" | "entry_waived" | "emergency";

/** `station.mode`: set the modes of a station; `[]` is normal service, `["emergency"]` opens all gates. */
export interface StationModeArgs {
  /** The modes; emergency stands alone. */
  modes: StationMode[];
  /** Why. */
  reason: Reason;
  /** The station. */
  station: Id;
  /** Until when; then normal service again. */
  until?: Time;
}

/** `station.release`: leave the emergency. */
export interface StationReleaseArgs {
  /** Why. */
  reason: Reason;
  /** The station. */
  station: Id;
}

/** A station on the map. */
export interface StationRow {
  /** Alarms that are not over. */
  alarms: number;
  /** The line it lies on. */
  line?: string;
  /** Its modes; none = normal service. */
  modes: StationMode[];
  /** Its name. */
  name: Record<string, string>;
  /** Gates. */
  of: number;
  /** Gates with a link. */
  online: number;
  /** The station. */
  station: string;
  /** Taps a second. */
  taps_s: number;
  /** Its place, 0 to 1 from the left. */
  x: number;
  /** Its place, 0 to 1 from the top. */
  y: number;
}

/** One end of a journey. */
export interface Stop {
  /** When. */
  at: Time;
  /** The station. */
  station: string;
}

/** `sub`: subscribe; with the last position that was seen, to go on from there. */
export interface Sub {
  /** The channel. */
  ch: Code;
  /** The board instance that `seq` counts in. */
  epoch?: Id;
  /** The console's own id for the answer, which echoes it. */
  id: FrameId;
  /** The last event that was seen. */
  seq?: number;
}

/** `sub`: the answer. It comes once more, unasked and with a snapshot, where other rights show other items of the channel: what was shown before is to be replaced. Either the events since the position that was named, or the state as it is now, or why not. */
export interface SubReply {
  /** The channel. */
  ch: string;
  /** The board instance that `seq` counts in. */
  epoch?: string;
  /** Why there is no subscription. */
  error?: ErrorBody;
  /** Those events, as whole `event` frames. */
  events?: any[];
  /** The console's own id. */
  id: FrameId;
  /** The events since the named position are here and none is missing. */
  recovered?: boolean;
  /** The position after `events` or `snapshot`: the next event is this plus 1. */
  seq?: number;
  /** The state at `seq`; begins `{rev, at}`. */
  snapshot?: any;
}

/** A tap. */
export interface TapItem {
  /** When it was committed. */
  at: Time;
  /** The gate's code. */
  code: string;
  /** The gate. */
  device: string;
  /** Which way. */
  direction: Direction;
  /** What it was told. */
  result: Shown;
}

export type Text = string;

/** RFC 3339; written in UTC with milliseconds, read with any offset */
export type Time = string;

/** `POST /api/v1/tokens`: a token of one's own. */
export interface TokenBody {
  /** How long it is good, in days. */
  days: number;
  /** What it is for; 1 to 64 characters. */
  name: Reason;
  /** What it may do of what its user may; absent = all of it. */
  roles?: Role[];
  /** Where, within its user's scope; absent = all of it. */
  scope?: Scope;
}

/** A token as `GET /api/v1/tokens` shows it. */
export interface TokenItem {
  /** From this moment on it is no good. */
  expires_at: Time;
  /** When it was made. */
  made_at: Time;
  /** What it is for. */
  name: string;
  /** What it may do of what its user may; absent = all of it. */
  roles?: Role[];
  /** Where, within its user's scope; absent = all of it. */
  scope?: Scope;
  /** What it is called: `USER~ID`, which is no secret. */
  token: string;
  /** When it was last used, to about the hour; absent = never. */
  used_at?: Time;
  /** Whose. */
  user: string;
}

/** A page of a list, in the order of the items' ids: at most `limit` of them (100 where none is given, 500 at most). Where many are not for the caller a page may be short, or empty, and still have a `next`. */
export interface TokenItemPage {
  /** What is on it. */
  items: TokenItem[];
  /** The id that the next page begins behind; null = no more. */
  next: string | null;
}

/** The answer to `POST /api/v1/tokens`. */
export interface TokenMade {
  /** From this moment on it is no good. */
  expires_at: Time;
  /** What it is called. */
  token: string;
  /** What its program says in `Authorization: Bearer …`; told once. */
  value: string;
}

/** `POST /api/v1/unlock`. */
export interface UnlockBody {
  /** Password. */
  password: Hidden;
}

/** `unsub`: nothing more of this channel. */
export interface Unsub {
  /** The channel. */
  ch: Code;
  /** The console's own id for the answer, which echoes it. */
  id: FrameId;
}

/** `unsub`: the subscription is over; without `id` the server ended it. */
export interface UnsubReply {
  /** The channel. */
  ch: string;
  /** Why the server ended it. */
  error?: ErrorBody;
  /** The console's own id. */
  id?: FrameId;
}

/** `user.disable`, `user.end_sessions`. */
export interface UserArgs {
  /** Why. */
  reason?: Reason;
  /** The user. */
  user: Id;
}

/** A user as `GET /api/v1/users` shows them. */
export interface UserItem {
  /** When they were added (again). */
  added_at: Time;
  /** Let in no more. */
  disabled: boolean;
  /** Revision, for `if_rev`. */
  rev: number;
  /** What they may do. */
  roles: Role[];
  /** Where. */
  scope: Scope;
  /** Sessions on this node. */
  sessions: number;
  /** Tokens of their programs that are good now. */
  tokens: number;
  /** User id. */
  user: string;
}

/** A page of a list, in the order of the items' ids: at most `limit` of them (100 where none is given, 500 at most). Where many are not for the caller a page may be short, or empty, and still have a `next`. */
export interface UserItemPage {
  /** What is on it. */
  items: UserItem[];
  /** The id that the next page begins behind; null = no more. */
  next: string | null;
}

/** `user.add` (answers the generated password once), `user.roles`. */
export interface UserRolesArgs {
  /** Why. */
  reason?: Reason;
  /** What they may do. */
  roles: Role[];
  /** Where. */
  scope: Scope;
  /** The user. */
  user: Id;
}

/** `audit.verify`. */
export interface Verified {
  /** The first fault: where it is and what it is. */
  fault?: string;
  /** Nothing was altered. */
  ok: boolean;
  /** Records that were read. */
  records: number;
  /** It stopped here, because one request reads only so much: ask again from this moment on. Absent = all was read. */
  upto?: Time;
}

/** `POST /api/v1/ws-tickets`: for the second value of `Sec-WebSocket-Protocol`; used once, soon. */
export interface WsTicket {
  /** Of no use after this. */
  expires_at: Time;
  /** The ticket. */
  ticket: string;
}

/** What a page sends. */
export type ClientFrame =
  | ({ t: "sub" } & Sub)
  | ({ t: "unsub" } & Unsub)
  | ({ t: "cmd" } & Cmd)
  | ({ t: "relay" } & Relay)
  | ({ t: "beat" } & ClientBeat);

/** What the server sends. */
export type ServerFrame =
  | ({ t: "hello" } & Hello)
  | ({ t: "sub" } & SubReply)
  | ({ t: "unsub" } & UnsubReply)
  | ({ t: "event" } & EventFrame)
  | ({ t: "state" } & StateFrame)
  | ({ t: "batch" } & Batch)
  | ({ t: "ack" } & Ack)
  | ({ t: "beat" } & Beat)
  | ({ t: "rights" } & Rights)
  | ({ t: "error" } & ErrorFrame)
  | ({ t: "lock" } & Lock)
  | ({ t: "bye" } & Bye)
  | ({ t: "relay" } & Relay);

/** Operations: what they take and what they answer. */
export interface Ops {
  /** Set the modes of a station. */
  "station.mode": { args: StationModeArgs; result: Changed };
  /** Leave an emergency; a second person lets it through. */
  "station.release": { args: StationReleaseArgs; result: Changed };
  /** Set what gates do. */
  "gate.service": { args: GateServiceArgs; result: Changed };
  /** Correct a journey at the service desk. */
  "journey.adjust": { args: JourneyAdjustArgs; result: Adjusted };
  /** Accept or reject a doubtful record. */
  "record.decide": { args: RecordDecideArgs; result: Nothing };
  /** Find a medium with its taps and journeys; each look is audited. */
  "medium.find": { args: MediumFindArgs; result: Found };
  /** Take the taps of a frozen account again. */
  "medium.unfreeze": { args: MediumUnfreezeArgs; result: Nothing };
  /** Tell a device to do something. */
  "device.command": { args: DeviceCommandArgs; result: Ordered };
  /** Register a device; answers its secret once. */
  "device.add": { args: DeviceAddArgs; result: Secret };
  /** Give a device another secret; answers it once. */
  "device.rotate": { args: DeviceArgs; result: Secret };
  /** Let a device in no more. */
  "device.revoke": { args: DeviceArgs; result: Nothing };
  /** Take an alarm. */
  "alarm.ack": { args: AlarmArgs; result: Nothing };
  /** Put an alarm off. */
  "alarm.snooze": { args: AlarmSnoozeArgs; result: Nothing };
  /** End an alarm that does not end by itself. */
  "alarm.clear": { args: AlarmArgs; result: Nothing };
  /** Let another person's command through. */
  "approval.approve": { args: ApprovalArgs; result: Nothing };
  /** Do not let it through, or take one's own back. */
  "approval.reject": { args: ApprovalArgs; result: Nothing };
  /** Let a person in; answers the generated password once. */
  "user.add": { args: UserRolesArgs; result: Password };
  /** Give a person other roles or another scope. */
  "user.roles": { args: UserRolesArgs; result: Nothing };
  /** Let a person in no more. */
  "user.disable": { args: UserArgs; result: Nothing };
  /** End a person's sessions. */
  "user.end_sessions": { args: UserArgs; result: Nothing };
  /** Who did what, newest first. */
  "audit.search": { args: AuditSearchArgs; result: AuditPage };
  /** Check the hash chain of a time. */
  "audit.verify": { args: AuditVerifyArgs; result: Verified };
}

/** Channels by kind: their snapshot, their events, their state lane. */
export interface Boards {
  /** Is the city well? `overview:all` for every site. */
  overview: { snapshot: OverviewSnapshot; event: OverviewEvent; state: { figures: Figures; stations: Record<string, StationFigures> } };
  /** A station's gates at work. */
  gates: { snapshot: GatesSnapshot; event: GatesEvent; state: { load: Record<string, Load> } };
  /** What a device should be and what it says it is. */
  device: { snapshot: DeviceSnapshot; event: DeviceEvent; state: {} };
  /** Alarms, the newest 200. */
  alarms: { snapshot: AlarmItemList; event: AlarmEvent; state: {} };
  /** Commands that wait for a second person, the newest 200. */
  approvals: { snapshot: ApprovalItemList; event: ApprovalEvent; state: {} };
  /** Who did what, the newest 200. */
  audit: { snapshot: AuditItemList; event: AuditEvent; state: {} };
}

/** The console's own codes; a gate's codes stand in `TapItem.code`. */
export type ErrorCode =
  | "BAD_ARGS"
  | "UNKNOWN_OP"
  | "NOT_FOUND"
  | "FORBIDDEN"
  | "WRONG_STATE"
  | "STALE_REV"
  | "NEEDS_APPROVAL"
  | "NEEDS_CONSENT"
  | "NOT_VERIFIED"
  | "NOT_RECORDING"
  | "COUNTER_TAKEN"
  | "QUEUE_CLOSED"
  | "QUOTE_EXPIRED"
  | "QUOTA_EXCEEDED"
  | "NO_STOCK"
  | "TOKEN_USED"
  | "NO_ROBOT"
  | "NO_AGENT"
  | "UPSTREAM_UNKNOWN"
  | "EXPIRED"
  | "BUSY"
  | "KEY_REUSED"
  | "CONTRADICTS"
  | "TAKEN"
  | "UNAUTHENTICATED"
  | "BAD_CREDENTIALS"
  | "LOCKED"
  | "BAD_ORIGIN"
  | "TOO_MANY"
  | "INTERNAL";
