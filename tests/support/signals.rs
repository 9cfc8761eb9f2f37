//! Signals as a program finds them that a person started.
//!
//! Whoever runs the tests may ignore some: a shell does so with SIGINT for what it starts in the background. Their
//! children would ignore them too, and parviz leaves it at that.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// What is started does not ignore the signals that the tests send.
#[expect(
    unsafe_code,
    reason = "what runs between fork and exec is the caller's risk"
)]
pub(crate) fn heard(command: &mut Command) {
    let hear = || {
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
            // SAFETY: the default is no function that could be called at a bad time.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        Ok(())
    };
    // SAFETY: between fork and exec only signal() is called, which may be called there.
    unsafe { command.pre_exec(hear) };
}
