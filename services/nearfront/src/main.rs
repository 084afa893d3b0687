//! The one binary that starts any or all of Nearfront's services.
fn main() {}
