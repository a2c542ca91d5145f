use pulldown_cmark::{Event, Options, Parser, html::push_html};

/// Markdown as HTML. What is HTML already is shown as text: a notice is words.
pub(in crate::http) fn markdown(markdown: &str) -> String {
    let words = Parser::new_ext(markdown, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
        other => other,
    });
    let mut html = String::new();
    push_html(&mut html, words);
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_notice_is_words() {
        let html = markdown("# Title\n\n<script>alert(1)</script> <b>bold</b>\n\n*plain*");
        assert!(
            html.contains("<h1>Title</h1>") && html.contains("<em>plain</em>"),
            "{html}"
        );
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
    }
}
