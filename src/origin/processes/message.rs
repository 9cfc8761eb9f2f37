//! What is said between parviz and its workers: how a worker begins, the argument of a chunk, its answer.

use crate::experiment::{CounterEffect, FaultKind};
use crate::time::Nanos;
use crate::workload::Work;
use serde::{Deserialize, Serialize};
use serde_bytes::Bytes;

/// What a worker is told first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    pub(super) row: u32,
    /// The process that started it: while its parent is another one, that has died.
    pub(super) parent: u32,
    /// The moment at which the run began, as `CLOCK_MONOTONIC` counts nanoseconds.
    pub(super) began: u64,
    /// When the start of this worker began, in nanoseconds of the run.
    pub(super) since: u64,
    /// It works from this moment on, or as soon as it can.
    pub(super) ready_at: u64,
    /// Steps of arithmetic for each nanosecond of work.
    pub(super) pace: f64,
    pub(super) waits_tell_every: u64,
    pub(super) effect: CounterEffect,
    pub(super) increments: u32,
    pub(super) lock: bool,
}

/// The message of a chunk: a function is called with each of these.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order<'a> {
    pub(super) chunk: u32,
    /// When it was sent, in nanoseconds of the run.
    pub(super) sent: u64,
    #[serde(borrow)]
    pub(super) arguments: Vec<Argument<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Argument<'a> {
    pub(super) index: u32,
    cost: u64,
    io: bool,
    fault: Option<FaultKind>,
    enters: bool,
    /// What Python prints for the error that the task is asked to raise.
    #[serde(borrow)]
    pub(super) error: &'a str,
    #[serde(borrow)]
    pub(super) payload: &'a Bytes,
}

impl<'a> Argument<'a> {
    pub(super) fn new(index: u32, work: Work, error: &'a str, payload: &'a [u8]) -> Self {
        Self {
            index,
            cost: work.cost.0,
            io: work.io,
            fault: work.fault,
            enters: work.enters,
            error,
            payload: Bytes::new(payload),
        }
    }

    pub(super) fn work(&self) -> Work {
        Work {
            cost: Nanos(self.cost),
            io: self.io,
            fault: self.fault,
            enters: self.enters,
        }
    }
}

/// What a worker says about a chunk.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer<'a> {
    /// The results of all its tasks.
    Results {
        chunk: u32,
        #[serde(borrow)]
        values: Vec<Value<'a>>,
    },
    /// One of its tasks raised this, so there are no results.
    Failed { chunk: u32, error: String },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Value<'a> {
    pub(super) index: u32,
    #[serde(borrow)]
    pub(super) payload: &'a Bytes,
}

/// Bytes to send along with tasks: other ones with each task, so that a mistake is seen.
#[derive(Debug)]
pub(super) struct Payload {
    pattern: Vec<u8>,
    bytes: usize,
}

/// After so many tasks the bytes are the same again.
const KINDS: usize = 251;

impl Payload {
    pub(super) fn new(bytes: u32) -> Self {
        let bytes = bytes as usize;
        let length = if bytes == 0 { 0 } else { bytes + KINDS };
        Self {
            pattern: (0..length).map(|place| (place % KINDS) as u8).collect(),
            bytes,
        }
    }

    pub(super) fn of(&self, index: u32) -> &[u8] {
        if self.bytes == 0 {
            return &[];
        }
        let first = index as usize % KINDS;
        &self.pattern[first..first + self.bytes]
    }
}

/// Serialises into a buffer that is used again and again.
pub(super) fn serialise<T: Serialize>(
    message: &T,
    buffer: &mut Vec<u8>,
) -> Result<(), postcard::Error> {
    buffer.clear();
    *buffer = postcard::to_extend(message, std::mem::take(buffer))?;
    Ok(())
}

pub(super) fn deserialise<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, postcard::Error> {
    postcard::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_task_go_both_ways() {
        let payload = Payload::new(1_000);
        let work = Work {
            cost: Nanos(5),
            io: true,
            fault: Some(FaultKind::Die),
            enters: true,
        };
        let arguments = (3..6).map(|index| Argument::new(index, work, "E", payload.of(index)));
        let order = Order {
            chunk: 1,
            sent: 99,
            arguments: arguments.collect(),
        };
        let mut bytes = vec![1, 2, 3];
        serialise(&order, &mut bytes).unwrap();
        assert!(bytes.len() > 3_000);
        let order: Order<'_> = deserialise(&bytes).unwrap();
        assert_eq!(order.arguments[2].work(), work);
        assert_eq!(**order.arguments[2].payload, *payload.of(5));
        assert_ne!(payload.of(5), payload.of(6));
        assert!(deserialise::<Order<'_>>(&bytes[..50]).is_err());
        assert!(Payload::new(0).of(7).is_empty());
    }
}
