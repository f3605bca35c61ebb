//! Errors that callers cannot be told.

struct NoError;

struct Hello;

#[zrpc::service(no_client)]
impl Hello {
    fn fails(&self) -> Result<u8, NoError> {
        Err(NoError)
    }
}

fn main() {}
