//! Contexts that are taken in ways that do not work.

use zrpc::CallContext;

struct Hello;

#[zrpc::service]
impl Hello {
    fn changed(&self, _context: &mut CallContext) {}

    fn twice(&self, _first: &CallContext, _second: CallContext) {}

    fn sent(&self, #[zrpc(default)] _context: CallContext) {}
}

fn main() {}
