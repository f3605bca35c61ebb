//! Nonces, of which no two may be equal under one key.

/// A nonce for one box.
pub(super) struct Nonce {
    pub(super) prefix: [u8; 16],
    pub(super) rest: [u8; 8],
}

/// What short nonces begin with `[CURVE-003]`.
pub(super) mod prefix {
    pub(in super::super) const HELLO: [u8; 16] = *b"CurveZMQHELLO---";
    pub(in super::super) const INITIATE: [u8; 16] = *b"CurveZMQINITIATE";
    pub(in super::super) const READY: [u8; 16] = *b"CurveZMQREADY---";
    pub(in super::super) const MESSAGE_CLIENT: [u8; 16] = *b"CurveZMQMESSAGEC";
    pub(in super::super) const MESSAGE_SERVER: [u8; 16] = *b"CurveZMQMESSAGES";
    /// Those of long nonces.
    pub(in super::super) const WELCOME: [u8; 8] = *b"WELCOME-";
    pub(in super::super) const COOKIE: [u8; 8] = *b"COOKIE--";
    pub(in super::super) const VOUCH: [u8; 8] = *b"VOUCH---";
}

/// The length of the random part of a long nonce.
pub(super) const LONG_LEN: usize = 16;

/// The length of the counter of a short nonce.
pub(super) const SHORT_LEN: usize = 8;

impl Nonce {
    /// A prefix and a counter `[CURVE-002]`.
    pub(super) const fn short(prefix: [u8; 16], counter: u64) -> Self {
        Self {
            prefix,
            rest: counter.to_be_bytes(),
        }
    }

    /// A prefix and random octets `[CURVE-002]`.
    pub(super) const fn long(prefix: [u8; 8], random: &[u8; LONG_LEN]) -> Self {
        let [p0, p1, p2, p3, p4, p5, p6, p7] = prefix;
        let [
            r0,
            r1,
            r2,
            r3,
            r4,
            r5,
            r6,
            r7,
            r8,
            r9,
            r10,
            r11,
            r12,
            r13,
            r14,
            r15,
        ] = *random;
        Self {
            prefix: [
                p0, p1, p2, p3, p4, p5, p6, p7, r0, r1, r2, r3, r4, r5, r6, r7,
            ],
            rest: [r8, r9, r10, r11, r12, r13, r14, r15],
        }
    }
}
