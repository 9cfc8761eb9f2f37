//! How chunks get from the caller into the queue: at once, or through a thread that needs its time for
//! each of them.

use super::recorder::Recorder;
use super::{CALL, Shared};
use crate::event::{Category, Ended, Indexes, Kind, LaneKind, LaneOpened, NamedSpan};
use crate::platform;
use crate::time::Time;
use crossbeam_channel::{Receiver, Sender};
use std::sync::Arc;

/// The caller's way to the queue.
pub(in crate::origin) enum Sending {
    Direct,
    Dispatched(Sender<Indexes>),
}

impl Sending {
    /// Sends chunks, `at` the moment that was read for their submission.
    pub(super) fn send(&self, shared: &Shared, recorder: &mut Recorder, chunks: Indexes, at: Time) {
        match self {
            Self::Direct => {
                recorder.tell(at, Kind::Enqueued { call: CALL, chunks });
                shared.queue.send(chunks.len());
            }
            // The dispatcher ends before the caller only if the run was stopped.
            Self::Dispatched(dispatcher) => {
                let _ = dispatcher.send(chunks);
            }
        }
    }
}

/// Sends chunks one after another until the caller has gone; then the queue is closed.
pub(super) fn dispatch(shared: &Arc<Shared>, mut recorder: Recorder, orders: &Receiver<Indexes>) {
    recorder.tell(
        Time::ZERO,
        Kind::LaneOpened(Box::new(LaneOpened {
            kind: LaneKind::Dispatcher,
            pool: shared.pool(),
            name: "dispatcher".to_owned(),
            pid: Some(std::process::id()),
            tid: platform::thread_id(),
        })),
    );
    'run: while let Ok(chunks) = recorder.quietly(|| orders.recv()) {
        let mut since = recorder.now();
        let mut available = since;
        for chunk in chunks.iter() {
            // From its turn, not from when the last one was really sent: a late wake-up is not repeated.
            available = available + shared.experiment.dispatch;
            let until = shared.clock.instant(available);
            if recorder.quietly(|| shared.halt.wait_until(until)) {
                break 'run;
            }
            let at = recorder.now();
            let sent = NamedSpan {
                name: "send".to_owned(),
                category: Category::Overhead,
                since,
            };
            recorder.tell(at, Kind::Span(Box::new(sent)));
            let chunks = Indexes::one(chunk);
            recorder.tell(at, Kind::Enqueued { call: CALL, chunks });
            shared.queue.send(1);
            since = at;
        }
    }
    shared.queue.close();
    let at = recorder.now();
    let ended = Ended::Finished;
    recorder.tell(at, Kind::LaneClosed { ended });
}
