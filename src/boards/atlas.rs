//! Where stations lie on the map, as the site files say; who gives no place is put on a circle.
use std::collections::HashMap;
use tongdao_domain::id::StationId;
use tongdao_protocol::site::SiteFile;

/// A station's place, 0 to 1 from the left and from the top.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Place {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// The line it lies on.
    pub line: Option<String>,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Atlas {
    places: HashMap<StationId, Place>,
    links: Vec<(StationId, StationId)>,
}

impl Atlas {
    /// The map of these sites.
    #[must_use]
    pub fn new(sites: &[SiteFile]) -> Self {
        let mut atlas = Self::default();
        for site in sites {
            let count = site.stations.len().max(1) as f64;
            for (n, station) in site.stations.iter().enumerate() {
                let line = site.tracks.iter().find(|track| track.from == station.id || track.to == station.id);
                let turn = std::f64::consts::TAU * n as f64 / count;
                let circle = (0.45f64.mul_add(turn.sin(), 0.5), 0.45f64.mul_add(-turn.cos(), 0.5));
                let (x, y) = station.at.map_or(circle, |(x, y)| (f64::from(x) / 1000.0, f64::from(y) / 1000.0));
                atlas.places.insert(station.id.clone(), Place { x, y, line: line.and_then(|track| track.line.clone()) });
            }
            atlas.links.extend(site.tracks.iter().map(|track| (track.from.clone(), track.to.clone())));
        }
        atlas
    }
    /// A station's place.
    #[must_use]
    pub fn place(&self, station: &StationId) -> Place {
        self.places.get(station).cloned().unwrap_or_default()
    }
    /// Tracks.
    #[must_use]
    pub fn links(&self) -> &[(StationId, StationId)] {
        &self.links
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stations_lie_where_the_file_says_or_on_a_circle() {
        let text = "id = \"t\"\nfares = \"f\"\n[[stations]]\nid = \"a\"\nat = [250, 500]\n[[stations]]\nid = \"b\"\n\
                    [[tracks]]\nfrom = \"a\"\nto = \"b\"\ndistance_m = 1000\nline = \"1\"\n";
        let atlas = Atlas::new(&[tongdao_protocol::site::parse(text).expect("a site")]);
        let id = |id: &str| StationId::new(id).expect("an id");
        assert_eq!(atlas.place(&id("a")), Place { x: 0.25, y: 0.5, line: Some("1".into()) });
        let circle = atlas.place(&id("b"));
        assert!((0.0..=1.0).contains(&circle.x) && (0.0..=1.0).contains(&circle.y) && circle != Place::default());
        assert_eq!(atlas.links().len(), 1);
        assert_eq!(atlas.place(&id("c")), Place::default());
    }
}
