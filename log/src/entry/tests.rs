use blindprint_core::SystemEntropy;

use super::*;
use crate::Salt;

const AT: UnixTime = UnixTime(1_760_000_000);

fn commitment() -> Commitment {
    Commitment::to(&Salt::from_bytes(&[7; 32]), b"event")
}

fn handles(count: u8) -> Vec<Nonce> {
    (0..count).map(|n| Nonce::from_bytes([n; 32])).collect()
}

fn jws() -> Jws {
    "eyJh.eyJi.c2ln".parse().unwrap()
}

#[test]
fn an_entry_is_canonical_json() {
    let verdict = Entry::committed(Kind::Verdict, AT, commitment()).unwrap();
    assert_eq!(
        String::from_utf8(verdict.encode()).unwrap(),
        format!(
            r#"{{"at":1760000000,"commitment":"{}","kind":"verdict","v":1}}"#,
            commitment()
        )
    );
    let erased = Entry::tombstone(Kind::EnrolmentErased, AT, handles(1), None).unwrap();
    assert_eq!(
        String::from_utf8(erased.encode()).unwrap(),
        r#"{"at":1760000000,"handles":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"],"kind":"enrolment.erased","v":1}"#
    );
    let mark = Entry::public(Kind::EnclaveMark, AT, jws()).unwrap();
    assert_eq!(
        String::from_utf8(mark.encode()).unwrap(),
        r#"{"at":1760000000,"jws":"eyJh.eyJi.c2ln","kind":"enclave.mark","v":1}"#
    );
    for entry in [verdict, erased, mark] {
        assert_eq!(Entry::parse(&entry.encode()), Ok(entry));
    }
}

#[test]
fn what_stands_in_an_entry_goes_with_its_kind() {
    for &kind in Kind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
        let public = matches!(
            kind,
            Kind::EnclaveMark | Kind::KeyChanged | Kind::ConfigChanged
        );
        assert_eq!(Entry::public(kind, AT, jws()).is_ok(), public, "{kind}");
        let ends = kind.is_tombstone();
        assert_eq!(
            Entry::tombstone(kind, AT, handles(2), None).is_ok(),
            ends,
            "{kind}"
        );
        assert_eq!(
            Entry::tombstone(kind, AT, handles(2), Some(commitment())).is_ok(),
            ends,
            "{kind}"
        );
        assert_eq!(
            Entry::tombstone(kind, AT, handles(0), None).is_ok(),
            kind == Kind::SubjectErased,
            "{kind}"
        );
        assert_eq!(
            Entry::committed(kind, AT, commitment()).is_ok(),
            kind != Kind::EnclaveMark && (!ends || kind == Kind::SubjectErased),
            "{kind}"
        );
    }
}

#[test]
fn an_entry_holds_as_many_handles_as_it_says() {
    let most = u8::try_from(Entry::MAX_HANDLES).unwrap();
    let full =
        Entry::tombstone(Kind::SubjectErased, AT, handles(most), Some(commitment())).unwrap();
    assert!(full.encode().len() <= Entry::MAX_LEN);
    assert_eq!(Entry::parse(&full.encode()), Ok(full));
    assert_eq!(
        Entry::tombstone(Kind::SubjectErased, AT, handles(most + 1), None),
        Err(LogError::TooLong)
    );
    let long = format!("{}.a.a", "a".repeat(5000)).parse().unwrap();
    assert_eq!(
        Entry::public(Kind::EnclaveMark, AT, long),
        Err(LogError::TooLong)
    );
}

#[test]
fn an_entry_has_one_spelling() {
    let handle = Nonce::random(&SystemEntropy);
    let good = format!(r#"{{"at":1,"handles":["{handle}"],"kind":"enrolment.erased","v":1}}"#);
    assert!(Entry::parse(good.as_bytes()).is_ok());
    for bad in [
        String::new(),
        "[]".into(),
        good.replace(r#""at":1,"#, r#""at": 1,"#),
        good.replace(r#""at":1,"#, r#""at":1.0,"#),
        good.replace(r#""at":1,"#, r#""at":-1,"#),
        good.replace(r#""at":1,"#, r#""at":9007199254740992,"#),
        good.replace(r#""at":1,"#, ""),
        good.replace(r#""at":1,"#, r#""at":1,"at":1,"#),
        good.replace(r#""v":1"#, r#""v":2"#),
        good.replace(r#","v":1"#, ""),
        good.replace(r#""v":1"#, r#""v":1,"x":1"#),
        good.replace("enrolment.erased", "enrolment.Erased"),
        good.replace("enrolment.erased", "verdict"),
        good.replace("enrolment.erased", r"enrolment\u002eerased"),
        good.replace(r#""kind""#, r#""commitment":null,"kind""#),
        good.replace(&format!("\"{handle}\""), "1"),
        good.replace(&format!("[\"{handle}\"]"), "[]"),
        good.replace(&handle.to_string(), &format!("{handle}=")),
        format!("{good} "),
        format!("{good}{good}"),
    ] {
        assert!(Entry::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    assert_eq!(Entry::parse(&[b' '; 4097]), Err(LogError::TooLong));
}
