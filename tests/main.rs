//! Every integration test, linked once.
#[cfg(unix)]
mod pty;
