//! Why a console's command, subscription or request is refused: stable codes, the key of the sentence that a page shows,
//! parameters for it, and whether the same may be tried again.
use super::strict::BadArgs;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tongdao_domain::code::Code as GateCode;
use tongdao_domain::machine::{Refusal, RefusalCode};

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// A stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Code { $($(#[doc = $doc])* #[serde(rename = $name)] $variant,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The code on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

codes! {
    /// A field is missing, makes no sense, or is unknown; `params.field` names it.
    BadArgs = "BAD_ARGS",
    /// There is no such operation.
    UnknownOp = "UNKNOWN_OP",
    /// There is no such thing, or it is out of scope.
    NotFound = "NOT_FOUND",
    /// The role does not allow it.
    Forbidden = "FORBIDDEN",
    /// The state does not allow it now.
    WrongState = "WRONG_STATE",
    /// What was changed is newer than what was shown.
    StaleRev = "STALE_REV",
    /// A second person must let it through; `params.approval` names what they approve.
    NeedsApproval = "NEEDS_APPROVAL",
    /// The customer has not consented.
    NeedsConsent = "NEEDS_CONSENT",
    /// The customer's identity is not verified.
    NotVerified = "NOT_VERIFIED",
    /// Nothing is recorded.
    NotRecording = "NOT_RECORDING",
    /// Somebody else has the counter.
    CounterTaken = "COUNTER_TAKEN",
    /// The queue is closed.
    QueueClosed = "QUEUE_CLOSED",
    /// The quote is too old.
    QuoteExpired = "QUOTE_EXPIRED",
    /// The quota is used up.
    QuotaExceeded = "QUOTA_EXCEEDED",
    /// Nothing left to pay out.
    NoStock = "NO_STOCK",
    /// The token was used before.
    TokenUsed = "TOKEN_USED",
    /// No robot is free.
    NoRobot = "NO_ROBOT",
    /// No agent is free.
    NoAgent = "NO_AGENT",
    /// A system of record has not answered; it will be asked again.
    UpstreamUnknown = "UPSTREAM_UNKNOWN",
    /// Its time was over; it was not done.
    Expired = "EXPIRED",
    /// Overloaded, or out of disk.
    Busy = "BUSY",
    /// The command id was used with another meaning.
    KeyReused = "KEY_REUSED",
    /// What is there says otherwise.
    Contradicts = "CONTRADICTS",
    /// It belongs to somebody else.
    Taken = "TAKEN",
    /// Not signed in, or no longer.
    Unauthenticated = "UNAUTHENTICATED",
    /// The user or the password is wrong (not told apart).
    BadCredentials = "BAD_CREDENTIALS",
    /// The page is locked: the password unlocks it.
    Locked = "LOCKED",
    /// The page's origin is not allowed.
    BadOrigin = "BAD_ORIGIN",
    /// Too many in too short a time; `params.retry_ms` says when again.
    TooMany = "TOO_MANY",
    /// A fault of the server; the log has it.
    Internal = "INTERNAL",
}

impl Code {
    /// The key of the sentence in the pages' language files: `error-bad-args`.
    #[must_use]
    pub fn message_key(self) -> String {
        format!("error-{}", self.name().to_ascii_lowercase().replace('_', "-"))
    }
    /// May the same command with the same id be tried again?
    #[must_use]
    pub const fn retry(self) -> bool {
        matches!(self, Self::Busy | Self::UpstreamUnknown | Self::TooMany | Self::Unauthenticated | Self::Locked)
    }
    /// The HTTP status of a problem with this code.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::BadArgs | Self::UnknownOp => 400,
            Self::Unauthenticated | Self::BadCredentials => 401,
            Self::Forbidden | Self::BadOrigin => 403,
            Self::NotFound => 404,
            Self::StaleRev => 412,
            Self::Locked => 423,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Busy => 503,
            Self::Expired => 504,
            _ => 409,
        }
    }
}

impl From<RefusalCode> for Code {
    fn from(code: RefusalCode) -> Self {
        match code {
            RefusalCode::BadArgs => Self::BadArgs,
            RefusalCode::NotFound => Self::NotFound,
            RefusalCode::WrongState => Self::WrongState,
            RefusalCode::KeyReused => Self::KeyReused,
            RefusalCode::Contradicts => Self::Contradicts,
            RefusalCode::Taken => Self::Taken,
            RefusalCode::Busy => Self::Busy,
            RefusalCode::Forbidden => Self::Forbidden,
            RefusalCode::StaleRev => Self::StaleRev,
        }
    }
}

/// A refusal on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// Why.
    pub code: Code,
    /// Key of the sentence that a page shows.
    pub message_key: String,
    /// What the sentence mentions: `field`, `approval`, `hint`, `retry_ms` ….
    pub params: Map<String, Value>,
    /// May the same command with the same id be tried again?
    pub retry: bool,
}

impl ErrorBody {
    /// A refusal without parameters.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self { code, message_key: code.message_key(), params: Map::new(), retry: code.retry() }
    }
    /// The same with one parameter more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }
    /// A second person must let it through.
    #[must_use]
    pub fn needs_approval(approval: &str) -> Self {
        Self::new(Code::NeedsApproval).with("approval", approval)
    }
}

impl From<Code> for ErrorBody {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}
impl From<&Refusal> for ErrorBody {
    fn from(refusal: &Refusal) -> Self {
        let error = Self::new(refusal.code.into()).with("hint", refusal.hint.as_str());
        // A machine names the argument that it cannot take before a colon.
        let word = |field: &&str| !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        match refusal.hint.split_once(": ").map(|(field, _)| field).filter(word) {
            Some(field) if error.code == Code::BadArgs => error.with("field", field),
            _ => error,
        }
    }
}
impl From<&BadArgs> for ErrorBody {
    fn from(bad: &BadArgs) -> Self {
        let error = Self::new(Code::BadArgs).with("field", bad.field.as_str()).with("problem", bad.problem.name());
        bad.problem.expected().into_iter().fold(error, |error, expected| error.with("expected", expected))
    }
}

/// A problem of RFC 9457, as HTTP answers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// `urn:tongdao:code:{code}`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code and what goes with it.
    #[serde(flatten)]
    pub error: ErrorBody,
}

impl From<ErrorBody> for Problem {
    fn from(error: ErrorBody) -> Self {
        let name = error.code.name();
        let title = name.to_ascii_lowercase().replace('_', " ");
        Self { kind: format!("urn:tongdao:code:{name}"), title, status: error.code.status(), error }
    }
}

/// The gate's codes as a page lists them: name and number.
#[must_use]
pub fn gate_codes() -> Value {
    let codes = GateCode::ALL.iter().map(|code| (code.name().to_owned(), json!(code.number())));
    Value::Object(codes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_stable_and_each_is_there_once() {
        let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).expect("JSON"), code.name());
            assert!((400..=504).contains(&code.status()));
        }
        assert_eq!(Code::NeedsApproval.message_key(), "error-needs-approval");
    }

    #[test]
    fn a_refusal_says_where_and_what_helps() {
        let error = ErrorBody::from(&BadArgs::bad("scope.sites[0]", "an id"));
        assert_eq!(
            serde_json::to_value(&error).expect("JSON"),
            json!({"code": "BAD_ARGS", "message_key": "error-bad-args", "retry": false,
                "params": {"field": "scope.sites[0]", "problem": "bad", "expected": "an id"}})
        );
        let refusal = Refusal { code: RefusalCode::Busy, hint: "the lane is full".into() };
        let error = ErrorBody::from(&refusal);
        assert_eq!((error.code, error.retry, &error.params["hint"]), (Code::Busy, true, &json!("the lane is full")));
        let refusal = Refusal { code: RefusalCode::BadArgs, hint: "until: in the future".into() };
        assert_eq!(ErrorBody::from(&refusal).params["field"], "until");
        assert_eq!(ErrorBody::needs_approval("ap1").params["approval"], "ap1");
    }

    #[test]
    fn a_problem_carries_the_same_code() {
        let problem = serde_json::to_value(Problem::from(ErrorBody::new(Code::TooMany).with("retry_ms", 500))).expect("JSON");
        assert_eq!((&problem["type"], &problem["status"]), (&json!("urn:tongdao:code:TOO_MANY"), &json!(429)));
        assert_eq!((&problem["code"], &problem["params"]["retry_ms"]), (&json!("TOO_MANY"), &json!(500)));
    }

    #[test]
    fn gate_codes_have_their_numbers() {
        assert_eq!(gate_codes()["KEY_REUSED"], 53);
    }
}
