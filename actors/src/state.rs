//! The confirmed state of any entity, as a query sees it.
use serde::Serialize;
use tongdao_domain::account::Account;
use tongdao_domain::alarm::Alarm;
use tongdao_domain::approval::Approval;
use tongdao_domain::audit::Audit;
use tongdao_domain::deny::DenyList;
use tongdao_domain::device::Device;
use tongdao_domain::doubtful::Doubtful;
use tongdao_domain::gate::Gate;
use tongdao_domain::machine::Machine as _;
use tongdao_domain::medium::Medium;
use tongdao_domain::station::Station;
use tongdao_domain::user::User;

/// A copy of an entity's confirmed state: what is durable, never what is still on its way.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityState {
    /// A travel account.
    Account(Account),
    /// A gate.
    Gate(Gate),
    /// A station.
    Station(Station),
    /// A medium.
    Medium(Medium),
    /// An entry of the device registry.
    Device(Device),
    /// The audit.
    Audit(Audit),
    /// A user.
    User(User),
    /// An alarm.
    Alarm(Alarm),
    /// An approval.
    Approval(Approval),
    /// The deny list.
    DenyList(DenyList),
    /// A doubtful record.
    Doubtful(Doubtful),
}

macro_rules! states {
    ($($machine:ident),*) => {$(
        impl From<$machine> for EntityState {
            fn from(state: $machine) -> Self { Self::$machine(state) }
        }
    )*
        impl EntityState {
            /// The revision that people are shown of it; none where they change nothing of it.
            #[must_use]
            pub fn rev(&self) -> Option<u64> {
                match self { $(Self::$machine(state) => state.rev(),)* }
            }
        }
    };
}
states!(Account, Gate, Station, Medium, Device, Audit, User, Alarm, Approval, DenyList, Doubtful);
