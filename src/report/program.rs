//! What a watched program comes to: as text for people and as JSON for programs.

pub mod json;
pub mod keys;
pub mod text;

use crate::finding::Finding;
use crate::trace::Trace;

/// What ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramFacts {
    /// As it was started: the interpreter is not in it.
    pub argv: Vec<String>,
    /// The interpreter and its version, as far as known: `python3 3.11.7`.
    pub python: Option<String>,
    /// Its exit code, or minus the number of the signal that killed it; `None` while it runs.
    pub exit: Option<i32>,
}

/// A program to report.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    pub program: &'a ProgramFacts,
    pub trace: &'a Trace,
    pub findings: &'a [Finding],
}
