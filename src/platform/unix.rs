//! The answers that all Unix systems share: signals, files read in place, the common clock.
#![expect(clippy::disallowed_methods, reason = "the terminal is a file")]

use rustix::process::{Pid, Signal, getpgrp, kill_process, kill_process_group};
use rustix::termios::tcgetpgrp;
use rustix::time::{ClockId, clock_gettime};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

pub(super) fn monotonic() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

pub(super) fn has_terminal() -> bool {
    let terminal = File::open("/dev/tty");
    terminal.is_ok_and(|tty| tcgetpgrp(tty).is_ok_and(|group| group == getpgrp()))
}

pub(super) fn signal(pid: u32, group: bool, number: i32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let (Some(pid), Some(signal)) = (pid, Signal::from_named_raw(number)) else {
        return;
    };
    // Who is gone has no need of it any more.
    let _ = if group {
        kill_process_group(pid, signal)
    } else {
        kill_process(pid, signal)
    };
}

pub(super) fn read_at(file: &File, into: &mut [u8], place: u64) -> io::Result<usize> {
    file.read_at(into, place)
}
