//! The config: every limit and time-out of the process is a named setting with its unit in its name.
//!
//! Order, the later wins: the defaults below, the file, the environment (`TONGDAO__SECTION__KEY`), the command line. An
//! unknown key is an error that names key, file and fix.
mod alarms;
mod deny;

use crate::exit::{CONFIG, Failure};
pub use alarms::Alarms;
pub use deny::Deny;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use tongdao_protocol::money::Amount;

/// A start reads the front log into memory.
const FRONT_MIB_MAX: u64 = 1024;
/// A cell is a thread; more than this is a mistake.
const CELLS_MAX: usize = 256;

/// The whole config.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder of the journal and the admin socket.
    pub data_dir: PathBuf,
    /// Site files; a relative path is looked up beside the config file, then in the working folder.
    pub sites: Vec<PathBuf>,
    /// Where the process listens.
    pub listen: Listen,
    /// TLS for `listen.mqtts`.
    pub tls: Tls,
    /// Limits of `listen.http`.
    pub http: Http,
    /// Threads and queues.
    pub cells: Cells,
    /// The journal.
    pub journal: Journal,
    /// Windows and limits of gates.
    pub gate: Gate,
    /// Windows of travel accounts.
    pub account: Account,
    /// The deny list.
    pub deny: Deny,
    /// Alarms.
    pub alarms: Alarms,
    /// What needs a second person.
    pub approvals: Approvals,
    /// Staff: sessions, sign-in, sockets.
    pub console: Console,
    /// The virtual gate's page.
    pub gate_page: crate::gate_page::GatePage,
    /// The process clock.
    pub clock: Clock,
    /// Limits of device connections.
    pub gateway: tongdao_device_gateway::config::GatewayConfig,
    /// The log.
    pub log: Log,
}

/// Where the process listens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// Devices in the clear; put it on a network of its own.
    pub mqtt: Option<SocketAddr>,
    /// Devices over TLS; needs `tls.cert` and `tls.key`.
    pub mqtts: Option<SocketAddr>,
    /// Consoles and their HTTP interface; health, metrics, version.
    pub http: Option<SocketAddr>,
}

/// Limits of `listen.http`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Connections that speak HTTP, at most; one more waits in the kernel. What was upgraded does not count here.
    pub connections_max: usize,
    /// From the connection, or the last answer, to the end of a request's headers.
    pub headers_ms: u64,
}

/// TLS for devices.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Certificate chain, PEM.
    pub cert: Option<PathBuf>,
    /// Private key, PEM.
    pub key: Option<PathBuf>,
}

/// Threads and queues.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cells {
    /// Cell threads; 0 = cores − 1, at least 1.
    pub count: usize,
    /// Commands a lane of a cell's door holds, at most.
    pub door_max: usize,
    /// Commands delivered to the entities of a cell and not yet answered, at most.
    pub in_flight_max: usize,
    /// Entities awake in a cell, at most; the longest idle go to sleep first.
    pub entities_awake_max: usize,
    /// An entity that nobody has asked for this long is put to sleep.
    pub passivate_after_s: u64,
    /// A changed entity's state is written within this.
    pub checkpoint_within_s: u64,
    /// Media whose owner a cell remembers, at most.
    pub owners_cached_max: usize,
    /// Test hook: every commit takes this much longer.
    pub commit_delay_us: u64,
}

/// The journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Journal {
    /// `embedded` (on this machine's disk) or `memory` (forgets everything at exit: tests and trials only).
    pub backend: Backend,
    /// Logical partitions; fixed when the journal is made.
    pub partitions: u16,
    /// Commits waiting for the writer, at most.
    pub queue_max: usize,
    /// Commits in one group (one fsync), at most.
    pub group_max: usize,
    /// Time between two groups at least, in microseconds; 0 = a group begins as soon as there is work.
    pub group_gap_us: u64,
    /// Share of the disk that must stay free, in per cent …
    pub reserve_percent: u8,
    /// … and at least this much, in MiB; below it commits are refused, above twice as much they resume.
    pub reserve_mib_min: u64,
    /// Commits of a segment: one to three of them are replayed at a start.
    pub segment_commits_max: usize,
    /// Each of the two files of the front log, in MiB.
    pub front_mib: u64,
    /// Memory for cached blocks, in MiB.
    pub cache_mib: u64,
    /// An answer is kept under its command id for this long.
    pub answers_kept_h: i64,
}

/// Backends of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// On this machine's disk.
    Embedded,
    /// Nowhere: forgets everything at exit.
    Memory,
}

/// Windows and limits of gates.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// The same medium again at a gate within this gets the same answer; 0 = off.
    pub retap_window_ms: i64,
    /// Authorised riders not yet passed, at most; 0 = off.
    pub riders_max: u32,
    /// An authorised rider who has not passed after this is no longer waited for.
    pub no_passage_ms: i64,
    /// A gate's clock off by more than this is warned of.
    pub clock_warn_ms: i64,
    /// A gate's clock off by more than this: its taps are refused.
    pub clock_refuse_ms: i64,
    /// What is owed and unanswered is sent again after this.
    pub owed_again_ms: i64,
    /// Records in one batch, at most.
    pub records_per_batch_max: usize,
}

/// Windows of travel accounts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
    /// A pending posting older than this reads as provisional.
    pub provisional_after_s: i64,
    /// A journey without exit is closed this long after its business day has ended.
    pub missing_exit_after_h: i64,
    /// An account keeps its taps this long, by time of travel.
    pub taps_kept_d: i64,
}

/// What needs a second person.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Approvals {
    /// A waiver or adjustment at the service desk above this amount.
    pub waive_above: Amount,
    /// A command waits this long for its second person.
    pub ttl_s: i64,
}

/// Staff: sessions, sign-in, sockets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Console {
    /// Origins whose pages may act with a session cookie, exactly as a browser sends them, such as `https://tongdao.bank.example`;
    /// none = this server on `localhost` and under the address it listens on.
    pub origins: Vec<String>,
    /// A session ends after this.
    pub session_s: u64,
    /// A page that nobody uses for this long is locked.
    pub idle_lock_s: u64,
    /// Sessions of one user, at most; one more ends the oldest.
    pub sessions_per_user_max: usize,
    /// Tickets for sockets that are good at one time, at most.
    pub tickets_max: usize,
    /// A ticket is good for this long.
    pub ticket_s: u64,
    /// A token of a program is good for so many days, at most.
    pub token_days_max: u32,
    /// Tries to sign in or to unlock, of one user from one address, in the long run and at once.
    pub sign_ins_per_minute_user: u32,
    /// The same of one user from all addresses together from which they have not signed in since the start: strangers who try
    /// a person's name do not shut that person out.
    pub sign_ins_per_minute_user_elsewhere: u32,
    /// The same of all users from one address.
    pub sign_ins_per_minute_address: u32,
    /// Addresses of proxies before this server: what they say in `X-Forwarded-For` is the address that counts. Nobody else's
    /// word is taken.
    pub trusted_proxies: Vec<IpAddr>,
    /// Refused tries that the audit takes in a minute.
    pub refusals_noted_per_minute: u32,
    /// The deadline that most gates have, marked where times are shown.
    pub deadline_ms: u32,
    /// Events that one `audit.search` looks at, at most; the answer says where to go on.
    pub audit_events_max: usize,
    /// One `audit.verify` stops after this; the answer says where to go on.
    pub audit_verify_ms_max: u64,
    /// Answers that are kept for commands that are sent again, at most; older ones are judged by the journal.
    pub answers_kept_max: usize,
    /// Events that a channel keeps for consoles that come back, at most …
    pub recent_events_max: usize,
    /// … and bytes of their frames, at most.
    pub recent_bytes_max: usize,
    /// Sockets.
    pub socket: crate::console::limits::SocketLimits,
}

/// The process clock.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clock {
    /// The time at start (RFC 3339), for tests and replays; never behind the journal. The clock runs at real speed.
    pub start: Option<String>,
}

/// The log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// What is logged, such as `info` or `info,tongdao_journal=debug`.
    pub filter: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

/// Formats of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            sites: Vec::new(),
            listen: Listen::default(),
            tls: Tls::default(),
            http: Http::default(),
            cells: Cells::default(),
            journal: Journal::default(),
            gate: Gate::default(),
            account: Account::default(),
            deny: Deny::default(),
            alarms: Alarms::default(),
            approvals: Approvals::default(),
            console: Console::default(),
            gate_page: crate::gate_page::GatePage::default(),
            clock: Clock::default(),
            gateway: tongdao_device_gateway::config::GatewayConfig::default(),
            log: Log::default(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        let loopback = |port| Some(SocketAddr::from(([127, 0, 0, 1], port)));
        Self { mqtt: loopback(1883), mqtts: None, http: loopback(8080) }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { connections_max: 8192, headers_ms: 30_000 }
    }
}

impl Default for Cells {
    fn default() -> Self {
        Self {
            count: 0,
            door_max: 4096,
            in_flight_max: 4096,
            entities_awake_max: 200_000,
            passivate_after_s: 60,
            checkpoint_within_s: 60,
            owners_cached_max: 1_000_000,
            commit_delay_us: 0,
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            backend: Backend::Embedded,
            partitions: 64,
            queue_max: 8192,
            group_max: 1024,
            group_gap_us: 0,
            reserve_percent: 5,
            reserve_mib_min: 16,
            segment_commits_max: 262_144,
            front_mib: 16,
            cache_mib: 64,
            answers_kept_h: 48,
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            retap_window_ms: 3000,
            riders_max: 3,
            no_passage_ms: 8000,
            clock_warn_ms: 2000,
            clock_refuse_ms: 60_000,
            owed_again_ms: 5000,
            records_per_batch_max: 150,
        }
    }
}

impl Default for Account {
    fn default() -> Self {
        Self { provisional_after_s: 60, missing_exit_after_h: 4, taps_kept_d: 8 }
    }
}

impl Default for Approvals {
    fn default() -> Self {
        Self { waive_above: Amount(tongdao_domain::money::Amount::from_fen(5000)), ttl_s: 600 }
    }
}

impl Default for Console {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            session_s: 12 * 3600,
            idle_lock_s: 15 * 60,
            sessions_per_user_max: 16,
            tickets_max: 10_000,
            ticket_s: 30,
            token_days_max: 366,
            sign_ins_per_minute_user: 10,
            sign_ins_per_minute_user_elsewhere: 60,
            sign_ins_per_minute_address: 120,
            trusted_proxies: Vec::new(),
            refusals_noted_per_minute: 60,
            deadline_ms: 250,
            audit_events_max: 50_000,
            audit_verify_ms_max: 20_000,
            answers_kept_max: 4096,
            recent_events_max: 1024,
            recent_bytes_max: 1024 * 1024,
            socket: crate::console::limits::SocketLimits::default(),
        }
    }
}

impl Console {
    /// The limits of sessions.
    pub fn sessions(&self) -> crate::console::session::SessionLimits {
        let seconds = |n: u64| tongdao_domain::time::Millis::seconds(i64::try_from(n).unwrap_or(i64::MAX / 1000));
        crate::console::session::SessionLimits {
            length: seconds(self.session_s),
            idle: seconds(self.idle_lock_s),
            per_user_max: self.sessions_per_user_max,
            ticket: seconds(self.ticket_s),
            tickets_max: self.tickets_max,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".into(), format: LogFormat::Text }
    }
}

impl Config {
    /// Reads file and environment over the defaults.
    ///
    /// # Errors
    /// Exit 78, naming key, place and what is wanted.
    pub fn load(file: Option<&Path>, data_dir: Option<&Path>) -> Result<Self, Failure> {
        let mut sources = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(Failure::new(CONFIG, format!("config file {}: not there or no file", file.display())));
            }
            sources = sources.merge(Toml::file_exact(file));
        }
        let mut config: Self = sources.merge(Env::prefixed("TONGDAO__").split("__")).extract().map_err(|fault| explain(&fault))?;
        if let Some(dir) = data_dir {
            config.data_dir = dir.to_owned();
        }
        let beside = file.and_then(Path::parent).unwrap_or(Path::new("."));
        for site in &mut config.sites {
            let near = beside.join(&*site);
            if site.is_relative() && near.is_file() {
                *site = near;
            }
        }
        config.check()?;
        Ok(config)
    }

    /// What boards are made with.
    pub fn boards(&self) -> crate::boards::Settings {
        crate::boards::Settings {
            offline_after: tongdao_domain::time::Millis(self.alarms.offline_after_ms),
            deadline_ms: self.console.deadline_ms,
            doubtful_alarm_above: self.alarms.doubtful_above,
        }
    }

    /// The gateway's settings with where it listens.
    pub fn gateway(&self) -> tongdao_device_gateway::config::GatewayConfig {
        tongdao_device_gateway::config::GatewayConfig {
            mqtt: self.listen.mqtt,
            mqtts: self.listen.mqtts,
            tls_certificate: self.tls.cert.clone(),
            tls_key: self.tls.key.clone(),
            lists_url: self.deny.url.clone(),
            ..self.gateway.clone()
        }
    }

    /// What no type can say.
    fn check(&self) -> Result<(), Failure> {
        let wrong = |key: &str, what: &str| Err(Failure::new(CONFIG, format!("config key `{key}`: {what}")));
        if self.listen.mqtts.is_some() && (self.tls.cert.is_none() || self.tls.key.is_none()) {
            return wrong("listen.mqtts", "needs `tls.cert` and `tls.key`, or leave it out");
        }
        let positive: [(&str, i64); 27] = [
            ("gate_page.lease_s", self.gate_page.lease_s.into()),
            ("http.connections_max", self.http.connections_max.try_into().unwrap_or(i64::MAX)),
            ("http.headers_ms", self.http.headers_ms.try_into().unwrap_or(i64::MAX)),
            ("cells.door_max", self.cells.door_max.try_into().unwrap_or(i64::MAX)),
            ("cells.in_flight_max", self.cells.in_flight_max.try_into().unwrap_or(i64::MAX)),
            ("cells.passivate_after_s", self.cells.passivate_after_s.try_into().unwrap_or(i64::MAX)),
            ("journal.partitions", i64::from(self.journal.partitions)),
            ("journal.queue_max", self.journal.queue_max.try_into().unwrap_or(i64::MAX)),
            ("journal.group_max", self.journal.group_max.try_into().unwrap_or(i64::MAX)),
            ("journal.front_mib", self.journal.front_mib.try_into().unwrap_or(i64::MAX)),
            ("journal.answers_kept_h", self.journal.answers_kept_h),
            ("gate.clock_refuse_ms", self.gate.clock_refuse_ms),
            ("gate.owed_again_ms", self.gate.owed_again_ms),
            ("gate.records_per_batch_max", self.gate.records_per_batch_max.try_into().unwrap_or(i64::MAX)),
            ("account.taps_kept_d", self.account.taps_kept_d),
            ("alarms.snooze_max_h", self.alarms.snooze_max_h),
            ("alarms.offline_after_ms", self.alarms.offline_after_ms + 1),
            ("approvals.ttl_s", self.approvals.ttl_s),
            ("console.session_s", self.console.session_s.try_into().unwrap_or(i64::MAX)),
            ("console.idle_lock_s", self.console.idle_lock_s.try_into().unwrap_or(i64::MAX)),
            ("console.ticket_s", self.console.ticket_s.try_into().unwrap_or(i64::MAX)),
            ("console.sign_ins_per_minute_user", self.console.sign_ins_per_minute_user.into()),
            ("console.sign_ins_per_minute_user_elsewhere", self.console.sign_ins_per_minute_user_elsewhere.into()),
            ("console.sign_ins_per_minute_address", self.console.sign_ins_per_minute_address.into()),
            ("console.audit_events_max", self.console.audit_events_max.try_into().unwrap_or(i64::MAX)),
            ("console.audit_verify_ms_max", self.console.audit_verify_ms_max.try_into().unwrap_or(i64::MAX)),
            ("console.answers_kept_max", self.console.answers_kept_max.try_into().unwrap_or(i64::MAX)),
        ];
        if let Some((key, _)) = positive.iter().chain(&self.console.socket.positive()).find(|(_, value)| *value <= 0) {
            return wrong(key, "must be more than 0");
        }
        if let Some((key, what)) = self.deny.wrong() {
            return wrong(key, what);
        }
        if self.gate.retap_window_ms < 0 || self.gate.no_passage_ms < 0 {
            return wrong("gate.retap_window_ms", "and `gate.no_passage_ms` must not be negative (0 = off)");
        }
        if self.cells.count > CELLS_MAX {
            return wrong("cells.count", "must lie between 0 and 256; a cell is a thread");
        }
        if self.journal.reserve_percent > 50 {
            return wrong("journal.reserve_percent", "must lie between 0 and 50");
        }
        if self.journal.front_mib > FRONT_MIB_MAX {
            return wrong("journal.front_mib", "must lie between 1 and 1024; a start reads all of it");
        }
        Ok(())
    }

    /// The effective config as TOML; there are no secrets in it, only paths to them.
    ///
    /// # Errors
    /// Exit 70 where it cannot be written as TOML.
    pub fn print(&self) -> Result<String, Failure> {
        toml::to_string_pretty(self).map_err(|fault| Failure::caused(crate::exit::SOFTWARE, &fault))
    }
}

/// Names key, place and fix of a config error.
fn explain(fault: &figment::Error) -> Failure {
    let key = fault.path.join(".");
    let place = fault
        .metadata
        .as_ref()
        .map_or_else(String::new, |m| m.source.as_ref().map_or_else(|| format!(" in {}", m.name), |source| format!(" in {source}")));
    let named = if key.is_empty() { String::new() } else { format!(" key `{key}`") };
    Failure::new(CONFIG, format!("config{named}{place}: {}", fault.kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, Failure> {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("t.toml");
        std::fs::write(&file, text).expect("written");
        Config::load(Some(&file), None)
    }

    #[test]
    fn the_defaults_are_valid_and_print() {
        let printed = Config::default().print().expect("TOML");
        assert!(printed.contains("retap_window_ms = 3000"), "{printed}");
        assert!(load(&printed).is_ok(), "what is printed can be read again");
    }

    #[test]
    fn the_default_file_says_what_the_defaults_are() {
        let read = load(include_str!("../config/default.toml")).expect("config/default.toml");
        let printed = |config: &Config| config.print().expect("TOML");
        let sites_aside = Config { sites: Vec::new(), ..read };
        assert_eq!(printed(&sites_aside), printed(&Config::default()));
        assert!(load(include_str!("../config/production.toml")).is_ok_and(|production| production.listen.mqtts.is_some()));
    }

    #[test]
    fn an_unknown_key_is_named() {
        let fault = load("[gate]\nretap_window = 3\n").expect_err("unknown");
        assert_eq!(fault.code, CONFIG);
        assert!(fault.message.contains("retap_window") && fault.message.contains("t.toml"), "{}", fault.message);
    }

    #[test]
    fn a_wrong_type_is_named_with_its_place() {
        let fault = load("[listen]\nmqtt = \"nowhere\"\n").expect_err("no address");
        assert!(fault.message.contains("listen.mqtt"), "{}", fault.message);
    }

    #[test]
    fn tls_needs_its_files() {
        let fault = load("[listen]\nmqtts = \"127.0.0.1:8883\"\n").expect_err("no certificate");
        assert!(fault.message.contains("tls.cert"), "{}", fault.message);
    }

    #[test]
    fn limits_of_zero_are_refused_where_they_mean_nothing() {
        assert!(load("[journal]\nqueue_max = 0\n").expect_err("0").message.contains("journal.queue_max"));
        assert!(load("[gate]\nriders_max = 0\nretap_window_ms = 0\n").is_ok(), "0 = off");
    }
}
