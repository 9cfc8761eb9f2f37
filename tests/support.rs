//! What several integration tests share.

pub(crate) mod folded;
pub(crate) mod program;
pub(crate) mod python;
pub(crate) mod recount;
pub(crate) mod reference;
pub(crate) mod screen;
pub(crate) mod told;
pub(crate) mod watched;
