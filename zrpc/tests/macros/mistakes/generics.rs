//! Methods that leave types to their callers.

struct Anything;

#[zrpc::service]
impl Anything {
    fn typed<T>(&self, _value: T) {}

    unsafe fn sharp(&self) {}

    extern "C" fn foreign(&self) {}
}

struct Borrowing<'a>(&'a str);

#[zrpc::service]
impl<'a> Borrowing<'a> {
    fn hello(&self) {}
}

fn main() {}
