use std::{fs, path::Path};

use axum::http::{HeaderMap, Uri};
use blindprint_core::UnixTime;

use super::{
    listing::{Listing, Order, Sort},
    table::{Cell, Column, Table},
    *,
};
use crate::domain::admin::Role;

fn page() -> Page {
    let uri: Uri = "/admin?done=nonsense".parse().unwrap();
    Page::new(&HeaderMap::new(), &uri)
}

fn table(query: &str) -> Table {
    let listing = Listing::new("/admin/things", query).unwrap();
    let columns = vec![
        Column::new("Name").sortable("name"),
        Column::new("When"),
        Column::new("How many").numeric(),
    ];
    Table::new(
        Texts(Language::English),
        "things",
        "Things",
        listing,
        columns,
    )
    .search("q", "Search")
    .sorted(Sort {
        by: "name",
        order: Order::Ascending,
    })
}

#[test]
fn a_table_escapes_what_stands_in_it() {
    let html = table("q=%3Cscript%3E")
        .rows([vec![
            Cell::text("<script>alert(1)</script>"),
            Cell::Time(UnixTime(1_800_000_000)),
            Cell::Number(12_345),
        ]])
        .paged(51)
        .exported()
        .render()
        .unwrap();
    assert!(!html.contains("<script"), "{html}");
    assert!(
        html.contains("12,345") && html.contains("1–1 of 51"),
        "{html}"
    );
    assert!(html.contains("aria-sort=\"ascending\""), "{html}");
    assert!(
        html.contains("order=desc") && html.contains("format=csv"),
        "{html}"
    );
}

#[test]
fn a_table_without_rows_says_whether_filters_hide_them() {
    let unfiltered = table("").or("No things", "They come").render().unwrap();
    assert!(unfiltered.contains("No things"), "{unfiltered}");
    let filtered = table("q=x").or("No things", "They come").render().unwrap();
    assert!(!filtered.contains("No things"), "{filtered}");
}

#[test]
fn what_was_done_is_said_in_known_words_only() {
    assert!(page().toast.is_none());
    let uri: Uri = "/admin?done=signed_out".parse().unwrap();
    assert!(Page::new(&HeaderMap::new(), &uri).toast.is_some());
}

#[test]
fn navigation_shows_what_one_may_see() {
    let sections = |role| {
        let seated = Seated {
            name: "Ada".to_owned(),
            role,
            csrf: "token".to_owned(),
        };
        let groups = page().seat(seated).navigation();
        let entries = groups.into_iter().flat_map(|(_, entries)| entries);
        entries.map(|entry| entry.section).collect::<Vec<_>>()
    };
    assert!(sections(Role::Operator).contains(&"administrators"));
    assert!(!sections(Role::Operator).contains(&"subjects"));
    assert!(!sections(Role::PrivacyOfficer).contains(&"administrators"));
    assert_eq!(page().navigation().len(), 0);
}

#[test]
fn no_template_carries_a_style_or_a_script_of_its_own() {
    fn walk(folder: &Path, check: &dyn Fn(&Path, &str)) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, check);
            } else {
                check(&path, &fs::read_to_string(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    walk(&root, &|path, text| {
        // What tells how to write templates is none, and an export is a file that stands alone.
        if path.ends_with("README.md") || path.ends_with("export.html") {
            return;
        }
        for bad in [
            " style=",
            "<style",
            " onclick=",
            " onload=",
            "javascript:",
            "hx-on",
        ] {
            assert!(!text.contains(bad), "{}: {bad}", path.display());
        }
        for script in text.split("<script").skip(1) {
            assert!(
                script.trim_start().starts_with("src="),
                "{}",
                path.display()
            );
        }
    });
}
