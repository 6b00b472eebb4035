//! Bytes to domain and back: MQTT topics and payloads, files, exports, schemas. The only room that knows the devices' JSON.
//!
//! A wire type is not a domain type: it is read by [`payload::decode`], which refuses what the contract refuses, and is
//! converted at the edge (`into_domain`). What a device sends decodes on the server and encodes on a virtual device, and
//! the other way round, so both sides speak the very same types.
pub mod card;
pub mod console;
pub mod device;
pub mod export;
pub mod file;
pub mod gate;
pub mod gtfs;
pub mod import;
pub mod money;
pub mod payload;
pub mod rides;
pub mod schema;
pub mod site;
pub mod text;
pub mod time;
pub mod topic;
pub mod wire;
