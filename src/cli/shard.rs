//! Which shard of a read is wanted.

use std::env;

use anyhow::{Context, bail};

use crate::protocol::Shard;

/// Where Kubernetes tells the pods of an indexed job which one they are.
const INDEX: &str = "JOB_COMPLETION_INDEX";
/// Where the pods of a job are told how many they are, which Kubernetes does not by itself.
const COUNT: &str = "SHARD_COUNT";

/// Reads `I/N`, `auto/N`, or `auto`.
pub(super) fn read(text: &str) -> anyhow::Result<Shard> {
    read_with(text, |name| env::var(name).ok())
}

fn read_with(text: &str, variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Shard> {
    let number = |name: &str, help: &str| {
        let Some(value) = variable(name) else { bail!("`{name}` is not set: {help}") };
        value.parse().with_context(|| format!("`{name}` is `{value}`, which is no number"))
    };
    let index =
        || number(INDEX, "Kubernetes sets it in the pods of a job with `completionMode: Indexed`");
    Ok(match text.split_once('/') {
        None if text == "auto" => {
            let index = index()?;
            let help = "set it to the `completions` of the job, or write the number of shards, as `auto/5`";
            Shard::new(index, number(COUNT, help)?)?
        }
        Some(("auto", count)) => {
            let count =
                count.parse().with_context(|| format!("`{count}` is no number of shards"))?;
            Shard::new(index()?, count)?
        }
        _ => text.parse()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, environment: &[(&str, &str)], expect: &str) {
        let variable = |wanted: &str| {
            let found = environment.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        };
        let shard = read_with(text, variable);
        assert_eq!(shard.map_or_else(|err| err.to_string(), |it| it.to_string()), expect);
    }

    #[test]
    fn a_shard_is_written_or_comes_from_the_job() {
        check("1/5", &[], "1/5");
        check("auto", &[(INDEX, "2"), (COUNT, "3")], "2/3");
        check("auto/5", &[(INDEX, "2")], "2/5");
        check("auto/5", &[(INDEX, "2"), (COUNT, "3")], "2/5");
    }

    #[test]
    fn what_is_missing_or_wrong_is_told() {
        let no_index = "`JOB_COMPLETION_INDEX` is not set: Kubernetes sets it in the pods of a job with \
                        `completionMode: Indexed`";
        check("auto", &[(COUNT, "3")], no_index);
        check("auto/3", &[], no_index);
        check(
            "auto",
            &[(INDEX, "0")],
            "`SHARD_COUNT` is not set: set it to the `completions` of the job, or write the number of shards, as \
             `auto/5`",
        );
        check("auto/x", &[(INDEX, "0")], "`x` is no number of shards");
        check(
            "auto/2",
            &[(INDEX, "first")],
            "`JOB_COMPLETION_INDEX` is `first`, which is no number",
        );
        check("auto/2", &[(INDEX, "2")], "there is no shard 2 of 2: they are counted from 0 to 1");
        check("1", &[], "`1` is no shard: write the index and the number of shards, as `0/5`");
    }
}
