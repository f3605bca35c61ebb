//! The time that a message takes on each step of its path.

mod cases;

use std::time::Instant;

use criterion::{Criterion, Throughput};

use cases::CASES;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("zmtp");
    group.throughput(Throughput::Elements(1));
    for case in CASES {
        group.bench_function(case.name, |bencher| {
            let mut run = (case.prepare)();
            bencher.iter_custom(|messages| {
                let begin = Instant::now();
                run(messages);
                begin.elapsed()
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
