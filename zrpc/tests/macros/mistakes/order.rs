//! Arguments in an order that no caller could keep.

struct Numbers;

#[zrpc::service]
impl Numbers {
    fn late(&self, #[zrpc(default = 1)] _first: u8, _second: u8) {}

    fn behind(&self, #[zrpc(rest)] _numbers: Vec<u8>, _last: u8) {}

    fn both(&self, #[zrpc(rest, default)] _numbers: Vec<u8>) {}
}

fn main() {}
