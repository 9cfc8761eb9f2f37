//! The thread that writes frames, with room for one.
//!
//! There is one buffer, and it goes round: whoever makes a frame needs it, and the writer gives it
//! back when the terminal has taken all of it. So while a terminal is slow or stalled no frame is
//! made, and nothing queues up.

#![expect(
    clippy::disallowed_methods,
    reason = "measures how long the terminal takes, from a thread of its own"
)]

use super::system::Tty;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A frame that has been written, or has failed to be.
#[derive(Debug)]
pub struct Flushed {
    /// The buffer, for the next frame.
    pub buffer: Vec<u8>,
    /// How long the terminal took to accept the frame.
    pub took: Duration,
    /// `Interrupted` if it was cut off: the screen shows nobody knows what.
    pub result: io::Result<()>,
}

pub(super) struct Writer {
    pub(super) frames: Option<Sender<Vec<u8>>>,
    pub(super) flushed: Receiver<Flushed>,
    thread: Option<JoinHandle<()>>,
    tty: Arc<Tty>,
}

impl Writer {
    pub(super) fn start(tty: Arc<Tty>) -> io::Result<Self> {
        let (frames, to_write) = bounded::<Vec<u8>>(1);
        let (done, flushed) = bounded(1);
        let output = Arc::clone(&tty);
        let thread = thread::Builder::new()
            .name("writer".into())
            .spawn(move || {
                for buffer in to_write {
                    let began = Instant::now();
                    let result = output.write(&buffer);
                    let took = began.elapsed();
                    let flushed = Flushed {
                        buffer,
                        took,
                        result,
                    };
                    if done.send(flushed).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self {
            frames: Some(frames),
            flushed,
            thread: Some(thread),
            tty,
        })
    }
}

impl Drop for Writer {
    /// Cuts off what is being written.
    fn drop(&mut self) {
        self.frames.take();
        self.tty.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
