//! WebSocket close codes: 4000–4499 means come back, 4500–4999 means do not.

/// Why a server closes a console's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Close {
    /// The node takes nothing new: connect again, to another.
    Drain = 4001,
    /// The session is over: sign in, then connect.
    SessionExpired = 4003,
    /// The reader is too slow.
    Slow = 4008,
    /// Subscribe again from the last position.
    Resync = 4010,
    /// The ticket is unknown, used or too old.
    BadTicket = 4500,
    /// A frame that nobody understands.
    BadFrame = 4501,
    /// Another connection took this one's place.
    TakenOver = 4503,
    /// Too many connections, subscriptions or messages.
    TooMany = 4504,
}

impl Close {
    /// Every code.
    pub const ALL: &'static [Self] =
        &[Self::Drain, Self::SessionExpired, Self::Slow, Self::Resync, Self::BadTicket, Self::BadFrame, Self::TakenOver, Self::TooMany];
    /// The number in the close frame.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }
    /// The reason in the close frame and in `bye`.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::SessionExpired => "session_expired",
            Self::Slow => "slow",
            Self::Resync => "resync",
            Self::BadTicket => "bad_ticket",
            Self::BadFrame => "bad_frame",
            Self::TakenOver => "taken_over",
            Self::TooMany => "too_many",
        }
    }
    /// Is it of use to connect again?
    #[must_use]
    pub const fn come_back(self) -> bool {
        self.code() < 4500
    }
    /// The one with this number.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|close| close.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_says_whether_to_come_back() {
        for close in Close::ALL {
            assert_eq!(Close::from_code(close.code()), Some(*close));
            assert_eq!(close.come_back(), (4000..4500).contains(&close.code()));
        }
        assert_eq!((Close::Slow.code(), Close::from_code(4002)), (4008, None));
    }
}
