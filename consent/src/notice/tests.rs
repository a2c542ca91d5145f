use super::*;

const FILE: &str = "---\nid: sharing\nversion: 2\nlanguage: en\npurpose: sharing\n\
    published: 2026-11-01\nmaterial: false\nsupersedes: 1\nvalidity_days: 90\ndpia: controller\n\
    offered: true\n---\n# For {{recipient}}\n\n## 1\na\n## 2\nb\n## 3\nc\n## 4\nd\n## 5\n\
    `{{audience}}`\n## 6\n{{validity_days}} days\n## 7\n{{service}}\n## 8\n{{controller_details}}\n";

fn sharing_with(name: &str) -> Result<Notice> {
    let service = "https://id.example".parse().unwrap();
    let recipient = Recipient {
        audience: "https://shop.example".parse().unwrap(),
        name: name.to_owned(),
    };
    let source = Source::parse("file", FILE)?;
    source.publish(&service, &controller::default(&service), Some(&recipient))
}

#[test]
fn a_notice_says_what_was_left_open() {
    let notice = sharing_with("The Shop").unwrap();
    assert_eq!(notice.summary.title, "For The Shop");
    assert_eq!(
        notice.summary.digest,
        Digest::of(label::NOTICE, notice.text.as_bytes())
    );
    for said in [
        "`https://shop.example`",
        "90 days",
        "https://id.example",
        "Operator: id.example",
    ] {
        assert!(notice.text.contains(said), "{said}: {}", notice.text);
    }
    assert!(!notice.text.contains("{{"), "{}", notice.text);
    assert_eq!(notice.summary.supersedes, Some(1));
    assert_eq!(notice.summary.published, UnixTime(1_793_491_200));
}

#[test]
fn a_name_is_neither_markdown_nor_a_placeholder() {
    let notice = sharing_with("{{service}} [click](x)").unwrap();
    assert!(
        notice
            .text
            .starts_with("# For {{service}} \\[click\\](x)\n"),
        "{}",
        notice.text
    );
    assert!(sharing_with("two\nlines").is_err());
    assert!(sharing_with("").is_err());
}

#[test]
fn only_sharing_has_a_recipient() {
    let service = "https://id.example".parse().unwrap();
    let controller = controller::default(&service);
    let source = Source::parse("file", FILE).unwrap();
    assert!(source.publish(&service, &controller, None).is_err());
    let other = FILE.replace("purpose: sharing", "purpose: uniqueness");
    assert!(
        Source::parse("file", &other).is_err(),
        "it names a recipient"
    );
}

#[test]
fn what_is_not_well_formed_is_refused_with_a_reason() {
    Source::parse("file", FILE).unwrap();
    for (what, with) in [
        ("---\nid", "id"),
        ("id: sharing", "id: Sharing"),
        ("id: sharing", "id: sharing\nid: sharing"),
        ("id: sharing\n", ""),
        ("version: 2", "version: 0"),
        ("version: 2", "version: two"),
        ("language: en", "language: it"),
        ("purpose: sharing", "purpose: marketing"),
        ("published: 2026-11-01", "published: 2026-11-31"),
        ("material: false", "material: maybe"),
        ("supersedes: 1", "supersedes: 2"),
        ("validity_days: 90", "validity_days: 0"),
        ("validity_days: 90", "validity_days: 99999"),
        ("offered: true", "offered: true\nextra: 1"),
        ("dpia: controller", "dpia: "),
        ("# For", "For"),
        ("## 8", "8"),
        ("c\n", "\n"),
        ("{{controller_details}}", "nobody"),
        ("{{service}}", "{{nonsense}}"),
        ("`{{audience}}`", "them"),
    ] {
        assert!(FILE.contains(what), "{what}");
        let spoilt = FILE.replacen(what, with, 1);
        assert!(
            matches!(Source::parse("f.md", &spoilt), Err(Error::Notice { file, .. }) if file == "f.md"),
            "{what} → {with}"
        );
    }
    let long = format!("{FILE}{}", "x".repeat(LARGEST));
    assert!(Source::parse("file", &long).is_err());
}
