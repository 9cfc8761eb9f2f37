//! parviz shows parallel execution as it happens.
pub mod event;
pub mod palette;
pub mod time;
pub mod ui;
