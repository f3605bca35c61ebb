//! Tests of values: what applications give and get.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rmpv::Value;
use serde::{Deserialize, Serialize};

use crate::{
    Args, ArgumentsError, Body, Compat, DecodeError, EncodeError, Kind, ValueError, decode,
};

fn args<T: Serialize>(value: &T) -> Args {
    Args::from_encoded(Body::value(value).unwrap().into_encoded())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Nothing,
    Circle(f64),
    Rectangle { width: u32, height: u32 },
    Line(i8, i8),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Greeting {
    name: String,
    times: Option<u8>,
}

#[test]
fn structs_are_maps_and_enums_are_names() {
    for shape in [
        Shape::Nothing,
        Shape::Circle(1.5),
        Shape::Rectangle {
            width: 2,
            height: 3,
        },
        Shape::Line(-1, 1),
    ] {
        let body = Body::value(&shape).unwrap();
        assert_eq!(decode(body.encoded()), Ok(shape));
    }
    let body = Body::value(&Shape::Rectangle {
        width: 2,
        height: 3,
    })
    .unwrap();
    assert_eq!(
        body.encoded(),
        b"\x81\xa9Rectangle\x82\xa5width\x02\xa6height\x03"
    );
}

#[test]
fn arguments_are_positional() {
    assert_eq!(Body::args(&vec![1, 2]).unwrap().encoded(), b"\x92\x01\x02");
    assert_eq!(
        Body::args(&[Value::Nil][..]).unwrap().encoded(),
        b"\x91\xc0"
    );
    let error = Body::args(&Shape::Circle(1.0)).unwrap_err();
    assert_eq!(error, EncodeError::NotPositional { found: Kind::Map });
    assert_eq!(
        Body::args("abc").unwrap_err(),
        EncodeError::NotPositional {
            found: Kind::String
        }
    );
}

#[test]
fn wrong_count_names_both_counts() {
    let three = args(&(1, 2, 3));
    assert_eq!(
        three.decode::<(i32, i32)>(),
        Err(ArgumentsError::Count {
            expected: 2,
            got: 3
        })
    );
    assert_eq!(
        three.decode::<(i32, i32, i32, i32)>(),
        Err(ArgumentsError::Count {
            expected: 4,
            got: 3
        })
    );
    assert_eq!(
        three.decode::<()>(),
        Err(ArgumentsError::Count {
            expected: 0,
            got: 3
        })
    );
    assert_eq!(three.decode::<Vec<i32>>(), Ok(vec![1, 2, 3]));
    assert_eq!(args(&[0; 0]).decode::<()>(), Ok(()));
    assert_eq!(args(&()).decode::<()>(), Ok(()));
}

#[test]
fn wrong_argument_is_named() {
    let error = args(&(1, "x")).decode::<(i32, i32)>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "argument 2: invalid type: string \"x\", expected i32"
    );
    let error = args(&(1, (1, "x")))
        .decode::<(i32, (i32, i32))>()
        .unwrap_err();
    assert!(matches!(error, ArgumentsError::Argument { index: 1, .. }));
    assert_eq!(
        args(&"abc").decode::<(i32,)>(),
        Err(ArgumentsError::NotAnArray {
            found: Kind::String
        })
    );
}

#[test]
fn struct_takes_arguments_in_the_order_of_its_fields() {
    let greeting = Greeting {
        name: "ada".to_owned(),
        times: Some(2),
    };
    assert_eq!(args(&("ada", 2)).decode(), Ok(greeting));
    let missing = ArgumentsError::Count {
        expected: 2,
        got: 1,
    };
    assert_eq!(args(&("ada",)).decode::<Greeting>(), Err(missing));
    assert_eq!(args(&("ada", 2)).decode_at(1), Ok(Some(2)));
    assert_eq!(args(&("ada", 2)).decode_at::<u8>(2), Ok(None));
}

#[test]
fn q20_integral_floats_are_integers_where_one_is_wanted() {
    let float = Body::value(&4_294_967_296.0).unwrap();
    assert_eq!(decode::<u64>(float.encoded()), Ok(1 << 32));
    assert_eq!(
        decode::<Vec<i64>>(Body::value(&[-2.0, 3.0]).unwrap().encoded()),
        Ok(vec![-2, 3])
    );
    assert_eq!(decode::<f64>(float.encoded()), Ok(4_294_967_296.0));
    assert!(decode::<Value>(float.encoded()).unwrap().is_f64());
    for not_integral in [1.5, f64::NAN, f64::INFINITY, 1e300] {
        assert!(decode::<i64>(Body::value(&not_integral).unwrap().encoded()).is_err());
    }
    assert_eq!(decode::<f64>(b"\x07"), Ok(7.0));
}

#[test]
fn integers_of_128_bits_are_integers_or_an_error_that_says_where() {
    for fits in [i128::from(i64::MIN), -1, 0, 1 << 32, i128::from(u64::MAX)] {
        let body = Body::value(&fits).unwrap();
        let mut reference = Vec::new();
        let value = match u64::try_from(fits) {
            Ok(fits) => Value::from(fits),
            Err(_) => Value::from(i64::try_from(fits).unwrap()),
        };
        rmpv::encode::write_value(&mut reference, &value).unwrap();
        assert_eq!(body.encoded(), &reference[..]);
        assert_eq!(decode(body.encoded()), Ok(fits));
    }
    let map = BTreeMap::from([("big", (0, u128::MAX))]);
    assert_eq!(
        Body::args(&(map,)).unwrap_err().to_string(),
        "value[0][\"big\"][1]: integer 340282366920938463463374607431768211455 is out of the range \
         of msgpack"
    );
    assert!(matches!(
        Body::value(&(i128::from(i64::MIN) - 1)),
        Err(EncodeError::IntegerOutOfRange { .. })
    ));
}

#[test]
fn q20_integral_floats_beyond_what_floats_tell_apart_are_no_integers_of_less_bits() {
    let two_to_the_63 = Body::value(&9_223_372_036_854_775_808.0).unwrap();
    assert!(decode::<i64>(two_to_the_63.encoded()).is_err());
    let largest = Body::value(&9_007_199_254_740_991.0).unwrap();
    assert_eq!(decode::<i64>(largest.encoded()), Ok((1 << 53) - 1));
    assert!(decode::<u8>(Body::value(&256.0).unwrap().encoded()).is_err());
    assert!(decode::<u8>(Body::value(&-1.0).unwrap().encoded()).is_err());
}

#[test]
fn integers_of_128_bits_that_others_sent_as_binary_are_read() {
    let wide = i128::MAX.to_be_bytes();
    let encoded = [&[0xc4, 16], &wide[..]].concat();
    assert_eq!(decode::<i128>(&encoded), Ok(i128::MAX));
    assert_eq!(decode::<i128>(b"\x07"), Ok(7));
}

#[test]
fn sequences_and_maps_of_unknown_length_get_their_heads_afterwards() {
    const MANY: usize = if cfg!(miri) { 300 } else { 70_000 };
    struct Unsized(usize);

    impl Serialize for Unsized {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeSeq;
            let mut seq = serializer.serialize_seq(None)?;
            for number in 0..self.0 {
                seq.serialize_element(&number)?;
            }
            seq.end()
        }
    }

    for count in [0, 1, 15, 16, MANY] {
        let known: Vec<usize> = (0..count).collect();
        let body = Body::value(&(Unsized(count), "behind")).unwrap();
        let reference = Body::value(&(known, "behind")).unwrap();
        assert_eq!(body.encoded(), reference.encoded());
    }
}

#[test]
fn values_that_contain_themselves_without_end_are_an_error() {
    struct Endless;

    impl Serialize for Endless {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq([Self])
        }
    }

    assert!(matches!(
        Body::value(&Endless),
        Err(EncodeError::Unserializable { .. })
    ));
}

#[test]
fn q13_strings_and_binary_stand_in_for_each_other() {
    assert_eq!(decode::<String>(b"\xc4\x02hi"), Ok("hi".to_owned()));
    assert_eq!(
        decode::<serde_bytes::ByteBuf>(b"\xa2hi").unwrap(),
        &b"hi"[..]
    );
    assert_eq!(decode::<Vec<u8>>(b"\xc4\x02hi"), Ok(b"hi".to_vec()));
    let map = decode::<BTreeMap<String, i32>>(b"\x81\xc4\x01k\x01").unwrap();
    assert_eq!(map["k"], 1);
}

#[test]
fn q14_string_that_is_not_utf_8_is_binary() {
    assert!(decode::<String>(b"\xa1\xff").is_err());
    assert_eq!(decode::<Value>(b"\xa1\xff"), Ok(Value::Binary(vec![0xff])));
}

#[test]
fn deep_values_do_not_exhaust_the_stack() {
    const LEVELS: usize = if cfg!(miri) { 1000 } else { 100_000 };
    let deep = [vec![0x91; LEVELS], vec![0xc0]].concat();
    let error = decode::<Value>(&deep).unwrap_err();
    assert_eq!(
        error,
        ValueError::Malformed(DecodeError::TooDeep { limit: 512 })
    );
}

/// A value that contains itself, in one of the ways in which nothing else counts its levels.
enum Endless {
    Newtype,
    NewtypeVariant,
    TupleVariant,
    Option,
}

impl Serialize for Endless {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Newtype => serializer.serialize_newtype_struct("N", self),
            Self::NewtypeVariant => serializer.serialize_newtype_variant("E", 0, "V", self),
            Self::TupleVariant => serde::ser::SerializeTupleVariant::end({
                let mut tuple = serializer.serialize_tuple_variant("E", 0, "V", 1)?;
                serde::ser::SerializeTupleVariant::serialize_field(&mut tuple, self)?;
                tuple
            }),
            Self::Option => serializer.serialize_some(self),
        }
    }
}

#[test]
fn values_that_contain_themselves_are_refused() {
    for endless in [
        Endless::Newtype,
        Endless::NewtypeVariant,
        Endless::TupleVariant,
        Endless::Option,
    ] {
        let error = Body::value(&endless).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot serialize: nested deeper than 511"
        );
    }
}

#[test]
fn what_is_encoded_is_never_too_deep_to_be_decoded() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Tree {
        Leaf,
        Node(Box<Self>, u8),
    }
    let nested = |depth: usize| (0..depth).fold(Value::Nil, |inner, _| Value::Array(vec![inner]));
    let tree = |depth: usize| (0..depth).fold(Tree::Leaf, |inner, _| Tree::Node(inner.into(), 1));
    // A result comes in an array of its own.
    let body = Body::value(&nested(511)).unwrap();
    let result = [b"\x91", body.encoded()].concat();
    assert_eq!(decode(&result), Ok((nested(511),)));
    assert!(Body::value(&nested(512)).is_err());
    // A variant with a tuple is two levels.
    let body = Body::value(&tree(255)).unwrap();
    assert_eq!(decode(body.encoded()), Ok(tree(255)));
    assert!(Body::value(&tree(256)).is_err());
}

#[test]
fn binary_that_is_too_long_is_not_cut_off() {
    assert_eq!(decode(b"\xc4\x04abcd"), Ok(*b"abcd"));
    assert!(decode::<[u8; 4]>(b"\xc4\x05abcde").is_err());
    assert!(decode::<(u8, u8)>(b"\xc4\x03abc").is_err());
}

#[test]
fn truncated_values_and_claims_are_errors() {
    for bytes in [
        &b""[..],
        b"\x92\x01",
        b"\xdd\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\x81\xa1k",
    ] {
        assert!(decode::<Value>(bytes).is_err(), "{bytes:?}");
        assert!(decode::<Vec<i32>>(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn encoded_values_are_taken_whole_or_not_at_all() {
    assert_eq!(
        Body::from_encoded(b"\x92\x01\x02").unwrap().encoded(),
        b"\x92\x01\x02"
    );
    assert_eq!(
        Body::from_encoded(b"\x92\x01").unwrap_err(),
        DecodeError::Truncated
    );
    assert_eq!(
        Body::from_encoded(b"\x92\x01\x02\xc0\xc0").unwrap_err(),
        DecodeError::TrailingBytes { count: 2 }
    );
}

const DEPTH: u32 = if cfg!(miri) { 1 } else { 4 };
const WIDTH: usize = if cfg!(miri) { 4 } else { 20 };

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("NaN is not equal to itself", |f| !f.is_nan())
            .prop_map(Value::from),
        ".{0,300}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::Binary),
        (any::<i8>(), prop::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(tag, data)| Value::Ext(tag, data)),
    ];
    leaf.prop_recursive(DEPTH, 64, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..WIDTH).prop_map(Value::Array),
            prop::collection::vec((inner.clone(), inner), 0..WIDTH).prop_map(Value::Map),
        ]
    })
}

proptest! {
    #[test]
    fn values_of_every_type_survive(value in value()) {
        let body = Body::value(&value).unwrap();
        let mut reference = Vec::new();
        rmpv::encode::write_value(&mut reference, &value).unwrap();
        prop_assert_eq!(body.encoded(), &reference[..]);
        prop_assert_eq!(decode::<Value>(&reference), Ok(value));
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        drop(decode::<Value>(&bytes));
        drop(decode::<(String, Option<Shape>, Vec<u64>)>(&bytes));
        drop(decode::<Shape>(&bytes));
        drop(Args::from_encoded(bytes.clone().into()).decode::<(i32, String)>());
        drop(Body::from_encoded(&bytes).map(|body| body.check(Compat::PYTHON | Compat::NODE)));
    }
}
