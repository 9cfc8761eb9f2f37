//! Entering the terminal and giving it back, once, whoever comes first: the one who quits, an
//! error, a panic, a signal.
//!
//! What was changed is kept in one place, and whoever takes it out undoes it; the next one finds
//! nothing to undo. Nothing here fails or prints: a terminal that is gone cannot be told so.

use super::system::Tty;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, ThreadId};

#[cfg(unix)]
type Before = rustix::termios::Termios;
#[cfg(not(unix))]
type Before = super::system::Before;

/// Alternate screen, hidden cursor, bracketed paste.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[2J\x1b[?25l\x1b[?2004h";
/// The same for a terminal that may show the alternate screen already: entering it twice would
/// forget where the cursor was before.
const AGAIN: &[u8] = b"\x1b[?25l\x1b[?2004h";
/// A cut frame may have left a sequence open, a synchronised update, or colours.
const LEAVE: &[u8] = b"\x18\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?1049l\x1b[?25h";
/// Buttons, drags and the wheel, with coordinates as numbers; not every motion of the mouse.
pub(super) const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1002h\x1b[?1006h";
pub(super) const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1002l\x1b[?1000l";

static HELD: Mutex<Option<Held>> = Mutex::new(None);

/// What must be undone.
struct Held {
    tty: Arc<Tty>,
    before: Before,
    mouse: bool,
    owner: ThreadId,
}

fn held() -> MutexGuard<'static, Option<Held>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the terminal for the screen that the current thread draws.
pub(super) fn enter(tty: &Arc<Tty>, mouse: bool) -> io::Result<()> {
    prepare();
    let before = tty.raw()?;
    *held() = Some(Held {
        tty: Arc::clone(tty),
        before,
        mouse,
        owner: thread::current().id(),
    });
    tty.allow();
    Ok(())
}

/// Takes again the modes that somebody else may have changed, such as a shell while we were
/// stopped.
pub(super) fn enter_again() -> io::Result<()> {
    match held().as_ref() {
        Some(held) => held.tty.raw_again(&held.before),
        None => Ok(()),
    }
}

/// What the terminal must be told before the first frame, and again after somebody else had it.
pub(super) fn greeting(again: bool, mouse: bool) -> Vec<u8> {
    let screen = if again { AGAIN } else { ENTER };
    [screen, if mouse { MOUSE_ON } else { b"" }].concat()
}

/// Remembers whether the mouse must be given back.
pub(super) fn note_mouse(on: bool) {
    if let Some(held) = held().as_mut() {
        held.mouse = on;
    }
}

/// Gives the terminal back as it was found; nothing if that has been done. A frame that is being
/// written is cut off.
pub(super) fn leave() {
    let Some(held) = held().take() else {
        return;
    };
    held.tty.cancel();
    let mouse = if held.mouse { MOUSE_OFF } else { b"" };
    held.tty.write_last(&[mouse, LEAVE].concat());
    held.tty.restore(&held.before);
}

/// What is done once, before the terminal is taken for the first time.
fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        keep_panics_off_the_screen();
        #[cfg(unix)]
        super::system::at_abort(abandon);
    });
}

/// Gives the terminal back within a signal: neither waits nor frees anything.
#[cfg(unix)]
fn abandon() {
    if let Ok(held) = HELD.try_lock()
        && let Some(held) = held.as_ref()
    {
        let mouse = if held.mouse { MOUSE_OFF } else { b"" };
        held.tty.abandon(&[mouse, LEAVE], &held.before);
    }
}

/// Panics of the thread that owns the screen give the terminal back before they are told. Those of
/// other threads are not told while the screen is up: a task that panics is something to show, not
/// our end, and its text would tear the screen.
fn keep_panics_off_the_screen() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let owner = held().as_ref().map(|held| held.owner);
        if owner.is_none() {
            tell(panic);
        } else if owner == Some(thread::current().id()) {
            leave();
            tell(panic);
        }
    }));
}
