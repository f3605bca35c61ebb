//! W3C Trace Context: which trace a call belongs to, and which span of it caused the call.

use std::fmt;
use std::sync::Arc;

use super::{EntryError, HeaderEntries, TaskContext};

/// The position of a call in a distributed trace, as W3C Trace Context describes it.
///
/// It travels in the header entries `traceparent` and `tracestate`, which are the strings that the
/// HTTP headers of those names have. [`Tracing`](super::Tracing) carries it; no OpenTelemetry is
/// needed for that, and one that is there can take part.
///
/// # Example
///
/// ```
/// use zrpc::middleware::TraceContext;
///
/// let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let parent = TraceContext::parse(parent, Some("vendor=opaque")).unwrap();
/// let child = parent.child();
/// assert_eq!(child.trace_id(), parent.trace_id());
/// assert_ne!(child.span_id(), parent.span_id());
/// assert!(child.is_sampled());
/// assert_eq!(child.tracestate(), Some("vendor=opaque"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    flags: u8,
    state: Option<Arc<str>>,
}

/// The id of a trace; printed as 32 hex digits. Never zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// The id of a span; printed as 16 hex digits. Never zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

/// Why a trace context cannot be used. Who gets it starts a new trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceContextError {
    /// The entry `traceparent` is no string.
    #[error("traceparent is no string")]
    NotAString,
    /// It is not as long as its version demands.
    #[error("traceparent has {len} bytes")]
    Length {
        /// How long it is.
        len: usize,
    },
    /// It has something else than a dash between its fields.
    #[error("traceparent has no dash at byte {at}")]
    Separator {
        /// Where the dash should be.
        at: usize,
    },
    /// A field is not made of lower-case hex digits.
    #[error("{field} of traceparent is not lower-case hex")]
    Digits {
        /// The field.
        field: &'static str,
    },
    /// The version is `ff`, which is not allowed.
    #[error("traceparent has the version ff")]
    Version,
    /// An id is zero.
    #[error("{field} of traceparent is zero")]
    Zero {
        /// The field.
        field: &'static str,
    },
}

/// The header entry, and HTTP header, that has the ids.
const TRACEPARENT: &str = "traceparent";

/// The header entry, and HTTP header, that has what vendors add.
const TRACESTATE: &str = "tracestate";

/// The length of a `traceparent` of version 00: `00-<32>-<16>-<2>`.
const LEN: usize = 55;

/// The part of a `tracestate` that everybody passes on. What is longer is dropped as a whole.
const MAX_STATE_LEN: usize = 512;

/// The most members of a `tracestate`.
const MAX_STATE_COUNT: usize = 32;

const SAMPLED: u8 = 0x01;

/// The flags that are known: sampled, and that the id is random.
const KNOWN_FLAGS: u8 = 0x03;

impl TraceContext {
    /// Begins a trace.
    #[must_use]
    pub fn random() -> Self {
        Self {
            trace_id: TraceId(nonzero()),
            span_id: SpanId(nonzero()),
            flags: KNOWN_FLAGS,
            state: None,
        }
    }

    /// Returns a span of the same trace, with an id of its own.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            span_id: SpanId(nonzero()),
            ..self.clone()
        }
    }

    /// Reads the two strings. A `tracestate` that is malformed or too long is left out, as the
    /// specification wants it.
    ///
    /// # Errors
    ///
    /// [`TraceContextError`] says what is wrong with `traceparent`.
    pub fn parse(traceparent: &str, tracestate: Option<&str>) -> Result<Self, TraceContextError> {
        let bytes = traceparent.as_bytes();
        let length = TraceContextError::Length { len: bytes.len() };
        let (fields, rest) = bytes.split_at_checked(LEN).ok_or_else(|| length.clone())?;
        for at in [2, 35, 52] {
            if fields.get(at) != Some(&b'-') {
                return Err(TraceContextError::Separator { at });
            }
        }
        let [version] = hex("version", fields.get(..2))?;
        match (version, rest.first()) {
            (0xff, _) => return Err(TraceContextError::Version),
            // Later versions may add fields, and nothing else.
            (0, Some(_)) => return Err(length),
            (_, None | Some(b'-')) => {}
            (_, Some(_)) => return Err(TraceContextError::Separator { at: LEN }),
        }
        let trace_id = hex("trace-id", fields.get(3..35))?;
        let span_id = hex("parent-id", fields.get(36..52))?;
        let [flags] = hex("trace-flags", fields.get(53..55))?;
        let zero = |field| TraceContextError::Zero { field };
        if trace_id == [0; 16] {
            return Err(zero("trace-id"));
        }
        if span_id == [0; 8] {
            return Err(zero("parent-id"));
        }
        Ok(Self {
            trace_id: TraceId(trace_id),
            span_id: SpanId(span_id),
            flags: flags & KNOWN_FLAGS,
            state: tracestate
                .filter(|state| is_tracestate(state))
                .map(Arc::from),
        })
    }

    /// Reads the entries of a header. Returns `None` if it has no `traceparent`.
    ///
    /// # Errors
    ///
    /// [`TraceContextError`] says what is wrong with `traceparent`.
    pub fn from_header(header: &HeaderEntries) -> Result<Option<Self>, TraceContextError> {
        let parent = header.get::<String>(TRACEPARENT);
        let Some(parent) = parent.map_err(|_| TraceContextError::NotAString)? else {
            return Ok(None);
        };
        let state = header.get::<String>(TRACESTATE).ok().flatten();
        Self::parse(&parent, state.as_deref()).map(Some)
    }

    /// Returns the trace that the current task, or blocking thread, is part of.
    #[must_use]
    pub fn current() -> Option<Self> {
        let context = TaskContext::current();
        Self::from_header(context.entries()).ok().flatten()
    }

    /// Runs a future as part of this trace. Its calls are children of this span, where the client
    /// has [`Tracing`](super::Tracing).
    ///
    /// # Errors
    ///
    /// [`EntryError`]: the task's context has no room for it.
    pub fn scope<F: Future>(
        &self,
        future: F,
    ) -> Result<impl Future<Output = F::Output> + use<F>, EntryError> {
        let mut context = TaskContext::current();
        self.put_into_context(&mut context)?;
        Ok(context.scope(future))
    }

    /// Returns the id of the trace.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Returns the id of the span.
    #[must_use]
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Returns whether the trace is recorded, by whoever decided that.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Returns the string of the header entry `traceparent`.
    #[must_use]
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags)
    }

    /// Returns the string of the header entry `tracestate`, if there is one.
    #[must_use]
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    pub(super) fn put_into(&self, header: &mut HeaderEntries) -> Result<(), EntryError> {
        header.insert(TRACEPARENT, &self.traceparent())?;
        match self.tracestate() {
            Some(state) => header.insert(TRACESTATE, state),
            None => {
                header.remove(TRACESTATE);
                Ok(())
            }
        }
    }

    pub(super) fn put_into_context(&self, context: &mut TaskContext) -> Result<(), EntryError> {
        let mut entries = HeaderEntries::new();
        self.put_into(&mut entries)?;
        context.remove(TRACESTATE);
        context.merge(&entries)
    }
}

/// Returns random bytes that are not all zero.
fn nonzero<const N: usize>() -> [u8; N] {
    loop {
        let mut bytes = [0; N];
        rand::fill(&mut bytes);
        if bytes != [0; N] {
            return bytes;
        }
    }
}

fn hex<const N: usize>(
    field: &'static str,
    digits: Option<&[u8]>,
) -> Result<[u8; N], TraceContextError> {
    let error = TraceContextError::Digits { field };
    let mut digits = digits.unwrap_or_default().iter();
    let mut bytes = [0; N];
    for byte in &mut bytes {
        for _ in 0..2 {
            let digit = match digits.next() {
                Some(digit @ b'0'..=b'9') => digit - b'0',
                Some(digit @ b'a'..=b'f') => digit - b'a' + 10,
                _ => return Err(error),
            };
            *byte = *byte << 4 | digit;
        }
    }
    Ok(bytes)
}

/// Returns whether a `tracestate` is well formed, and short enough to be passed on.
fn is_tracestate(state: &str) -> bool {
    if state.is_empty() || state.len() > MAX_STATE_LEN {
        return false;
    }
    let mut keys = Vec::new();
    for member in state
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']))
    {
        if member.is_empty() {
            continue;
        }
        let Some((key, value)) = member.split_once('=') else {
            return false;
        };
        if !is_key(key) || !is_value(value) || keys.contains(&key) {
            return false;
        }
        keys.push(key);
    }
    (1..=MAX_STATE_COUNT).contains(&keys.len())
}

/// `key`, or `tenant@system`.
fn is_key(key: &str) -> bool {
    let is_part = |part: &str, max: usize, first: fn(&u8) -> bool| {
        part.len() <= max
            && part.as_bytes().first().is_some_and(first)
            && part
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/'))
    };
    match key.split_once('@') {
        None => is_part(key, 256, u8::is_ascii_lowercase) || is_part(key, 256, u8::is_ascii_digit),
        Some((tenant, system)) => {
            is_part(tenant, 241, u8::is_ascii_alphanumeric)
                && is_part(system, 14, u8::is_ascii_lowercase)
        }
    }
}

fn is_value(value: &str) -> bool {
    (1..=256).contains(&value.len())
        && !value.ends_with(' ')
        && value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=')
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_printed_is_what_was_read() {
        let context = TraceContext::parse(PARENT, Some("rojo=1,congo=2")).unwrap();
        assert_eq!(context.traceparent(), PARENT);
        assert_eq!(context.tracestate(), Some("rojo=1,congo=2"));
        let random = TraceContext::random();
        let again = TraceContext::parse(&random.traceparent(), None);
        assert_eq!(again, Ok(random));
    }

    #[test]
    fn a_traceparent_that_is_cut_or_disturbed_is_an_error_or_another_one() {
        for len in 0..PARENT.len() {
            assert!(TraceContext::parse(&PARENT[..len], None).is_err(), "{len}");
        }
        for at in 0..PARENT.len() {
            for byte in ['g', 'A', '-', ' ', '\0', 'ü'] {
                let mut text = PARENT.to_owned();
                text.replace_range(at..=at, &byte.to_string());
                if text != PARENT {
                    assert!(TraceContext::parse(&text, None).is_err(), "{text}");
                }
            }
        }
    }

    #[test]
    fn zero_ids_and_the_version_ff_are_refused() {
        let zero = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        let error = TraceContextError::Zero { field: "trace-id" };
        assert_eq!(TraceContext::parse(zero, None), Err(error));
        let zero = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01";
        let error = TraceContextError::Zero { field: "parent-id" };
        assert_eq!(TraceContext::parse(zero, None), Err(error));
        let version = PARENT.replacen("00", "ff", 1);
        let error = TraceContextError::Version;
        assert_eq!(TraceContext::parse(&version, None), Err(error));
    }

    #[test]
    fn later_versions_may_add_fields() {
        let later = PARENT.replacen("00", "cc", 1);
        let context = TraceContext::parse(&format!("{later}-what-the-future"), None).unwrap();
        assert_eq!(context.traceparent(), PARENT);
        assert!(TraceContext::parse(&later, None).is_ok());
        assert!(TraceContext::parse(&format!("{later}.x"), None).is_err());
        assert!(TraceContext::parse(&format!("{PARENT}-x"), None).is_err());
    }

    #[test]
    fn flags_that_are_unknown_are_not_passed_on() {
        let context = TraceContext::parse(&PARENT.replace("-01", "-ff"), None).unwrap();
        assert!(context.traceparent().ends_with("-03"));
        let context = TraceContext::parse(&PARENT.replace("-01", "-00"), None).unwrap();
        assert!(!context.is_sampled());
    }

    #[test]
    fn a_tracestate_that_is_malformed_is_left_out() {
        let kept = |state: &str| {
            let context = TraceContext::parse(PARENT, Some(state)).unwrap();
            context.tracestate().is_some()
        };
        for state in [
            "a=1",
            "a=1,,b=2",
            "t@v=1",
            "1a=x",
            "a= b",
            "0t@v=x",
            "a=1 , b=2",
        ] {
            assert!(kept(state), "{state:?}");
        }
        let many = vec!["a=1"; 33].join(",");
        let long = format!("a={}", "x".repeat(257));
        let longer = format!("{}b=1", "a=1,".repeat(200));
        for state in [
            "", ",", "a", "A=1", "a=", "=1", "a=1=2", "a=1,a=2", "a=ü", "a=\0", "@v=1", "a@=1",
            "a@1v=1", &many, &long, &longer,
        ] {
            assert!(!kept(state), "{state:?}");
        }
    }

    #[test]
    fn an_entry_that_is_no_string_is_an_error() {
        let mut header = HeaderEntries::new();
        assert_eq!(TraceContext::from_header(&header), Ok(None));
        header.insert(TRACEPARENT, &7).unwrap();
        let error = TraceContextError::NotAString;
        assert_eq!(TraceContext::from_header(&header), Err(error));
        header.insert(TRACEPARENT, PARENT).unwrap();
        header.insert(TRACESTATE, &[1, 2]).unwrap();
        let context = TraceContext::from_header(&header).unwrap().unwrap();
        assert_eq!(context.tracestate(), None);
    }
}
