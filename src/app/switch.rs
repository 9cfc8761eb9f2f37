//! The line that says what a switch changed.

/// What the line rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Both real runs, whole.
    Measured,
    /// Both experiments, run in virtual time.
    Simulated,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `main blocked 4.1 s -> 2.0 s; makespan same; delivery order same (one list): m for results as they finish`
    pub text: String,
    pub basis: Basis,
}
