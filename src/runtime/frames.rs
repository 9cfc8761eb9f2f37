//! When a frame is made: when something changed, the writer is free, and the terminal keeps up.

#![expect(clippy::disallowed_methods, reason = "paces frames by the clock")]

use crate::app::App;
use crate::terminal::Canvas;
use crate::ui;
use crossbeam_channel::{Receiver, at, never};
use ratatui::layout::Size;
use std::io;
use std::time::{Duration, Instant};

/// From one frame to the next while something moves.
const FRAME: Duration = Duration::from_millis(33);
/// The same on a terminal that takes longer than `SLOW` to accept a frame.
const SLOW_FRAME: Duration = Duration::from_millis(100);
const SLOW: Duration = Duration::from_millis(20);

pub(super) struct Frames {
    canvas: Canvas,
    /// Here while the writer is free: without it no frame can be made.
    buffer: Option<Vec<u8>>,
    /// There are bytes to send, or the terminal must be looked at, whatever the app says.
    pressing: bool,
    /// What the terminal shows is unknown.
    stale: bool,
    drawn: Option<Instant>,
    pause: Duration,
}

impl Frames {
    pub(super) fn new(size: Size) -> io::Result<Self> {
        Ok(Self {
            canvas: Canvas::new(size)?,
            buffer: Some(Vec::new()),
            pressing: true,
            stale: false,
            drawn: None,
            pause: FRAME,
        })
    }

    /// The terminal may have changed its size.
    pub(super) fn look_again(&mut self) {
        self.pressing = true;
    }

    /// Bytes that go ahead of the next frame.
    pub(super) fn insert(&mut self, bytes: &[u8]) {
        self.canvas.insert(bytes);
        self.pressing = true;
    }

    /// Draws everything anew, after `greeting`.
    pub(super) fn renew(&mut self, greeting: &[u8]) {
        self.stale = true;
        self.insert(greeting);
    }

    /// Fires when the next frame shall be drawn; never while none is wanted or can be written.
    pub(super) fn due(&self, wanted: bool) -> Receiver<Instant> {
        match self.drawn {
            _ if !(wanted || self.pressing) || self.buffer.is_none() => never(),
            Some(drawn) => at(drawn + self.pause),
            None => at(Instant::now()),
        }
    }

    /// Adopts the size of the terminal; true if it is another one.
    pub(super) fn fit(&mut self, size: Size) -> io::Result<bool> {
        let changed = size != self.canvas.size();
        if changed || self.stale {
            self.stale = false;
            self.canvas.renew(size)?;
        }
        Ok(changed)
    }

    /// The app has nothing new to show: lets this frame pass, unless there are bytes to send.
    pub(super) fn pass(&mut self) -> bool {
        self.drawn = Some(Instant::now());
        !self.pressing
    }

    /// The next frame, to be written; `None` if it would change nothing.
    pub(super) fn draw(&mut self, app: &App, fails: bool) -> io::Result<Option<Vec<u8>>> {
        let Some(mut buffer) = self.buffer.take() else {
            return Ok(None);
        };
        self.pressing = false;
        self.drawn = Some(Instant::now());
        self.canvas.draw(&mut buffer, |frame| {
            assert!(!fails, "asked to panic while drawing");
            ui::draw(app, frame);
        })?;
        if buffer.is_empty() {
            self.buffer = Some(buffer);
            return Ok(None);
        }
        Ok(Some(buffer))
    }

    /// The frame was written, in this time.
    pub(super) fn take_back(&mut self, buffer: Vec<u8>, took: Duration) {
        self.buffer = Some(buffer);
        self.pause = if took > SLOW { SLOW_FRAME } else { FRAME };
    }
}
