use std::hint::black_box;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::{Row, timed};

/// Makes n children in fans of that size and cancels each fan at once; the times of both, in this order.
fn fan_out(n: usize, size: usize) -> [Duration; 2] {
    let mut times = [Duration::ZERO; 2];
    for _ in 0..n / size {
        let parent = CancellationToken::new();
        let mut children = Vec::with_capacity(size);
        let begin = Instant::now();
        children.extend((0..size).map(|_| parent.child_token()));
        let middle = Instant::now();
        parent.cancel();
        times[1] += middle.elapsed();
        times[0] += middle - begin;
    }
    times
}

pub fn rows() -> Vec<Row> {
    let live = CancellationToken::new();
    let asked = live.clone();
    vec![
        Row::new(
            "CancellationToken, child+cancel",
            "derive+cancel+end",
            timed(move |n| {
                for _ in 0..n {
                    live.child_token().cancel();
                }
            }),
        ),
        Row::new(
            "CancellationToken, is_cancelled",
            "wh_err",
            timed(move |n| {
                for _ in 0..n {
                    black_box(asked.is_cancelled());
                }
            }),
        ),
        Row::new("CancellationToken, fan-out 1k, derive", "fan-out 1k, derive", |n| fan_out(n, 1000)[0]).fixed(20_000),
        Row::new("CancellationToken, fan-out 1k, cancel", "fan-out 1k, cancel", |n| fan_out(n, 1000)[1])
            .fixed(20_000)
            .partly(),
        Row::new("CancellationToken, fan-out 100k, derive", "fan-out 100k, derive", |n| fan_out(n, 100_000)[0])
            .fixed(100_000),
        Row::new("CancellationToken, fan-out 100k, cancel", "fan-out 100k, cancel", |n| fan_out(n, 100_000)[1])
            .fixed(100_000)
            .partly(),
    ]
}
