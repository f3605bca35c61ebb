//! Names that are taken.

struct Hello;

#[zrpc::service]
impl Hello {
    fn hello(&self) {}

    #[zrpc(name = "hello")]
    fn other(&self) {}

    fn connect(&self) {}

    fn _zerorpc_ping(&self) {}

    #[zrpc(name = "")]
    fn nameless(&self) {}
}

#[zrpc::service(no_client, blocking_client)]
trait Blocking {
    fn with_prefix(&self);
}

fn main() {}
