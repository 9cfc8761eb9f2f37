//! The one loop: wait, fold what came into the [`App`], draw, perform what the app asks for.
//!
//! The loop never waits for the terminal nor for a run. Frames are drawn into memory, and only when
//! the writer is free: a terminal that is slow or stalled costs frames, never events or keys. At rest
//! nothing wakes the loop.
//!
//! For tests, a debug build fails on request: `PARVIZ_PANIC=ui` (the loop panics at the first key),
//! `frame` (drawing panics after the first key), `worker` (another thread panics at the first key),
//! `task` (each task of the fault `raise` panics in its worker), `error` (the loop ends with an error at
//! the first key).

#![expect(clippy::disallowed_methods, reason = "the loop owns the clock")]

mod frames;
pub mod headless;
mod pointer;
mod printed;
mod runs;
mod watch;

use crate::app::{App, Brightness, Effect, Message};
use crate::origin::Batch;
use crate::origin::python::{Exit, Handle, Output, Program};
use crate::terminal::{self, Flushed, Notice, Screen};
use crate::time::Nanos;
use crate::trace::Trace;
use crate::ui;
use anyhow::{Context, bail};
use crossbeam_channel::{Receiver, RecvError, never, select_biased};
use crossterm::event::Event as Input;
use frames::Frames;
use pointer::Pointer;
use runs::Runs;
use std::io;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Instant;
use watch::Watch;

/// The number of `SIGHUP`: the terminal is gone.
const HANG_UP: i32 = 1;
/// Events folded before the loop looks at keys and frames again, or a few more: some 50 ms of work.
const AT_ONCE: usize = 100_000;

/// Said of a program that had no room for its output.
pub const NO_ROOM: &str = "no room in TMPDIR for what the program prints: use --output file=PATH";

/// How the terminal is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Take the mouse from the start.
    pub mouse: bool,
    /// Ask the terminal for the colour of its background: the theme was left open.
    pub ask_background: bool,
}

/// Opens the app's first run and shows it until the user quits. After a signal that ends the program
/// this does not return: it dies by that signal, with the terminal given back.
pub fn run(app: App, options: Options) -> anyhow::Result<ExitCode> {
    match show(app, options, None)?.signal {
        Some(signal) => terminal::die(signal),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// The same for a program that the app was made for. What it prints is given to our own stdout and
/// stderr when the view closes, if it `gives_back`, and its exit code is the answer.
///
/// A signal that ends us goes to the program too, as one from the terminal would without us; what is
/// left to do then is to die by it as well.
pub fn watch(
    app: App,
    options: Options,
    program: Program,
    gives_back: bool,
) -> anyhow::Result<Seen> {
    show(app, options, Some(Watch::new(program, gives_back)))
}

/// What was seen of a program when its view closed.
#[derive(Debug)]
pub struct Seen {
    pub trace: Trace,
    /// The version of its interpreter, if that was told.
    pub python: Option<String>,
    /// `None` if it had not ended.
    pub exit: Option<Exit>,
    /// It failed, and there was no room left for its output.
    pub had_no_room: bool,
    /// The signal that closed it.
    pub signal: Option<i32>,
}

fn show(app: App, options: Options, watch: Option<Watch>) -> anyhow::Result<Seen> {
    let screen = Screen::enter(options.mouse).context("cannot take the terminal")?;
    let mut dashboard = Dashboard {
        frames: Frames::new(terminal::size())?,
        app,
        runs: Runs::new()?,
        watch,
        pointer: Pointer::default(),
        began: Instant::now(),
        screen,
        shown: None,
        ask_background: options.ask_background,
        fault: Fault::requested(),
    };
    let greeting = dashboard.screen.greeting(false);
    dashboard.frames.insert(&greeting);
    let end = dashboard.show();
    let Dashboard {
        app,
        screen,
        runs,
        mut watch,
        ..
    } = dashboard;
    let signal = match end {
        Ok(End::Signal(signal)) => Some(signal),
        // Whether the signal or the loss itself is noticed first is chance: the end is the same.
        Ok(End::Lost) => Some(HANG_UP),
        Ok(End::Quit | End::Left) | Err(_) => None,
    };
    if let (Some(signal), Some(watch)) = (signal, &watch) {
        watch.signal(signal);
    }
    // A signal that came too late for the loop asks for what happens anyway, but where the program goes on;
    // the next one ends us.
    let late = screen.leave();
    let left = matches!(end, Ok(End::Left));
    let mut trace = app.run.trace;
    if let (Some(watch), Some(running), true) = (&mut watch, runs.running(), left) {
        watch.follow(running, &mut trace, late)?;
    } else if let (Some(watch), false) = (&mut watch, matches!(end, Ok(End::Lost))) {
        watch.give_back();
    }
    runs.finish();
    end?;
    let handle = watch.as_ref().and_then(Watch::handle);
    Ok(Seen {
        trace,
        python: handle.and_then(Handle::python),
        exit: handle.and_then(Handle::exit),
        had_no_room: watch.as_ref().is_some_and(Watch::had_no_room),
        signal,
    })
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Quit,
    /// The view closes, the program goes on.
    Left,
    Signal(i32),
    Lost,
}

struct Dashboard {
    app: App,
    screen: Screen,
    frames: Frames,
    runs: Runs,
    watch: Option<Watch>,
    pointer: Pointer,
    began: Instant,
    /// The revision of the app that the last frame showed.
    shown: Option<u64>,
    ask_background: bool,
    fault: Option<Fault>,
}

impl Dashboard {
    fn show(&mut self) -> anyhow::Result<End> {
        let opening = self.app.opening();
        self.perform(opening)?;
        loop {
            let wanted = self.app.moving() || Some(self.app.revision()) != self.shown;
            let due = self.frames.due(wanted);
            let end = select_biased! {
                recv(self.screen.notices()) -> notice => self.notice(notice)?,
                recv(self.screen.flushed()) -> flushed => self.flushed(flushed)?,
                recv(due) -> _ => {
                    self.draw()?;
                    None
                }
                recv(self.searching()) -> _ => self.search_on()?,
                recv(self.runs.batches()) -> batch => self.batches(batch)?,
                recv(self.output()) -> piece => self.printed(piece)?,
            };
            if let Some(end) = end {
                return Ok(end);
            }
        }
    }

    fn update(&mut self, message: Message) -> anyhow::Result<Option<End>> {
        match self.app.update(message) {
            Some(effect) => self.perform(effect),
            None => Ok(None),
        }
    }

    fn perform(&mut self, effect: Effect) -> anyhow::Result<Option<End>> {
        match effect {
            Effect::Quit => return Ok(Some(End::Quit)),
            Effect::Start { run, experiment } => {
                self.runs.retire();
                self.app.foretell();
                if let Err(error) = self.runs.start(run, &experiment) {
                    // Nothing of it will ever be told.
                    self.update(Message::RunOver { run })?;
                    let text = format!("the run could not be started: {error}");
                    return self.update(Message::Notice(text));
                }
            }
            Effect::Kill { run, lane } => self.runs.kill(run, lane),
            Effect::Watch { run } => {
                if let Some(watch) = &mut self.watch {
                    self.runs.adopt(run, watch.start()?);
                }
            }
            Effect::Ask(what) => {
                if let Some(watch) = &self.watch {
                    watch.ask(what);
                }
            }
            Effect::LookUp(lookup) => {
                let page = self.watch.as_mut().and_then(|watch| watch.look_up(lookup));
                if let Some(page) = page {
                    return self.update(Message::Page(page));
                }
            }
            Effect::LeaveRunning => return Ok(Some(End::Left)),
            Effect::Suspend => terminal::ask_to_stop(),
            Effect::Scroll { down } => {
                let lanes = ui::timeline::scrolled(&self.app, down);
                return self.update(Message::Scrolled { lanes });
            }
            Effect::TurnPage { down } => {
                let page = ui::turned(&self.app, down);
                return self.update(Message::Turned { page });
            }
            Effect::Mouse(on) => self.frames.insert(self.screen.mouse(on)),
        }
        Ok(None)
    }

    fn notice(&mut self, notice: Result<Notice, RecvError>) -> anyhow::Result<Option<End>> {
        match notice.context("the input thread ended")? {
            Notice::Input(input) => {
                self.fail_on_request()?;
                return self.input(input);
            }
            Notice::Background(colour) => {
                return self.update(Message::Background(brightness(colour)));
            }
            Notice::Resized => self.frames.look_again(),
            Notice::Stop => {
                let stopped = Instant::now();
                self.screen
                    .stop()
                    .context("cannot take the terminal again")?;
                // What plays goes on where it was.
                let stopped = stopped.elapsed();
                self.began += stopped;
                let greeting = self.screen.greeting(false);
                self.frames.renew(&greeting);
                let length = Nanos(stopped.as_nanos() as u64);
                return self.update(Message::Stopped { length });
            }
            Notice::Continued => {
                self.screen
                    .enter_again()
                    .context("cannot take the terminal again")?;
                let greeting = self.screen.greeting(true);
                self.frames.renew(&greeting);
            }
            Notice::Ended(signal) => return Ok(Some(End::Signal(signal))),
            Notice::Lost => return Ok(Some(End::Lost)),
        }
        Ok(None)
    }

    fn input(&mut self, input: Input) -> anyhow::Result<Option<End>> {
        let message = match input {
            Input::Mouse(mouse) => self.pointer.message(&self.app, mouse),
            input => Some(Message::Input(input)),
        };
        message.map_or(Ok(None), |message| self.update(message))
    }

    fn flushed(&mut self, flushed: Result<Flushed, RecvError>) -> anyhow::Result<Option<End>> {
        let flushed = flushed.context("the writer thread ended")?;
        match &flushed.result {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.frames.renew(b""),
            // There is nobody left to tell what was wrong with the terminal.
            Err(_) => return Ok(Some(End::Lost)),
        }
        self.frames.take_back(flushed.buffer, flushed.took);
        Ok(None)
    }

    fn batches(&mut self, batch: Result<Batch, RecvError>) -> anyhow::Result<Option<End>> {
        let Some(run) = self.runs.current() else {
            return Ok(None);
        };
        let Ok(first) = batch else {
            self.runs.is_over();
            if self.watch.as_ref().is_some_and(Watch::had_no_room) {
                self.update(Message::Notice(NO_ROOM.to_owned()))?;
            }
            return self.update(Message::RunOver { run });
        };
        let batches = self.runs.batches().clone();
        for Batch {
            events,
            complete_to,
        } in at_once(first, &batches)
        {
            let end = self.update(Message::Batch {
                run,
                events,
                complete_to,
            })?;
            if end.is_some() {
                return Ok(end);
            }
        }
        self.learn_python()?;
        // However much happens, what is printed is seen too.
        let lines = self.watch.as_mut().and_then(|watch| watch.take(None));
        lines.map_or(Ok(None), |lines| self.update(Message::Printed { lines }))
    }

    /// Tells the app which Python it is, as soon as that is known.
    fn learn_python(&mut self) -> anyhow::Result<()> {
        let unknown = self
            .app
            .run
            .program()
            .is_some_and(|one| one.python.is_none());
        let handle = self.watch.as_ref().and_then(Watch::handle);
        if let Some(python) = handle.filter(|_| unknown).and_then(Handle::python) {
            self.update(Message::Python(python))?;
        }
        Ok(())
    }

    fn output(&self) -> Receiver<Output> {
        match &self.watch {
            Some(watch) => watch.output(),
            None => never(),
        }
    }

    fn printed(&mut self, piece: Result<Output, RecvError>) -> anyhow::Result<Option<End>> {
        let Some(watch) = &mut self.watch else {
            return Ok(None);
        };
        if piece.is_err() {
            watch.has_printed_all();
        }
        match watch.take(piece.ok().as_ref()) {
            Some(lines) => self.update(Message::Printed { lines }),
            None => Ok(None),
        }
    }

    fn searching(&self) -> Receiver<Instant> {
        self.watch.as_ref().map_or_else(never, Watch::searching)
    }

    fn search_on(&mut self) -> anyhow::Result<Option<End>> {
        match self.watch.as_mut().map(Watch::search_on) {
            Some(ControlFlow::Break(found)) => self.update(Message::Found(found)),
            _ => Ok(None),
        }
    }

    fn draw(&mut self) -> anyhow::Result<()> {
        let size = terminal::size();
        if self.frames.fit(size)? || self.shown.is_none() {
            let resized = Input::Resize(size.width, size.height);
            self.update(Message::Input(resized))?;
        }
        let now = Nanos(self.began.elapsed().as_nanos() as u64);
        self.update(Message::Tick { now })?;
        if self.shown == Some(self.app.revision()) && self.frames.pass() {
            return Ok(());
        }
        let fails = self.fault == Some(Fault::Frame);
        self.shown = Some(self.app.revision());
        let Some(mut frame) = self.frames.draw(&self.app, fails)? else {
            return Ok(());
        };
        if std::mem::take(&mut self.ask_background) {
            // After the first frame, so that nobody waits for the answer.
            frame.extend_from_slice(self.screen.ask_background());
        }
        let frames = self.screen.frames().context("the writer was stopped")?;
        if frames.send(frame).is_err() {
            bail!("the writer thread ended");
        }
        Ok(())
    }

    fn fail_on_request(&mut self) -> anyhow::Result<()> {
        match self.fault {
            Some(Fault::Ui) => panic!("asked to panic in the loop"),
            Some(Fault::Error) => bail!("asked to fail"),
            Some(Fault::Worker) => {
                self.fault = None;
                let thread = std::thread::Builder::new().spawn(|| panic!("asked to panic"))?;
                // It panics, as it was asked to.
                let _ = thread.join();
            }
            Some(Fault::FrameAfterKey) => self.fault = Some(Fault::Frame),
            Some(Fault::Frame) | None => {}
        }
        Ok(())
    }
}

/// A batch and those that wait behind it, as many as are folded at once.
fn at_once(first: Batch, waiting: &Receiver<Batch>) -> impl Iterator<Item = Batch> {
    let (mut first, mut events) = (Some(first), 0);
    std::iter::from_fn(move || {
        let next = || {
            (events < AT_ONCE)
                .then(|| waiting.try_recv().ok())
                .flatten()
        };
        let batch = first.take().or_else(next)?;
        events += batch.events.len();
        Some(batch)
    })
}

/// Whether dark or light text is read better on this background.
fn brightness([red, green, blue]: [u16; 3]) -> Brightness {
    // Rec. 709 luma, in whole numbers.
    let luma = (2126 * u32::from(red) + 7152 * u32::from(green) + 722 * u32::from(blue)) / 10_000;
    if luma > 0x7fff {
        Brightness::Light
    } else {
        Brightness::Dark
    }
}

/// A failure that a test asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Ui,
    Error,
    Worker,
    FrameAfterKey,
    Frame,
}

impl Fault {
    fn requested() -> Option<Self> {
        if !cfg!(debug_assertions) {
            return None;
        }
        match std::env::var("PARVIZ_PANIC").ok()?.as_str() {
            "ui" => Some(Self::Ui),
            "error" => Some(Self::Error),
            "worker" => Some(Self::Worker),
            "frame" => Some(Self::FrameAfterKey),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Ends, Event, Kind, LaneId};
    use crate::time::Time;

    #[test]
    fn a_backlog_is_folded_bit_by_bit_and_nothing_of_it_is_lost() {
        let (sender, waiting) = crossbeam_channel::unbounded();
        let event = Event {
            at: Time::ZERO,
            lane: LaneId(0),
            kind: Kind::RunEnded { ends: Ends::Left },
        };
        for _ in 0..50 {
            let events = vec![event.clone(); AT_ONCE / 20];
            let complete_to = Time::ZERO;
            let batch = Batch {
                events,
                complete_to,
            };
            assert!(sender.send(batch).is_ok());
        }
        let mut counts = Vec::new();
        while let Ok(first) = waiting.try_recv() {
            counts.push(at_once(first, &waiting).count());
        }
        assert_eq!(counts, [20, 20, 10]);
    }
}
