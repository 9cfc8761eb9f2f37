//! The terminal as Unix has it: a file of our own, its modes, its signals, and job control.

#![expect(clippy::disallowed_methods, reason = "the terminal is an edge")]

use super::decode::{Decoded, Decoder, Waits};
use super::{Notice, guard};
use crate::platform::signals::{self, Listening};
use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender};
use ratatui::layout::Size;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Signal, getpgrp, getsid, kill_process_group};
use rustix::termios::{self, OptionalActions, QueueSelector, Termios};
use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2,
    SIGWINCH,
};
use std::fs::File;
use std::io::{self, IsTerminal, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// What a terminal may take to accept the bytes that give it back.
const FAREWELL: Duration = Duration::from_secs(1);
/// Bytes of one key come closer together than this.
const KEY_GAP: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 25_000_000,
};
/// More columns or rows are not drawn on.
const LARGEST: u16 = 1000;
/// What began and did not go on for so long has lost its end.
const LOST_END: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};
/// A paste that began, and of which nothing more came for so long, has lost its end.
const LOST_PASTE: Timespec = Timespec {
    tv_sec: 10,
    tv_nsec: 0,
};
/// How long a hanging program keeps the terminal after it was told to end.
const GRACE: Duration = Duration::from_secs(2);

/// A terminal of our own: its output never blocks anybody for good.
///
/// Standard output is opened once more, because not to block is a property of the open file, and
/// the shell has that file too. Whoever writes (one at a time) can be told to give up:
/// 1. `cancel` sets the flag and wakes the poll in `write`;
/// 2. `write` sees the flag before its next piece, returns, and gives the file free;
/// 3. `write_last` then has the file for itself.
pub(super) struct Tty {
    output: Mutex<File>,
    /// Keys, where standard input is something else.
    keyboard: Option<File>,
    cancelled: AtomicBool,
    wake: Wake,
    end_of_input: Wake,
    /// A question is on its way whose answer has not come.
    asked: AtomicBool,
}

/// Ends a poll from another thread.
struct Wake {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Wake {
    fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        rustix::io::ioctl_fionbio(&reader, true)?;
        rustix::io::ioctl_fionbio(&writer, true)?;
        Ok(Self { reader, writer })
    }

    fn up(&self) {
        // A full pipe wakes just as well.
        let _ = (&self.writer).write(&[0]);
    }

    fn rest(&self) {
        while matches!((&self.reader).read(&mut [0; 64]), Ok(1..)) {}
    }
}

impl Tty {
    pub(super) fn open() -> io::Result<Self> {
        let keyboard = if io::stdin().is_terminal() {
            None
        } else {
            Some(open("/dev/tty")?)
        };
        Ok(Self {
            output: Mutex::new(own_output()?),
            keyboard,
            cancelled: AtomicBool::new(false),
            wake: Wake::new()?,
            end_of_input: Wake::new()?,
            asked: AtomicBool::new(false),
        })
    }

    fn input(&self) -> BorrowedFd<'_> {
        match &self.keyboard {
            Some(file) => file.as_fd(),
            None => rustix::stdio::stdin(),
        }
    }

    fn output(&self) -> MutexGuard<'_, File> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every key by itself, unseen and without meaning to the system; returns how it was before.
    pub(super) fn raw(&self) -> io::Result<Termios> {
        let before = termios::tcgetattr(self.input())?;
        self.raw_again(&before)?;
        Ok(before)
    }

    pub(super) fn raw_again(&self, before: &Termios) -> io::Result<()> {
        let mut raw = before.clone();
        raw.make_raw();
        Ok(termios::tcsetattr(
            self.input(),
            OptionalActions::Now,
            &raw,
        )?)
    }

    /// Gives the modes back; a terminal that is gone needs none.
    pub(super) fn restore(&self, before: &Termios) {
        self.await_answer();
        let _ = termios::tcsetattr(self.input(), OptionalActions::Now, before);
    }

    /// Writes all of it, however long that takes, unless it is cancelled meanwhile.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.write_until(&self.output(), bytes, None)
    }

    /// Makes `write` return at once, now and from now on.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.wake.up();
    }

    pub(super) fn allow(&self) {
        self.wake.rest();
        self.cancelled.store(false, Ordering::Release);
    }

    /// Gives the terminal back where nothing may be locked or allocated: in the handler of a signal.
    /// The frame that is being written may still tear it.
    pub(super) fn abandon(&self, pieces: &[&[u8]], before: &Termios) {
        let _ = termios::tcsetattr(self.input(), OptionalActions::Now, before);
        let output = rustix::stdio::stdout();
        for piece in pieces {
            let mut room = [PollFd::from_borrowed_fd(output, PollFlags::OUT)];
            if poll(&mut room, Some(&KEY_GAP)) == Ok(1) {
                let _ = rustix::io::write(output, piece);
            }
        }
    }

    /// Writes what gives the terminal back: waits for a slow one, throws away what a stalled one
    /// has not read, and gives up on one that is gone.
    pub(super) fn write_last(&self, bytes: &[u8]) {
        let output = self.output();
        if self.write_until(&output, bytes, Some(FAREWELL)).is_err() {
            let _ = termios::tcflush(&*output, QueueSelector::OFlush);
            let _ = self.write_until(&output, bytes, Some(Duration::ZERO));
        }
    }

    fn write_until(
        &self,
        output: &File,
        mut bytes: &[u8],
        patience: Option<Duration>,
    ) -> io::Result<()> {
        let began = Instant::now();
        while !bytes.is_empty() {
            if patience.is_none() && self.cancelled.load(Ordering::Acquire) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match rustix::io::write(output, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let mut fds = [
                        PollFd::new(output, PollFlags::OUT),
                        PollFd::new(&self.wake.reader, PollFlags::IN),
                    ];
                    let left = patience.map(|patience| patience.saturating_sub(began.elapsed()));
                    let count = if left.is_some() { 1 } else { 2 };
                    wait(&mut fds[..count], left)?;
                    if left.is_some_and(|left| left.is_zero()) {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// An answer that comes when we have left would be typed into the shell: gives it the time of a
    /// slow network to arrive, where one is due.
    fn await_answer(&self) {
        const STEP: Timespec = Timespec {
            tv_sec: 0,
            tv_nsec: 10_000_000,
        };
        if !self.asked.load(Ordering::Acquire) {
            return;
        }
        for _ in 0..20 {
            // The thread that listens takes the answer; this one only waits for it to.
            let _ = poll(&mut [], Some(&STEP));
            if !self.asked.load(Ordering::Acquire) {
                return;
            }
        }
        let _ = termios::tcflush(self.input(), QueueSelector::IFlush);
    }

    /// Notes that an answer is due; false if none could be told from keys.
    pub(super) fn expect_answer(&self) -> bool {
        self.asked.store(true, Ordering::Release);
        true
    }

    pub(super) fn stop_listening(&self) {
        self.end_of_input.up();
    }

    /// Sends on what comes from the terminal, until told to stop, or the terminal is gone.
    pub(super) fn listen(&self, notices: &Sender<Notice>) {
        let mut decoder = Decoder::default();
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let mut fds = [
                PollFd::from_borrowed_fd(self.input(), PollFlags::IN),
                PollFd::new(&self.end_of_input.reader, PollFlags::IN),
            ];
            let patience = decoder.waits().map(|what| match what {
                Waits::Key => &KEY_GAP,
                Waits::End => &LOST_END,
                Waits::Paste => &LOST_PASTE,
            });
            match poll(&mut fds, patience) {
                Ok(0) => decoder.silence(|one| heard.push(one)),
                Ok(_) if !fds[1].revents().is_empty() => return,
                Ok(_) if fds[0].revents().contains(PollFlags::IN) => {
                    match rustix::io::read(self.input(), &mut buffer) {
                        Ok(count @ 1..) => decoder.feed(&buffer[..count], |one| heard.push(one)),
                        Err(Errno::INTR | Errno::AGAIN) => {}
                        Ok(0) | Err(_) => {
                            let _ = notices.send(Notice::Lost);
                            return;
                        }
                    }
                }
                Err(Errno::INTR) => {}
                // Hung up: without this a terminal that is gone would be asked for ever.
                Ok(_) | Err(_) => {
                    let _ = notices.send(Notice::Lost);
                    return;
                }
            }
            for one in heard.drain(..) {
                let notice = match one {
                    Decoded::Input(event) => Notice::Input(event),
                    Decoded::Background(colour) => Notice::Background(colour),
                    Decoded::Attributes => {
                        self.asked.store(false, Ordering::Release);
                        continue;
                    }
                };
                if notices.send(notice).is_err() {
                    return;
                }
            }
        }
    }
}

/// Standard output, opened once more.
fn own_output() -> io::Result<File> {
    match termios::ttyname(rustix::stdio::stdout(), Vec::new()) {
        // A terminal of another user (after `su`) can only be reached as the controlling one.
        Ok(name) => open(name.as_c_str()).or_else(|_| open("/dev/tty")),
        Err(_) => open("/dev/tty"),
    }
}

fn open(path: impl rustix::path::Arg) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: OwnedFd = rustix::fs::open(path, flags, Mode::empty())?;
    Ok(file.into())
}

fn wait(fds: &mut [PollFd<'_>], limit: Option<Duration>) -> io::Result<()> {
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    match poll(fds, limit.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Columns and rows are no more than memory has room for, whatever a terminal claims.
pub(super) fn size() -> Size {
    termios::tcgetwinsize(rustix::stdio::stdout()).map_or(Size::ZERO, |size| {
        Size::new(size.ws_col.min(LARGEST), size.ws_row.min(LARGEST))
    })
}

/// Why the screen cannot be shown here, if so.
pub(super) fn obstacle() -> Option<&'static str> {
    let term = std::env::var_os("TERM").unwrap_or_default();
    if term.is_empty() {
        return Some("TERM is not set");
    }
    if term == "dumb" {
        return Some("TERM is dumb");
    }
    (!io::stdin().is_terminal() && open("/dev/tty").is_err())
        .then_some("there is no terminal to read keys from")
}

/// What is caught: whatever would end the program and leave the terminal as it is, and what stops it.
const CAUGHT: [i32; 10] = [
    SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP, SIGCONT, SIGWINCH,
];

/// Sends signals on as notices, from a thread of its own.
///
/// A signal that ends the program does so even when the loop hangs: after a grace time this thread
/// gives the terminal back and dies by the signal itself.
pub(super) struct SignalWatch {
    /// Goes before the thread is waited for, which may be waiting for it.
    alive: Option<Sender<()>>,
    late: Arc<OnceLock<i32>>,
    _listening: Listening,
}

impl SignalWatch {
    pub(super) fn start(notices: Sender<Notice>) -> io::Result<Self> {
        let (alive, gone) = crossbeam_channel::bounded(0);
        let late = Arc::new(OnceLock::new());
        let told = Arc::clone(&late);
        let pass_on = move |signal| pass_on(signal, &notices, &gone, &told);
        Ok(Self {
            alive: Some(alive),
            late,
            _listening: signals::listen(&CAUGHT, pass_on)?,
        })
    }

    /// Holds the first signal that asked for the end, once this value is dropped. If none had been taken
    /// as a notice, it was too late to be one.
    pub(super) fn late(&self) -> Arc<OnceLock<i32>> {
        Arc::clone(&self.late)
    }
}

fn pass_on(signal: i32, notices: &Sender<Notice>, gone: &Receiver<()>, late: &OnceLock<i32>) {
    let notice = match signal {
        SIGWINCH => Notice::Resized,
        SIGTSTP => Notice::Stop,
        SIGCONT => Notice::Continued,
        _ => Notice::Ended(signal),
    };
    let ends = matches!(notice, Notice::Ended(_));
    let sent = notices.send_timeout(notice, GRACE);
    if !ends {
        return;
    }
    // A channel that is closed is no loop that hangs: the terminal is being given back.
    let hangs = matches!(sent, Err(SendTimeoutError::Timeout(_)));
    if hangs || gone.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
        guard::leave();
        die(signal);
    }
    let _ = late.set(signal);
}

impl Drop for SignalWatch {
    fn drop(&mut self) {
        self.alive.take();
    }
}

/// Acts before this process is aborted: an allocation failed, or the stack is full.
#[expect(unsafe_code, reason = "a handler that runs within the signal")]
pub(super) fn at_abort(act: impl Fn() + Send + Sync + 'static) {
    let act = move || {
        act();
        die(SIGABRT);
    };
    // SAFETY: the only caller gives what neither locks nor allocates. Without the handler the terminal
    // stays as it is, no more.
    let _ = unsafe { signal_hook::low_level::register(SIGABRT, act) };
}

/// Ends as if the signal had never been caught, so that whoever waits sees the cause.
pub(super) fn die(signal: i32) -> ! {
    let _ = signal_hook::low_level::emulate_default_handler(signal);
    // Not reached: the default action of these signals is to end.
    std::process::exit(128 + signal);
}

/// Stops this process until somebody continues it.
pub(super) fn stop() {
    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGSTOP);
}

/// Asks the whole job to stop, as the terminal does at Ctrl-Z. It is a job only where a shell put
/// it into a process group of its own; elsewhere nobody could continue it.
pub(super) fn ask_to_stop() {
    let group = getpgrp();
    if getsid(None).is_ok_and(|session| session != group) {
        let _ = kill_process_group(group, Signal::TSTP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_late_and_not_fatal_while_the_terminal_is_given_back() {
        let (notify, notices) = crossbeam_channel::bounded(1);
        let (alive, gone) = crossbeam_channel::bounded(0);
        drop((notices, alive));
        let late = OnceLock::new();
        for signal in [SIGWINCH, SIGTERM, SIGHUP] {
            pass_on(signal, &notify, &gone, &late);
        }
        assert_eq!(late.get(), Some(&SIGTERM));
    }
}
