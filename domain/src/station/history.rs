//! The mode history of a station and what is read from it: every fare decision looks at the history at the time of the
//! tap, not at the present mode.
use super::{GateMode, LastChange, Mode, ModeSpan, Service, Station};
use crate::id::{CommandId, StationId};
use crate::time::Timestamp;
use compact_str::CompactString;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Normal service.
pub static NO_MODES: BTreeSet<Mode> = BTreeSet::new();
/// What is left of an emergency once the modes beside it have reached their end.
static ONLY_EMERGENCY: LazyLock<BTreeSet<Mode>> = LazyLock::new(|| BTreeSet::from([Mode::Emergency]));

/// The modes without those that end by themselves: an emergency is left only by its release.
pub(super) fn lasting(modes: &BTreeSet<Mode>) -> &BTreeSet<Mode> {
    if modes.contains(&Mode::Emergency) { &ONLY_EMERGENCY } else { &NO_MODES }
}

impl Station {
    /// Is it in emergency now?
    #[must_use]
    pub fn in_emergency(&self) -> bool {
        self.modes.contains(&Mode::Emergency)
    }

    /// The modes at a moment. Modes that end by themselves have ended at their moment, told or not.
    #[must_use]
    pub fn modes_at(&self, at: Timestamp) -> &BTreeSet<Mode> {
        let begun = self.history.partition_point(|span| span.from <= at);
        let Some(span) = begun.checked_sub(1).and_then(|index| self.history.get(index)) else { return &NO_MODES };
        if span.until.is_some_and(|until| until <= at) { lasting(&span.modes) } else { &span.modes }
    }

    /// Was it in emergency at any moment from `from` to `to`, both included?
    #[must_use]
    pub fn emergency_between(&self, from: Timestamp, to: Timestamp) -> bool {
        let ends = self.history.iter().skip(1).map(|span| Some(span.from)).chain([None]);
        self.history
            .iter()
            .zip(ends)
            .any(|(span, end)| span.modes.contains(&Mode::Emergency) && span.from <= to && end.is_none_or(|end| end > from))
    }

    /// Begins a span at `span.from`: what the history said of that moment and later is replaced, what ended before
    /// `kept_from` is dropped.
    pub(super) fn begin_span(&mut self, span: ModeSpan, kept_from: Timestamp) {
        self.history.truncate(self.history.partition_point(|old| old.from < span.from));
        self.history.push(span);
        let ended = self.history.partition_point(|old| old.from <= kept_from).saturating_sub(1);
        self.history.drain(..ended);
    }
}

impl GateMode {
    /// What the station `name` tells a gate that is set to `service`: in an emergency every gate opens.
    #[must_use]
    pub fn of(name: &StationId, station: &Station, service: Service) -> Self {
        let change = station.last_change.as_ref();
        let by = change.and_then(|change| change.by.as_ref());
        Self {
            id: change.map_or_else(|| CommandId::of(format_args!("mode/{name}/0")), |change| change.id.clone()),
            rev: station.rev,
            service: if station.in_emergency() { Service::Open } else { service },
            modes: station.modes.clone(),
            issued_by: by.map_or_else(|| CompactString::const_new("station"), |by| CompactString::new(by.user.as_str())),
            reason: by.map_or_else(|| station.own_reason(change), |by| by.reason.clone()),
            from: change.map_or(Timestamp::default(), |change| change.from),
            until: station.until,
        }
    }
}

impl Station {
    /// Why its mode is what it is, where no person set it.
    fn own_reason(&self, change: Option<&LastChange>) -> CompactString {
        let alarm = self.alarms.iter().find(|alarm| alarm.kind.opens_the_gates());
        match (alarm, change) {
            (Some(alarm), _) if self.in_emergency() => CompactString::new(format!("{} at {}", alarm.kind.name(), alarm.device)),
            (None, _) if self.in_emergency() => CompactString::const_new("alarm"),
            (_, Some(_)) => CompactString::const_new("end reached"),
            (_, None) => CompactString::const_new("normal service"),
        }
    }
}
