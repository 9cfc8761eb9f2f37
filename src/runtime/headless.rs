//! A run without the dashboard: to its end, or until a signal.

use crate::experiment::Experiment;
use crate::origin::{self, Batch};
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
            recv(signals) -> signal => if let Ok(signal) = signal {
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

/// The signals that ask the program to end, as they come. The thread that waits for them lasts as long
/// as the program.
#[cfg(unix)]
#[expect(
    clippy::disallowed_methods,
    reason = "signals arrive on a thread of their own"
)]
pub(crate) fn signals() -> std::io::Result<Receiver<u8>> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let (sender, receiver) = crossbeam_channel::bounded(16);
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                // One that finds many still waiting says the same as those.
                let _ = sender.try_send(signal as u8);
            }
        })?;
    Ok(receiver)
}

/// Elsewhere the system ends the program.
#[cfg(not(unix))]
pub(crate) fn signals() -> std::io::Result<Receiver<u8>> {
    Ok(crossbeam_channel::never())
}
