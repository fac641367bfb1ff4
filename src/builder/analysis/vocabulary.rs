//! The words of templates, each with what it is.

/// A word with its signature and what it is.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) name: &'static str,
    pub(super) detail: &'static str,
    pub(super) about: &'static str,
}

const fn word(name: &'static str, detail: &'static str, about: &'static str) -> Word {
    Word { name, detail, about }
}

/// The variables that some field of a manifest has.
pub(super) const VARIABLES: &[Word] = &[
    word("config", "mapping", "What the user has entered, by the names of the inputs."),
    word("parameters", "mapping", "The `$parameters` of this component and of those around it."),
    word(
        "stream_slice",
        "mapping",
        "The part of the stream that is read: its partition, and the `start_time` and `end_time` of its window.",
    ),
    word(
        "stream_interval",
        "mapping",
        "The window of time that is read: `start_time` and `end_time`.",
    ),
    word(
        "stream_partition",
        "mapping",
        "The partition that is read, by the names of the partition fields.",
    ),
    word(
        "next_page_token",
        "mapping",
        "`next_page_token` in it is what the paginator computed for this page; nothing on the first one.",
    ),
    word("creation_response", "mapping", "The answer that the job was created with."),
    word("polling_response", "mapping", "The last answer about the state of the job."),
    word("download_target", "text", "Where this part of the job's result is."),
    word("query_properties", "list", "The properties that are asked for in this request."),
    word("response", "value", "The body of the answer, read as JSON."),
    word(
        "headers",
        "mapping",
        "The header fields of the answer; those of `Link` are in `headers['link']`.",
    ),
    word("request_url", "text", "The address that was asked."),
    word("last_record", "mapping", "The last record of the page."),
    word("last_page_size", "number", "How many records the page had."),
    word("page_size", "number", "How many records a page is asked for."),
    word("record", "mapping", "The record, as it is so far."),
    word("value", "value", "The value that is about to be set."),
    word("path", "list", "Where the value is about to be set."),
    word("property", "value", "The field that is judged."),
    word("session_token", "text", "What the login gave."),
    word("components_values", "mapping", "What the resolver found for this stream."),
    word("stream_template_config", "mapping", "The template, as it was written."),
    word("raw_schema", "mapping", "The schema as the API tells it."),
    word("json_loads", "function", "Reads a text as JSON."),
];

/// The functions that every template has.
pub(super) const MACROS: &[Word] = &[
    word(
        "now_utc",
        "now_utc()",
        "The present moment, in UTC. Add a `duration` to it, or subtract one.",
    ),
    word("today_utc", "today_utc()", "Today's date, in UTC."),
    word(
        "today_with_timezone",
        "today_with_timezone(timezone)",
        "Today's date in a time zone, as `'Europe/Paris'`.",
    ),
    word("timestamp", "timestamp(moment)", "A moment as seconds since 1970."),
    word("day_delta", "day_delta(days, format)", "Now and some days, as text."),
    word("duration", "duration(text)", "A length of time out of ISO 8601, as `'P1D'` or `'PT1H'`."),
    word(
        "format_datetime",
        "format_datetime(moment, format, input_format)",
        "A moment in another format, as `'%Y-%m-%d'`.",
    ),
    word(
        "str_to_datetime",
        "str_to_datetime(text)",
        "A text as a moment that can be computed with.",
    ),
    word("max", "max(values…)", "The greatest of the values, or of a list."),
    word("min", "min(values…)", "The least of the values, or of a list."),
    word("sanitize_url", "sanitize_url(text)", "A text as it can stand in a URL."),
    word(
        "camel_case_to_snake_case",
        "camel_case_to_snake_case(text)",
        "`camelCase` as `camel_case`.",
    ),
    word("generate_uuid", "generate_uuid()", "A new random UUID."),
    word("dict", "dict(…)", "A mapping."),
    word("namespace", "namespace(…)", "A mapping whose fields can be set within loops."),
];

/// What a value can be piped through.
pub(super) const FILTERS: &[Word] = &[
    word(
        "default",
        "default(value, boolean)",
        "Another value where there is none; with `true`, also for what is empty.",
    ),
    word("string", "string", "The value as text."),
    word("int", "int", "The value as a whole number."),
    word("float", "float", "The value as a number."),
    word("hash", "hash(type, salt)", "The text's hash in hexadecimal digits: `hash('sha256')`."),
    word("hmac", "hmac(key, type)", "The text's keyed hash."),
    word("base64encode", "base64encode", "The text in Base64."),
    word("base64decode", "base64decode", "The text that Base64 stands for."),
    word(
        "base64binascii_decode",
        "base64binascii_decode",
        "The text that Base64 stands for, read leniently.",
    ),
    word("regex_search", "regex_search(pattern)", "What the first group of a pattern matches."),
    word(
        "regex_replace",
        "regex_replace(pattern, replacement)",
        "The text with all matches replaced.",
    ),
    word("tojson", "tojson", "The value as JSON."),
    word("urlencode", "urlencode", "The text as it can stand in a query."),
    word("length", "length", "How many items, fields, or characters there are."),
    word("first", "first", "The first item."),
    word("last", "last", "The last item."),
    word("join", "join(separator)", "The items as one text."),
    word("list", "list", "The value as a list."),
    word("map", "map(attribute='name')", "One field of each item, or each item through a filter."),
    word("select", "select(test)", "The items that pass a test."),
    word("reject", "reject(test)", "The items that do not pass a test."),
    word("selectattr", "selectattr(field, test, value)", "The items whose field passes a test."),
    word(
        "rejectattr",
        "rejectattr(field, test, value)",
        "The items whose field does not pass a test.",
    ),
    word("sort", "sort", "The items in order."),
    word("unique", "unique", "The items, each once."),
    word("reverse", "reverse", "The items from the last to the first."),
    word("items", "items", "The fields as pairs."),
    word("dictsort", "dictsort", "The fields as pairs, in order."),
    word("groupby", "groupby(field)", "The items in groups of the same field."),
    word("batch", "batch(n)", "The items in lists of `n`."),
    word("sum", "sum", "The sum of the items."),
    word("max", "max", "The greatest item."),
    word("min", "min", "The least item."),
    word("abs", "abs", "The number without its sign."),
    word("round", "round(digits)", "The number rounded."),
    word("lower", "lower", "The text in lower case."),
    word("upper", "upper", "The text in upper case."),
    word("title", "title", "The text with a capital at each word."),
    word("capitalize", "capitalize", "The text with one capital at its beginning."),
    word("trim", "trim", "The text without blanks around it."),
    word("replace", "replace(old, new)", "The text with a piece replaced."),
    word("truncate", "truncate(length)", "The beginning of the text."),
    word("format", "format(values…)", "The values put in the places of the text."),
    word("striptags", "striptags", "The text without HTML tags."),
];

/// The word of a list.
pub(super) fn find(words: &'static [Word], name: &str) -> Option<&'static Word> {
    words.iter().find(|word| word.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::registry::manifest_schema;
    use crate::lint::template_fields;
    use crate::template::Template;

    #[test]
    fn templates_know_all_filters_and_functions() {
        for word in FILTERS {
            let template = format!("{{{{ x | {} }}}}", word.name);
            assert!(Template::parse(&template).uses()[0].is_known, "{}", word.name);
        }
        for word in MACROS {
            let template = format!("{{{{ {}() }}}}", word.name);
            assert!(Template::parse(&template).uses()[0].is_known, "{}", word.name);
        }
    }

    #[test]
    fn all_variables_are_described() {
        let schema = manifest_schema();
        let types = schema["definitions"].as_object().unwrap().keys();
        let variables: Vec<_> = types
            .flat_map(|name| template_fields(name))
            .flat_map(|field| field.variables)
            .collect();
        assert!(variables.len() > 50);
        for variable in variables {
            assert!(find(VARIABLES, variable).is_some(), "{variable}");
        }
    }
}
