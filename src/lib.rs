//! parviz shows parallel execution as it happens.
pub mod app;
pub mod call;
pub mod definition;
pub mod event;
pub mod experiment;
pub mod method;
pub mod origin;
pub mod palette;
pub mod runtime;
pub mod terminal;
pub mod time;
pub mod trace;
pub mod ui;
pub mod workload;
