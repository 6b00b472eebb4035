//! What `/metrics` shows after some facts.
use crate::catalogue::buckets;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

/// Runs `facts` under a recorder of its own and gives the exposition.
pub(crate) fn rendered(facts: impl FnOnce()) -> String {
    let builder = buckets().fold(PrometheusBuilder::new(), |builder, (metric, bounds)| {
        builder.set_buckets_for_metric(Matcher::Full(metric.name().into()), bounds).expect("bounds are not empty")
    });
    let recorder = builder.build_recorder();
    metrics::with_local_recorder(&recorder, facts);
    recorder.handle().render()
}

/// The lines with values of it, sorted.
pub(crate) fn samples(facts: impl FnOnce()) -> Vec<String> {
    let text = rendered(facts);
    let mut lines: Vec<String> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect();
    lines.sort();
    lines
}
