//! What fastrace, opentelemetry-rust and tokio-util's CancellationToken cost, row by row like Whence's own. For every line
//! on standard input it runs one round and prints a line of JSON for each row, then an empty one.

mod allocations;
mod spans;
mod tokens;
mod wire;

use std::io::BufRead;
use std::time::{Duration, Instant};

/// A row times n operations itself; what it does before and after is not counted.
pub struct Row {
    name: &'static str,
    against: &'static str, // the row of Whence's that does the same
    run: Box<dyn FnMut(usize) -> Duration>,
    check: Option<Box<dyn FnMut() -> Option<String>>>, // after a sample, not timed: what is wrong with it
    fixed: usize,                                      // operations in a sample; 0: as many as take SAMPLE
    partly: bool, // only a part of what it does is timed: its allocations are not told
    allocations: f64,
}

const SAMPLE: Duration = Duration::from_millis(3);

impl Row {
    pub fn new(name: &'static str, against: &'static str, run: impl FnMut(usize) -> Duration + 'static) -> Self {
        Row { name, against, run: Box::new(run), check: None, fixed: 0, partly: false, allocations: 0.0 }
    }

    pub fn fixed(mut self, n: usize) -> Self {
        self.fixed = n;
        self
    }

    pub fn partly(mut self) -> Self {
        self.partly = true;
        self
    }

    pub fn checked(mut self, check: impl FnMut() -> Option<String> + 'static) -> Self {
        self.check = Some(Box::new(check));
        self
    }

    fn check(&mut self) -> Option<String> {
        self.check.as_mut().and_then(|check| check())
    }

    /// The least of a few: one that lost its CPU for a while would seem to need no more than a few operations.
    fn time_for(&mut self, n: usize) -> Duration {
        (0..4).map(|_| (self.run)(n)).min().unwrap()
    }

    fn calibrate(&mut self) {
        let mut n = 16;
        while self.fixed == 0 {
            if self.time_for(n) >= SAMPLE / 2 {
                self.fixed = n;
            }
            n *= 2;
        }
        (self.run)(self.fixed);
        self.check();
        let run = &mut self.run;
        let counted = allocations::during(|| {
            run(self.fixed);
        });
        self.allocations = counted as f64 / self.fixed as f64;
        self.check();
    }

    fn sample(&mut self) {
        let took = (self.run)(self.fixed);
        let ns = took.as_nanos() as f64 / self.fixed as f64;
        print!("{{\"name\": \"{}\", \"ns\": {ns:.3}, \"against\": \"{}\"", self.name, self.against);
        if !self.partly {
            print!(", \"allocs\": {:.3}", self.allocations);
        }
        if let Some(why) = self.check() {
            print!(", \"invalid\": \"{why}\"");
        }
        println!("}}");
    }
}

pub fn timed(mut op: impl FnMut(usize)) -> impl FnMut(usize) -> Duration {
    move |n| {
        let begin = Instant::now();
        op(n);
        begin.elapsed()
    }
}

fn main() {
    let mut rows = spans::rows();
    rows.extend(tokens::rows());
    rows.extend(wire::rows());
    rows.iter_mut().for_each(Row::calibrate);
    for _ in std::io::stdin().lock().lines() {
        rows.iter_mut().for_each(Row::sample);
        println!();
    }
}
