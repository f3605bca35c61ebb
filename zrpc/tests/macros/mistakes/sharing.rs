//! Services and futures that cannot change threads.

use std::cell::Cell;
use std::rc::Rc;

struct Local(Cell<u8>);

#[zrpc::service(no_client)]
impl Local {
    fn get(&self) -> u8 {
        self.0.get()
    }
}

struct Shared;

#[zrpc::service(no_client)]
impl Shared {
    async fn keeps(&self) -> u8 {
        let number = Rc::new(1);
        std::future::ready(()).await;
        *number
    }
}

fn main() {}
