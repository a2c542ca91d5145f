use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    Step,
    vp::{Presentation, VpToken},
};

const VCT: &str = "https://credentials.example.com/identity_credential";

fn query(json: &Value) -> Result<Query, serde_json::Error> {
    serde_json::from_value(json.clone())
}

fn paths(paths: &Value) -> Vec<ClaimsPath> {
    serde_json::from_value(paths.clone()).unwrap()
}

/// The example of section 7.3.
fn arthur() -> Value {
    json!({
        "name": "Arthur Dent",
        "address": {"street_address": "42 Market Street", "locality": "Milliways", "postal_code": "12345"},
        "degrees": [
            {"type": "Bachelor of Science", "university": "University of Betelgeuse"},
            {"type": "Master of Science", "university": "University of Betelgeuse"}
        ],
        "nationalities": ["British", "Betelgeusian"]
    })
}

#[test]
fn the_specifications_claims_paths() {
    let arthur = arthur();
    let select = |path: Value| -> Option<Vec<Value>> {
        let path: ClaimsPath = serde_json::from_value(path).unwrap();
        path.select(&arthur)
            .map(|found| found.into_iter().cloned().collect())
    };
    assert_eq!(select(json!(["name"])), Some(vec![json!("Arthur Dent")]));
    assert_eq!(
        select(json!(["address"])),
        Some(vec![arthur["address"].clone()])
    );
    assert_eq!(
        select(json!(["address", "street_address"])),
        Some(vec![json!("42 Market Street")])
    );
    assert_eq!(
        select(json!(["degrees", null, "type"])),
        Some(vec![
            json!("Bachelor of Science"),
            json!("Master of Science")
        ])
    );
    assert_eq!(
        select(json!(["nationalities", 1])),
        Some(vec![json!("Betelgeusian")])
    );
    for nothing in [
        json!(["nationalities", 2]),
        json!(["nationalities", "0"]),
        json!(["name", 0]),
        json!(["name", null]),
        json!(["address", 0]),
        json!(["phone"]),
        json!(["degrees", null, "type", null]),
    ] {
        assert_eq!(select(nothing.clone()), None, "{nothing}");
    }
    for bad in [
        json!([]),
        json!("name"),
        json!([-1]),
        json!([1.5]),
        json!([true]),
        json!([["a"]]),
        json!(vec!["a"; 33]),
    ] {
        assert!(
            serde_json::from_value::<ClaimsPath>(bad.clone()).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn a_path_covers_what_lies_below() {
    let path = |path: Value| -> ClaimsPath { serde_json::from_value(path).unwrap() };
    let degrees = path(json!(["degrees", null]));
    assert!(degrees.covers(&path(json!(["degrees", 0, "type"]))));
    assert!(degrees.covers(&path(json!(["degrees", null]))));
    assert!(!degrees.covers(&path(json!(["degrees"]))));
    assert!(!degrees.covers(&path(json!(["degrees", "type"]))));
    assert_eq!(
        ClaimsPath::of_keys(["a", "b"]).steps(),
        [Step::Key("a".into()), Step::Key("b".into())]
    );
}

/// Section 6.4 and appendix D: several credentials, alternatives of claims and of credentials.
fn alternatives() -> Value {
    json!({
        "credentials": [
            {
                "id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]},
                "claims": [
                    {"id": "a", "path": ["last_name"]},
                    {"id": "b", "path": ["postal_code"]},
                    {"id": "c", "path": ["locality"]},
                    {"id": "e", "path": ["date_of_birth"]}
                ],
                "claim_sets": [["a", "c", "e"], ["a", "b"]]
            },
            {"id": "other_pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["https://othercredentials.example/pid"]}},
            {"id": "degree", "format": "ldp_vc", "multiple": true, "meta": {"type_values": [
                ["https://www.w3.org/2018/credentials#VerifiableCredential", "https://example.org/examples#AlumniCredential"],
                ["IdentityCredential"]
            ]}},
            {"id": "nice_to_have", "format": "dc+sd-jwt", "meta": {}}
        ],
        "credential_sets": [
            {"options": [["pid"], ["other_pid"], ["degree", "nice_to_have"]]},
            {"required": false, "options": [["nice_to_have"]]}
        ],
        "later": {"extension": true}
    })
}

struct Held {
    format: Format,
    types: Vec<String>,
    claims: Value,
}

impl Held {
    fn sd_jwt(vct: &str, claims: Value) -> Self {
        Self {
            format: Format::SdJwtVc,
            types: vec![vct.to_owned()],
            claims,
        }
    }

    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            format: &self.format,
            types: &self.types,
            claims: &self.claims,
            holder_bound: true,
        }
    }
}

#[test]
fn the_first_option_that_can_be_had_is_chosen() {
    let query = query(&alternatives()).unwrap();
    let pid = Held::sd_jwt(
        VCT,
        json!({"last_name": "Dent", "postal_code": "1", "locality": "M"}),
    );
    let other = Held::sd_jwt("https://othercredentials.example/pid", json!({}));
    let degree = Held {
        format: Format::LdpVc,
        types: vec![
            "VerifiableCredential".to_owned(),
            "IdentityCredential".to_owned(),
        ],
        claims: json!({}),
    };

    let both = [other.candidate(), pid.candidate()];
    let chosen = query.choose(&both).unwrap();
    assert_eq!(chosen.len(), 1);
    assert_eq!(chosen[0].query.id, "pid");
    // The first claim set wants a date of birth, which is not there.
    assert_eq!(chosen[0].matches[0].candidate, 1);
    assert_eq!(
        chosen[0].matches[0].disclose,
        paths(&json!([["last_name"], ["postal_code"]]))
    );

    assert_eq!(query.choose(&both[..1]).unwrap()[0].query.id, "other_pid");
    assert_eq!(
        query.choose(&[degree.candidate()]).unwrap_err().code(),
        "access_denied"
    );
    let any = Held::sd_jwt("anything", json!({}));
    let chosen = [degree.candidate(), any.candidate()];
    let chosen = query.choose(&chosen).unwrap();
    assert_eq!(
        chosen
            .iter()
            .map(|c| c.query.id.as_str())
            .collect::<Vec<_>>(),
        ["degree", "nice_to_have"]
    );
    assert_eq!(query.choose(&[]).unwrap_err().code(), "access_denied");
}

#[test]
fn types_values_and_holder_binding_restrict() {
    let wanted = |json: Value| query(&json!({"credentials": [json]})).unwrap();
    let held = Held::sd_jwt(
        VCT,
        json!({"age": 18, "over": true, "nationalities": ["DE", "FR"]}),
    );
    let with = |path: Value, values: Value| {
        wanted(
            json!({"id": "q", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]},
            "claims": [{"path": path, "values": values}]}),
        )
    };
    for (path, values, fits) in [
        (json!(["age"]), json!([17, 18]), true),
        (json!(["age"]), json!(["18"]), false),
        (json!(["over"]), json!([true]), true),
        (json!(["over"]), json!(["true", 1]), false),
        (json!(["nationalities", null]), json!(["FR"]), true),
        (json!(["nationalities", 0]), json!(["FR"]), false),
        (json!(["nationalities"]), json!(["FR"]), false),
        (json!(["absent"]), json!([]), false),
    ] {
        let query = with(path.clone(), values.clone());
        assert_eq!(
            query.credentials()[0].evaluate(&held.candidate()).is_some(),
            fits,
            "{path} {values}"
        );
    }
    let bound = wanted(json!({"id": "q", "format": "dc+sd-jwt", "meta": {}}));
    let unbound = wanted(
        json!({"id": "q", "format": "dc+sd-jwt", "meta": {}, "require_cryptographic_holder_binding": false}),
    );
    let loose = Candidate {
        holder_bound: false,
        ..held.candidate()
    };
    assert!(bound.choose(&[loose]).is_err());
    assert!(unbound.choose(&[loose]).is_ok());
    // Nothing that can be withheld is shown unasked.
    assert!(
        bound.choose(&[held.candidate()]).unwrap()[0].matches[0]
            .disclose
            .is_empty()
    );
    for (format, meta) in [
        ("jwt_vc_json", json!({})),
        ("dc+sd-jwt", json!({"vct_values": ["https://else.example"]})),
        (
            "mso_mdoc",
            json!({"doctype_value": "org.iso.18013.5.1.mDL"}),
        ),
    ] {
        let query = wanted(json!({"id": "q", "format": format, "meta": meta}));
        assert!(query.choose(&[held.candidate()]).is_err(), "{format}");
    }
}

#[test]
fn queries_without_sense_are_refused() {
    let one = |more: Value| {
        let mut one = json!({"id": "q", "format": "dc+sd-jwt", "meta": {}});
        one.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"credentials": [one]})
    };
    let sets = |sets: Value| json!({"credentials": [{"id": "q", "format": "ldp_vc", "meta": {}}], "credential_sets": sets});
    let twice = json!({"id": "q", "format": "ldp_vc", "meta": {}});
    let claim = json!({"id": "a", "path": ["a"]});
    for bad in [
        json!({}),
        json!([]),
        json!({"credentials": []}),
        json!({"credentials": [twice, twice]}),
        json!({"credentials": [{"id": "q", "meta": {}}]}),
        json!({"credentials": [{"id": "q", "format": "ldp_vc"}]}),
        json!({"credentials": (0..33).map(|n| json!({"id": format!("q{n}"), "format": "ldp_vc", "meta": {}})).collect::<Vec<_>>()}),
        one(json!({"id": ""})),
        one(json!({"id": "a b"})),
        one(json!({"id": "x".repeat(129)})),
        one(
            json!({"trusted_authorities": [{"type": "aki", "values": ["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]}]}),
        ),
        one(json!({"claims": [{"path": []}]})),
        one(json!({"claims": [{"path": ["a"], "values": [1.5]}]})),
        one(json!({"claims": [{"path": ["a"], "values": [null]}]})),
        one(json!({"claims": [claim, claim]})),
        one(json!({"claims": [{"path": ["a"]}], "claim_sets": [["a"]]})),
        one(json!({"claims": [claim], "claim_sets": [["b"]]})),
        one(json!({"claims": [claim], "claim_sets": [[]]})),
        one(json!({"claim_sets": [["a"]]})),
        one(json!({"claims": (0..129).map(|_| json!({"path": ["a"]})).collect::<Vec<_>>()})),
        one(json!({"meta": {"type_values": [[]]}})),
        sets(json!([])),
        sets(json!([{"options": []}])),
        sets(json!([{"options": [[]]}])),
        sets(json!([{"options": [["q", "q"]]}])),
        sets(json!([{"options": [["r"]]}])),
    ] {
        assert!(query(&bad).is_err(), "{bad}");
    }
    assert!(query(&one(json!({}))).is_ok());
    assert!(query(&sets(json!([{"options": [["q"]], "purpose": "older"}]))).is_ok());
}

fn token(json: &Value) -> VpToken {
    serde_json::from_value(json.clone()).unwrap()
}

#[test]
fn an_answer_has_the_form_of_the_question() {
    let query = query(&alternatives()).unwrap();
    for good in [
        json!({"pid": ["a~b"]}),
        json!({"other_pid": ["a~b"], "nice_to_have": ["c"]}),
        json!({"degree": [{"type": "VerifiablePresentation"}, {}], "nice_to_have": ["c"]}),
    ] {
        let token = token(&good);
        let answers = query.answered_by(&token).unwrap();
        assert_eq!(
            answers.len(),
            token.entries().values().map(Vec::len).sum::<usize>()
        );
        assert!(
            answers
                .iter()
                .all(|a| token.entries()[&a.query.id].contains(a.presentation))
        );
    }
    for bad in [
        json!({}),
        json!({"pid": []}),
        json!({"pid": ["a", "b"]}),
        json!({"pid": ["a"], "unasked": ["b"]}),
        json!({"nice_to_have": ["c"]}),
        json!({"degree": [{}]}),
    ] {
        let error = query.answered_by(&token(&bad)).unwrap_err();
        assert_eq!(error.code(), "invalid_request", "{bad}");
    }
    for bad in [
        json!("a"),
        json!({"pid": "a"}),
        json!({"pid": [1]}),
        json!({"pid": [["a"]]}),
    ] {
        assert!(
            serde_json::from_value::<VpToken>(bad.clone()).is_err(),
            "{bad}"
        );
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..4_i64).prop_map(Value::from),
        "[ab]".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[ab]", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_path() -> impl Strategy<Value = ClaimsPath> {
    let step = prop_oneof![
        "[ab]".prop_map(Step::Key),
        (0..3_u64).prop_map(Step::Index),
        Just(Step::Every),
    ];
    proptest::collection::vec(step, 1..4).prop_map(|steps| ClaimsPath::try_from(steps).unwrap())
}

fn any_query() -> impl Strategy<Value = Query> {
    let claims = proptest::collection::vec(any_path(), 0..4);
    let credential = (any::<bool>(), any::<bool>(), claims, 0..4_usize);
    proptest::collection::vec(credential, 1..4).prop_map(|credentials| {
        let credentials = credentials
            .into_iter()
            .enumerate()
            .map(|(n, (sd_jwt, multiple, paths, first))| {
                let format = if sd_jwt {
                    Format::SdJwtVc
                } else {
                    Format::LdpVc
                };
                let mut query = CredentialQuery::new(format!("q{n}"), format);
                query.multiple = multiple;
                query.claims = paths
                    .into_iter()
                    .enumerate()
                    .map(|(n, path)| ClaimsQuery {
                        id: Some(format!("c{n}")),
                        path,
                        values: Vec::new(),
                    })
                    .collect();
                if first < query.claims.len() {
                    let all = (0..query.claims.len()).map(|n| format!("c{n}")).collect();
                    query.claim_sets = vec![all, vec![format!("c{first}")]];
                }
                query
            })
            .collect();
        Query::new(credentials, Vec::new()).unwrap()
    })
}

proptest! {
    #[test]
    fn a_query_comes_back(query in any_query()) {
        let json = serde_json::to_string(&query).unwrap();
        prop_assert_eq!(serde_json::from_str::<Query>(&json).unwrap(), query);
    }

    /// Whatever is disclosed was asked for and is there; whatever is refused lacks something that
    /// was asked for; and what is chosen is an answer.
    #[test]
    fn choices_are_sound_and_answer(
        query in any_query(),
        wallet in proptest::collection::vec((any::<bool>(), any_json()), 0..5),
    ) {
        let held: Vec<Held> = wallet.into_iter().map(|(sd_jwt, claims)| Held {
            format: if sd_jwt { Format::SdJwtVc } else { Format::LdpVc },
            types: Vec::new(),
            claims,
        }).collect();
        let candidates: Vec<Candidate<'_>> = held.iter().map(Held::candidate).collect();
        for asked in query.credentials() {
            for candidate in &candidates {
                let there = |claim: &ClaimsQuery| claim.path.select(candidate.claims).is_some();
                match asked.evaluate(candidate) {
                    Some(shown) => for path in &shown {
                        prop_assert!(path.select(candidate.claims).is_some());
                        prop_assert!(asked.claims.iter().any(|claim| claim.path == *path));
                    },
                    None => prop_assert!(
                        asked.format != *candidate.format || !asked.claims.iter().all(there)
                    ),
                }
            }
        }
        if let Ok(choices) = query.choose(&candidates) {
            let token: VpToken = choices.iter().map(|choice| {
                let count = if choice.query.multiple { choice.matches.len() } else { 1 };
                (choice.query.id.clone(), vec![Presentation::Text("p".to_owned()); count])
            }).collect();
            prop_assert!(query.answered_by(&token).is_ok());
        } else {
            let unanswered = |asked: &CredentialQuery| {
                candidates.iter().all(|candidate| asked.evaluate(candidate).is_none())
            };
            prop_assert!(query.credentials().iter().any(unanswered));
        }
    }
}
