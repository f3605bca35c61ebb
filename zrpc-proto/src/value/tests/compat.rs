//! Tests of what is refused because the other side would drop or change it.

use rmpv::Value;

use crate::event::Extra;
use crate::{Body, Compat, CompatFault, Ext, JsDate, Kind, PathStep, Timestamp};

fn fault(value: &Value, compat: Compat) -> Option<CompatFault> {
    let checked = Body::value(value).unwrap().check(compat);
    checked.err().map(|error| error.fault)
}

fn keyed(key: impl Into<Value>) -> Value {
    Value::Map(vec![(key.into(), Value::Nil)])
}

// Q22
#[test]
fn q22_map_keys_that_python_drops_are_refused() {
    let python = |value: &Value| fault(value, Compat::PYTHON);
    assert_eq!(python(&keyed("k")), None);
    assert_eq!(python(&keyed(Value::Binary(vec![1]))), None);
    for (key, found) in [
        (Value::from(1), Kind::Integer),
        (Value::from(-1), Kind::Integer),
        (Value::Nil, Kind::Nil),
        (Value::from(true), Kind::Boolean),
        (Value::from(1.5), Kind::Float),
        (Value::Array(vec![]), Kind::Array),
        (Value::Map(vec![]), Kind::Map),
        (Value::Ext(1, vec![]), Kind::Extension),
    ] {
        assert_eq!(
            python(&keyed(key)),
            Some(CompatFault::PythonMapKey { found })
        );
    }
    assert_eq!(fault(&keyed(1), Compat::ANY), None);
}

#[test]
fn q22_errors_say_where_in_the_value_the_problem_is() {
    let inner = Value::Map(vec![
        ("fine".into(), 1.into()),
        ("list".into(), Value::Array(vec![Value::Nil, keyed(2)])),
    ]);
    let body = Body::args(&("first", inner)).unwrap();
    let error = body.check(Compat::PYTHON).unwrap_err();
    assert_eq!(
        error.to_string(),
        "value[1][\"list\"][1][key 0]: map key is an integer: Python drops events with keys other \
         than strings and binary (Compat::ANY lets them through)"
    );
    let steps = [
        PathStep::Index(1),
        PathStep::Key("list".to_owned()),
        PathStep::Index(1),
        PathStep::Entry(0),
    ];
    assert_eq!(error.path.steps(), steps);

    let second = Value::Map(vec![("a".into(), keyed("b")), (Value::Nil, 1.into())]);
    let error = Body::value(&second).unwrap().check(Compat::PYTHON);
    assert_eq!(error.unwrap_err().path.to_string(), "value[key 1]");
}

#[test]
fn q22_entries_of_the_header_are_checked_and_named() {
    let mut extra = Extra::new();
    extra.insert("fine", &1).unwrap();
    extra.insert("trace", &keyed(1)).unwrap();
    let body = Body::nil().with_extra(extra);
    let error = body.check(Compat::PYTHON).unwrap_err();
    assert_eq!(error.path.header(), Some("trace"));
    assert_eq!(error.path.to_string(), "header[\"trace\"][key 0]");
    assert!(body.check(Compat::ANY).is_ok());
}

#[test]
#[cfg_attr(miri, ignore = "walks over hundreds of mebibytes")]
fn q22_events_that_python_would_drop_for_their_length_are_refused() {
    let longest = Body::value(&"x".repeat(100 * 1024 * 1024 - 5000)).unwrap();
    assert!(longest.check(Compat::PYTHON).is_ok());
    let long = Body::value(&"x".repeat(100 * 1024 * 1024)).unwrap();
    let error = long.check(Compat::PYTHON).unwrap_err();
    assert!(matches!(error.fault, CompatFault::TooLong { .. }));
    assert!(long.check(Compat::NODE).is_ok());
    // What goes with it in the header is as long as the rest of it.
    let mut extra = Extra::new();
    extra.insert("trace", &"x".repeat(4096)).unwrap();
    let error = longest.with_extra(extra).check(Compat::PYTHON).unwrap_err();
    assert!(matches!(error.fault, CompatFault::TooLong { .. }));
}

#[test]
fn q22_nesting_that_python_cannot_pack_is_refused() {
    let nested = |depth: usize| {
        let encoded = [vec![0x91; depth], vec![0xc0]].concat();
        Body::from_encoded(&encoded).unwrap()
    };
    assert!(nested(511).check(Compat::PYTHON).is_ok());
    let error = nested(512).check(Compat::PYTHON).unwrap_err();
    assert_eq!(error.fault, CompatFault::TooDeep { limit: 511 });
    assert_eq!(error.path.steps().len(), 32, "nobody reads 511 steps");
    assert!(error.path.to_string().ends_with("[0]… (479 more)"));
}

#[test]
fn q14_strings_that_are_not_utf_8_are_refused_where_they_are_passed_on() {
    let body = Body::from_encoded(b"\x92\x01\xa1\xff").unwrap();
    for compat in [Compat::PYTHON, Compat::NODE] {
        let error = body.check(compat).unwrap_err();
        assert_eq!(error.to_string().split(':').next(), Some("value[1]"));
        assert_eq!(error.fault, CompatFault::NotUtf8);
    }
    assert!(body.check(Compat::ANY).is_ok());
    let binary = Body::from_encoded(b"\xc4\x01\xff").unwrap();
    assert!(binary.check(Compat::PYTHON | Compat::NODE).is_ok());
}

#[test]
fn extensions_that_python_refuses_are_refused() {
    let python = |tag, content: &[u8]| fault(&Value::Ext(tag, content.to_vec()), Compat::PYTHON);
    for tag in [0, 5, 127] {
        assert_eq!(python(tag, b"abc"), None);
    }
    for tag in [-2, i8::MIN] {
        assert_eq!(python(tag, b""), Some(CompatFault::PythonExtension { tag }));
    }
    assert_eq!(python(-1, &[0; 4]), None);
    assert_eq!(python(-1, &[0; 12]), None);
    for malformed in [&[0; 5][..], &[], &[0xff; 8], &[0xff; 12]] {
        assert_eq!(python(-1, malformed), Some(CompatFault::Timestamp));
    }
}

#[test]
fn q20_integers_that_node_would_change_are_refused() {
    let node = |value: Value| fault(&value, Compat::NODE);
    let exact = (1_i64 << 53) - 1;
    for value in [0, -1, exact, -exact, 1 << 31] {
        assert_eq!(node(value.into()), None);
    }
    for value in [exact + 1, -exact - 1, i64::MIN, i64::MAX] {
        let changed = CompatFault::NodeInteger {
            value: value.into(),
        };
        assert_eq!(node(value.into()), Some(changed));
    }
    let value = u64::MAX.into();
    assert_eq!(
        node(u64::MAX.into()),
        Some(CompatFault::NodeInteger { value })
    );
    assert_eq!(fault(&u64::MAX.into(), Compat::PYTHON), None);
}

#[test]
fn q20_integers_that_node_sends_as_floats_are_refused_where_they_shall_come_back() {
    let there_and_back = |value: i64| fault(&value.into(), Compat::NODE_ROUND_TRIP);
    for value in [i32::MIN, -1, 0, i32::MAX] {
        assert_eq!(there_and_back(value.into()), None);
    }
    for value in [i64::from(i32::MAX) + 1, i64::from(i32::MIN) - 1] {
        let float = CompatFault::NodeFloat {
            value: value.into(),
        };
        assert_eq!(there_and_back(value), Some(float));
    }
}

#[test]
fn keys_and_extensions_that_node_would_change_are_refused() {
    let node = |value: &Value| fault(value, Compat::NODE);
    assert_eq!(node(&keyed("k")), None);
    for (key, found) in [
        (Value::Binary(vec![1]), Kind::Binary),
        (Value::from(1), Kind::Integer),
    ] {
        assert_eq!(node(&keyed(key)), Some(CompatFault::NodeMapKey { found }));
    }
    for tag in [0x01, 0x0a, 0x0e, 0x1d] {
        let ext = Value::Ext(tag, vec![0]);
        assert_eq!(node(&ext), Some(CompatFault::NodeExtension { tag }));
    }
    for tag in [0, 0x1e, 127, -2] {
        assert_eq!(node(&Value::Ext(tag, vec![0])), None);
    }
    let date = Body::value(&JsDate::from_milliseconds(0.0)).unwrap();
    assert!(date.check(Compat::NODE | Compat::PYTHON).is_ok());
    let timestamp = Body::value(&Timestamp::default()).unwrap();
    assert!(timestamp.check(Compat::NODE).is_ok());
    let ours = Body::value(&Ext::new(42, &b"x"[..])).unwrap();
    assert!(ours.check(Compat::NODE | Compat::PYTHON).is_ok());
}

#[test]
fn profiles_are_put_together_and_print_as_they_are_written() {
    let both = Compat::PYTHON | Compat::NODE;
    assert_eq!(
        fault(&keyed(Value::Binary(vec![])), both),
        Some(CompatFault::NodeMapKey {
            found: Kind::Binary
        })
    );
    assert!(both.includes(Compat::NODE) && !Compat::NODE.includes(both));
    assert_eq!(format!("{both:?}"), "PYTHON | NODE");
    assert_eq!(format!("{:?}", Compat::NODE_ROUND_TRIP), "NODE_ROUND_TRIP");
    assert_eq!(format!("{:?}", Compat::ANY), "ANY");
    assert_eq!(Compat::default(), Compat::PYTHON);
}
