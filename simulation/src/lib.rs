//! Seeded world over the pure machines and the commit pipeline.
