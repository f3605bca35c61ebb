//! What a method takes.

use syn::ext::IdentExt;
use syn::{Attribute, Ident, Pat, PatIdent, PatType, Type, parse_quote, parse_quote_spanned};

use super::attributes::{ArgumentWords, DefaultWord};
use super::types::{Obstacles, is_named};
use crate::model::{Argument, ContextBy, Parameter, Presence};
use crate::problems::Problems;

/// Whether arguments are decoded here, or only sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arguments {
    Decoded,
    Sent,
}

/// Reads one parameter, and takes the words out that are meant for us.
pub(super) fn read(
    parameter: &mut PatType,
    arguments: Arguments,
    problems: &mut Problems,
) -> Option<Parameter> {
    let words = ArgumentWords::take(&mut parameter.attrs, problems);
    let is_condition = |attribute: &&Attribute| attribute.path().is_ident("cfg");
    if let Some(condition) = parameter.attrs.iter().find(is_condition) {
        problems.add(
            condition,
            "callers must know what a method takes; put the condition in front of the method, and \
             write one for each case",
        );
    }
    if words.context.is_some() || is_context(&parameter.ty) {
        return context(parameter, &words, problems).map(Parameter::Context);
    }
    check_type(&parameter.ty, arguments, problems);
    let ident = ident(&parameter.pat, problems)?;
    let name = match &words.name {
        Some(name) => name.value(),
        None => ident.unraw().to_string().trim_start_matches('_').to_owned(),
    };
    if name.is_empty() {
        problems.add(&parameter.pat, NAMELESS);
    }
    let presence = presence(words, &parameter.ty, problems);
    Some(Parameter::Argument(Box::new(Argument {
        ident,
        name,
        ty: (*parameter.ty).clone(),
        presence,
    })))
}

const NAMELESS: &str = "callers see the names of arguments; give this one a name";

/// The order in which arguments may stand.
pub(super) fn check_order(parameters: &[Parameter], problems: &mut Problems) {
    let arguments = parameters.iter().filter_map(|parameter| match parameter {
        Parameter::Context(_) => None,
        Parameter::Argument(argument) => Some(argument),
    });
    let mut defaulted = false;
    let mut rest = false;
    for argument in arguments {
        if rest {
            problems.add(
                &argument.ident,
                "nothing can follow an argument that takes the rest; move it to the end",
            );
        }
        match &argument.presence {
            Presence::Default(_) => defaulted = true,
            Presence::Rest => rest = true,
            Presence::Optional => {}
            Presence::Required if defaulted => problems.add(
                &argument.ident,
                "an argument that must be given cannot follow one with a default; move it forward, \
                 or give it a default too",
            ),
            Presence::Required => {}
        }
    }
}

fn is_context(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => is_named(&reference.elem, "CallContext"),
        ty => is_named(ty, "CallContext"),
    }
}

fn context(
    parameter: &PatType,
    words: &ArgumentWords,
    problems: &mut Problems,
) -> Option<ContextBy> {
    if words.default.is_some() || words.rest.is_some() || words.name.is_some() {
        problems.add(
            &parameter.pat,
            "this is the context of the call, which callers do not send; leave the other words out",
        );
    }
    match &*parameter.ty {
        Type::Reference(reference) => match reference.mutability {
            None => Some(ContextBy::Reference),
            Some(_) => {
                problems.add(
                    &parameter.ty,
                    "the context of a call does not change; take `&CallContext`",
                );
                None
            }
        },
        _ => Some(ContextBy::Value),
    }
}

fn ident(pattern: &Pat, problems: &mut Problems) -> Option<Ident> {
    match pattern {
        Pat::Ident(PatIdent {
            by_ref: None,
            subpat: None,
            ident,
            ..
        }) => Some(ident.clone()),
        pattern => {
            problems.add(pattern, NAMELESS);
            None
        }
    }
}

fn check_type(ty: &Type, arguments: Arguments, problems: &mut Problems) {
    let obstacles = Obstacles::of(ty);
    if let Some(impl_trait) = obstacles.impl_trait {
        problems.add(
            impl_trait,
            "an argument is decoded into a type, which the caller cannot choose; name one",
        );
    }
    if arguments == Arguments::Sent {
        return;
    }
    if let Some(reference) = obstacles.reference {
        let owned = match &*reference.elem {
            Type::Slice(_) => "`Vec<…>`",
            elem if is_named(elem, "str") => "`String`",
            _ => "the value",
        };
        let message = format!(
            "an argument is decoded into a value of its own and cannot be a reference; take \
             {owned}, or say `no_server` if the service is somebody else's"
        );
        problems.add(reference, &message);
    } else if let Some(lifetime) = obstacles.lifetime {
        problems.add(
            lifetime,
            "an argument is decoded into a value of its own and cannot borrow",
        );
    }
}

fn presence(words: ArgumentWords, ty: &Type, problems: &mut Problems) -> Presence {
    if let (Some(_), Some(rest)) = (&words.default, words.rest) {
        problems.push(syn::Error::new(
            rest,
            "the rest is empty where nothing is given, and has no other default",
        ));
    }
    if words.rest.is_some() {
        return Presence::Rest;
    }
    match words.default {
        Some((span, DefaultWord::OfType)) => {
            Presence::Default(Box::new(parse_quote_spanned!(span=>
                ::std::default::Default::default()
            )))
        }
        // A literal of a text is a `&str`, and an argument hardly ever.
        Some((_, DefaultWord::Value(value))) => match is_text(&value) && is_named(ty, "String") {
            true => Presence::Default(parse_quote!(::std::string::String::from(#value))),
            false => Presence::Default(value),
        },
        None if is_named(ty, "Option") => Presence::Optional,
        None => Presence::Required,
    }
}

fn is_text(expression: &syn::Expr) -> bool {
    matches!(
        expression,
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(_),
            ..
        })
    )
}
