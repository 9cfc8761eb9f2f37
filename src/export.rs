//! What a run looks like outside the terminal; one file per format.

pub mod svg;
