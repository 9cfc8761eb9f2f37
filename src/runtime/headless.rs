//! A run without the dashboard: to its end, or until a signal.

use crate::experiment::Experiment;
use crate::origin::{self, Batch};
#[cfg(unix)]
use crate::platform::signals::{self, Listening};
use anyhow::Context;
use crossbeam_channel::{Receiver, select_biased};

/// How it came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Over,
    /// Stopped by this signal; the run was cancelled.
    Signal(u8),
}

/// Runs `experiment` and hands on what it tells, batch by batch.
pub fn run(experiment: &Experiment, mut tell: impl FnMut(Batch)) -> anyhow::Result<Ending> {
    let signals = signals().context("cannot watch for signals")?;
    let running = origin::start(experiment).context("cannot start the run")?;
    loop {
        select_biased! {
            recv(signals.received) -> signal => if let Ok(signal) = signal {
                running.cancel();
                running.join();
                return Ok(Ending::Signal(signal));
            },
            recv(running.batches) -> batch => match batch {
                Ok(batch) => tell(batch),
                Err(_) => break,
            },
        }
    }
    running.join();
    Ok(Ending::Over)
}

/// The signals that ask the program to end, as they come, until this is dropped: then they end it.
pub(crate) struct Signals {
    pub(crate) received: Receiver<u8>,
    #[cfg(unix)]
    _listening: Listening,
}

#[cfg(unix)]
pub(crate) fn signals() -> std::io::Result<Signals> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let (sender, received) = crossbeam_channel::bounded(16);
    let listening = signals::listen(&[SIGHUP, SIGINT, SIGTERM], move |signal| {
        // One that finds many still waiting says the same as those.
        let _ = sender.try_send(signal as u8);
    })?;
    Ok(Signals {
        received,
        _listening: listening,
    })
}

/// Elsewhere the system ends the program.
#[cfg(not(unix))]
pub(crate) fn signals() -> std::io::Result<Signals> {
    Ok(Signals {
        received: crossbeam_channel::never(),
    })
}
