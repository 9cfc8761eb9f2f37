//! One object that holds everything about a program.

use super::Report;
use std::io::{self, Write};

/// Writes the object on a line of its own.
pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let counts = report.trace.counts(report.trace.end());
    writeln!(
        out,
        "{}",
        serde_json::json!({"counts": {"calls": counts.calls}})
    )
}
