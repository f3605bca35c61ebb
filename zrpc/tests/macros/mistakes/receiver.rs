//! Methods whose service would not be there, or not be shared.

struct Counter(u64);

#[zrpc::service]
impl Counter {
    fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }

    fn end(self) {}

    fn new() -> Self {
        Self(0)
    }
}

fn main() {}
