//! Packets of Socket.IO 5 ("Packet encoding").

use bytes::Bytes;
use chat_socketio::packet::{
    Malformed, Packet, decode, encode_ack, encode_binary_ack, encode_binary_event, encode_event,
};
use chat_socketio::{AckId, Config, Outgoing};
use proptest::prelude::*;

fn parse(text: &str) -> Result<Packet, Malformed> {
    decode(Bytes::copy_from_slice(text.as_bytes()), &Config::default())
}

/// A packet in one line, to stand in tables.
fn summary(packet: &Packet) -> String {
    match packet {
        Packet::Connect { nsp, auth: None } => format!("connect {}", nsp.as_str()),
        Packet::Connect { nsp, auth: Some(auth) } => {
            format!("connect {} {}", nsp.as_str(), String::from_utf8_lossy(auth))
        }
        Packet::Disconnect { nsp } => format!("disconnect {}", nsp.as_str()),
        Packet::Event { nsp, ack, args, attachments } => {
            let list: Vec<&str> = args.iter().collect();
            let ack = ack.map_or("-".into(), |ack| ack.to_string());
            format!("event {} {ack} {} {attachments} {}", nsp.as_str(), args.name(), list.join("|"))
        }
        Packet::Ack { nsp, id, args, attachments } => {
            let list: Vec<&str> = args.iter().collect();
            let id = id.map_or("-".into(), |id| id.to_string());
            format!("ack {} {id} {attachments} {}", nsp.as_str(), list.join("|"))
        }
        _ => "other".into(),
    }
}

/// "Format" and "Examples".
#[test]
fn packets_are_decoded() {
    let table = [
        ("0", "connect /"),
        ("0{\"token\":\"123\"}", "connect / {\"token\":\"123\"}"),
        ("0 {}", "connect /  {}"),
        ("0/admin,", "connect /admin"),
        ("0/admin", "connect /admin"),
        ("0/admin,{\"a\":[1]}", "connect /admin {\"a\":[1]}"),
        ("0/admin?x=1,{}", "connect /admin?x=1 {}"),
        ("07{}", "connect / {}"),
        ("1", "disconnect /"),
        ("1/admin,", "disconnect /admin"),
        ("2[\"foo\"]", "event / - foo 0 "),
        ("2[\"foo\",1,\"2\",{\"3\":[true]}]", "event / - foo 0 1|\"2\"|{\"3\":[true]}"),
        ("2/admin,[\"bar\"]", "event /admin - bar 0 "),
        ("212[\"foo\"]", "event / 12 foo 0 "),
        ("2/admin,456[\"p\",{}]", "event /admin 456 p 0 {}"),
        ("2 [ \"a\" , 1 ] ", "event / - a 0 1"),
        ("2[\n\"a\"\t,\r{\"b\" : null}]", "event / - a 0 {\"b\" : null}"),
        ("2[\"a\\u0062\\n\"]", "event / - ab\n 0 "),
        ("2[1,2]", "event / - 1 0 2"),
        ("2[-1.5e3]", "event / - -1.5e3 0 "),
        ("2[\"\"]", "event / -  0 "),
        ("2[\"__proto__\",1]", "event / - __proto__ 0 1"),
        ("2[\"Connect\"]", "event / - Connect 0 "),
        ("29007199254740992[\"a\"]", "event / 9007199254740992 a 0 "),
        ("218446744073709551615[\"a\"]", "event / 18446744073709551615 a 0 "),
        ("3456[]", "ack / 456 0 "),
        ("312[\"b\",null]", "ack / 12 0 \"b\"|null"),
        ("3/admin,0[\"connect\"]", "ack /admin 0 0 \"connect\""),
        ("3[]", "ack / - 0 "),
        ("51-[\"b\",{\"_placeholder\":true,\"num\":0}]", "event / - b 1 {\"_placeholder\":true,\"num\":0}"),
        ("52-/admin,3[\"b\"]", "event /admin 3 b 2 "),
        (
            "61-/admin,456[{\"_placeholder\":true,\"num\":0}]",
            "ack /admin 456 1 {\"_placeholder\":true,\"num\":0}",
        ),
    ];
    for (text, expected) in table {
        let packet = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(summary(&packet), expected, "{text}");
    }
    assert!(matches!(parse("4{\"message\":\"x\"}"), Ok(Packet::ConnectError { .. })));
}

#[test]
fn malformed_packets_are_refused_with_the_reason() {
    use Malformed::{AckId, Arguments, Attachments, Json, Namespace, Payload, Placeholder, Reserved, Type};
    let long_namespace = format!("0/{},", "n".repeat(256));
    let many = format!("2[\"a\"{}]", ",1".repeat(17));
    let many_in_ack = format!("31[1{}]", ",1".repeat(16));
    let deep = format!("2[\"a\",{}{}]", "[".repeat(128), "]".repeat(128));
    let deep_auth = format!("0{}1{}", "{\"a\":".repeat(129), "}".repeat(129));
    let table = [
        ("", Type),
        ("7", Type),
        ("abc", Type),
        (" 2[\"a\"]", Type),
        ("é", Type),
        ("0[]", Payload),
        ("0\"a\"", Payload),
        ("0null", Payload),
        ("0{\"a\":1}x", Json),
        ("0{a}", Json),
        ("0abc", Payload),
        (&deep_auth, Json),
        (&long_namespace, Namespace),
        ("1{}", Payload),
        ("1\"\"", Payload),
        ("2", Payload),
        ("21", Payload),
        ("2{}", Payload),
        ("2[]", Payload),
        ("2[null]", Payload),
        ("2[true,1]", Payload),
        ("2[{}]", Payload),
        ("2[[\"a\"]]", Payload),
        ("2\"a\"", Payload),
        ("2abc[\"a\"]", Payload),
        ("2-1[\"a\"]", Payload),
        ("2+1[\"a\"]", Payload),
        ("21.5[\"a\"]", Payload),
        ("2[\"a\"]x", Json),
        ("2[\"a\"][]", Json),
        ("2[\"a\",]", Json),
        ("2[\"a\"", Json),
        ("2[\"a\",\u{feff}1]", Json),
        (&deep, Json),
        (&many, Arguments),
        (&many_in_ack, Arguments),
        ("218446744073709551616[\"a\"]", AckId),
        ("2000000000000000000000000000018446744073709551616[\"a\"]", AckId),
        ("2[\"connect\"]", Reserved),
        ("2[\"connect_error\",1]", Reserved),
        ("2[\"disconnect\"]", Reserved),
        ("2[\"disconnecting\"]", Reserved),
        ("2[\"newListener\"]", Reserved),
        ("2[\"removeListener\"]", Reserved),
        ("2[\"\\u0063onnect\"]", Reserved),
        ("51-[\"disconnect\"]", Reserved),
        ("3", Payload),
        ("31", Payload),
        ("31{}", Payload),
        ("5[\"a\"]", Attachments),
        ("5-[\"a\"]", Attachments),
        ("5x-[\"a\"]", Attachments),
        ("5+1-[\"a\"]", Attachments),
        ("51.0-[\"a\"]", Attachments),
        ("511-[\"a\"]", Attachments),
        ("599999999999999999999999-[\"a\"]", Attachments),
        ("61", Attachments),
        ("51-[\"a\",{\"_placeholder\":true,\"num\":1}]", Placeholder),
        ("50-[\"a\"]", Attachments),
        ("60-1[]", Attachments),
    ];
    for (text, expected) in table {
        assert_eq!(parse(text).map(|packet| summary(&packet)), Err(expected), "{text}");
    }
    assert_eq!(decode(Bytes::from_static(b"2[\"\xff\"]"), &Config::default()), Err(Json));
}

#[test]
fn limits_are_taken_at_their_edge() {
    let sixteen = format!("2[\"a\"{}]", ",1".repeat(16));
    let deep = format!("2[\"a\",{}{}]", "[".repeat(127), "]".repeat(127));
    let ten = "510-[\"a\",{\"_placeholder\":true,\"num\":9}]";
    let long_namespace = format!("0/{},", "n".repeat(255));
    for text in [&*sixteen, &*deep, ten, &*long_namespace] {
        assert!(parse(text).is_ok(), "{text}");
    }
}

#[test]
fn arguments_are_counted_beside_the_name() {
    for (text, count) in [("2[\"a\"]", 0), ("2[\"a\",1,[2,3]]", 2), ("31[]", 0), ("31[1]", 1)] {
        let (Ok(Packet::Event { args, .. }) | Ok(Packet::Ack { args, .. })) = parse(text) else {
            panic!("{text}");
        };
        assert_eq!((args.len(), args.is_empty()), (count, count == 0), "{text}");
    }
    let Ok(Packet::Ack { args, .. }) = parse("31[1]") else { panic!("an acknowledgement") };
    assert_eq!(args.name(), "", "an acknowledgement has none");
}

/// "Examples": what a server sends, the Engine.IO type included.
#[test]
fn packets_are_encoded() {
    let none: &[&[u8]] = &[];
    let two: &[&[u8]] = &[b"1", br#"{"a":[]}"#];
    let table = [
        (encode_event("/", "foo", none, None), r#"42["foo"]"#),
        (encode_event("/", "foo", two, None), r#"42["foo",1,{"a":[]}]"#),
        (encode_event("/admin", "b\"\n", none, Some(12)), "42/admin,12[\"b\\\"\\n\"]"),
        (encode_ack("/", AckId(456), none), "43456[]"),
        (encode_ack("/admin", AckId(u64::MAX), two), r#"43/admin,18446744073709551615[1,{"a":[]}]"#),
        (encode_binary_event("/", "b", two, None, 2), r#"452-["b",1,{"a":[]}]"#),
        (encode_binary_event("/admin", "b", none, Some(7), 1), r#"451-/admin,7["b"]"#),
        (encode_binary_ack("/", AckId(789), two, 2), r#"462-789[1,{"a":[]}]"#),
    ];
    for (encoded, expected) in table {
        assert_eq!(encoded, expected);
    }
}

/// "Binary event", "Binary ack": the header counts what is attached; without anything it is the plain packet.
#[test]
fn what_goes_out_is_of_the_kind_that_its_attachments_ask_for() {
    let args: &[&[u8]] = &[br#"{"_placeholder":true,"num":0}"#];
    let one = || vec![Bytes::from_static(&[1])];
    let table = [
        (Outgoing::event("/", "a", &[], None, vec![]), r#"42["a"]"#, 0),
        (Outgoing::event("/", "a", args, Some(3), one()), r#"451-3["a",{"_placeholder":true,"num":0}]"#, 1),
        (Outgoing::ack("/", AckId(4), &[b"1"], vec![]), "434[1]", 0),
        (Outgoing::ack("/", AckId(4), args, one()), r#"461-4[{"_placeholder":true,"num":0}]"#, 1),
    ];
    for (outgoing, text, count) in table {
        assert_eq!((&*outgoing.text, outgoing.attachments.len()), (text.as_bytes(), count));
    }
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    });
    value.prop_map(|value| value.to_string())
}

fn namespace() -> impl Strategy<Value = String> {
    prop_oneof![Just("/".to_owned()), "/[a-z0-9?=&-]{1,12}"]
}

proptest! {
    #[test]
    fn events_survive_the_round_trip(
        nsp in namespace(),
        name in "[^c-d]{0,12}",
        args in prop::collection::vec(json(), 0..6),
        ack in any::<Option<u64>>(),
    ) {
        let raw: Vec<&[u8]> = args.iter().map(String::as_bytes).collect();
        let encoded = encode_event(&nsp, &name, &raw, ack);
        let Ok(Packet::Event { nsp: got_nsp, ack: got_ack, args: got, attachments: 0 }) =
            decode(encoded.slice(1..), &Config::default())
        else {
            return Err(TestCaseError::fail("not an event"));
        };
        prop_assert_eq!(got_nsp.as_str(), nsp);
        prop_assert_eq!(got_ack, ack.map(AckId));
        prop_assert_eq!(&*got.name(), name);
        prop_assert_eq!(got.iter().collect::<Vec<_>>(), args);
    }

    #[test]
    fn acks_survive_the_round_trip(
        nsp in namespace(),
        id in any::<u64>(),
        args in prop::collection::vec(json(), 0..6),
    ) {
        let raw: Vec<&[u8]> = args.iter().map(String::as_bytes).collect();
        let encoded = encode_ack(&nsp, AckId(id), &raw);
        let Ok(Packet::Ack { nsp: got_nsp, id: got_id, args: got, .. }) =
            decode(encoded.slice(1..), &Config::default())
        else {
            return Err(TestCaseError::fail("not an ack"));
        };
        prop_assert_eq!((got_nsp.as_str(), got_id), (&*nsp, Some(AckId(id))));
        prop_assert_eq!(got.iter().collect::<Vec<_>>(), args);
    }

    #[test]
    fn any_text_is_survived(text in "[0-7]?[0-9]{0,3}-?(/[a-z]{0,3},?)?[0-9]{0,22}[\\[\\]{}\",:a-z0-9]{0,20}") {
        let _ = parse(&text);
    }
}
