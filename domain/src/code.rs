//! The outcome codes of a gate decision: stable strings for machines, numbers for displays.
use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $number:literal, $zh:literal, $en:literal;)*) => {
        /// The outcome of a tap or the refusal of a command.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code { $($(#[$doc])* #[serde(rename = $name)] $variant,)* }

        impl Code {
            /// Every code there is, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The stable name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),* } }
            /// The number that displays show.
            #[must_use]
            pub const fn number(self) -> u16 { match self { $(Self::$variant => $number),* } }
            /// What the rider reads, in Chinese.
            #[must_use]
            pub const fn message_zh(self) -> &'static str { match self { $(Self::$variant => $zh),* } }
            /// What the rider reads, in English.
            #[must_use]
            pub const fn message_en(self) -> &'static str { match self { $(Self::$variant => $en),* } }
        }
    };
}

codes! {
    /// The gate opens.
    Ok = "OK", 0, "请通行", "Please go through";
    /// The medium stands on the deny list (黑名单).
    DenyListed = "DENY_LISTED", 10, "此介质已被停用，请到客服中心", "This medium is blocked, please see the service desk";
    /// The QR code or the medium is too old.
    MediumExpired = "MEDIUM_EXPIRED", 11, "二维码已过期，请刷新", "Code expired, please refresh it";
    /// The QR code's signature does not verify.
    BadSignature = "BAD_SIGNATURE", 12, "二维码无效", "Code not valid";
    /// A hard wallet's counter went backwards.
    CounterRegress = "COUNTER_REGRESS", 13, "钱包状态异常，请到客服中心", "Wallet needs a check, please see the service desk";
    /// The account is frozen.
    Frozen = "FROZEN", 14, "账户已冻结，请到客服中心", "Account frozen, please see the service desk";
    /// Nobody knows this medium.
    UnknownMedium = "UNKNOWN_MEDIUM", 15, "未识别的介质", "Unknown medium";
    /// An entry while a journey is open.
    AlreadyIn = "ALREADY_IN", 20, "已有进站记录，请到客服中心", "Already entered, please see the service desk";
    /// An exit without an entry.
    NoEntry = "NO_ENTRY", 21, "无进站记录，请到客服中心", "No entry on record, please see the service desk";
    /// The stay was longer than the table allows.
    Overstay = "OVERSTAY", 22, "停留超时，请到客服中心补票", "Stayed too long, please see the service desk";
    /// Entry and exit at one station, where the table refuses it.
    SameStation = "SAME_STATION", 23, "同站进出，请到客服中心", "Same station in and out, please see the service desk";
    /// Less available than the fare.
    Insufficient = "INSUFFICIENT", 30, "余额不足，请充值", "Not enough balance, please top up";
    /// Above the wallet's limit for one payment.
    LimitSingle = "LIMIT_SINGLE", 31, "超出单笔限额", "Above the limit for one payment";
    /// Above the wallet's limit for a day.
    LimitDay = "LIMIT_DAY", 32, "超出当日限额", "Above the limit for today";
    /// Above the wallet's limit for a year.
    LimitYear = "LIMIT_YEAR", 33, "超出年度限额", "Above the limit for this year";
    /// The station takes no entries.
    StationClosed = "STATION_CLOSED", 40, "本站已关闭", "Station closed";
    /// The gate serves the other direction.
    WrongDirection = "WRONG_DIRECTION", 41, "通行方向不符", "Wrong direction, please use another gate";
    /// The gate takes no taps now.
    NotInService = "NOT_IN_SERVICE", 42, "暂停服务", "Gate not in service";
    /// Too many authorised riders have not passed yet.
    AisleFull = "AISLE_FULL", 43, "请等待前面乘客通过", "Please wait for the rider ahead";
    /// The deadline of the tap has passed; not an outcome.
    Expired = "EXPIRED", 50, "请重新刷一次", "Please tap again";
    /// Overloaded; not an outcome.
    Busy = "BUSY", 51, "系统繁忙，请再刷一次", "Busy, please tap again";
    /// The gate stands in no station.
    UnknownDevice = "UNKNOWN_DEVICE", 52, "设备未登记", "Gate not registered";
    /// The id was used with another meaning, or its answer is no longer kept.
    KeyReused = "KEY_REUSED", 53, "请重新刷一次", "Please tap again";
    /// Open because of the station's mode.
    WaivedByMode = "WAIVED_BY_MODE", 60, "免费放行", "Free to pass";
}

impl Code {
    /// Does the gate open with this code?
    #[must_use]
    pub const fn opens(self) -> bool {
        matches!(self, Self::Ok | Self::WaivedByMode)
    }
    /// Is it an outcome, kept as an answer for 48 h? `BUSY` and `EXPIRED` are not.
    #[must_use]
    pub const fn is_outcome(self) -> bool {
        !matches!(self, Self::Busy | Self::Expired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_unique() {
        let mut names: Vec<_> = Code::ALL.iter().map(|c| c.name()).collect();
        let mut numbers: Vec<_> = Code::ALL.iter().map(|c| c.number()).collect();
        names.sort_unstable();
        names.dedup();
        assert!(numbers.is_sorted());
        numbers.dedup();
        assert_eq!((names.len(), numbers.len()), (Code::ALL.len(), Code::ALL.len()));
    }

    #[test]
    fn only_two_codes_open_a_gate() {
        assert_eq!(Code::ALL.iter().filter(|c| c.opens()).count(), 2);
    }
}
