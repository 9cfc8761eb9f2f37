//! From the start of a program to its end: one thread that reads all there is to read.
//!
//! The thread wakes every few milliseconds while the program lives. It waits for nobody: batches that
//! find no room wait here, and the program's output waits in its files.
#![expect(
    clippy::disallowed_methods,
    reason = "starts the program and owns the thread that watches it"
)]

use super::folder::Folder;
use super::program::{Input, Outlet, Program, Target};
use super::{Exit, Handle, Output, State, Stream, Watched};
use crate::event::{Ends, Event, Kind, LaneId, LaneKind, LaneOpened, Note, NoteKind, RunBegan};
use crate::origin::{Cancel, Feed, Running, WAITING_BATCHES};
use crate::platform;
use crate::time::{Nanos, Time};
use crossbeam_channel::{Sender, TrySendError, select};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The time between two looks at everything.
const TICK: Duration = Duration::from_millis(5);
/// Pieces of output that may wait for a slow reader; what is printed more waits in its file.
const WAITING_PIECES: usize = 16;
const PIECE: usize = 1 << 16;

pub(super) fn start(program: &Program) -> io::Result<Watched> {
    let began = platform::monotonic();
    let folder = Folder::make()?;
    let mut command = command(program, &folder)?;
    let kept = outlet(program, &folder, &mut command)?;
    let child = command.spawn()?;
    let handle = Handle(Arc::new(State {
        pid: child.id(),
        group: program.group,
        exit: Mutex::new(None),
        python: OnceLock::new(),
        kept,
    }));
    let (sender, batches) = crossbeam_channel::bounded(WAITING_BATCHES);
    let (printed, output) = crossbeam_channel::bounded(WAITING_PIECES);
    let cancel = Cancel::default();
    // The program's workers are its own: nobody here kills one of them.
    let (killer, kills) = crossbeam_channel::bounded(0);
    let watch = Watch {
        child,
        handle: handle.clone(),
        feed: Feed {
            batches: sender,
            cancel: cancel.clone(),
            kills,
        },
        printed,
        places: [0; 2],
        began,
        _folder: folder,
    };
    let label = program.label();
    let thread = std::thread::Builder::new()
        .name("program".to_owned())
        .spawn(move || watch.run(label))?;
    Ok(Watched {
        running: Running {
            batches,
            cancel,
            killer,
            thread: Some(thread),
        },
        output,
        handle,
    })
}

/// The interpreter with its words, its input and the way to the probe.
fn command(program: &Program, folder: &Folder) -> io::Result<Command> {
    let interpreter = program
        .interpreter()
        .map_err(|missing| io::Error::new(io::ErrorKind::NotFound, missing))?;
    let mut command = Command::new(interpreter);
    let text = folder.path().join("example");
    let text = match &program.target {
        Target::Text { name, text: source } => {
            std::fs::create_dir(&text)?;
            std::fs::write(text.join(name), source)?;
            text.join(name)
        }
        _ => text,
    };
    command.args(program.words(&text));
    let mut path = OsString::from(folder.path());
    if let Some(old) = std::env::var_os("PYTHONPATH").filter(|old| !old.is_empty()) {
        path.push(":");
        path.push(old);
    }
    command.env("PYTHONPATH", path);
    command.env("PARVIZ_PROBE", folder.path());
    command.env("PARVIZ_RINGS", folder.rings());
    command.stdin(match &program.input {
        Input::Inherited => Stdio::inherit(),
        Input::Empty => Stdio::null(),
        Input::File(file) => File::open(file)?.into(),
    });
    if program.group {
        command.process_group(0);
    }
    Ok(command)
}

/// Says where the output goes; the files to read it from, if it is kept.
fn outlet(
    program: &Program,
    folder: &Folder,
    command: &mut Command,
) -> io::Result<Option<[File; 2]>> {
    match &program.outlet {
        Outlet::Inherited => Ok(None),
        Outlet::File(path) => {
            let file = File::create(path)?;
            command.stdout(file.try_clone()?).stderr(file);
            Ok(None)
        }
        Outlet::Kept => {
            let make = |name: &str| -> io::Result<(File, File)> {
                let path = folder.path().join(name);
                // Appending, so that processes that open it anew by its name add to it as they do to a pipe.
                let to = OpenOptions::new().create(true).append(true).open(&path)?;
                Ok((to, File::open(path)?))
            };
            let ((out, out_kept), (err, err_kept)) = (make("stdout")?, make("stderr")?);
            command.stdout(out).stderr(err);
            Ok(Some([out_kept, err_kept]))
        }
    }
}

/// What the thread owns.
struct Watch {
    child: Child,
    handle: Handle,
    feed: Feed,
    printed: Sender<Output>,
    /// How far the output was handed on, of the two streams.
    places: [u64; 2],
    /// When the run began, on the clock of all processes.
    began: u64,
    _folder: Folder,
}

impl Watch {
    fn run(mut self, label: String) {
        let mut events = self.opening(label);
        let mut exit = None;
        while exit.is_none() && !self.feed.cancel().is_cancelled() {
            // The child is asked first: what was there when it had ended is all there will be.
            exit = self.ended();
            let complete_to = self.now() - Nanos::from(TICK);
            self.feed.send(std::mem::take(&mut events), complete_to);
            self.hand_on();
            if exit.is_none() {
                self.feed.cancel().wait_until(Instant::now() + TICK);
            }
        }
        self.close(exit);
        self.hand_on_rest();
    }

    fn now(&self) -> Time {
        Time(platform::monotonic().saturating_sub(self.began))
    }

    fn opening(&self, label: String) -> Vec<Event> {
        let run = RunBegan {
            label,
            measured: true,
            cpus: Some(platform::processors().usable),
            gil: false,
            serial: Nanos::ZERO,
            work: None,
            program: true,
        };
        let main = LaneOpened {
            kind: LaneKind::Caller,
            pool: None,
            name: "main".to_owned(),
            pid: Some(self.handle.pid()),
            tid: Some(u64::from(self.handle.pid())),
        };
        [
            Kind::RunBegan(Box::new(run)),
            Kind::LaneOpened(Box::new(main)),
        ]
        .map(|kind| Event {
            at: Time::ZERO,
            lane: LaneId(0),
            kind,
        })
        .into()
    }

    /// Asks the child without waiting, under the lock that keeps signals away from other processes.
    fn ended(&mut self) -> Option<Exit> {
        let mut exit = self
            .handle
            .0
            .exit
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // A child that cannot be asked is not ours any more.
        *exit = match self.child.try_wait() {
            Ok(status) => status.map(how),
            Err(_) => Some(Exit::Code(-1)),
        };
        *exit
    }

    fn close(&mut self, exit: Option<Exit>) {
        let note = exit.map(|exit| Note {
            kind: NoteKind::ProgramEnded,
            pool: None,
            call: None,
            text: String::new(),
            value: exit.value(),
        });
        let ends = match exit {
            Some(_) => Ends::Returned,
            None => Ends::Cancelled,
        };
        let note = note.map(|note| Kind::Noted(Box::new(note)));
        let at = self.now();
        let kinds = note.into_iter().chain([Kind::RunEnded { ends }]);
        let events = kinds.map(|kind| Event {
            at,
            lane: LaneId(0),
            kind,
        });
        self.feed.send(events.collect(), Time::NEVER);
    }

    /// Hands on what was printed, as far as there is room for it.
    fn hand_on(&mut self) {
        for stream in [Stream::Out, Stream::Err] {
            while let Some(piece) = self.piece(stream) {
                let length = piece.bytes.len() as u64;
                match self.printed.try_send(piece) {
                    Ok(()) => self.places[stream as usize] += length,
                    Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => break,
                }
            }
        }
    }

    /// Hands on all that was printed; waits for the reader.
    fn hand_on_rest(&mut self) {
        for stream in [Stream::Out, Stream::Err] {
            while let Some(piece) = self.piece(stream) {
                let length = piece.bytes.len() as u64;
                let sent = select! {
                    send(self.printed, piece) -> sent => sent.is_ok(),
                    recv(self.feed.cancel().closed()) -> _ => false,
                };
                if !sent {
                    return;
                }
                self.places[stream as usize] += length;
            }
        }
    }

    fn piece(&self, stream: Stream) -> Option<Output> {
        let mut bytes = vec![0; PIECE];
        let from = self.places[stream as usize];
        let length = self.handle.read_kept(stream, from, &mut bytes).ok()?;
        bytes.truncate(length);
        (length > 0).then_some(Output { stream, bytes })
    }
}

fn how(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}
