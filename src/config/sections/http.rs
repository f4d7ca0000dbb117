//! The HTTP edge.

use crate::config::reader::Reader;
use crate::http::Settings;

pub fn read(reader: &mut Reader) -> Settings {
    let default = Settings::default();
    Settings {
        listen: reader.value(
            "http.listen",
            default.listen,
            "Where the published keys and the health probes are served, in clear text; port 0 takes a free one.",
        ),
        max_connections: reader.checked(
            "http.max_connections",
            default.max_connections,
            "a whole number, 1 or more",
            |number| *number >= 1,
            "Connections served at once; further ones wait.",
        ),
    }
}
