//! Every question to the operating system that has no answer in `std`, and only here.
//!
//! What a system cannot tell is `None`, shown as n/a and never guessed. The answers of a system without
//! any of this stand in `portable`, which the tests run everywhere.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(not(all(target_os = "linux", target_arch = "x86_64")), test))]
mod portable;

#[cfg(unix)]
pub mod signals;
#[cfg(unix)]
mod unix;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use portable as system;

use crate::event::CpuId;
use crate::time::Nanos;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How a thread spent its life so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub on_cpu: Nanos,
    /// Runnable, but the scheduler ran something else.
    pub waiting: Nanos,
}

impl Spent {
    /// What was spent since an earlier reading of the same thread.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            on_cpu: self.on_cpu.saturating_sub(earlier.on_cpu),
            waiting: self.waiting.saturating_sub(earlier.waiting),
        }
    }
}

/// Reads how the calling thread spent its time; costs well under a microsecond.
#[derive(Debug)]
pub struct ThreadClock(system::ThreadClock);

impl ThreadClock {
    /// A clock of the calling thread. Another thread that reads it reads nonsense.
    pub fn open() -> Option<Self> {
        system::ThreadClock::open().map(Self)
    }

    pub fn read(&self) -> Option<Spent> {
        self.0.read()
    }
}

/// A counter that all CPUs share and that counts at one speed whatever they do. Reading it costs a third
/// of what asking the system for the time does.
#[derive(Clone, Copy, Debug)]
pub struct Ticks(system::Ticks);

impl Ticks {
    /// `None` where there is no such counter, or where the system itself does not tell the time by it.
    pub fn trusted() -> Option<Self> {
        system::Ticks::trusted().map(Self)
    }

    #[inline]
    pub fn now(self) -> u64 {
        self.0.now()
    }
}

/// The CPU the calling thread is on; costs a few nanoseconds.
#[inline]
pub fn current_cpu() -> Option<CpuId> {
    system::current_cpu()
}

/// The number by which the system's own tools call the calling thread.
pub fn thread_id() -> Option<u64> {
    system::thread_id()
}

/// Whether this process may execute a file; true where that cannot be told.
pub fn is_executable(file: &Path) -> bool {
    #[cfg(unix)]
    return unix::is_executable(file);
    #[cfg(not(unix))]
    return file.is_file();
}

/// Whether nothing more can be written where this file is.
pub fn is_full(file: &File) -> bool {
    #[cfg(unix)]
    return unix::is_full(file);
    #[cfg(not(unix))]
    return file.metadata().is_err();
}

/// What is wrong with a file that somebody named, to be read or to be written, and what to do about it.
#[expect(
    clippy::disallowed_methods,
    reason = "asks whether the folder is there"
)]
pub fn at_file(path: &Path, error: &io::Error, is_read: bool) -> String {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let (is_there, folder) = (folder.is_dir(), folder.display());
    let verb = if is_read { "read" } else { "written" };
    match error.kind() {
        io::ErrorKind::NotFound if is_read => {
            "there is no such file: name one that is there".to_owned()
        }
        io::ErrorKind::NotFound if !is_there => {
            format!("there is no folder {folder}: make it, or name another file")
        }
        io::ErrorKind::NotADirectory => format!("{folder} is no folder: name another file"),
        io::ErrorKind::IsADirectory => "that is a folder: name a file".to_owned(),
        io::ErrorKind::PermissionDenied => {
            format!("you may not have it {verb}: name another file, or change its permissions")
        }
        _ => format!("it cannot be {verb}: {error}: name another file"),
    }
}

/// The error of a file without a name, without its path: nobody named that.
pub fn without_path(error: &io::Error) -> io::Error {
    let text = error.to_string();
    let reason = text.split(" at path").next().unwrap_or_default();
    io::Error::new(error.kind(), reason.to_owned())
}

/// CPU time of all threads of this process.
pub fn process_cpu() -> Option<Nanos> {
    system::process_cpu()
}

/// Bytes of memory this process has resident.
pub fn resident_memory() -> Option<u64> {
    system::resident_memory()
}

/// How many processors there are, counted in three ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processors {
    /// What Python's `multiprocessing.cpu_count()` says: the logical CPUs that are online.
    pub logical: u32,
    /// Cores.
    pub physical: u32,
    /// What this process may use: affinity and the quota of its control group.
    pub usable: u32,
}

pub fn processors() -> Processors {
    Processors {
        logical: system::online_cpus().unwrap_or_else(|| num_cpus::get() as u32),
        physical: num_cpus::get_physical() as u32,
        usable: usable_cpus(),
    }
}

/// [`Processors::usable`] alone, which takes a tenth of the time.
pub fn usable_cpus() -> u32 {
    let usable = std::thread::available_parallelism().map_or_else(|_| num_cpus::get(), usize::from);
    usable as u32
}

/// The CPUs this process may be on, by number; none if nothing is known.
pub fn usable_cpu_ids() -> Vec<CpuId> {
    system::usable_cpu_ids()
}

/// The clock that all processes of this machine share (`CLOCK_MONOTONIC`), in nanoseconds; 0 where there is none.
pub fn monotonic() -> u64 {
    #[cfg(unix)]
    return unix::monotonic();
    #[cfg(not(unix))]
    return 0;
}

/// Whether the keys of a terminal reach our process group.
pub fn has_terminal() -> bool {
    #[cfg(unix)]
    return unix::has_terminal();
    #[cfg(not(unix))]
    return false;
}

/// Sends a signal to a process, or to the group it leads; nothing if it is gone.
pub fn signal(pid: u32, group: bool, number: i32) {
    #[cfg(unix)]
    unix::signal(pid, group, number);
    #[cfg(not(unix))]
    let _ = (pid, group, number);
}

/// Kills a process if it is of this group, and never another that has its number by now: where the system
/// has handles of processes, surely; elsewhere only a process that comes between two calls could be met.
pub fn kill_of_group(pid: u32, group: u32) {
    #[cfg(unix)]
    unix::kill_of_group(pid, group);
    #[cfg(not(unix))]
    let _ = (pid, group);
}

/// Files that this process may have open at a time; without a limit where nothing is known.
pub fn files_allowed() -> u64 {
    #[cfg(unix)]
    return unix::files_allowed();
    #[cfg(not(unix))]
    return u64::MAX;
}

/// Lets this process have as many files open as the system permits. What is started later inherits that.
pub fn allow_all_files() {
    #[cfg(unix)]
    unix::allow_all_files();
}

/// Reads how a thread of another process spent its time.
#[derive(Debug)]
pub struct ThreadTimes(system::ThreadTimes);

impl ThreadTimes {
    pub fn open(pid: u32, tid: u32) -> Option<Self> {
        system::ThreadTimes::open(pid, tid).map(Self)
    }

    /// May be some milliseconds behind while the thread runs; `None` when it is gone.
    pub fn read(&self) -> Option<Spent> {
        self.0.read()
    }
}

/// CPU time of a process, in steps of about 10 milliseconds; `None` if it is gone or nothing is known.
pub fn process_time(pid: u32) -> Option<Nanos> {
    system::process_time(pid)
}

/// A thread is on a CPU or waits for one; false if it is gone or nothing is known.
pub fn is_runnable(pid: u32, tid: u32) -> bool {
    system::is_runnable(pid, tid)
}

/// A process lives: one that ends gives its memory back before it closes its files. False if nothing is known.
pub fn has_memory(pid: u32) -> bool {
    system::has_memory(pid)
}

/// The processes that a process started and that have not been waited for; none if nothing is known.
pub fn children(pid: u32) -> Vec<u32> {
    system::children(pid)
}

/// What a process was started with.
#[derive(Clone, Debug)]
pub struct Image {
    /// The file that it runs, without the folder.
    pub name: OsString,
    pub words: Vec<OsString>,
    /// `NAME=value`
    pub environment: Vec<OsString>,
}

/// `None` if it is gone, is not ours to ask, or nothing is known.
pub fn image(pid: u32) -> Option<Image> {
    system::image(pid)
}

/// Waits for the end of a process.
#[derive(Debug)]
pub struct ProcessEnd(system::ProcessEnd);

impl ProcessEnd {
    /// `None` where the system has no such thing.
    pub fn of(pid: u32) -> Option<Self> {
        system::ProcessEnd::of(pid).map(Self)
    }

    /// Returns when the process has ended, or after so long.
    pub fn wait(&self, most: Duration) {
        self.0.wait(most);
    }
}

/// Reads a file from a place on, without moving anybody's place in it.
pub fn read_at(file: &File, into: &mut [u8], place: u64) -> io::Result<usize> {
    #[cfg(unix)]
    return unix::read_at(file, into, place);
    #[cfg(not(unix))]
    {
        let _ = (file, into, place);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Whether the environment says that the terminal understands UTF-8.
pub fn locale_is_utf8() -> bool {
    cfg!(windows) || is_utf8(|name| std::env::var(name).ok())
}

/// The first of the three variables that is set and not empty decides, as in the C library.
fn is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        let locale = |lc_all: &str, lang: &str| {
            is_utf8(|name| match name {
                "LC_ALL" => Some(lc_all.to_owned()),
                "LANG" => Some(lang.to_owned()),
                _ => None,
            })
        };
        assert!(locale("", "de_DE.UTF-8"));
        assert!(locale("C.utf8", "C"));
        assert!(!locale("C", "de_DE.UTF-8"));
        assert!(!is_utf8(|_| None));
    }

    #[test]
    fn a_process_may_use_no_more_processors_than_there_are() {
        let processors = processors();
        assert!(processors.usable >= 1 && processors.physical >= 1);
        assert!(processors.usable <= processors.logical, "{processors:?}");
    }

    #[test]
    fn a_system_without_these_answers_says_that_it_does_not_know() {
        assert!(portable::ThreadClock::open().is_none());
        assert!(portable::Ticks::trusted().is_none());
        assert_eq!(portable::current_cpu(), None);
        assert_eq!(portable::thread_id(), None);
        assert_eq!(portable::process_cpu(), None);
        assert_eq!(portable::resident_memory(), None);
        assert_eq!(portable::online_cpus(), None);
        assert!(portable::usable_cpu_ids().is_empty());
        assert!(portable::ThreadTimes::open(1, 1).is_none());
        assert_eq!(portable::process_time(1), None);
        assert!(!portable::has_memory(1));
        assert!(!portable::is_runnable(1, 1));
        assert!(portable::children(1).is_empty());
        assert!(portable::image(1).is_none());
        assert!(portable::ProcessEnd::of(1).is_none());
    }

    #[cfg(unix)]
    #[test]
    fn only_a_process_of_the_group_is_killed() {
        use std::io::{Read, Write};
        use std::os::unix::process::{CommandExt, ExitStatusExt};
        use std::process::{Command, Stdio};
        let (mut shell, pipe) = (Command::new("/bin/sh"), Stdio::piped);
        let shell = shell.args(["-c", "read a; echo $a; read b"]);
        let shell = shell.stdin(pipe()).stdout(pipe()).process_group(0);
        let mut shell = shell.spawn().unwrap();
        let pid = shell.id();
        kill_of_group(pid, std::process::id());
        let mut said = [0; 2];
        shell.stdin.as_mut().unwrap().write_all(b"x\n").unwrap();
        shell
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut said)
            .unwrap();
        assert_eq!(&said, b"x\n");
        kill_of_group(pid, pid);
        assert_eq!(shell.wait().unwrap().signal(), Some(9));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_cpu_a_thread_is_bound_to_is_the_one_it_is_on() {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        let may_use = sched_getaffinity(None).unwrap();
        let mut usable = (0..CpuSet::MAX_CPU).filter(|cpu| may_use.is_set(*cpu));
        let first = usable.next().unwrap();
        for cpu in [first, usable.next_back().unwrap_or(first)] {
            let mut only = CpuSet::new();
            only.set(cpu);
            sched_setaffinity(None, &only).unwrap();
            let found = (current_cpu(), usable_cpu_ids());
            sched_setaffinity(None, &may_use).unwrap();
            let cpu = CpuId(cpu as u16);
            assert_eq!(found, (Some(cpu), vec![cpu]));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn computing_counts_as_time_on_a_cpu() {
        assert!(resident_memory().unwrap() > 100_000);
        assert!(current_cpu().is_some() && thread_id().is_some());
        let Some(clock) = ThreadClock::open() else {
            // A kernel without statistics of its scheduler.
            return;
        };
        let before = clock.read().unwrap();
        let mut x = 1_u64;
        for i in 0..2_000_000_u64 {
            x = std::hint::black_box(x.wrapping_mul(31).wrapping_add(i));
        }
        let spent = clock.read().unwrap().since(before);
        assert!(spent.on_cpu > Nanos(100_000), "{spent:?} {x}");
        assert!(process_cpu().unwrap() >= spent.on_cpu);
    }
}
