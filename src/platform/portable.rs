//! What can be told on a system of which nothing is known: nothing.

use super::{Image, Spent};
use crate::event::CpuId;
use crate::time::Nanos;
use std::time::Duration;

/// Cannot be made.
#[derive(Debug)]
pub(super) enum ThreadClock {}

impl ThreadClock {
    pub(super) fn open() -> Option<Self> {
        None
    }

    #[cfg_attr(
        target_os = "linux",
        expect(dead_code, reason = "tests have no clock to read")
    )]
    pub(super) fn read(&self) -> Option<Spent> {
        match *self {}
    }
}

/// Cannot be made either.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ticks {}

impl Ticks {
    pub(super) fn trusted() -> Option<Self> {
        None
    }

    #[cfg_attr(
        all(target_os = "linux", target_arch = "x86_64"),
        expect(dead_code, reason = "tests have no counter to read")
    )]
    pub(super) fn now(self) -> u64 {
        match self {}
    }
}

/// Cannot be made either.
#[derive(Debug)]
pub(super) enum ThreadTimes {}

impl ThreadTimes {
    pub(super) fn open(_: u32, _: u32) -> Option<Self> {
        None
    }

    #[cfg_attr(
        target_os = "linux",
        expect(dead_code, reason = "tests have nothing to read")
    )]
    pub(super) fn read(&self) -> Option<Spent> {
        match *self {}
    }
}

pub(super) fn process_time(_: u32) -> Option<Nanos> {
    None
}

pub(super) fn is_runnable(_: u32, _: u32) -> bool {
    false
}

pub(super) fn has_memory(_: u32) -> bool {
    false
}

pub(super) fn children(_: u32) -> Vec<u32> {
    Vec::new()
}

pub(super) fn image(_: u32) -> Option<Image> {
    None
}

/// Cannot be made either.
#[derive(Debug)]
pub(super) enum ProcessEnd {}

impl ProcessEnd {
    pub(super) fn of(_: u32) -> Option<Self> {
        None
    }

    #[cfg_attr(
        target_os = "linux",
        expect(dead_code, reason = "tests have nothing to wait for")
    )]
    pub(super) fn wait(&self, _: Duration) {
        match *self {}
    }
}

pub(super) fn current_cpu() -> Option<CpuId> {
    None
}

pub(super) fn thread_id() -> Option<u64> {
    None
}

pub(super) fn process_cpu() -> Option<Nanos> {
    None
}

pub(super) fn resident_memory() -> Option<u64> {
    None
}

pub(super) fn online_cpus() -> Option<u32> {
    None
}

pub(super) fn usable_cpu_ids() -> Vec<CpuId> {
    Vec::new()
}
