//! The terminal, taken and given back as it was found.
//!
//! A [`Screen`] is the terminal while parviz has it. Dropping it gives the terminal back; so do a
//! panic of the thread that made it, and a signal that ends the program. Three threads serve it:
//! one decodes what comes in, one passes signals on, one writes frames. None of them polls: at rest
//! the program sleeps.
//!
//! What a terminal says becomes a [`Notice`]; frames go out through the writer, which has room for
//! one. Nobody ever waits for the terminal but the writer.

#![expect(clippy::disallowed_methods, reason = "input has a thread of its own")]

mod canvas;
#[cfg(unix)]
mod decode;
mod guard;
#[cfg(not(unix))]
#[path = "terminal/portable.rs"]
mod system;
#[cfg(unix)]
#[path = "terminal/unix.rs"]
mod system;
mod writer;

pub use canvas::Canvas;
pub use writer::Flushed;

use crossbeam_channel::{Receiver, Sender, bounded, never};
use crossterm::event::Event;
use ratatui::layout::Size;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use system::{SignalWatch, Tty};
use writer::Writer;

/// Asks for the background's colour, and then what the terminal is: that is answered by all, so
/// its answer says that no other will come.
const ASK_BACKGROUND: &[u8] = b"\x1b]11;?\x1b\\\x1b[c";

/// Something the terminal, or the system on its behalf, says.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A key, the mouse, a paste. Never a resize: see [`Notice::Resized`].
    Input(Event),
    /// The colour behind the text: red, green, blue.
    Background([u16; 3]),
    /// The size may have changed; ask for it when it is needed.
    Resized,
    /// This process shall stop until it is continued.
    Stop,
    /// It was continued after a stop.
    Continued,
    /// A signal with this number asks for the end.
    Ended(i32),
    /// Nobody is there any more.
    Lost,
}

/// Why the screen cannot be shown here, in a few words; `None` if it can.
pub fn obstacle() -> Option<&'static str> {
    if io::stdout().is_terminal() {
        system::obstacle()
    } else {
        Some("stdout is not a terminal")
    }
}

/// The terminal's size now; empty where it cannot be told.
pub fn size() -> Size {
    system::size()
}

/// The terminal, while we have it.
pub struct Screen {
    notices: Receiver<Notice>,
    writer: Writer,
    tty: Arc<Tty>,
    input: Option<JoinHandle<()>>,
    mouse: bool,
    signals: SignalWatch,
}

impl Screen {
    /// Takes the terminal. The thread that calls this owns the screen: its panics give it back.
    pub fn enter(mouse: bool) -> io::Result<Self> {
        // Full only while the loop is busy; then whoever types waits in the kernel.
        let (notify, notices) = bounded(256);
        let tty = Arc::new(Tty::open()?);
        let signals = SignalWatch::start(notify.clone())?;
        guard::enter(&tty, mouse)?;
        let screen = Self {
            notices,
            writer: Writer::start(Arc::clone(&tty)).inspect_err(|_| guard::leave())?,
            input: None,
            mouse,
            signals,
            tty,
        };
        screen.listen(notify)
    }

    fn listen(mut self, notify: Sender<Notice>) -> io::Result<Self> {
        let tty = Arc::clone(&self.tty);
        let thread = thread::Builder::new()
            .name("input".into())
            .spawn(move || tty.listen(&notify))?;
        self.input = Some(thread);
        Ok(self)
    }

    pub fn notices(&self) -> &Receiver<Notice> {
        &self.notices
    }

    /// Where frames go. Send the buffer that came back from [`Screen::flushed`]: there is one.
    pub fn frames(&self) -> Option<&Sender<Vec<u8>>> {
        self.writer.frames.as_ref()
    }

    pub fn flushed(&self) -> &Receiver<Flushed> {
        &self.writer.flushed
    }

    /// The bytes that must come before the first frame, and before the next one after the terminal
    /// was taken again.
    pub fn greeting(&self, again: bool) -> Vec<u8> {
        guard::greeting(again, self.mouse)
    }

    /// The bytes that ask for the background's colour, to be sent after the first frame; none where
    /// the answer would be taken for typed text.
    pub fn ask_background(&self) -> &'static [u8] {
        if self.tty.expect_answer() {
            ASK_BACKGROUND
        } else {
            b""
        }
    }

    /// The bytes that take the mouse, or give it back so that text can be selected.
    pub fn mouse(&mut self, on: bool) -> &'static [u8] {
        self.mouse = on;
        guard::note_mouse(on);
        if on {
            guard::MOUSE_ON
        } else {
            guard::MOUSE_OFF
        }
    }

    /// Gives the terminal back, stops this process, and takes the terminal again when it is
    /// continued. The frame under way is cut off, and the next one must be a whole one.
    pub fn stop(&self) -> io::Result<()> {
        guard::leave();
        system::stop();
        guard::enter(&self.tty, self.mouse)
    }

    /// Gives the terminal back for good. The first signal that asked for the end and came too late to be a
    /// notice, if one did: it is for whoever goes on now.
    pub fn leave(self) -> Option<i32> {
        let late = self.signals.late();
        drop(self);
        late.get().copied()
    }

    /// Takes again what others changed while this process was stopped.
    pub fn enter_again(&self) -> io::Result<()> {
        guard::enter_again()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        guard::leave();
        self.tty.stop_listening();
        // Whoever waits for room in the channel shall not: it is closed.
        self.notices = never();
        if let Some(thread) = self.input.take() {
            let _ = thread.join();
        }
    }
}

/// Ends as the signal does; the terminal must have been given back. Does not return.
pub fn die(signal: i32) -> ! {
    system::die(signal)
}

/// Asks the job that this process belongs to to stop; it is told so by [`Notice::Stop`].
pub fn ask_to_stop() {
    system::ask_to_stop();
}
