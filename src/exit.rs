//! Exit codes: sysexits where they fit, 1 for what was refused.
use std::fmt::Display;
use std::process::ExitCode;

/// All is well.
pub const OK: u8 = 0;
/// Refused by a rule, or a check found a fault.
pub const REFUSED: u8 = 1;
/// The command line makes no sense (`EX_USAGE`).
pub const USAGE: u8 = 64;
/// A file's content is wrong (`EX_DATAERR`).
pub const DATA: u8 = 65;
/// Something needed is not to be had: the journal is locked and there is no socket (`EX_UNAVAILABLE`).
pub const UNAVAILABLE: u8 = 69;
/// A fault of ours (`EX_SOFTWARE`).
pub const SOFTWARE: u8 = 70;
/// A file or device failed (`EX_IOERR`).
pub const IO: u8 = 74;
/// The config is wrong (`EX_CONFIG`).
pub const CONFIG: u8 = 78;

/// Why a command ends without success: what to say on standard error, and the code.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What is wrong and the way out.
    pub message: String,
}

impl Failure {
    /// A failure with this code.
    pub fn new(code: u8, message: impl Display) -> Self {
        Self { code, message: message.to_string() }
    }
    /// A failure that tells the whole chain of its causes.
    pub fn caused(code: u8, fault: &dyn std::error::Error) -> Self {
        let mut message = fault.to_string();
        let mut source = fault.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            source = cause.source();
        }
        Self { code, message }
    }
}

/// Prints a failure and gives its code.
pub fn finish(result: Result<u8, Failure>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("tongdao: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the journal cannot be opened")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_failure_tells_its_causes() {
        let fault = Outer(std::io::Error::other("disk gone"));
        assert_eq!(Failure::caused(IO, &fault).message, "the journal cannot be opened: disk gone");
    }
}
