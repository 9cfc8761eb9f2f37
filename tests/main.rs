//! Every integration test, linked once.
#![allow(clippy::unwrap_used)]

mod calls;
mod cli;
mod cpython;
mod examples;
mod findings;
#[cfg(unix)]
mod lab_python;
mod lessons;
#[cfg(unix)]
mod probe;
#[cfg(target_os = "linux")]
mod processes;
mod properties;
#[cfg(unix)]
mod pty;
mod readme;
#[cfg(target_os = "linux")]
mod run;
mod screens;
mod simulated;
mod support;
mod threads;
mod timeline;
mod watching;
