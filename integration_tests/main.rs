//! Black-box tests on the binary, and the tests that keep the house tidy.

mod tidy;
