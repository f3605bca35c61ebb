//! The keys of the encrypted rows: both processes know them, and nobody else needs them.

use crate::error::BenchError;

/// A key pair of CURVE in Z85.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) public: &'static str,
    pub(super) secret: &'static str,
}

/// Of the side that binds.
pub(super) const SERVER: Keys = Keys {
    public: "g>#mNxGImADB*6?xCEv7-x@.f]R+Ii]3khIJl!T$",
    secret: "}g(I3(LH{Y:Jq)(QM>/%4qWs@iKexp*v*V:DO#}!",
};

/// Of the side that connects.
pub(super) const CLIENT: Keys = Keys {
    public: "B+exv2ohx*x/&3d{Nzez.7dY6Ge*bXMUM+uroefc",
    secret: "0/l6ds6HWEh&V6L3w&CP[Hn.ZbNDU-jXGRka<9tQ",
};

/// The octets of a key.
pub(super) fn decode(key: &str) -> Result<Vec<u8>, BenchError> {
    zmq::z85_decode(key).map_err(BenchError::contender)
}
