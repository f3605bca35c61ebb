//! The arguments of a method: decodes them, fills in what was left out, and says what is wrong.

use std::fmt::Write;

use proto::{Args, ArgumentsError, Body};
use rmpv::Value;
use serde::de::DeserializeOwned;

use super::method::{Argument, DefaultValue};
use super::shape::{Presence, Shape};
use crate::Fault;

/// What a method takes.
#[derive(Debug, Clone)]
pub(crate) enum Signature {
    /// These, in this order.
    Fixed(Vec<Parameter>),
    /// These, and any number behind them.
    Variadic {
        parameters: Vec<Parameter>,
        /// What those behind them are called.
        rest: String,
    },
}

/// One argument that a method takes.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    name: String,
    presence: Presence,
    default: Option<Value>,
}

/// A type is no list of arguments.
#[derive(Debug)]
pub(crate) struct Unsuitable;

/// A description does not fit the method.
#[derive(Debug)]
pub(crate) enum Mismatch {
    /// It has another number of arguments.
    Count { described: usize, accepted: usize },
    /// A default value has no msgpack form.
    Default { argument: String, detail: String },
}

impl Signature {
    /// Finds out what `A` takes. Arguments without a name of their own are counted.
    pub(crate) fn of<A: DeserializeOwned>() -> Result<Self, Unsuitable> {
        let parameters = match Shape::of::<A>() {
            Shape::Fixed(parameters) => parameters,
            Shape::Variadic => return Ok(Self::any()),
            Shape::Unsuitable => return Err(Unsuitable),
        };
        let parameters = parameters.into_iter().zip(1..).map(|(found, position)| {
            let name = found
                .name
                .map_or_else(|| format!("arg{position}"), str::to_owned);
            Parameter {
                name,
                presence: found.presence,
                default: (found.presence == Presence::Optional).then_some(Value::Nil),
            }
        });
        Ok(Self::Fixed(parameters.collect()))
    }

    /// Any number of arguments, of which nothing is known.
    pub(crate) fn any() -> Self {
        Self::Variadic {
            parameters: Vec::new(),
            rest: "args".to_owned(),
        }
    }

    /// Lets any number of arguments follow.
    pub(crate) fn with_rest(self, rest: String) -> Self {
        let (Self::Fixed(parameters) | Self::Variadic { parameters, .. }) = self;
        Self::Variadic { parameters, rest }
    }

    /// Gives the arguments names and defaults.
    pub(crate) fn describe(&mut self, arguments: Vec<Argument>) -> Result<(), Mismatch> {
        let (Self::Fixed(parameters) | Self::Variadic { parameters, .. }) = self;
        if parameters.is_empty() && matches!(self, Self::Variadic { .. }) {
            return Ok(());
        }
        let (Self::Fixed(parameters) | Self::Variadic { parameters, .. }) = self;
        if parameters.len() != arguments.len() {
            return Err(Mismatch::Count {
                described: arguments.len(),
                accepted: parameters.len(),
            });
        }
        for (parameter, argument) in parameters.iter_mut().zip(arguments) {
            match argument.default {
                DefaultValue::None => {}
                DefaultValue::Value(value) => parameter.default = Some(value),
                DefaultValue::Unencodable(detail) => {
                    return Err(Mismatch::Default {
                        argument: argument.name,
                        detail,
                    });
                }
            }
            parameter.name = argument.name;
        }
        Ok(())
    }

    /// Returns the parameters that have names of their own.
    pub(crate) fn parameters(&self) -> &[Parameter] {
        let (Self::Fixed(parameters) | Self::Variadic { parameters, .. }) = self;
        parameters
    }

    /// Returns what further arguments are called, if there may be any.
    pub(crate) fn rest(&self) -> Option<&str> {
        match self {
            Self::Fixed(_) => None,
            Self::Variadic { rest, .. } => Some(rest),
        }
    }

    /// Decodes the arguments of one call.
    pub(crate) fn decode<A: DeserializeOwned>(
        &self,
        method: &str,
        args: &Args,
    ) -> Result<A, Fault> {
        // What is wrong with them has their content in it: that is for the caller, not for the log.
        self.decode_given(method, args)
            .inspect_err(|_| tracing::debug!(method, "arguments do not fit"))
            .map_err(Fault::by_caller)
    }

    fn decode_given<A: DeserializeOwned>(&self, method: &str, args: &Args) -> Result<A, Fault> {
        let parameters = self.parameters();
        let decoded = match args.count() {
            Ok(count) if count < parameters.len() => decode_padded(self, method, args, count)?,
            _ => args.decode(),
        };
        decoded.map_err(|error| type_error(&self.describe_error(method, &error)))
    }

    fn describe_error(&self, method: &str, error: &ArgumentsError) -> String {
        match error {
            ArgumentsError::Argument { index, error } => {
                let parameter = self.parameters().get(*index).map(Parameter::name);
                let name = parameter.or_else(|| self.rest()).unwrap_or_default();
                let position = index.saturating_add(1);
                format!("{method}() argument {position} '{name}': {error}")
            }
            ArgumentsError::Count { expected, got } => {
                let plural = match expected {
                    1 => "",
                    _ => "s",
                };
                format!("{method}() takes {expected} argument{plural} but {got} were given")
            }
            other => format!("{method}(): {other}"),
        }
    }
}

impl Parameter {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn default(&self) -> Option<&Value> {
        self.default.as_ref()
    }
}

/// Decodes arguments of which the last ones were left out.
fn decode_padded<A: DeserializeOwned>(
    signature: &Signature,
    method: &str,
    args: &Args,
    count: usize,
) -> Result<Result<A, ArgumentsError>, Fault> {
    let parameters = signature.parameters();
    let absent = parameters.get(count..).unwrap_or_default();
    let required = |parameter: &&Parameter| {
        parameter.presence == Presence::Required && parameter.default.is_none()
    };
    let missing: Vec<&Parameter> = absent.iter().filter(required).collect();
    if !missing.is_empty() {
        return Err(missing_arguments(method, &missing));
    }
    let padded = pad(args, parameters.len(), absent)?;
    match padded.decode() {
        Err(ArgumentsError::Argument { index, .. }) if index >= count => {
            let missing: Vec<&Parameter> = parameters.get(index).into_iter().collect();
            Err(missing_arguments(method, &missing))
        }
        decoded => Ok(decoded),
    }
}

/// Appends the defaults of `absent` to encoded arguments.
fn pad(args: &Args, total: usize, absent: &[Parameter]) -> Result<Args, Fault> {
    let given = elements_of(args.encoded());
    let mut encoded = Vec::with_capacity(5 + given.len() + absent.len());
    // An array with a 32-bit count is right for any number of arguments.
    encoded.push(0xdd);
    encoded.extend_from_slice(&u32::try_from(total).unwrap_or(u32::MAX).to_be_bytes());
    encoded.extend_from_slice(given);
    for parameter in absent {
        let default = parameter.default.as_ref().unwrap_or(&Value::Nil);
        let body =
            Body::value(default).map_err(|error| Fault::new("TypeError", error.to_string()))?;
        encoded.extend_from_slice(body.encoded());
    }
    Ok(Args::from_encoded(encoded.into()))
}

/// Cuts the head off an encoded array.
fn elements_of(array: &[u8]) -> &[u8] {
    let head = match array.first() {
        Some(0x90..=0x9f) => 1,
        Some(0xdc) => 3,
        Some(0xdd) => 5,
        _ => array.len(),
    };
    array.get(head..).unwrap_or_default()
}

fn missing_arguments(method: &str, missing: &[&Parameter]) -> Fault {
    let plural = match missing.len() {
        1 => "",
        _ => "s",
    };
    let mut text = format!(
        "{method}() missing {} required argument{plural}:",
        missing.len()
    );
    for (position, parameter) in missing.iter().enumerate() {
        let separator = match position {
            0 => "",
            _ => ",",
        };
        // Writing to a string does not fail.
        let _ = write!(text, "{separator} '{}'", parameter.name);
    }
    type_error(&text)
}

/// Error texts of serde repeat the offending value, which may be as large as the request.
const LONGEST_TEXT: usize = 500;

fn type_error(text: &str) -> Fault {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let shortened = match end < text.len() {
        true => format!("{}…", text.get(..end).unwrap_or_default()),
        false => text.to_owned(),
    };
    Fault::new("TypeError", shortened)
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    fn decode<A: DeserializeOwned>(
        arguments: &[Argument],
        args: &impl Serialize,
    ) -> Result<A, String> {
        let mut signature = Signature::of::<A>().unwrap();
        signature.describe(arguments.to_vec()).unwrap();
        let args = Args::from_encoded(Body::args(args).unwrap().into_encoded());
        signature
            .decode("add", &args)
            .map_err(|fault| format!("{fault}"))
    }

    fn names() -> [Argument; 2] {
        [Argument::new("left"), Argument::new("right")]
    }

    #[test]
    fn trailing_options_may_be_left_out() {
        assert_eq!(decode::<(i64, Option<i64>)>(&names(), &(1,)), Ok((1, None)));
        assert_eq!(
            decode::<(i64, Option<i64>)>(&names(), &(1, 2)),
            Ok((1, Some(2)))
        );
    }

    #[test]
    fn defaults_stand_in_for_what_is_left_out() {
        let names = [Argument::new("left"), Argument::new("right").default(7)];
        assert_eq!(decode::<(i64, i64)>(&names, &(1,)), Ok((1, 7)));
    }

    #[test]
    fn defaults_of_every_type_are_read_as_they_were_written() {
        #[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
        enum Unit {
            Metre,
            Other(String),
            Ratio { of: u8, to: u8 },
        }
        #[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
        struct Range {
            from: u64,
            unit: Unit,
        }
        fn left_out<T>(default: &T)
        where
            T: Clone + std::fmt::Debug + PartialEq + Serialize + DeserializeOwned,
        {
            let names = [
                Argument::new("left"),
                Argument::new("right").default(default),
            ];
            let decoded = decode::<(i64, T)>(&names, &(1,));
            assert_eq!(decoded, Ok((1, default.clone())));
        }
        left_out(&Unit::Metre);
        left_out(&Unit::Other("foot".to_owned()));
        left_out(&Unit::Ratio { of: 1, to: 2 });
        left_out(&Range {
            from: 1,
            unit: Unit::Metre,
        });
        left_out(&u128::from(u64::MAX));
        left_out(&(1.5_f32, Some("x".to_owned())));
        let none = Argument::new("wide").default(u128::MAX);
        assert!(matches!(none.default, DefaultValue::Unencodable(_)));
    }

    #[test]
    fn missing_arguments_are_named() {
        assert_eq!(
            decode::<(i64, i64)>(&names(), &()),
            Err("TypeError: add() missing 2 required arguments: 'left', 'right'".to_owned())
        );
        assert_eq!(
            decode::<(i64, i64)>(&names(), &(1,)),
            Err("TypeError: add() missing 1 required argument: 'right'".to_owned())
        );
    }

    #[test]
    fn a_missing_argument_that_the_probe_did_not_reach_is_named() {
        assert_eq!(
            decode::<((u8, u8), i64)>(&names(), &((1, 2),)),
            Err("TypeError: add() missing 1 required argument: 'right'".to_owned())
        );
    }

    #[test]
    fn too_many_arguments_are_counted() {
        assert_eq!(
            decode::<(i64, i64)>(&names(), &(1, 2, 3)),
            Err("TypeError: add() takes 2 arguments but 3 were given".to_owned())
        );
    }

    #[test]
    fn a_wrong_argument_is_named_with_what_was_expected() {
        let error = decode::<(i64, i64)>(&names(), &(1, "two")).unwrap_err();
        assert!(
            error.starts_with("TypeError: add() argument 2 'right': invalid type: string"),
            "{error}"
        );
        assert!(error.ends_with("expected i64"), "{error}");
    }

    #[test]
    fn the_text_of_an_error_does_not_grow_with_the_argument() {
        let error = decode::<(i64, i64)>(&names(), &(1, "ä".repeat(5000))).unwrap_err();
        assert!(error.len() < LONGEST_TEXT + 20, "{}", error.len());
    }

    #[test]
    fn arguments_that_do_not_fit_are_no_failure_of_the_method() {
        let signature = Signature::of::<(i64,)>().unwrap();
        for encoded in [&b"\x91\xa3two"[..], b"\x90", b"\x07"] {
            let args = Args::from_encoded(encoded.into());
            let fault = signature.decode::<(i64,)>("add", &args).unwrap_err();
            assert!(fault.is_by_caller(), "{fault}");
        }
        assert!(!Fault::new("TypeError", "").is_by_caller());
    }

    #[test]
    fn any_number_of_arguments_is_taken_by_a_sequence() {
        let values = decode::<Vec<Value>>(&[], &(1, "two")).unwrap();
        assert_eq!(values, [Value::from(1), Value::from("two")]);
    }
}
