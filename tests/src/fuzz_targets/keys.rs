//! Keys as text, and the files that hold them.

#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a fuzz target says what it found"
)]

use zmtp::curve::{Certificate, PublicKey, SecretCertificate, SecretKey};
use zmtp::wire::z85;

/// Text is Z85 exactly if arithmetic says so, and each text stands for octets of its own.
pub fn z85(data: &[u8]) {
    let decoded = z85::decode(data);
    assert_eq!(decoded.clone().ok(), decode_slowly(data));
    if let Ok(octets) = decoded {
        let text = z85::encode(&octets);
        assert_eq!(
            text.as_ref().map(String::as_bytes),
            Ok(data),
            "one spelling"
        );
    }
    match z85::encode(data) {
        Ok(text) => {
            assert_eq!(text.len(), data.len() / 4 * 5);
            assert_eq!(z85::decode(text), Ok(data.to_vec()), "round trip");
        }
        Err(_) => assert_ne!(data.len() % 4, 0),
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let (public, secret) = (text.parse::<PublicKey>(), text.parse::<SecretKey>());
        let is_key = text.len() == 40 && z85::decode(text).is_ok();
        assert_eq!((public.is_ok(), secret.is_ok()), (is_key, is_key));
        if let Ok(key) = public {
            assert_eq!(key.to_string(), text);
        }
    }
}

/// The alphabet of RFC 32, by value.
const ALPHABET: &str =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

fn decode_slowly(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(5) {
        return None;
    }
    let mut octets = Vec::new();
    for group in text.chunks(5) {
        let mut number = 0_u128;
        for character in group {
            let value = ALPHABET.find(char::from(*character))?;
            number = number * 85 + value as u128;
        }
        octets.extend(u32::try_from(number).ok()?.to_be_bytes());
    }
    Some(octets)
}

/// A certificate that is accepted is written as one that is the same, and nothing that is said
/// about any text has a secret in it.
pub fn certificate(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let public = text.parse::<Certificate>();
    let secret = text.parse::<SecretCertificate>();
    for secret in secrets(text) {
        // Metadata of the same name is none.
        let mut known = public.iter().flat_map(Certificate::metadata);
        let is_known = known.any(|(_, value)| value.contains(secret));
        assert!(
            is_known || !tells(text, secret),
            "a secret in {}",
            shown(text)
        );
    }
    if let Ok(certificate) = &public {
        let printed = certificate.to_string();
        assert_eq!(printed.parse().as_ref(), Ok(certificate), "round trip");
        assert!(certificate.metadata().count() <= Certificate::MAX_METADATA);
    }
    if let Ok(certificate) = &secret {
        assert_eq!(public.as_ref(), Ok(certificate.certificate()));
        let pair = certificate.key_pair();
        assert_eq!(pair.secret_key().public_key(), pair.public_key());
        let printed = certificate.expose_text();
        assert_eq!(printed.parse().as_ref(), Ok(certificate), "round trip");
        let shown = certificate.certificate().to_string();
        let secret = pair.secret_key().expose_text();
        // Who writes it into the metadata has told it already.
        let mut known = certificate.certificate().metadata();
        let is_told =
            known.any(|(name, value)| [name, value].iter().any(|text| text.contains(&secret)));
        assert!(
            is_told || !shown.contains(&secret),
            "the public part has it"
        );
    }
}

/// What stands where secret keys do and could be one, unless it is too short not to be found by
/// accident, or stands elsewhere, too.
fn secrets(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(move |line| {
        let (name, value) = line.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        let is_secret = name.trim() == "secret-key"
            && value.len() >= 20
            && value.chars().all(|c| ALPHABET.contains(c));
        (is_secret && text.matches(value).count() == 1).then_some(value)
    })
}

/// Whether what is shown of a certificate has its secret from there: our own words may contain the
/// same characters, and then do so whatever the secret is.
fn tells(text: &str, secret: &str) -> bool {
    let other = text.replace(secret, &"x".repeat(secret.len()));
    shown(text).contains(secret) && !shown(&other).contains(secret)
}

/// All that can be seen without asking for the secret.
fn shown(text: &str) -> String {
    let public = text.parse::<Certificate>();
    let secret = text.parse::<SecretCertificate>();
    format!("{public:?} {secret:?}")
}
