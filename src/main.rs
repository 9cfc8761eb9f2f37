//! Starts parviz.
fn main() {}
