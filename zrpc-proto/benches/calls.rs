//! The time that a call takes in the protocol machines.

mod cases;

use std::time::Instant;

use criterion::{Criterion, Throughput};

use cases::CASES;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("zrpc-proto");
    group.throughput(Throughput::Elements(1));
    for case in CASES {
        group.bench_function(case.name, |bencher| {
            let mut run = (case.prepare)();
            bencher.iter_custom(|calls| {
                #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
                let begin = Instant::now();
                run(calls);
                begin.elapsed()
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
