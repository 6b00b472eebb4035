//! `station.mode`, `station.release`, `gate.service`.
use super::{Answer, Channel, Job, done, refused};
use std::collections::BTreeSet;
use tongdao_domain::id::StationId;
use tongdao_domain::machine::Reply;
use tongdao_domain::station::{Command, Mode};
use tongdao_protocol::console::codes::Code;
use tongdao_protocol::console::op::{GateServiceArgs, StationModeArgs, StationReleaseArgs};
use tongdao_protocol::console::result::Changed;
use tongdao_protocol::console::strict::BadArgs;

impl Job<'_> {
    pub(super) async fn station_mode(&self, args: &StationModeArgs) -> Answer {
        let modes: BTreeSet<Mode> = args.modes.iter().map(|mode| (*mode).into()).collect();
        let command = if modes.contains(&Mode::Emergency) {
            Command::Emergency { by: self.by.clone() }
        } else {
            Command::SetModes { modes, until: args.until.map(|until| until.0), by: self.by.clone() }
        };
        self.change(&args.station, command).await
    }

    pub(super) async fn station_release(&self, args: &StationReleaseArgs) -> Answer {
        let command = Command::Release { by: self.by.clone(), approved_by: self.approved_by.clone() };
        self.change(&args.station, command).await
    }

    pub(super) async fn gate_service(&self, args: &GateServiceArgs) -> Answer {
        let gates = &self.console.backend().world.gates;
        let stations: BTreeSet<Option<&StationId>> =
            args.devices.iter().map(|device| gates.get(device).map(|gate| &gate.station)).collect();
        let mut stations = stations.into_iter();
        match (stations.next(), stations.next()) {
            (Some(Some(station)), None) => {
                let (devices, service) = (args.devices.clone(), args.service.into());
                self.change(&station.clone(), Command::GateService { devices, service, by: self.by.clone() }).await
            }
            (Some(Some(_)), Some(_)) => Err((&BadArgs::bad("devices", "gates of one station")).into()),
            _ => Err(refused(Code::NotFound, "a gate stands in no station")),
        }
    }

    async fn change(&self, station: &StationId, command: Command) -> Answer {
        match self.ask(station.into(), command).await? {
            Reply::Mode { id, rev, of } => done(&Changed { id: id.to_string(), of, rev }, Some(Channel::Gates(station.clone()))),
            _ => done(&serde_json::json!({}), Some(Channel::Gates(station.clone()))),
        }
    }
}
