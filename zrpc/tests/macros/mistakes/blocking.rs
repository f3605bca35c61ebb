//! Methods that hold a thread and wait at the same time.

use futures_util::stream::{self, Stream};

struct Slow;

#[zrpc::service]
impl Slow {
    #[zrpc(blocking)]
    async fn work(&self) {}

    #[zrpc(blocking)]
    fn count(&self) -> impl Stream<Item = u8> {
        stream::iter(0..3)
    }
}

fn main() {}
