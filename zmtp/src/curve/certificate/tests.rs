//! What is a certificate, and what is not.

use proptest::prelude::*;

use super::*;

const PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
const SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

fn pair() -> KeyPair {
    KeyPair::new(SECRET.parse().unwrap())
}

fn secret_certificate() -> SecretCertificate {
    let mut certificate = SecretCertificate::new(&pair());
    certificate.insert("name", "a # 'name'").unwrap();
    certificate.insert("empty", "").unwrap();
    certificate
}

// As pyzmq writes it, with the times left out.
const THEIRS: &str = r#"#   ****  Generated on a day by pyzmq  ****
#   ZeroMQ CURVE **Secret** Certificate
#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.

metadata
    organization = "zeromq"
curve
    public-key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
    secret-key = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
"#;

#[test]
fn certificates_of_others_are_read() {
    let certificate: SecretCertificate = THEIRS.parse().unwrap();
    assert_eq!(certificate.key_pair(), pair());
    assert_eq!(
        certificate.certificate().get("organization"),
        Some("zeromq")
    );
    let public: Certificate = THEIRS.parse().unwrap();
    assert_eq!(&public, certificate.certificate());
}

#[test]
fn certificates_survive_the_round_trip() {
    let certificate = secret_certificate();
    assert_eq!(certificate.expose_text().parse(), Ok(certificate.clone()));
    let public = certificate.certificate();
    assert_eq!(public.to_string().parse().as_ref(), Ok(public));
}

#[test]
fn the_public_form_has_no_secret() {
    let certificate = secret_certificate();
    let shown = [
        certificate.certificate().to_string(),
        format!("{certificate:?}"),
    ];
    for text in shown {
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn what_is_missing_wrong_or_double_is_named() {
    let curve = |lines: &str| format!("curve\n{lines}").parse::<SecretCertificate>();
    let public = format!("    public-key = \"{PUBLIC}\"\n");
    let secret = format!("    secret-key = \"{SECRET}\"\n");
    let key = |name, source| CertificateError::Key { name, source };
    for (lines, error) in [
        (
            String::new(),
            CertificateError::Missing { name: PUBLIC_KEY },
        ),
        (
            public.clone(),
            CertificateError::Missing { name: SECRET_KEY },
        ),
        (
            format!("{public}{public}"),
            CertificateError::Duplicate { line: 3 },
        ),
        (
            format!("{public}{}", secret.replace('D', "")),
            key(SECRET_KEY, KeyError::TextLength { len: 39 }),
        ),
        (
            format!("{public}    secret-key = \"{}\"\n", "0".repeat(40)),
            key(PUBLIC_KEY, KeyError::Mismatch),
        ),
        (
            format!("{public}nonsense with blanks\n"),
            CertificateError::Syntax {
                line: 3,
                source: SyntaxError::Name,
            },
        ),
    ] {
        assert_eq!(curve(&lines), Err(error));
    }
}

#[test]
fn large_files_are_no_certificates() {
    let len = Certificate::MAX_LEN + 1;
    let error = "#".repeat(len).parse::<Certificate>().unwrap_err();
    let limit = Certificate::MAX_LEN;
    assert_eq!(error, CertificateError::TooLong { len, limit });
    let limit = Certificate::MAX_METADATA;
    let lines: String = (0..=limit).map(|n| format!(" {n} = 1\n")).collect();
    let error = format!("metadata\n{lines}").parse::<Certificate>();
    assert_eq!(error, Err(CertificateError::TooManyProperties { limit }));
}

#[test]
fn metadata_that_cannot_be_written_is_refused() {
    let mut certificate = Certificate::new(pair().public_key());
    for (name, value) in [("", ""), ("a b", ""), ("a", "\"'"), ("a", "\n"), ("a=", "")] {
        let result = certificate.insert(name, value);
        assert_eq!(
            result,
            Err(CertificateError::Metadata),
            "{name:?} {value:?}"
        );
    }
    assert_eq!(certificate.metadata().count(), 0);
}

#[test]
fn metadata_that_would_not_be_read_again_is_refused() {
    let mut certificate = SecretCertificate::new(&pair());
    let limit = Certificate::MAX_METADATA;
    for number in 0..limit {
        certificate.insert(&number.to_string(), "").unwrap();
    }
    let before = certificate.clone();
    let error = certificate.insert("one more", "");
    assert_eq!(error, Err(CertificateError::Metadata));
    let error = certificate.insert("one-more", "");
    assert_eq!(error, Err(CertificateError::TooManyProperties { limit }));

    let limit = Certificate::MAX_LEN;
    let longest = "x".repeat(limit - certificate.expose_text().len());
    let error = certificate.insert("7", &format!("{longest}x"));
    let len = limit + 1;
    assert_eq!(error, Err(CertificateError::TooLong { len, limit }));
    assert_eq!(certificate, before);
    certificate.insert("7", &longest).unwrap();
    assert_eq!(certificate.expose_text().len(), limit);
    assert_eq!(certificate.expose_text().parse(), Ok(certificate.clone()));
    let public = certificate.certificate();
    assert!(public.to_string().len() <= limit);
}

proptest! {
    #[test]
    fn whatever_can_be_inserted_is_read_again(
        properties in prop::collection::vec(("[a-zA-Z0-9.-]{1,5}", "\\PC{0,10}"), 0..5),
    ) {
        let mut certificate = Certificate::new(pair().public_key());
        for (name, value) in &properties {
            let _ = certificate.insert(name, value);
        }
        prop_assert_eq!(certificate.to_string().parse(), Ok(certificate));
    }

    #[test]
    fn any_text_is_judged(text in "[a-z =#'\"\n\t-]{0,200}", tail in any::<String>()) {
        let _ = format!("curve\n{text}").parse::<Certificate>();
        let _ = tail.parse::<SecretCertificate>();
    }

    #[test]
    fn no_error_repeats_what_is_there(at in 0..THEIRS.len(), with in "[ -~]") {
        let mut text = THEIRS.to_owned();
        text.replace_range(at..=at, &with);
        if let Err(error) = text.parse::<SecretCertificate>() {
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains(&SECRET[1..6]), "{shown}");
        }
    }
}
