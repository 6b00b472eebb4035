//! The files that gates and riders come from: a site, its devices with their secrets, accounts with their media.
use crate::fleet::Credentials;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use tongdao_domain::device::DeviceKind;
use tongdao_protocol::gate::Medium;
use tongdao_protocol::import;
use tongdao_protocol::site::{self, SiteFile};

fn text(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

/// Reads a site file.
///
/// # Errors
/// When it cannot be read; names the place.
pub fn site(path: &Path) -> io::Result<SiteFile> {
    site::parse(&text(path)?).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

/// Gates of a site from a devices file, with their secrets, in the order of the file.
///
/// # Errors
/// When the file cannot be read; names the line.
pub fn gates(path: &Path, site: &str) -> io::Result<Vec<Credentials>> {
    let rows = import::devices(&text(path)?).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
    let gates = rows.into_iter().filter(|row| row.kind == DeviceKind::Gate && row.site.as_str() == site);
    Ok(gates.map(|row| Credentials { device: row.device.as_str().to_owned(), secret: row.secret }).collect())
}

/// Only the gates that stand in the site file; in its order, with the index of their station.
#[must_use]
pub fn placed(site: &SiteFile, gates: Vec<Credentials>) -> Vec<(usize, Credentials)> {
    let mut known: HashMap<String, Credentials> = gates.into_iter().map(|gate| (gate.device.clone(), gate)).collect();
    let stations = site.stations.iter().enumerate();
    let all = stations.flat_map(|(station, entry)| entry.gates.iter().map(move |gate| (station, gate.device.as_str().to_owned())));
    all.filter_map(|(station, device)| Some((station, known.remove(&device)?))).collect()
}

/// The media of an accounts file, in its order.
///
/// # Errors
/// When the file cannot be read; names the line.
pub fn media(path: &Path) -> io::Result<Vec<Medium>> {
    let rows = import::accounts(&text(path)?).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
    Ok(rows.into_iter().filter_map(|row| Medium::new(row.kind.into(), row.token.as_str())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gates_that_stand_in_the_site_are_placed() {
        let site = site::parse(
            "id = \"t\"\nfares = \"f\"\n[[stations]]\nid = \"a\"\ngates = [{ device = \"g2\" }, { device = \"g9\" }]\n[[stations]]\nid = \"b\"\ngates = [{ device = \"g1\" }]\n",
        )
        .expect("a site");
        let gates = ["g1", "g2", "g3"].map(|device| Credentials { device: device.into(), secret: String::new() });
        let placed: Vec<_> = placed(&site, gates.to_vec()).into_iter().map(|(station, gate)| (station, gate.device)).collect();
        assert_eq!(placed, [(0, "g2".to_owned()), (1, "g1".to_owned())]);
    }
}
