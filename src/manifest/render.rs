//! Findings as a compiler shows them: the code, the place, the text, and the help.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::finding::{Finding, Findings, Severity};
use super::node::Span;
use super::source::Source;

/// The findings from the top of the text to its bottom, with a blank line between
/// them. Without a source, or for findings without a place, it says the path instead.
pub fn render(findings: &Findings, source: Option<&Source>, is_colored: bool) -> String {
    let renderer = if is_colored { Renderer::styled() } else { Renderer::plain() };
    let reports: Vec<_> = findings
        .sorted()
        .into_iter()
        .map(|finding| renderer.render(&[report(finding, source)]))
        .collect();
    reports.join("\n\n")
}

fn report<'a>(finding: &'a Finding, source: Option<&'a Source>) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(&finding.message).id(finding.code));
    group = match (source, finding.span) {
        (Some(source), Some(span)) => group.element(snippet(finding, source, span)),
        (Some(source), None) => group.element(Origin::path(&source.name)),
        (None, _) => group,
    };
    if (source.is_none() || finding.span.is_none()) && !finding.path.is_empty() {
        group = group.element(Level::NOTE.message(format!("at `{}`", finding.path)));
    }
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(help)),
        None => group,
    }
}

/// The lines of the finding and of all places that take part.
fn snippet<'a>(
    finding: &'a Finding,
    source: &'a Source,
    span: Span,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let text = &*source.text;
    let related = finding.related.iter().map(|(span, label)| (*span, label.as_str()));
    let spans = || related.clone().map(|(span, _)| span).chain([span]);
    let first = spans().min_by_key(|span| span.start).unwrap_or(span);
    let last = spans().max_by_key(|span| span.start).unwrap_or(span);
    // Only these lines are handed over: there may be many findings in a large text.
    let start = text[..place(text, first).start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = end_of_line(text, place(text, last).end);
    let within = |span| {
        let place = place(text, span);
        place.start - start..place.end - start
    };
    let annotations = related
        .clone()
        .map(|(span, label)| AnnotationKind::Context.span(within(span)).label(label));
    Snippet::source(&text[start..end])
        .line_start(first.line as usize)
        .path(&source.name)
        .annotation(AnnotationKind::Primary.span(within(span)))
        .annotations(annotations)
}

/// The bytes to underline: what is longer than a line is shown by its first.
fn place(text: &str, span: Span) -> Range<usize> {
    let start = text.floor_char_boundary(span.start as usize);
    let end = text.floor_char_boundary(span.end as usize).min(end_of_line(text, start));
    start..end.max(start)
}

fn end_of_line(text: &str, offset: usize) -> usize {
    text[offset..].find(['\n', '\r']).map_or(text.len(), |len| offset + len)
}

#[cfg(test)]
mod tests {
    use super::super::Manifest;
    use super::*;

    const TEXT: &str = "\
definitions:
  é: {url: x, url: \"y\"}
  circle: '#/definitions/round'
  round: '#/definitions/circle'
streams:
  - $ref: '#/definitions/sream'
  - name: a
    $parameters:
      - not
      - a mapping
";

    #[test]
    fn findings_look_like_those_of_a_compiler() {
        let manifest = Manifest::from_yaml(Source::new("manifest.yaml", TEXT));
        insta::assert_snapshot!(render(&manifest.findings, manifest.source.as_ref(), false));
    }

    #[test]
    fn without_a_text_the_path_tells_the_place() {
        let json = serde_json::json!({"streams": ["#/nope"]});
        let manifest = Manifest::from_json(&json);
        insta::assert_snapshot!(render(&manifest.findings, None, false), @r"
        error[reference/undefined]: Undefined reference #/nope from nope
         |
         = note: at `streams[0]`
         = help: `#` has no `nope`
        ");
    }

    #[test]
    fn colours_change_nothing_else() {
        let manifest = Manifest::from_yaml(Source::new("manifest.yaml", TEXT));
        let colored = render(&manifest.findings, manifest.source.as_ref(), true);
        let escapes = regex::Regex::new("\x1b\\[[0-9;]*m").unwrap();
        let plain = render(&manifest.findings, manifest.source.as_ref(), false);
        assert!(colored.len() > plain.len());
        assert_eq!(escapes.replace_all(&colored, ""), plain);
    }
}
