//! Asking a service about itself, and what to do when it will not say.

use rmpv::Value;

use super::decode::{UNNAMED, decode_doc, decode_inspection, text};
use super::listing::{Listing, Method};
use super::signature::format_argspec;

/// Something that introspection calls can be sent to.
pub(crate) trait Remote {
    /// Why a call failed.
    type Error;

    /// Calls a method for a single result.
    ///
    /// Returns `None` if the service has the call answered with an error, so that something else
    /// can be tried.
    ///
    /// # Errors
    ///
    /// Everything that makes another attempt pointless, such as a lost service.
    async fn ask(&self, method: &str, args: Vec<Value>) -> Result<Option<Value>, Self::Error>;
}

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail<'a> {
    /// Names and documentation of all methods.
    Names,
    /// Also the arguments of all methods.
    Signatures,
    /// Everything about one method.
    Method(&'a str),
}

/// Fetches what a service says about its methods.
///
/// One call to `_zerorpc_inspect` should tell everything. Where it fails (as it does on Python
/// from 3.11 on, and on services older than the call) the names come from `_zerorpc_list`, and
/// the rest from `_zerorpc_help` and `_zerorpc_args` for each name, as far as those are answered.
///
/// Returns `None` if the service does not even list its names.
///
/// # Errors
///
/// The error of the first call that was not answered at all.
pub(crate) async fn fetch_listing<R: Remote>(
    remote: &R,
    detail: Detail<'_>,
) -> Result<Option<Listing>, R::Error> {
    let answer = remote.ask("_zerorpc_inspect", Vec::new()).await?;
    if let Some(listing) = answer.as_ref().and_then(decode_inspection) {
        return Ok(Some(listing));
    }
    let name = remote.ask("_zerorpc_name", Vec::new()).await?;
    let service = name.as_ref().and_then(text).unwrap_or(UNNAMED).to_owned();
    let Some(names) = fetch_names(remote).await? else {
        return Ok(None);
    };
    let mut methods = Vec::new();
    for name in names {
        if matches!(detail, Detail::Method(wanted) if wanted != name) {
            continue;
        }
        methods.push(fetch_method(remote, name, detail).await?);
    }
    Ok(Some(Listing { service, methods }))
}

async fn fetch_names<R: Remote>(remote: &R) -> Result<Option<Vec<String>>, R::Error> {
    let answer = remote.ask("_zerorpc_list", Vec::new()).await?;
    let names = answer.as_ref().and_then(Value::as_array);
    Ok(names.map(|names| {
        let names = names.iter().filter_map(text);
        names.map(str::to_owned).collect()
    }))
}

async fn fetch_method<R: Remote>(
    remote: &R,
    name: String,
    detail: Detail<'_>,
) -> Result<Method, R::Error> {
    let args = || vec![Value::from(name.as_str())];
    let argspec = match detail {
        Detail::Names => None,
        Detail::Signatures | Detail::Method(_) => remote.ask("_zerorpc_args", args()).await?,
    };
    let doc = match detail {
        Detail::Signatures => None,
        Detail::Names | Detail::Method(_) => remote.ask("_zerorpc_help", args()).await?,
    };
    Ok(Method {
        arguments: format_argspec(argspec.as_ref()),
        doc: doc.as_ref().and_then(decode_doc),
        name,
    })
}
