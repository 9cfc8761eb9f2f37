//! Every integration test, linked once.

#[cfg(unix)]
mod pty;
mod simulated;
mod support;
