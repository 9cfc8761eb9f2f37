//! Signals that are passed on while somebody listens, and do afterwards what they do to every program.
//!
//! A handler stays where it was once put. So there are two for each signal: one wakes the thread of who
//! listens, the other acts as the system would while nobody does.
//!
//! What was ignored when parviz was started (`nohup`, a shell without job control) is never caught. It stays
//! ignored, and so it does in programs that parviz starts: only what is caught is reset in those.

#![expect(
    clippy::disallowed_methods,
    reason = "signals arrive on a thread of their own"
)]

use signal_hook::flag::register_conditional_default;
use signal_hook::iterator::{Handle, Signals};
use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// What is known of the signals that somebody listened to. Handlers belong to the process, and so does this.
static HANDLED: Mutex<Handled> = Mutex::new(Handled {
    caught: Vec::new(),
    ignored: Vec::new(),
});

struct Handled {
    /// Each with whether nobody listens to it now.
    caught: Vec<(i32, Arc<AtomicBool>)>,
    ignored: Vec<i32>,
}

/// Signals are heard until this is dropped.
pub struct Listening {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
    /// Of what is listened to.
    unheard: Vec<Arc<AtomicBool>>,
}

/// Passes these signals on from a thread of its own. One at a time can listen.
pub fn listen(to: &[i32], mut hear: impl FnMut(i32) + Send + 'static) -> io::Result<Listening> {
    let mut handled = HANDLED.lock().unwrap_or_else(PoisonError::into_inner);
    for &signal in to {
        let is_caught = handled.caught.iter().any(|caught| caught.0 == signal);
        if !is_caught && is_ignored(signal) {
            handled.ignored.push(signal);
        }
    }
    let mut heard = to.to_vec();
    heard.retain(|signal| !handled.ignored.contains(signal));
    let mut signals = Signals::new(&heard)?;
    let mut listening = Listening {
        handle: signals.handle(),
        thread: None,
        unheard: Vec::new(),
    };
    for signal in heard {
        let known = handled.caught.iter().find(|caught| caught.0 == signal);
        let unheard = if let Some((_, unheard)) = known {
            Arc::clone(unheard)
        } else {
            let unheard = Arc::new(AtomicBool::new(false));
            register_conditional_default(signal, Arc::clone(&unheard))?;
            handled.caught.push((signal, Arc::clone(&unheard)));
            unheard
        };
        unheard.store(false, Ordering::SeqCst);
        listening.unheard.push(unheard);
    }
    let thread = std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            signals.forever().for_each(&mut hear);
            // What came just before nobody listened any more is not lost.
            signals.pending().for_each(&mut hear);
        })?;
    listening.thread = Some(thread);
    Ok(listening)
}

impl Drop for Listening {
    fn drop(&mut self) {
        for unheard in &self.unheard {
            unheard.store(true, Ordering::SeqCst);
        }
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[expect(unsafe_code, reason = "a system call that has no safe name")]
fn is_ignored(signal: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: nothing is set, and what is asked for is written where there is room for it.
    let told = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: it was written if the call succeeded.
    told == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}

#[cfg(test)]
mod tests {
    use super::*;
    use signal_hook::consts::{SIGCONT, SIGWINCH};
    use signal_hook::low_level::raise;

    #[test]
    fn what_came_before_nobody_listened_any_more_is_heard() {
        let (begun, begins) = crossbeam_channel::unbounded();
        let (go, goes) = crossbeam_channel::unbounded();
        let hear = move |signal| {
            begun.send(signal).unwrap();
            goes.recv().unwrap();
        };
        let listening = listen(&[SIGWINCH, SIGCONT], hear).unwrap();
        raise(SIGWINCH).unwrap();
        assert_eq!(begins.recv(), Ok(SIGWINCH));
        // This one comes while the first is still being heard, and nobody asks for more after that.
        raise(SIGCONT).unwrap();
        let handle = listening.handle.clone();
        let ends = std::thread::spawn(move || drop(listening));
        while !handle.is_closed() {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        go.send(()).unwrap();
        ends.join().unwrap();
        assert_eq!(begins.try_recv(), Ok(SIGCONT));
    }
}
