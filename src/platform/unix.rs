//! The answers that all Unix systems share: signals, files read in place, the common clock.
#![expect(clippy::disallowed_methods, reason = "the terminal is a file")]

use rustix::fs::Access;
use rustix::process::{Pid, Resource, Signal, getpgid, getpgrp, getrlimit, setrlimit};
#[cfg(target_os = "linux")]
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
use rustix::process::{kill_process, kill_process_group};
use rustix::termios::tcgetpgrp;
use rustix::time::{ClockId, clock_gettime};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

pub(super) fn monotonic() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

pub(super) fn has_terminal() -> bool {
    let terminal = File::open("/dev/tty");
    terminal.is_ok_and(|tty| tcgetpgrp(tty).is_ok_and(|group| group == getpgrp()))
}

pub(super) fn is_executable(file: &Path) -> bool {
    rustix::fs::access(file, Access::EXEC_OK).is_ok()
}

pub(super) fn is_full(file: &File) -> bool {
    rustix::fs::fstatvfs(file).is_ok_and(|space| space.f_bavail < 16 && space.f_blocks > 0)
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

pub(super) fn kill_of_group(pid: u32, group: u32) {
    let pid_of = |number: u32| i32::try_from(number).ok().and_then(Pid::from_raw);
    let (Some(pid), Some(group)) = (pid_of(pid), pid_of(group)) else {
        return;
    };
    // The handle comes before the question: what is in the group is then what it stands for, or that has gone.
    #[cfg(target_os = "linux")]
    let handle = pidfd_open(pid, PidfdFlags::empty());
    if getpgid(Some(pid)) != Ok(group) {
        return;
    }
    #[cfg(target_os = "linux")]
    if let Ok(handle) = handle {
        // Who is gone cannot be killed.
        let _ = pidfd_send_signal(handle, Signal::KILL);
        return;
    }
    let _ = kill_process(pid, Signal::KILL);
}

pub(super) fn files_allowed() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

pub(super) fn allow_all_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Otherwise it stays as it is.
    let _ = setrlimit(Resource::Nofile, limit);
}

pub(super) fn read_at(file: &File, into: &mut [u8], place: u64) -> io::Result<usize> {
    file.read_at(into, place)
}
