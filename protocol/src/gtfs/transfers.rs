//! Further rides that follow soon: `fare_transfer_rules.txt`, where a rule counts between all rides alike.
use super::legs::{Legs, Places};
use super::products::Products;
use super::{Fault, Feed};
use serde::Deserialize;
use std::collections::BTreeSet;
use tongdao_domain::money::Amount;

const FILE: &str = "fare_transfer_rules.txt";

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    from_leg_group_id: String,
    #[serde(default)]
    to_leg_group_id: String,
    #[serde(default)]
    transfer_count: Option<i32>,
    #[serde(default)]
    duration_limit: Option<u32>,
    #[serde(default)]
    duration_limit_type: Option<u8>,
    #[serde(default)]
    fare_transfer_type: Option<u8>,
    #[serde(default)]
    fare_product_id: String,
}

/// A transfer as a fare file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transfer {
    pub(super) minutes: u32,
    /// `first_entry` or `last_exit`.
    pub(super) since: &'static str,
    pub(super) times_max: Option<u32>,
    /// Taken off the fare; none = free.
    pub(super) off: Option<Amount>,
}

pub(super) fn read(feed: &Feed, products: &Products, legs: &Legs) -> Result<Option<Transfer>, Fault> {
    let groups = legs.groups();
    let mut covered: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut found: Option<(u64, Transfer)> = None;
    for (line, row) in feed.rows::<Row>(FILE)? {
        let refuse = |what: String| Fault::new(FILE, line, what);
        let Some(transfer) = row.transfer(products, legs).map_err(refuse)? else { continue };
        let of = |name: &str| groups.iter().copied().filter(|group| name.is_empty() || *group == name).collect::<Vec<_>>();
        let (from, to) = (of(&row.from_leg_group_id), of(&row.to_leg_group_id));
        covered.extend(from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to))));
        match &found {
            Some((known, first)) if *first != transfer => {
                return Err(Fault::new(FILE, line, format!("other terms than line {known}: transfers count between all rides alike")));
            }
            _ => found = found.or(Some((line, transfer))),
        }
    }
    let Some((line, transfer)) = found else { return Ok(None) };
    if covered.len() < groups.len() * groups.len() {
        return Err(Fault::new(
            FILE,
            line,
            "between some groups of legs there is no such transfer: stations' groups are for a person to give",
        ));
    }
    Ok(Some(transfer))
}

impl Row {
    /// None = it changes no price.
    fn transfer(&self, products: &Products, legs: &Legs) -> Result<Option<Transfer>, String> {
        let product = Some(&self.fare_product_id).filter(|product| !product.is_empty());
        let amount = product.map(|product| products.published(product)).transpose()?.unwrap_or_default();
        let off = match self.fare_transfer_type {
            Some(0) if amount.is_zero() => None,
            Some(1) if amount.is_zero() => return Ok(None),
            Some(1) if amount.is_negative() => Some(-amount),
            Some(0) => return Err("the next ride costs what the transfer costs: only a free one has a counterpart".to_owned()),
            Some(1) => return Err("a transfer that makes rides dearer has no counterpart".to_owned()),
            _ => return Err("rides that cost one price together (fare_transfer_type 2 or none) have no counterpart".to_owned()),
        };
        if off.is_some() && product.is_some_and(|product| !products.is_same_for_all(product)) {
            return Err("what is taken off differs by rider category: a table takes one amount off".to_owned());
        }
        let dearer = |off| legs.products().into_iter().any(|ride| products.published(ride).is_ok_and(|fare| fare < off));
        if off.is_some_and(dearer) {
            return Err("more is taken off than the cheapest ride costs: a table never pays back".to_owned());
        }
        let times_max = self.times_max()?;
        let seconds = self.duration_limit.ok_or("a transfer without a time limit has no counterpart")?;
        if seconds == 0 || seconds % 60 != 0 {
            return Err(format!("a time limit is whole minutes, not {seconds} s"));
        }
        Ok(Some(Transfer { minutes: seconds / 60, since: self.since(times_max, legs)?, times_max, off }))
    }

    fn times_max(&self) -> Result<Option<u32>, String> {
        match self.transfer_count {
            None | Some(-1) => Ok(None),
            Some(count) => u32::try_from(count).ok().filter(|count| *count > 0).map(Some).ok_or(format!("no number of transfers: {count}")),
        }
    }

    /// From when the time limit runs. It ends with the next entry; one that ends with the next exit has no counterpart.
    fn since(&self, times_max: Option<u32>, legs: &Legs) -> Result<&'static str, String> {
        match self.duration_limit_type {
            Some(1) if times_max == Some(1) => Ok("first_entry"),
            Some(1) => Err("a limit from each ride's entry to the next (duration_limit_type 1) maps for one transfer alone".to_owned()),
            Some(2) if legs.places == Places::None => {
                Err("a limit from an exit does not map where one tap opens and closes a ride".to_owned())
            }
            Some(2) => Ok("last_exit"),
            _ => Err("a limit up to the next exit (duration_limit_type 0 or 3) has no counterpart".to_owned()),
        }
    }
}
