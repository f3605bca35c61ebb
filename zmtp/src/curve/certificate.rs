//! Certificates: keys with a description, in files that other ZeroMQ implementations know.
//!
//! ```text
//! metadata
//!     name = "printer"
//! curve
//!     public-key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
//! ```
//!
//! CZMQ and pyzmq keep a key pair in two such files. The one that ends in `.key` may be shown to
//! everybody; the one that ends in `.key_secret` also has the line `secret-key`.

use std::fmt::{self, Write};
use std::str::FromStr;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::curve::zpl::{self, Property, SyntaxError};
use crate::curve::{KeyError, KeyPair, PublicKey, SecretKey};

/// Somebody's public key, and what is known about its owner.
///
/// Read from and shown in the form of a `.key` file.
///
/// ```
/// use zmtp::curve::Certificate;
///
/// let certificate: Certificate = r#"
/// metadata
///     name = "printer"
/// curve
///     public-key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
/// "#
/// .parse()?;
/// assert_eq!(certificate.get("name"), Some("printer"));
/// # Ok::<(), zmtp::curve::CertificateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    public_key: PublicKey,
    metadata: Vec<(String, String)>,
}

/// Our own key pair, and what others shall know about us.
///
/// Read from the form of a `.key_secret` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretCertificate {
    secret_key: SecretKey,
    certificate: Certificate,
}

/// Why a text is not a certificate, or metadata cannot be part of one.
///
/// It tells where the fault is and never what is there: the text may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Violation: the text is longer than any certificate.
    #[error("certificate of {len} octets exceeds the limit of {limit}")]
    TooLong {
        /// The length in octets.
        len: usize,
        /// The longest certificate that is read.
        limit: usize,
    },
    /// Malformed: a line makes no sense.
    #[error("line {line} of the certificate")]
    Syntax {
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        source: SyntaxError,
    },
    /// Malformed: there are two values of the same name in one section.
    #[error("line {line} of the certificate repeats a name")]
    Duplicate {
        /// The number of the second line, from 1.
        line: usize,
    },
    /// Violation: there is more metadata than in any certificate.
    #[error("more than {limit} properties in the certificate")]
    TooManyProperties {
        /// The largest number that is read.
        limit: usize,
    },
    /// Malformed: a key is not there.
    #[error("the certificate has no {name}")]
    Missing {
        /// The name of the key in the certificate.
        name: &'static str,
    },
    /// Malformed: a key is not one.
    #[error("{name} of the certificate")]
    Key {
        /// The name of the key in the certificate.
        name: &'static str,
        /// What is wrong with it.
        source: KeyError,
    },
    /// Misuse: the format has no way to write such a name or value.
    #[error("metadata that a certificate cannot hold")]
    Metadata,
}

impl Certificate {
    /// The longest text that is read or written, with the secret key or without, in octets.
    /// Certificates are tiny; what is larger is another file. Where a text was laid out more tightly
    /// than this crate does it, what counts is how long it is when it is written again.
    pub const MAX_LEN: usize = 64 * 1024;

    /// The most properties. They are compared pairwise.
    pub const MAX_METADATA: usize = 256;

    /// Returns the certificate of a key, without metadata.
    pub const fn new(public_key: PublicKey) -> Self {
        Self {
            public_key,
            metadata: Vec::new(),
        }
    }

    /// Adds something that is known about the owner, or replaces it.
    ///
    /// # Errors
    ///
    /// Returns [`CertificateError::Metadata`] if the name has characters other than letters, digits
    /// and `$-_@.&+/`, or the value has control characters or both kinds of quotation marks. Returns
    /// [`CertificateError::TooManyProperties`] or [`CertificateError::TooLong`] if the certificate
    /// could be written and not read again. It is as before then.
    pub fn insert(&mut self, name: &str, value: &str) -> Result<(), CertificateError> {
        if !zpl::is_name(name) || zpl::quotation_mark(value).is_none() {
            return Err(CertificateError::Metadata);
        }
        let limit = Self::MAX_METADATA;
        if self.get(name).is_none() && self.metadata.len() >= limit {
            return Err(CertificateError::TooManyProperties { limit });
        }
        let others = self.metadata().filter(|(known, _)| *known != name);
        let lens = others.chain([(name, value)]).map(written_len);
        let (len, limit) = (lens.chain([MIN_WRITTEN]).sum(), Self::MAX_LEN);
        if len > limit {
            return Err(CertificateError::TooLong { len, limit });
        }
        self.metadata.retain(|(known, _)| known != name);
        self.metadata.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// Returns the key.
    pub const fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// Returns one of the things that are known about the owner.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.metadata()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Returns what is known about the owner, as names and values in their order.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl SecretCertificate {
    /// Returns the certificate of a pair, without metadata.
    pub fn new(pair: &KeyPair) -> Self {
        Self {
            secret_key: pair.secret_key().clone(),
            certificate: Certificate::new(pair.public_key()),
        }
    }

    /// Adds something that others shall know about us, as [`Certificate::insert`] does.
    ///
    /// # Errors
    ///
    /// As [`Certificate::insert`].
    pub fn insert(&mut self, name: &str, value: &str) -> Result<(), CertificateError> {
        self.certificate.insert(name, value)
    }

    /// Returns the part of it that may be shown.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Returns the keys.
    pub fn key_pair(&self) -> KeyPair {
        KeyPair::new(self.secret_key.clone())
    }

    /// Returns the form of a `.key_secret` file: the secret itself, and the caller's to wipe.
    pub fn expose_text(&self) -> String {
        let mut text = String::from(SECRET_HEADER);
        // Writing to a string does not fail.
        let _ = write_body(&self.certificate, &mut text);
        let secret = Zeroizing::new(self.secret_key.expose_text());
        // The text must not move any more: it would leave the secret behind.
        text.reserve(KEY_LINE);
        let _ = write_key(SECRET_KEY, &secret, &mut text);
        text
    }
}

impl FromStr for Certificate {
    type Err = CertificateError;

    fn from_str(text: &str) -> Result<Self, CertificateError> {
        let fields = Fields::read(text)?;
        fields.certificate()
    }
}

impl FromStr for SecretCertificate {
    type Err = CertificateError;

    fn from_str(text: &str) -> Result<Self, CertificateError> {
        let fields = Fields::read(text)?;
        let certificate = fields.certificate()?;
        let secret_key: SecretKey = key(SECRET_KEY, fields.secret_key)?;
        if secret_key.public_key() != certificate.public_key {
            return Err(CertificateError::Key {
                name: PUBLIC_KEY,
                source: KeyError::Mismatch,
            });
        }
        Ok(Self {
            secret_key,
            certificate,
        })
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PUBLIC_HEADER)?;
        write_body(self, f)
    }
}

/// What a certificate says, before it is judged.
#[derive(Default)]
struct Fields<'a> {
    public_key: Option<&'a str>,
    secret_key: Option<&'a str>,
    metadata: Vec<(&'a str, &'a str)>,
}

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Result<Self, CertificateError> {
        let (len, limit) = (text.len(), Certificate::MAX_LEN);
        if len > limit {
            return Err(CertificateError::TooLong { len, limit });
        }
        let mut fields = Self::default();
        for property in zpl::properties(text) {
            let property =
                property.map_err(|(line, source)| CertificateError::Syntax { line, source })?;
            fields.take(property)?;
        }
        Ok(fields)
    }

    fn take(&mut self, property: Property<'a>) -> Result<(), CertificateError> {
        let Property {
            line,
            section,
            name,
            value,
        } = property;
        let is_new = match (section, name) {
            ("curve", PUBLIC_KEY) => self.public_key.replace(value).is_none(),
            ("curve", SECRET_KEY) => self.secret_key.replace(value).is_none(),
            ("metadata", _) if self.metadata.len() >= Certificate::MAX_METADATA => {
                let limit = Certificate::MAX_METADATA;
                return Err(CertificateError::TooManyProperties { limit });
            }
            ("metadata", name) => {
                let is_new = self.metadata.iter().all(|(known, _)| *known != name);
                self.metadata.push((name, value));
                is_new
            }
            // Later versions of the format may say more.
            _ => true,
        };
        if is_new {
            Ok(())
        } else {
            Err(CertificateError::Duplicate { line })
        }
    }

    fn certificate(&self) -> Result<Certificate, CertificateError> {
        let mut certificate = Certificate::new(key(PUBLIC_KEY, self.public_key)?);
        for (name, value) in &self.metadata {
            certificate.insert(name, value)?;
        }
        Ok(certificate)
    }
}

fn key<K: FromStr<Err = KeyError>>(
    name: &'static str,
    text: Option<&str>,
) -> Result<K, CertificateError> {
    text.ok_or(CertificateError::Missing { name })?
        .parse()
        .map_err(|source| CertificateError::Key { name, source })
}

fn write_body(certificate: &Certificate, out: &mut impl Write) -> fmt::Result {
    out.write_str(METADATA)?;
    for (name, value) in certificate.metadata() {
        let mark = zpl::quotation_mark(value).unwrap_or('"');
        writeln!(out, "    {name} = {mark}{value}{mark}")?;
    }
    out.write_str(CURVE)?;
    write_key(PUBLIC_KEY, &certificate.public_key.to_string(), out)
}

/// Returns how many octets a property takes.
fn written_len((name, value): (&str, &str)) -> usize {
    let texts = name.len().saturating_add(value.len());
    texts.saturating_add(PROPERTY_OVERHEAD)
}

fn write_key(name: &str, text: &str, out: &mut impl Write) -> fmt::Result {
    // The alphabet of Z85 has no quotation marks.
    writeln!(out, "    {name} = \"{text}\"")
}

/// As many octets as [`write_key`] writes.
const KEY_LINE: usize = PUBLIC_KEY.len() + 40 + PROPERTY_OVERHEAD;

/// What a property takes beside its name and its value.
const PROPERTY_OVERHEAD: usize = "     = ''\n".len();

/// As many octets as a secret certificate without metadata has.
const MIN_WRITTEN: usize = SECRET_HEADER.len() + METADATA.len() + CURVE.len() + 2 * KEY_LINE;

const METADATA: &str = "metadata\n";
const CURVE: &str = "curve\n";

const PUBLIC_KEY: &str = "public-key";
const SECRET_KEY: &str = "secret-key";

const PUBLIC_HEADER: &str = "\
# ZeroMQ CURVE public certificate
#
# Who is let in depends on this file: exchange it over a channel that nobody can
# tamper with.

";

const SECRET_HEADER: &str = "\
# ZeroMQ CURVE secret certificate
#
# Whoever reads this file can pretend to be its owner: give it to nobody.

";

#[cfg(test)]
mod tests;
