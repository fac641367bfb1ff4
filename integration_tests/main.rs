//! Black-box tests on the binary.
