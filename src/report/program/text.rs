//! A program in plain ASCII lines.

use super::Report;
use std::io::{self, Write};

pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    for finding in report.findings {
        writeln!(out, "{}", finding.text)?;
    }
    Ok(())
}
