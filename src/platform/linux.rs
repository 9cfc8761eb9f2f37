//! The answers of Linux: CPU clocks, the scheduler's statistics, and what `/proc` and `/sys` say.
#![expect(
    clippy::disallowed_methods,
    reason = "these files are questions to the kernel"
)]

use super::{Image, Spent};
use crate::event::CpuId;
use crate::time::Nanos;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::{ClockId, clock_gettime};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// Time on a CPU comes from the thread's CPU clock. The first field of `schedstat` would be the same
/// number, but it is stale while the thread runs. Time waiting for a CPU is its second field; the file
/// stays open, because opening it again costs ten times as much as reading it.
#[derive(Debug)]
pub(super) struct ThreadClock {
    schedstat: File,
}

impl ThreadClock {
    pub(super) fn open() -> Option<Self> {
        let schedstat = File::open("/proc/thread-self/schedstat").ok()?;
        let clock = Self { schedstat };
        clock.read().is_some().then_some(clock)
    }

    pub(super) fn read(&self) -> Option<Spent> {
        let told = told(&self.schedstat)?;
        let on_cpu = clock(ClockId::ThreadCPUTime);
        Some(Spent { on_cpu, ..told })
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) use super::portable::Ticks;
#[cfg(target_arch = "x86_64")]
pub(super) use registers::Ticks;

/// What the kernel's own answers are made of, read without asking it.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "instructions that have no safe name")]
mod registers {
    use super::{CpuId, asked_cpu, fs};
    use std::arch::asm;
    use std::arch::x86_64::_rdtsc;
    use std::io::Read;
    use std::sync::LazyLock;

    /// The time stamp counter. The kernel has watched it since the machine was started, on all CPUs, and
    /// takes another clock when it finds that they differ, or that their speed changes.
    #[derive(Clone, Copy, Debug)]
    pub(in crate::platform) struct Ticks(());

    impl Ticks {
        pub(in crate::platform) fn trusted() -> Option<Self> {
            let file = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
            let source = fs::read_to_string(file).ok()?;
            (source.trim() == "tsc").then_some(Self(()))
        }

        #[inline]
        #[expect(clippy::unused_self, reason = "proves that the counter is trusted")]
        pub(in crate::platform) fn now(self) -> u64 {
            // SAFETY: it reads a register, which every program may where the kernel's own clock does so
            // on behalf of programs.
            unsafe { _rdtsc() }
        }
    }

    /// Whether [`cpu`] may be called, and says what the kernel says.
    pub(super) static NAME_CPUS: LazyLock<bool> = LazyLock::new(|| {
        // The first of the CPUs stands at the begin.
        let mut first = String::new();
        let about = fs::File::open("/proc/cpuinfo");
        let has_instruction = about
            .and_then(|about| about.take(4_096).read_to_string(&mut first))
            .is_ok_and(|_| first.split_ascii_whitespace().any(|flag| flag == "rdpid"));
        // The thread may move between two answers; hardly every time.
        has_instruction && (0..8).any(|_| asked_cpu() == Some(cpu()))
    });

    /// The number that the kernel has written into a register of each CPU for `getcpu`: its own in the
    /// lowest 12 bits, and that of its node.
    #[inline]
    pub(super) fn cpu() -> CpuId {
        let id: u64;
        // SAFETY: it copies a register into another, and is there: see `NAME_CPUS`.
        unsafe { asm!("rdpid {}", out(reg) id, options(nomem, nostack, preserves_flags)) };
        CpuId((id & 0xFFF) as u16)
    }
}

/// The statistics of a thread in a file that stays open.
#[derive(Debug)]
pub(super) struct ThreadTimes(File);

impl ThreadTimes {
    pub(super) fn open(pid: u32, tid: u32) -> Option<Self> {
        let path = format!("/proc/{pid}/task/{tid}/schedstat");
        File::open(path).ok().map(Self)
    }

    pub(super) fn read(&self) -> Option<Spent> {
        told(&self.0)
    }
}

/// What the statistics of a thread say now.
fn told(schedstat: &File) -> Option<Spent> {
    let mut text = [0; 80];
    let length = rustix::io::pread(schedstat, &mut text, 0).ok()?;
    spent(std::str::from_utf8(&text[..length]).ok()?)
}

/// Time on a CPU, time waiting for one, and turns on one.
fn spent(schedstat: &str) -> Option<Spent> {
    let mut fields = schedstat.split_ascii_whitespace();
    let mut next = || fields.next()?.parse::<u64>().ok();
    let (on_cpu, waiting, turns) = (next()?, next()?, next()?);
    // Who is asked about has been on a CPU at least once. A kernel that counted no turn has no statistics,
    // and its zeros mean nothing.
    (turns > 0).then_some(Spent {
        on_cpu: Nanos(on_cpu),
        waiting: Nanos(waiting),
    })
}

/// What the kernel counts CPU time in, for programs: hundredths of a second.
const TICK: u64 = 10_000_000;

pub(super) fn process_time(pid: u32) -> Option<Nanos> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything; what follows the last bracket is the third field.
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    let (user, system) = (next()?, next()?);
    Some(Nanos(user.saturating_add(system).saturating_mul(TICK)))
}

pub(super) fn is_runnable(pid: u32, tid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/task/{tid}/stat")).is_ok_and(|text| {
        let state = text.rsplit_once(')').map(|(_, rest)| rest.trim_start());
        state.is_some_and(|state| state.starts_with('R'))
    })
}

pub(super) fn has_memory(pid: u32) -> bool {
    let sizes = fs::read_to_string(format!("/proc/{pid}/statm"));
    sizes.is_ok_and(|sizes| !sizes.starts_with("0 "))
}

pub(super) fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let lists = threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let mut children = Vec::new();
    for list in lists {
        children.extend(
            list.split_ascii_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
    }
    children
}

pub(super) fn image(pid: u32) -> Option<Image> {
    let list = |name: &str| {
        let bytes = fs::read(format!("/proc/{pid}/{name}")).ok()?;
        let parts = bytes
            .split(|&byte| byte == 0)
            .filter(|part| !part.is_empty());
        Some(
            parts
                .map(|part| OsStr::from_bytes(part).to_owned())
                .collect(),
        )
    };
    let file = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some(Image {
        name: file.file_name()?.to_owned(),
        words: list("cmdline")?,
        environment: list("environ")?,
    })
}

/// A file that can be read when the process has ended.
#[derive(Debug)]
pub(super) struct ProcessEnd(OwnedFd);

impl ProcessEnd {
    pub(super) fn of(pid: u32) -> Option<Self> {
        let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
        pidfd_open(pid, PidfdFlags::empty()).ok().map(Self)
    }

    pub(super) fn wait(&self, most: Duration) {
        let most = Timespec {
            tv_sec: most.as_secs() as i64,
            tv_nsec: i64::from(most.subsec_nanos()),
        };
        // A signal ends the wait early, which is no harm.
        let _ = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&most));
    }
}

fn clock(id: ClockId) -> Nanos {
    let time = clock_gettime(id);
    Nanos(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

#[inline]
pub(super) fn current_cpu() -> Option<CpuId> {
    #[cfg(target_arch = "x86_64")]
    if *registers::NAME_CPUS {
        return Some(registers::cpu());
    }
    asked_cpu()
}

pub(super) fn usable_cpu_ids() -> Vec<CpuId> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let Ok(set) = sched_getaffinity(None) else {
        return Vec::new();
    };
    let usable = (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu));
    usable.map(|cpu| CpuId(cpu as u16)).collect()
}

fn asked_cpu() -> Option<CpuId> {
    u16::try_from(rustix::thread::sched_getcpu())
        .ok()
        .map(CpuId)
}

pub(super) fn thread_id() -> Option<u64> {
    u64::try_from(rustix::thread::gettid().as_raw_nonzero().get()).ok()
}

#[expect(clippy::unnecessary_wraps, reason = "other systems cannot tell")]
pub(super) fn process_cpu() -> Option<Nanos> {
    Some(clock(ClockId::ProcessCPUTime))
}

pub(super) fn resident_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The CPUs that are online, whatever this process may use of them.
pub(super) fn online_cpus() -> Option<u32> {
    size(&fs::read_to_string("/sys/devices/system/cpu/online").ok()?)
}

/// How many numbers a list such as `0-3,8` has.
fn size(text: &str) -> Option<u32> {
    text.trim()
        .split(',')
        .map(|part| match part.split_once('-') {
            Some((first, last)) => {
                let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
                (last.checked_sub(first)?).checked_add(1)
            }
            None => part.parse::<u32>().ok().map(|_| 1),
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_without_statistics_tells_nothing() {
        let (on_cpu, waiting) = (Nanos(12), Nanos(34));
        assert_eq!(spent("12 34 5\n"), Some(Spent { on_cpu, waiting }));
        assert_eq!(spent("0 0 0\n"), None);
        assert_eq!(spent("12 34\n"), None);
        assert_eq!(spent(""), None);
    }

    #[test]
    fn lists_of_cpus_are_counted() {
        assert_eq!(size("0-1\n"), Some(2));
        assert_eq!(size("0-3,8,10-11\n"), Some(7));
        assert_eq!(size("0\n"), Some(1));
        assert_eq!(size(""), None);
        assert_eq!(size("3-1"), None);
    }
}
