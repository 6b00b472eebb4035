//! What is wrong with a file that people write. Unknown keys are errors; an error names the place and the way out, and
//! whoever read the file puts its name before it.

/// What is wrong with a file: place and way out, without the file's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct FileError {
    /// Where: `line 3` or ``key `stations.tianfu.gates` ``.
    pub place: String,
    /// What is wrong and the way out.
    pub what: String,
}

impl FileError {
    pub(crate) fn key(key: impl std::fmt::Display, what: impl Into<String>) -> Self {
        Self { place: format!("key `{key}`"), what: what.into() }
    }
    pub(crate) fn line(line: u64, what: impl Into<String>) -> Self {
        Self { place: format!("line {line}"), what: what.into() }
    }
}

/// Reads TOML; an error names the line and the key.
pub(crate) fn from_toml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, FileError> {
    toml::from_str(text).map_err(|error| {
        let upto = error.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(upto).filter(|byte| *byte == b'\n').count();
        FileError::line(line as u64, error.message().trim().replace('\n', " "))
    })
}
