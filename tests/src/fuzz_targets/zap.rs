//! ZAP: what servers and handlers tell each other.

#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a fuzz target says what it found"
)]

use zmtp::Part;
use zmtp::mechanism::Decision;
use zmtp::wire::greeting::MechanismName;
use zmtp::zap::{Reply, ReplyError, Request, Status, split_envelope};

/// The longest value of any part but the metadata.
const MAX_LEN: usize = 255;

/// Lines are the parts of a request and of a reply: what is accepted is within the limits and
/// survives a round trip, and nobody is somebody who may not come in.
pub fn zap(data: &[u8]) {
    let lines = data.split(|octet| *octet == b'\n');
    let parts: Vec<Part> = lines.map(Part::copy_from_slice).collect();
    if let Some((envelope, rest)) = split_envelope(&parts) {
        assert_eq!([envelope, rest].concat(), parts, "nothing is lost");
        assert!(envelope.ends_with(&[Part::EMPTY]));
        assert_eq!(envelope.iter().filter(|part| part.is_empty()).count(), 1);
    }
    request(&parts);
    reply(&parts);
}

fn request(parts: &[Part]) {
    let Ok(request) = Request::decode(parts) else {
        return;
    };
    assert!(parts.iter().all(|part| part.len() <= MAX_LEN));
    let expected = match request.mechanism {
        MechanismName::NULL => Some(0),
        MechanismName::PLAIN => Some(2),
        MechanismName::CURVE => Some(1),
        _ => None,
    };
    assert!(expected.is_none_or(|count| count == request.credentials.len()));
    assert_eq!(request.encode().parts(), parts, "round trip");
    // What is shown depends on nothing that a password is in.
    let mut stripped = request.clone();
    stripped.credentials.clear();
    assert_eq!(format!("{request:?}"), format!("{stripped:?}"));
}

fn reply(parts: &[Part]) {
    let id = parts.get(1).cloned().unwrap_or_default();
    let Ok(reply) = Reply::decode(parts, &id) else {
        return;
    };
    let other = [&id[..], b"'"].concat();
    assert_eq!(Reply::decode(parts, &other), Err(ReplyError::RequestId));
    assert!(reply.user_id.len() <= MAX_LEN);
    let again = Reply::decode(reply.encode().parts(), &id);
    // A text that was not UTF-8 may have become too long to be one.
    if reply.status_text.len() <= MAX_LEN {
        assert_eq!(again.as_ref(), Ok(&reply), "round trip");
    }
    let may_come_in = reply.status == Status::Success;
    assert!(may_come_in || (reply.user_id.is_empty() && reply.metadata.is_empty()));
    let decision = reply.clone().into_decision();
    assert_eq!(matches!(decision, Decision::Allow { .. }), may_come_in);
    let told = Reply::from_decision(id, decision);
    assert_eq!(told.status, reply.status);
    assert_eq!(
        (told.user_id, told.metadata),
        (reply.user_id, reply.metadata)
    );
}
