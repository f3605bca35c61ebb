//! Words that mean nothing here.

struct Hello;

#[zrpc::service(nmae = "Hello")]
impl Hello {
    #[zrpc(blockign)]
    fn hello(&self, #[zrpc(optional)] _name: String) {}

    #[zrpc(skip, name = "goodbye")]
    fn bye(&self) {}
}

#[zrpc::service(no_server)]
impl Hello {}

#[zrpc::service(name = "a", name = "b")]
impl Hello {}

#[zrpc::service(blocking_client, blocking_client = Twice)]
impl Hello {}

trait Greeting {}

#[zrpc::service(blocking_client)]
impl Greeting for Hello {}

fn main() {}
