//! Placeholder of the codec benches.
fn main() {}
