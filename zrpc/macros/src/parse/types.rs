//! Answers to questions about types, as far as their spelling tells.

use syn::visit::Visit;
use syn::{
    AngleBracketedGenericArguments, GenericArgument, Ident, Lifetime, PathArguments, PathSegment,
    Type, TypeImplTrait, TypeParamBound, TypePath, TypeReference,
};

/// Returns the last segment of the path that a type is.
pub(super) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(TypePath { qself: None, path }) => path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

/// Whether a type is a path that ends with `name`.
pub(super) fn is_named(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name)
}

/// Returns the types in the angle brackets behind a segment.
pub(super) fn type_arguments(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// Returns `Type` of `Item = Type` in the angle brackets behind a segment.
pub(super) fn item_of(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(AngleBracketedGenericArguments { args, .. }) =
        &segment.arguments
    else {
        return None;
    };
    args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(item) if item.ident == "Item" => Some(&item.ty),
        _ => None,
    })
}

/// Returns the last segments of the traits among `bounds`.
pub(super) fn traits<'a>(
    bounds: impl IntoIterator<Item = &'a TypeParamBound>,
) -> impl Iterator<Item = &'a PathSegment> {
    bounds.into_iter().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last(),
        _ => None,
    })
}

/// What keeps a type from being used where another type is written down, or a value is decoded.
#[derive(Default)]
pub(super) struct Obstacles {
    /// A reference, and what it points to.
    pub(super) reference: Option<TypeReference>,
    /// A lifetime other than `'static` or `'_`.
    pub(super) lifetime: Option<Lifetime>,
    pub(super) impl_trait: Option<TypeImplTrait>,
    pub(super) self_type: Option<Ident>,
}

impl Obstacles {
    pub(super) fn of(ty: &Type) -> Self {
        let mut obstacles = Self::default();
        obstacles.visit_type(ty);
        obstacles
    }
}

impl<'ast> Visit<'ast> for Obstacles {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        self.reference.get_or_insert_with(|| reference.clone());
        syn::visit::visit_type_reference(self, reference);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" && lifetime.ident != "_" {
            self.lifetime.get_or_insert_with(|| lifetime.clone());
        }
    }

    fn visit_type_impl_trait(&mut self, impl_trait: &'ast TypeImplTrait) {
        self.impl_trait.get_or_insert_with(|| impl_trait.clone());
        syn::visit::visit_type_impl_trait(self, impl_trait);
    }

    fn visit_ident(&mut self, ident: &'ast Ident) {
        if ident == "Self" {
            self.self_type.get_or_insert_with(|| ident.clone());
        }
    }
}
