//! Processor time and memory of a process, as Linux tells them in `/proc`.
use std::fs;

/// Ticks per second of the times in `/proc/{pid}/stat`: `USER_HZ`, 100 on every Linux.
const TICKS_PER_S: f64 = 100.0;

/// A look at a process.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sample {
    /// Processor time of all its threads so far, in seconds.
    pub cpu_s: f64,
    /// Resident memory, in KiB.
    pub rss_kib: u64,
    /// Highest resident memory so far, in KiB.
    pub rss_max_kib: u64,
}

impl Sample {
    /// Looks at a process; `None` where there is none.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        Some(Self { cpu_s: cpu_s(&stat)?, rss_kib: field(&status, "VmRSS:")?, rss_max_kib: field(&status, "VmHWM:")? })
    }
}

/// User and system time are the 14th and 15th field; the second, the name, may hold anything but ends with `)`.
fn cpu_s(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: f64 = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_S)
}

fn field(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_behind_any_name() {
        let stat = "42 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        assert_eq!(cpu_s(stat), Some(2.0));
        assert_eq!(field("VmHWM:\t  200 kB\nVmRSS:\t  123 kB\n", "VmRSS:"), Some(123));
    }

    #[test]
    fn sees_itself_and_no_stranger() {
        assert!(Sample::of(std::process::id()).is_some_and(|sample| sample.rss_kib > 0));
        assert_eq!(Sample::of(u32::MAX), None);
    }
}
