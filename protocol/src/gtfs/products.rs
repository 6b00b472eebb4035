//! What rides cost, and who pays which share of it: `fare_products.txt` and `rider_categories.txt`.
use super::{Fault, Feed};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use tongdao_domain::money::Amount;

const FILE: &str = "fare_products.txt";
/// The class of everybody, where a feed tells no riders apart.
const EVERYBODY: &str = "adult";
/// The highest share that a fare file takes, in per cent.
const PERCENT_MAX: u32 = 1_000;

#[derive(Deserialize)]
struct Row {
    fare_product_id: String,
    #[serde(default)]
    rider_category_id: String,
    #[serde(default)]
    fare_media_id: String,
    amount: String,
    currency: String,
}

#[derive(Deserialize)]
struct Category {
    rider_category_id: String,
    #[serde(default)]
    is_default_fare_category: String,
}

#[derive(Debug, Clone, Copy)]
struct Price {
    amount: Amount,
    line: u64,
}

/// Prices by product and rider category (empty = any rider).
pub(super) struct Products {
    /// What every amount is in.
    pub(super) currency: String,
    prices: BTreeMap<(String, String), Price>,
    /// The default first.
    categories: Vec<String>,
}

pub(super) fn read(feed: &Feed, media: Option<&str>) -> Result<Products, Fault> {
    let mut prices: BTreeMap<(String, String), Price> = BTreeMap::new();
    let mut currency: Option<String> = None;
    for (line, row) in feed.rows::<Row>(FILE)? {
        if media.is_some_and(|media| !row.fare_media_id.is_empty() && row.fare_media_id != media) {
            continue;
        }
        let amount = Amount::parse(&row.amount).map_err(|fault| Fault::new(FILE, line, fault.to_string()))?;
        if currency.get_or_insert_with(|| row.currency.clone()) != &row.currency {
            return Err(Fault::new(FILE, line, format!("a table has one currency, not {} beside another", row.currency)));
        }
        let known = prices.entry((row.fare_product_id, row.rider_category_id)).or_insert(Price { amount, line });
        if known.amount != amount {
            let what = format!("another price than line {}: choose the medium whose prices count with --media", known.line);
            return Err(Fault::new(FILE, line, what));
        }
    }
    let currency = currency.ok_or_else(|| Fault::new(FILE, 0, "there is no product: this is no feed with Fares v2"))?;
    Ok(Products { currency, prices, categories: categories(feed)? })
}

fn categories(feed: &Feed) -> Result<Vec<String>, Fault> {
    const FILE: &str = "rider_categories.txt";
    let mut rows = feed.rows::<Category>(FILE)?;
    if rows.is_empty() {
        return Ok(vec![EVERYBODY.to_owned()]);
    }
    rows.sort_by_key(|(line, row)| (row.is_default_fare_category != "1", *line));
    let defaults = rows.iter().filter(|(_, row)| row.is_default_fare_category == "1").count();
    if defaults != 1 {
        let line = rows.get(1).map_or(0, |(line, _)| *line);
        return Err(Fault::new(FILE, line, "exactly one category is the default: its riders pay the published fare"));
    }
    Ok(rows.into_iter().map(|(_, row)| row.rider_category_id).collect())
}

impl Products {
    fn price(&self, product: &str, category: &str) -> Option<Price> {
        let of = |category: &str| self.prices.get(&(product.to_owned(), category.to_owned())).copied();
        // Who may buy what is for anybody, too, buys the cheaper.
        of(category).into_iter().chain(of("")).min_by_key(|price| price.amount)
    }

    /// The published fare: what the default riders pay. The fault is the caller's to place.
    pub(super) fn published(&self, product: &str) -> Result<Amount, String> {
        let price = self.categories.first().and_then(|category| self.price(product, category));
        price.map(|price| price.amount).ok_or_else(|| format!("{product:?} has no price for the riders who pay the published fare"))
    }

    /// Does every rider pay the same for it?
    pub(super) fn is_same_for_all(&self, product: &str) -> bool {
        let amounts: BTreeSet<_> = self.categories.iter().map(|category| self.price(product, category).map(|price| price.amount)).collect();
        amounts.len() == 1
    }

    /// Each class with the share of the published fare that it pays, where one share gives all its prices to the fen.
    pub(super) fn classes(&self, products: &BTreeSet<&str>) -> Result<Vec<(String, u32)>, Fault> {
        self.categories.iter().map(|category| Ok((category.clone(), self.share(category, products)?))).collect()
    }

    fn share(&self, category: &str, products: &BTreeSet<&str>) -> Result<u32, Fault> {
        let mut pays = Vec::new();
        for product in products {
            let published = self.published(product).map_err(|what| Fault::new(FILE, 0, what))?;
            let missing = || Fault::new(FILE, 0, format!("{product:?} has no price for riders of {category:?}"));
            pays.push((published, self.price(product, category).ok_or_else(missing)?));
        }
        // Of equals the last one counts: the whole fare, where any share would do.
        let candidates = (0..=PERCENT_MAX).chain([100]);
        let fits = |percent: u32, (published, price): &(Amount, Price)| published.percent(Decimal::from(percent)) == price.amount;
        let best = candidates.max_by_key(|percent| pays.iter().take_while(|pair| fits(*percent, pair)).count());
        let odd = best.and_then(|percent| pays.iter().find(|pair| !fits(percent, pair)));
        match (best, odd) {
            (Some(percent), None) => Ok(percent),
            (_, odd) => {
                let line = odd.map_or(0, |(_, price)| price.line);
                let what = format!("riders of {category:?} pay no one share of the published fares: a class is a share in whole per cent");
                Err(Fault::new(FILE, line, what))
            }
        }
    }
}
