//! Errors that callers cannot be told.

struct NoError;

struct Hello;

#[zrpc::service(no_client)]
impl Hello {
    fn fails(&self) -> Result<u8, NoError> {
        Err(NoError)
    }

    fn boxed(&self) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
        Ok(1)
    }

    fn text(&self) -> Result<u8, String> {
        Ok(1)
    }
}

fn main() {}
