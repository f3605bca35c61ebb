//! Results that a client cannot name.

use serde::Serialize;

struct Hello;

#[zrpc::service]
impl Hello {
    fn hidden(&self) -> impl Serialize {
        1
    }

    fn own(&self) -> Option<Self> {
        None
    }

    fn lent(&self) -> Vec<&str> {
        Vec::new()
    }
}

fn main() {}
