//! parviz shows parallel execution as it happens.
pub mod event;
pub mod time;
