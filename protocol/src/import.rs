//! Import files: accounts and devices as CSV with a header. A file is checked whole before anything is done with it; an
//! error names the line.
use crate::card;
use crate::file::FileError;
use crate::gate::MediumKind as WireMediumKind;
use compact_str::CompactString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fmt;
use tongdao_domain::account::WalletClass;
use tongdao_domain::device::DeviceKind;
use tongdao_domain::id::{AccountId, DeviceId, SiteId, Token};
use tongdao_domain::money::Amount;
use tongdao_domain::tap::MediumKind;

/// Longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 256;
const ACCOUNT_COLUMNS: &str = "account_id,class,passenger_class,balance,medium_kind,medium_token";
const DEVICE_COLUMNS: &str = "device_id,kind,site,secret[,manufacturer,serial]";

/// A medium of an account; an account stands on as many rows as it has media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The account.
    pub account: AccountId,
    /// Wallet class.
    pub class: WalletClass,
    /// Passenger class.
    pub passenger_class: CompactString,
    /// Opening balance.
    pub balance: Amount,
    /// Kind of the medium.
    pub kind: MediumKind,
    /// The medium.
    pub token: Token,
}

/// A device for the registry.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The device.
    pub device: DeviceId,
    /// Its kind.
    pub kind: DeviceKind,
    /// Its site.
    pub site: SiteId,
    /// Its secret: to be hashed at once.
    pub secret: String,
    /// Manufacturer and serial number, of robots.
    pub maker: Option<(String, String)>,
}
impl fmt::Debug for DeviceRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceRow({} line {} {} {}, secret …)", self.device, self.line, self.kind.name(), self.site)
    }
}

#[derive(Deserialize)]
struct AccountCells {
    account_id: String,
    class: String,
    passenger_class: String,
    balance: String,
    medium_kind: String,
    medium_token: String,
}

#[derive(Deserialize)]
struct DeviceCells {
    device_id: String,
    kind: String,
    site: String,
    secret: String,
    manufacturer: Option<String>,
    serial: Option<String>,
}

/// Reads and checks an accounts file. A row that stands twice is given once.
///
/// # Errors
/// [`FileError`] names the first line that cannot be read, contradicts another row of its account, or gives a medium to two
/// accounts.
pub fn accounts(text: &str) -> Result<Vec<AccountRow>, FileError> {
    let rows = read::<AccountCells>(text, ACCOUNT_COLUMNS, &[])?;
    let rows = rows.into_iter().map(|(line, cells)| cells.into_row(line)).collect::<Result<Vec<_>, _>>()?;
    let (mut first, mut media) = (HashMap::new(), HashMap::new());
    let mut fresh = Vec::with_capacity(rows.len());
    for row in rows {
        let known: &AccountRow = first.entry(row.account.clone()).or_insert_with(|| row.clone());
        row.agrees(known)?;
        let medium: &AccountRow = media.entry(row.token.clone()).or_insert_with(|| row.clone());
        if medium.account != row.account || medium.kind != row.kind {
            let what = format!(
                "medium {} is account {}'s in line {} or of another kind there: give it once",
                row.token, medium.account, medium.line
            );
            return Err(FileError::line(row.line, what));
        }
        if medium.line == row.line {
            fresh.push(row);
        }
    }
    Ok(fresh)
}

/// Reads and checks a devices file. A row that stands twice is given once.
///
/// # Errors
/// [`FileError`] names the first line that cannot be read or contradicts another row of its device.
pub fn devices(text: &str) -> Result<Vec<DeviceRow>, FileError> {
    let rows = read::<DeviceCells>(text, DEVICE_COLUMNS, &["manufacturer", "serial"])?;
    let rows = rows.into_iter().map(|(line, cells)| cells.into_row(line)).collect::<Result<Vec<_>, _>>()?;
    let mut known: HashMap<DeviceId, DeviceRow> = HashMap::new();
    let mut fresh = Vec::with_capacity(rows.len());
    for row in rows {
        match known.get(&row.device) {
            None => {
                known.insert(row.device.clone(), row.clone());
                fresh.push(row);
            }
            Some(first) if (DeviceRow { line: first.line, ..row.clone() }) == *first => {}
            Some(first) => {
                return Err(FileError::line(
                    row.line,
                    format!("device {} stands in line {} with other values: keep one of them", row.device, first.line),
                ));
            }
        }
    }
    Ok(fresh)
}

/// The rows of a CSV file with their lines; the header must have all columns and no other.
pub(crate) fn read<T: DeserializeOwned>(text: &str, columns: &str, optional: &[&str]) -> Result<Vec<(u64, T)>, FileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| broken(&error, 1))?.clone();
    let plain = columns.replace(['[', ']'], "");
    let wanted: Vec<&str> = plain.split(',').collect();
    let twice = header.iter().enumerate().any(|(n, name)| header.iter().take(n).any(|earlier| earlier == name));
    let missing = wanted.iter().any(|name| !optional.contains(name) && !header.iter().any(|column| column == *name));
    if twice || missing || header.iter().any(|name| !wanted.contains(&name)) {
        return Err(FileError::line(1, format!("the header must be {columns}")));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| broken(&error, 1))?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((line, record.deserialize(Some(&header)).map_err(|error| broken(&error, line))?));
    }
    Ok(rows)
}

/// Quotes no cell: a cell may be a secret.
fn broken(error: &csv::Error, line: u64) -> FileError {
    let line = error.position().map_or(line, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            FileError::line(line, format!("{len} cells, but the header has {expected_len} columns: fill the row up or quote its commas"))
        }
        csv::ErrorKind::Utf8 { .. } => FileError::line(line, "not UTF-8: save the file as UTF-8"),
        _ => FileError::line(line, "cannot be read as CSV"),
    }
}

pub(crate) fn cell<T: std::str::FromStr<Err: fmt::Display>>(line: u64, column: &str, text: &str) -> Result<T, FileError> {
    text.parse().map_err(|error| FileError::line(line, format!("column {column}: {error}")))
}

impl AccountCells {
    fn into_row(self, line: u64) -> Result<AccountRow, FileError> {
        let wrong = |column: &str, what: &str| FileError::line(line, format!("column {column}: {what}"));
        let class = self.class.parse::<u8>().ok().and_then(|class| WalletClass::try_from(class).ok());
        let balance = Amount::parse(&self.balance).map_err(|error| wrong("balance", &error.to_string()))?;
        if balance.is_negative() {
            return Err(wrong("balance", "must not be negative"));
        }
        let passenger: AccountId = cell(line, "passenger_class", &self.passenger_class)?;
        let kind = WireMediumKind::from_name(&self.medium_kind);
        if card::is_number(&self.medium_token) {
            return Err(wrong("medium_token", "must be a keyed hash: this is a card number"));
        }
        Ok(AccountRow {
            line,
            account: cell(line, "account_id", &self.account_id)?,
            class: class.ok_or_else(|| wrong("class", "must be 1, 2, 3 or 4"))?,
            passenger_class: CompactString::new(passenger.as_str()),
            balance,
            kind: kind.ok_or_else(|| wrong("medium_kind", "must be one of qr, face, ecny, ecny_hard, bank, card"))?.into(),
            token: cell(line, "medium_token", &self.medium_token)?,
        })
    }
}

impl AccountRow {
    /// All rows of an account say the same of it.
    fn agrees(&self, first: &Self) -> Result<(), FileError> {
        let differs = [
            ("class", self.class != first.class),
            ("passenger_class", self.passenger_class != first.passenger_class),
            ("balance", self.balance != first.balance),
        ];
        match differs.into_iter().find(|(_, differs)| *differs) {
            None => Ok(()),
            Some((column, _)) => {
                let what =
                    format!("column {column}: account {} has another value in line {}: make them the same", self.account, first.line);
                Err(FileError::line(self.line, what))
            }
        }
    }
}

impl DeviceCells {
    fn into_row(self, line: u64) -> Result<DeviceRow, FileError> {
        let wrong = |column: &str, what: &str| FileError::line(line, format!("column {column}: {what}"));
        if self.secret.is_empty() || self.secret.len() > SECRET_BYTES_MAX {
            return Err(wrong("secret", "must have 1 to 256 bytes; make it long and random"));
        }
        let filled = |cell: Option<String>| cell.filter(|text| !text.is_empty());
        let maker = match (filled(self.manufacturer), filled(self.serial)) {
            (None, None) => None,
            (Some(manufacturer), Some(serial)) => Some((manufacturer, serial)),
            _ => return Err(wrong("serial", "manufacturer and serial come together")),
        };
        Ok(DeviceRow {
            line,
            device: cell(line, "device_id", &self.device_id)?,
            kind: crate::topic::kind_from_name(&self.kind).ok_or_else(|| wrong("kind", "must be one of gate, kiosk, robot, display"))?,
            site: cell(line, "site", &self.site)?,
            secret: self.secret,
            maker,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNTS: &str = "account_id,class,passenger_class,balance,medium_kind,medium_token\n";
    const DEVICES: &str = "device_id,kind,site,secret\n";

    fn refused<T: fmt::Debug>(result: Result<T, FileError>) -> String {
        result.expect_err("refused").to_string()
    }

    #[test]
    fn an_account_stands_on_a_row_for_each_of_its_media() {
        let rows = accounts(&format!(
            "\u{feff}{ACCOUNTS}a1,4,adult,50.00,card,t1\na2,3,adult,0,qr,t2\n a1,4,adult,50.00,qr,t3\na1,4,adult,50,card,t1\n"
        ));
        let rows = rows.expect("a good file");
        let seen: Vec<_> = rows.iter().map(|row| (row.line, row.account.as_str(), row.token.as_str())).collect();
        assert_eq!(seen, [(2, "a1", "t1"), (3, "a2", "t2"), (4, "a1", "t3")]);
        assert_eq!((rows[0].class, rows[0].balance, rows[0].kind), (WalletClass::Four, Amount::from_fen(5000), MediumKind::Card));
    }

    #[test]
    fn what_is_wrong_with_an_accounts_file_is_named_with_its_line() {
        for (rows, message) in [
            ("a1,5,adult,1,card,t1", "line 2: column class: must be 1, 2, 3 or 4"),
            ("a1,4,adult,1.005,card,t1", "line 2: column balance: an amount is"),
            ("a1,4,adult,-1,card,t1", "line 2: column balance: must not be negative"),
            ("a1,4,adult,1,sock,t1", "line 2: column medium_kind: must be one of qr"),
            ("a/1,4,adult,1,card,t1", "line 2: column account_id: an id holds only"),
            ("a1,4,adult,1,card,", "line 2: column medium_token: an id must not be empty"),
            ("a1,4,adult,1,card,4111111111111111", "line 2: column medium_token: must be a keyed hash: this is a card number"),
            ("a1,4,adult,1,card", "line 2: 5 cells, but the header has 6 columns"),
            ("a1,4,adult,1,card,t1\na2,4,adult,1,card,t1", "line 3: medium t1 is account a1's in line 2 or of another kind there"),
            ("a1,4,adult,1,card,t1\na1,4,adult,2,qr,t2", "line 3: column balance: account a1 has another value in line 2"),
            ("a1,4,adult,1,card,t1\na1,3,adult,1,qr,t2", "line 3: column class: account a1 has another value in line 2"),
            ("a1,4,adult,1,card,t1\na1,4,adult,1,qr,t1", "line 3: medium t1 is account a1's in line 2 or of another kind there"),
        ] {
            let told = refused(accounts(&format!("{ACCOUNTS}{rows}\n")));
            assert!(told.starts_with(message), "{told}");
        }
        assert!(refused(accounts("account_id,class\na1,4\n")).starts_with("line 1: the header must be account_id,"));
        assert!(refused(accounts("")).starts_with("line 1: the header must be"));
    }

    #[test]
    fn devices_come_with_their_secrets_and_never_show_them() {
        let rows = devices(
            "device_id,kind,site,secret,manufacturer,serial\ng1,gate,cd,s3cret-of-g1,,\nr1,robot,cd,s3cret-of-r1,acme,0001\ng1,gate,cd,s3cret-of-g1,,\n",
        );
        let rows = rows.expect("a good file");
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].device.as_str(), rows[0].kind, rows[0].secret.as_str()), ("g1", DeviceKind::Gate, "s3cret-of-g1"));
        assert_eq!(rows[1].maker, Some(("acme".to_owned(), "0001".to_owned())));
        assert!(!format!("{rows:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_wrong_with_a_devices_file_is_named_and_quotes_no_secret() {
        for (rows, message) in [
            ("g1,fridge,cd,hush", "line 2: column kind: must be one of gate"),
            ("g1,gate,c d,hush", "line 2: column site: an id holds only"),
            ("g1,gate,cd,", "line 2: column secret: must have 1 to 256 bytes"),
            ("g1,gate,cd,hush,extra", "line 2: 5 cells, but the header has 4 columns"),
            ("g1,gate,cd,hush\ng1,gate,cd,hush2", "line 3: device g1 stands in line 2 with other values"),
        ] {
            let told = refused(devices(&format!("{DEVICES}{rows}\n")));
            assert!(told.starts_with(message) && !told.contains("hush"), "{told}");
        }
        assert!(refused(devices("device_id,kind,site,secret,colour\n")).starts_with("line 1: the header must be device_id,"));
    }

    proptest::proptest! {
        #[test]
        fn no_file_makes_it_panic(header in "(account_id,class,passenger_class,balance,medium_kind,medium_token|device_id,kind,site,secret|[a-z,\"]{0,30})", rows in "[a-z0-9.,\"\n\r é]{0,120}") {
            let text = format!("{header}\n{rows}");
            let _ = (accounts(&text), devices(&text));
        }

        #[test]
        fn what_was_generated_is_what_is_read(rows in proptest::collection::vec(("[a-z0-9]{1,8}", 1..5_u8, 0..99_999_i64, "[a-z0-9]{1,12}"), 0..20)) {
            let unique: std::collections::BTreeMap<_, _> = rows.into_iter().map(|(account, class, fen, token)| (account.clone(), (class, fen, format!("{account}-{token}")))).collect();
            let lines: String = unique.iter().map(|(account, (class, fen, token))| format!("{account},{class},adult,{},card,{token}\n", Amount::from_fen(*fen))).collect();
            let read = accounts(&format!("{ACCOUNTS}{lines}")).expect("a good file");
            let back: Vec<_> = read.iter().map(|row| (row.account.as_str(), (u8::from(row.class), row.balance.fen(), row.token.to_string()))).collect();
            let sent: Vec<_> = unique.iter().map(|(account, what)| (account.as_str(), what.clone())).collect();
            proptest::prop_assert_eq!(back, sent);
        }
    }
}
