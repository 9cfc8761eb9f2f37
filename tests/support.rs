//! What several integration tests share.

pub(crate) mod folded;
pub(crate) mod program;
pub(crate) mod python;
pub(crate) mod recount;
pub(crate) mod reference;
pub(crate) mod screen;
#[cfg(unix)]
pub(crate) mod signals;
pub(crate) mod told;
pub(crate) mod watched;
