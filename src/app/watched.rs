//! A program of somebody else, as far as the screen needs to know it.

/// What is known of a watched program besides its trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// The command line as it was asked for: `script.py 3`, `-m package`, `-c ...`.
    pub command: String,
}
