//! The thread that puts the messages of chunks into the queue, one after another, as it has room.

use super::line::Sender;
use super::message::{self, Argument, Order, Payload};
use crate::event::{Category, Ended, Indexes, Kind, LaneKind, LaneOpened, NamedSpan};
use crate::experiment::FaultKind;
use crate::origin::threads::recorder::Recorder;
use crate::origin::threads::{CALL, Shared};
use crate::platform;
use crate::time::{Nanos, Time};
use crossbeam_channel::Receiver;
use std::sync::Arc;

/// Messages smaller than this take no time that could be seen.
const WORTH_A_LANE: usize = 4096;
/// Serialising that took less is not told.
const WORTH_TELLING: Nanos = Nanos(1_000);

pub(super) struct Dispatcher {
    shared: Arc<Shared>,
    recorder: Recorder,
    sender: Sender,
    payload: Arc<Payload>,
    /// It has a lane on the screen.
    is_seen: bool,
}

impl Dispatcher {
    pub(super) fn new(
        shared: Arc<Shared>,
        recorder: Recorder,
        sender: Sender,
        payload: Arc<Payload>,
        largest: usize,
    ) -> Self {
        let is_seen = largest >= WORTH_A_LANE || shared.experiment.dispatch > Nanos::ZERO;
        Self {
            shared,
            recorder,
            sender,
            payload,
            is_seen,
        }
    }

    /// Sends what is ordered until the caller has gone; then the queue is closed, and workers go home. But an
    /// executor that gave up kills them, and none gets away before.
    pub(super) fn run(mut self, orders: &Receiver<Indexes>) {
        if self.is_seen {
            let facts = LaneOpened {
                kind: LaneKind::Dispatcher,
                pool: self.shared.pool(),
                name: "dispatcher".to_owned(),
                pid: Some(std::process::id()),
                tid: platform::thread_id(),
            };
            self.recorder
                .tell(Time::ZERO, Kind::LaneOpened(Box::new(facts)));
        }
        let mut buffer = Vec::new();
        'run: while let Ok(chunks) = self.recorder.quietly(|| orders.recv()) {
            let mut since = self.recorder.now();
            let mut available = since;
            for chunk in chunks.iter() {
                // From its turn, not from when the last one was really sent: a late wake-up is not repeated.
                available = available + self.shared.experiment.dispatch;
                if self.wait_until(available) {
                    break 'run;
                }
                let Some(at) = self.send(chunk, since, &mut buffer) else {
                    break 'run;
                };
                since = at;
            }
        }
        if !self.shared.is_broken() {
            self.sender.line().close();
        }
        if self.is_seen {
            let (at, ended) = (self.recorder.now(), Ended::Finished);
            self.recorder.tell(at, Kind::LaneClosed { ended });
        }
    }

    /// Waits for the moment at which a message is sent, where that takes time of its own; true if the run
    /// was stopped.
    fn wait_until(&self, at: Time) -> bool {
        if self.shared.experiment.dispatch == Nanos::ZERO {
            return self.shared.halt.is_cancelled();
        }
        let until = self.shared.clock.instant(at);
        self.recorder.quietly(|| self.shared.halt.wait_until(until))
    }

    /// Sends one message, and says when; `None` if the run was stopped before there was room.
    fn send(&mut self, chunk: u32, since: Time, buffer: &mut Vec<u8>) -> Option<Time> {
        let shared = self.shared.clone();
        let experiment = &shared.experiment;
        let tasks = shared.chunks.tasks(chunk);
        let began = self.recorder.now();
        let errors: Vec<String> = tasks
            .iter()
            .map(|index| {
                let work = shared.works[index as usize];
                if work.enters && work.fault != Some(FaultKind::Raise) {
                    String::new()
                } else {
                    experiment.error_text(index)
                }
            })
            .collect();
        let arguments = tasks.iter().zip(&errors).map(|(index, error)| {
            let work = shared.works[index as usize];
            Argument::new(index, work, error, self.payload.of(index))
        });
        let order = Order {
            chunk,
            sent: began.0,
            arguments: arguments.collect(),
        };
        // It cannot fail: the buffer grows.
        message::serialise(&order, buffer).ok()?;
        let mut at = self.recorder.now();
        if self.is_seen {
            let (name, since) = if experiment.dispatch > Nanos::ZERO {
                ("send", since)
            } else {
                ("serialise", began)
            };
            if at.since(since) >= WORTH_TELLING {
                let span = NamedSpan {
                    name: name.to_owned(),
                    category: Category::Overhead,
                    since,
                };
                self.recorder.tell(at, Kind::Span(Box::new(span)));
            }
        }
        // The moment is read before a worker can take it.
        while !self.sender.try_send(buffer) {
            self.recorder.quietly(|| self.sender.wait_for_room());
            if shared.halt.is_cancelled() {
                return None;
            }
            at = self.recorder.now();
        }
        let chunks = Indexes::one(chunk);
        self.recorder
            .tell(at, Kind::Enqueued { call: CALL, chunks });
        Some(at)
    }
}
