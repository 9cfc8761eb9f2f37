//! The thread that reads what workers answer and hands it in; it also notices when one of them dies.
//!
//! It looks around for some microseconds after it had something to do, because being woken up costs more;
//! then it sleeps until a worker writes a byte into its socket, which it does only while this thread
//! sleeps, or until a socket is at its end, which is the death of its worker.

use super::book::{LOOK, StreamReader};
use super::line::{Line, READER_SLEEPS};
use super::message::{self, Answer, Payload};
use crate::call::ChunkResult;
use crate::event::{Kind, Way};
use crate::method::Delivery;
use crate::origin::threads::recorder::{HubMessage, Recorder};
use crate::origin::threads::{CALL, Shared};
use crossbeam_channel::{Receiver, TryRecvError};
use rustix::event::{PollFd, PollFlags, poll};
use std::hint::spin_loop;
use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

/// Looks at all streams before it sleeps, where there are few of them.
const LOOKS: usize = 800;

/// A worker as this thread knows it.
pub(super) struct Incoming {
    pub(super) row: u32,
    pub(super) socket: UnixStream,
    pub(super) stream: StreamReader,
}

pub(super) struct Reader {
    shared: Arc<Shared>,
    recorder: Recorder,
    line: Line,
    payload: Arc<Payload>,
    /// New workers; at its end this thread ends too.
    arrivals: Receiver<Incoming>,
    /// Somebody wants this thread to look at `arrivals`.
    nudges: UnixStream,
    workers: Vec<Incoming>,
}

impl Reader {
    pub(super) fn new(
        shared: Arc<Shared>,
        recorder: Recorder,
        line: Line,
        payload: Arc<Payload>,
        arrivals: Receiver<Incoming>,
        nudges: UnixStream,
    ) -> Self {
        Self {
            shared,
            recorder,
            line,
            payload,
            arrivals,
            nudges,
            workers: Vec::new(),
        }
    }

    pub(super) fn run(mut self) {
        loop {
            loop {
                match self.arrivals.try_recv() {
                    Ok(worker) => self.workers.push(worker),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            if !self.listen() {
                self.rest();
            }
        }
    }

    /// Hands in what has come; false if that was nothing.
    fn listen(&mut self) -> bool {
        let mut any = false;
        for place in 0..self.workers.len() {
            let worker = &mut self.workers[place];
            if worker.stream.book().flag(LOOK).load(SeqCst) > 0 {
                worker.stream.book().flag(LOOK).store(0, SeqCst);
                self.shared.tell_hub(HubMessage::Look);
            }
            if worker.stream.listen() {
                any = true;
                self.hand_in(place);
            }
        }
        any
    }

    /// Hands in the answers that have come from one worker.
    fn hand_in(&mut self, place: usize) {
        let worker = &mut self.workers[place];
        loop {
            let Ok(Some(bytes)) = worker.stream.next() else {
                // What makes no sense is as good as nothing: the worker did not answer.
                return;
            };
            let Ok(answer) = message::deserialise::<Answer<'_>>(bytes) else {
                return;
            };
            let (chunk, result) = match answer {
                Answer::Results { chunk, values } => {
                    let whole = values
                        .iter()
                        .all(|value| **value.payload == *self.payload.of(value.index));
                    let result = if whole {
                        ChunkResult::Ok
                    } else {
                        ChunkResult::Failed
                    };
                    (chunk, result)
                }
                Answer::Failed { chunk, .. } => (chunk, ChunkResult::Failed),
            };
            let shared = &self.shared;
            let now = self.recorder.now();
            let handed = shared.desk.hand_in(shared.clock, now, chunk, result);
            let (at, bytes) = (handed.at, bytes.len() as u32);
            let way = Way::ToCaller;
            self.recorder.tell(
                at,
                Kind::Carried {
                    call: CALL,
                    chunk,
                    bytes,
                    way,
                },
            );
            self.recorder.tell(at, Kind::Returned { call: CALL, chunk });
            let Some(tasks) = handed.ready else { continue };
            self.recorder.tell(at, Kind::Ready { call: CALL, tasks });
            if shared.delivery == Delivery::Callback && result == ChunkResult::Ok {
                self.recorder
                    .tell(at, Kind::Delivered { call: CALL, tasks });
            }
        }
    }

    fn has_news(&self) -> bool {
        self.workers.iter().any(|worker| {
            worker.stream.has_news() || worker.stream.book().flag(LOOK).load(SeqCst) > 0
        })
    }

    /// Waits until there is something to read, or somebody has died or come.
    fn rest(&mut self) {
        for _ in 0..LOOKS / self.workers.len().max(1) {
            if self.has_news() {
                return;
            }
            spin_loop();
        }
        self.line.flag(READER_SLEEPS).store(1, SeqCst);
        if !self.has_news() {
            let mut ends: Vec<PollFd<'_>> = std::iter::once(&self.nudges)
                .chain(self.workers.iter().map(|worker| &worker.socket))
                .map(|socket| PollFd::new(socket, PollFlags::IN))
                .collect();
            let woken = self.recorder.quietly(|| poll(&mut ends, None));
            let ready: Vec<bool> = ends.iter().map(|end| !end.revents().is_empty()).collect();
            if woken.is_ok() {
                self.attend(&ready);
            }
        }
        self.line.flag(READER_SLEEPS).store(0, SeqCst);
    }

    /// Empties the sockets that have something; one that is at its end is the death of its worker.
    fn attend(&mut self, ready: &[bool]) {
        if ready.first() == Some(&true) {
            // How many were there does not matter.
            let _ = self.nudges.read(&mut [0; 64]);
        }
        for place in (0..self.workers.len()).rev() {
            if ready.get(place + 1) == Some(&true) && is_at_end(&self.workers[place].socket) {
                // All that it has said is there to be heard.
                while self.workers[place].stream.listen() {
                    self.hand_in(place);
                }
                let row = self.workers.swap_remove(place).row;
                self.shared.tell_hub(HubMessage::Died { row });
            }
        }
    }
}

/// Reads what is there.
fn is_at_end(mut socket: &UnixStream) -> bool {
    match socket.read(&mut [0; 64]) {
        Ok(bytes) => bytes == 0,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
    }
}

/// A pair of sockets, of which the first is read without waiting.
pub(super) fn pair() -> io::Result<(UnixStream, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((ours, theirs))
}
