//! The terminal through crossterm alone, where it is not Unix: no signals and no job control.

use super::Notice;
use crossbeam_channel::Sender;
use crossterm::{event, terminal};
use ratatui::layout::Size;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub(super) struct Tty {
    cancelled: AtomicBool,
    deaf: AtomicBool,
}

pub(super) struct Before;

impl Tty {
    pub(super) fn open() -> io::Result<Self> {
        // Asking is what makes an old Windows console understand escape sequences.
        #[cfg(windows)]
        crossterm::ansi_support::supports_ansi();
        Ok(Self {
            cancelled: AtomicBool::new(false),
            deaf: AtomicBool::new(false),
        })
    }

    pub(super) fn raw(&self) -> io::Result<Before> {
        terminal::enable_raw_mode()?;
        Ok(Before)
    }

    pub(super) fn raw_again(&self, _: &Before) -> io::Result<()> {
        terminal::enable_raw_mode()
    }

    pub(super) fn restore(&self, _: &Before) {
        let _ = terminal::disable_raw_mode();
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        if self.cancelled.load(Ordering::Acquire) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.put(bytes)
    }

    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        let mut output = io::stdout().lock();
        output.write_all(bytes)?;
        output.flush()
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    pub(super) fn allow(&self) {
        self.cancelled.store(false, Ordering::Release);
    }

    pub(super) fn write_last(&self, bytes: &[u8]) {
        let _ = self.put(bytes);
    }

    #[expect(clippy::unused_self, reason = "the same signature as on Unix")]
    pub(super) fn expect_answer(&self) -> bool {
        false
    }

    pub(super) fn stop_listening(&self) {
        self.deaf.store(true, Ordering::Release);
    }

    pub(super) fn listen(&self, notices: &Sender<Notice>) {
        while !self.deaf.load(Ordering::Acquire) {
            let notice = match event::poll(Duration::from_millis(100)) {
                Ok(false) => continue,
                Ok(true) => event::read().map_or(Notice::Lost, |event| match event {
                    event::Event::Resize(..) => Notice::Resized,
                    event => Notice::Input(event),
                }),
                Err(_) => Notice::Lost,
            };
            let lost = matches!(notice, Notice::Lost);
            if notices.send(notice).is_err() || lost {
                return;
            }
        }
    }
}

pub(super) fn size() -> Size {
    terminal::size().map_or(Size::ZERO, Size::from)
}

pub(super) fn obstacle() -> Option<&'static str> {
    None
}

pub(super) struct SignalWatch;

impl SignalWatch {
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
    pub(super) fn start(_: Sender<Notice>) -> io::Result<Self> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "the same signature as on Unix")]
    pub(super) fn late(&self) -> Arc<OnceLock<i32>> {
        Arc::default()
    }
}

pub(super) fn die(signal: i32) -> ! {
    std::process::exit(128 + signal);
}

pub(super) fn stop() {}

pub(super) fn ask_to_stop() {}
