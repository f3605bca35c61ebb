//! Arguments that cannot be decoded, or have no name.

struct Text;

#[zrpc::service]
impl Text {
    fn borrowed(&self, text: &str) -> usize {
        text.len()
    }

    fn slice(&self, _numbers: &[u8]) {}

    fn nested(&self, _texts: Vec<&'static str>) {}

    fn chosen(&self, _text: impl Into<String>) {}

    fn nameless(&self, (_left, _right): (u8, u8)) {}

    fn ignored(&self, _: u8) {}

    fn conditional(&self, #[cfg(unix)] _mode: u32) {}

    fn defaulted(&self, #[zrpc(default = Self::LEN)] _len: usize) {}

    const LEN: usize = 3;
}

fn main() {}
