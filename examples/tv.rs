use source_declarative_manifest::{run::RunContext, template::evaluate_line};
use std::io::BufRead;
fn main() {
    let run = RunContext::fixed("2024-05-06T07:08:09.123456Z".parse().unwrap());
    let stdin = std::io::stdin();
    for line in stdin.lock().lines() {
        println!("{}", evaluate_line(&line.unwrap(), &run));
    }
}
