//! Things that are no services.

#[zrpc::service]
struct Hello;

#[zrpc::service]
fn hello() {}

#[zrpc::service]
trait Associated {
    type Key;

    const LIMIT: usize;

    fn get(&self) -> u8;
}

#[zrpc::service(no_client, no_server)]
trait Nothing {}

impl Hello {
    #[zrpc(blocking)]
    fn work(&self) {}
}

fn main() {}
