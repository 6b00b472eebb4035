//! Observable facts: one type each, with one emit().
