//! What a shadow run found, summed: altogether, by rule, and the journeys that changed most.
use std::cmp::Reverse;
use std::collections::BTreeMap;
use tongdao_domain::money::Amount;
use tongdao_domain::time::Day;

/// A journey under two tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) account: &'a str,
    pub(super) class: &'a str,
    /// Does the other table name the passenger class?
    pub(super) is_known_class: bool,
    pub(super) journey: &'a str,
    pub(super) day: Day,
    /// Empty = unknown.
    pub(super) from: &'a str,
    /// Empty = unknown.
    pub(super) to: &'a str,
    /// What was posted.
    pub(super) paid: Amount,
    /// What the other table asks.
    pub(super) would: Amount,
    /// By which rule.
    pub(super) rule: &'a str,
}

/// Sums over journeys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    journeys: u64,
    paid: Amount,
    would: Amount,
}

/// How much a journey changes, and its name: the biggest first, then by name, so that equal runs say the same.
type Change = (Reverse<Amount>, String);

/// The sums so far; as large as the rules are many, whatever the journeys.
#[derive(Debug)]
pub(super) struct Tally {
    all: Sum,
    cheaper: u64,
    dearer: u64,
    rules: BTreeMap<String, Sum>,
    /// Journeys by a passenger class that the table does not name.
    unknown: BTreeMap<String, u64>,
    biggest: BTreeMap<Change, String>,
    top: usize,
}

impl Row<'_> {
    fn difference(&self) -> Amount {
        self.would - self.paid
    }
    /// As CSV; none of its cells can have a comma.
    pub(super) fn line(&self) -> String {
        let Self { account, class, journey, day, from, to, paid, would, rule, .. } = self;
        format!("{day},{account},{class},{journey},{from},{to},{paid},{would},{},{rule}", self.difference())
    }
}

impl Sum {
    fn add(&mut self, row: &Row<'_>) {
        self.journeys += 1;
        self.paid += row.paid;
        self.would += row.would;
    }
    fn line(&self, name: &str) -> String {
        let Self { journeys, paid, would } = self;
        format!("{name:<24} {journeys:>10} {:>14} {:>14} {:>14}", paid.to_string(), would.to_string(), signed(*would - *paid))
    }
}

fn signed(amount: Amount) -> String {
    if amount > Amount::ZERO { format!("+{amount}") } else { amount.to_string() }
}

impl Tally {
    /// The columns of [`Row::line`].
    pub(super) const HEADER: &'static str = "day,account,class,journey,from,to,paid,would_be,difference,rule";

    /// Nothing yet; `top` = how many of the biggest changes are kept.
    pub(super) fn new(top: usize) -> Self {
        let (all, rules, unknown, biggest) = (Sum::default(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { all, cheaper: 0, dearer: 0, rules, unknown, biggest, top }
    }

    pub(super) fn add(&mut self, row: Row<'_>) {
        self.all.add(&row);
        self.rules.entry(row.rule.to_owned()).or_default().add(&row);
        if !row.is_known_class {
            *self.unknown.entry(row.class.to_owned()).or_default() += 1;
        }
        let difference = row.difference();
        self.cheaper += u64::from(difference.is_negative());
        self.dearer += u64::from(difference > Amount::ZERO);
        self.keep(difference, &row);
    }

    fn keep(&mut self, difference: Amount, row: &Row<'_>) {
        let size = difference.max(-difference);
        let smallest = || self.biggest.last_key_value().map_or(Amount::ZERO, |((Reverse(size), _), _)| *size);
        if size.is_zero() || (self.biggest.len() == self.top && size < smallest()) {
            return;
        }
        let Row { account, journey, from, to, paid, would, rule, .. } = row;
        let (paid, would) = (paid.to_string(), would.to_string());
        let line = format!("{:>14} {paid:>14} {would:>14}  {rule:<20} {account} {journey} {from} -> {to}", signed(difference));
        self.biggest.insert((Reverse(size), format!("{account} {journey}")), line);
        if self.biggest.len() > self.top {
            self.biggest.pop_last();
        }
    }

    /// For people: which table instead of which, which days, then the sums.
    pub(super) fn lines(&self, [table, days]: &[String; 2]) -> Vec<String> {
        let same = self.all.journeys - self.cheaper - self.dearer;
        let mut lines = vec![
            format!("table       {table}"),
            format!("days        {days}"),
            format!("journeys    {} ({} dearer, {} cheaper, {same} the same)", self.all.journeys, self.dearer, self.cheaper),
            format!("paid        {}", self.all.paid),
            format!("would be    {}", self.all.would),
            format!("difference  {}", signed(self.all.would - self.all.paid)),
        ];
        for (class, journeys) in &self.unknown {
            lines.push(format!("note        the table has no passenger class {class}: {journeys} journeys at the published fare"));
        }
        lines.push(format!("\n{:<24} {:>10} {:>14} {:>14} {:>14}", "rule", "journeys", "paid", "would be", "difference"));
        lines.extend(self.rules.iter().map(|(rule, sum)| sum.line(rule)));
        if !self.biggest.is_empty() {
            lines.push(format!("\n{:>14} {:>14} {:>14}  {:<20} account journey from -> to", "difference", "paid", "would be", "rule"));
            lines.extend(self.biggest.values().cloned());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(account: &'a str, paid: i64, would: i64, rule: &'a str) -> Row<'a> {
        Row {
            account,
            class: if account == "c" { "alien" } else { "adult" },
            is_known_class: account != "c",
            journey: "g1/1/1",
            day: Day(20_514),
            from: "north",
            to: "south",
            paid: Amount::from_fen(paid),
            would: Amount::from_fen(would),
            rule,
        }
    }

    #[test]
    fn sums_by_rule_and_the_biggest_changes() {
        let mut tally = Tally::new(2);
        for row in [
            row("a", 200, 300, "ladder"),
            row("b", 500, 0, "cap:day"),
            row("c", 400, 400, "ladder"),
            row("d", 200, 190, "ladder"),
            row("e", 100, 200, "ladder"),
        ] {
            tally.add(row);
        }
        let lines = tally.lines(&["new".into(), "2026-03-02".into()]);
        assert_eq!(lines[2], "journeys    5 (2 dearer, 2 cheaper, 1 the same)");
        assert_eq!(lines[3..6], ["paid        14.00", "would be    10.90", "difference  -3.10"]);
        assert_eq!(lines[6], "note        the table has no passenger class alien: 1 journeys at the published fare");
        let words: Vec<Vec<&str>> = lines.iter().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words[8], ["cap:day", "1", "5.00", "0.00", "-5.00"]);
        assert_eq!(words[9], ["ladder", "4", "9.00", "10.90", "+1.90"]);
        assert_eq!([words[11][0], words[11][4], words[12][0], words[12][4]], ["-5.00", "b", "+1.00", "a"], "of equals the first by name");
        assert_eq!(words.len(), 13);
    }

    #[test]
    fn a_journey_is_a_line_of_csv() {
        let line = row("a", 200, 150, "transfer").line();
        assert_eq!(line, "2026-03-02,a,adult,g1/1/1,north,south,2.00,1.50,-0.50,transfer");
        assert_eq!(line.split(',').count(), Tally::HEADER.split(',').count());
    }

    #[test]
    fn nothing_changed_is_said_plainly() {
        let mut tally = Tally::new(0);
        tally.add(row("a", 200, 200, "ladder"));
        tally.add(row("b", 200, 300, "ladder"));
        let lines = tally.lines(&[String::new(), String::new()]);
        assert_eq!(lines.len(), 8, "no biggest changes are asked for: {lines:?}");
    }
}
