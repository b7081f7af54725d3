//! The zone that the reader's clock is in.

use jiff::tz::TimeZone;
use std::fs;
use std::path::Path;

/// Where Unix keeps the rules of the machine's zone.
const LOCAL: &str = "/etc/localtime";

/// The zone of whoever reads: the one that `TZ` names, else the machine's. Its rules are read as they stand in one file;
/// to learn their name would take going through the folders of every zone there is, at each start.
pub fn of_reader(is_named: bool) -> TimeZone {
    let machine = if is_named { None } else { read(Path::new(LOCAL)) };
    machine.unwrap_or_else(TimeZone::system)
}

fn read(rules: &Path) -> Option<TimeZone> {
    TimeZone::tzif("Local", &fs::read(rules).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    /// A file of rules for nine hours east of Greenwich, without a change ever (RFC 8536, version 1).
    fn nine_hours() -> Vec<u8> {
        let mut rules = b"TZif\0".to_vec();
        rules.extend([0; 15]);
        for count in [0_u32, 0, 0, 0, 1, 4] {
            rules.extend(count.to_be_bytes());
        }
        rules.extend((9 * 3_600_i32).to_be_bytes());
        rules.extend([0, 0]);
        rules.extend(b"JST\0");
        rules
    }

    #[test]
    fn the_machines_rules_are_read_without_their_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("localtime");
        fs::write(&file, nine_hours()).unwrap();
        let epoch = Timestamp::UNIX_EPOCH.to_zoned(read(&file).unwrap());
        assert_eq!(epoch.strftime("%H:%M %Z").to_string(), "09:00 JST");
        fs::write(&file, "no rules").unwrap();
        assert!(read(&file).is_none());
        assert!(read(&folder.path().join("absent")).is_none());
    }
}
