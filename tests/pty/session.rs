//! A program in a pseudo-terminal: keys go in, the screen as a person would see it comes out.
//!
//! Nothing here sleeps. Waiting is for a condition of the rendered screen or for the end of the
//! program, with a deadline that only a failure reaches. What a terminal must answer is answered.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "waits by the clock, with a thread that reads"
)]
#![allow(
    dead_code,
    reason = "the tests use one half of it, the benches another"
)]

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtyPair, PtySize, SlavePty};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use vt100::{MouseProtocolMode, Parser, Screen};

/// Only a failure takes as long as this.
const DEADLINE: Duration = Duration::from_secs(400);

/// How the program is started.
pub(crate) struct Setting {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) columns: u16,
    pub(crate) rows: u16,
    /// Without it the loss of the terminal sends no signal.
    pub(crate) controlling: bool,
    /// The terminal's answer to the question for its background.
    pub(crate) background: Option<&'static str>,
}

impl Setting {
    pub(crate) fn of(program: &str, arguments: &[&str]) -> Self {
        let environment = [
            ("TERM", "xterm-256color"),
            ("COLORTERM", "truecolor"),
            ("LANG", "C.UTF-8"),
            ("PATH", env!("PATH")),
            ("HOME", "/nonexistent"),
        ];
        Self {
            program: program.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.into()).collect(),
            environment: environment
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
            columns: 80,
            rows: 24,
            controlling: true,
            background: None,
        }
    }

    pub(crate) fn parviz(arguments: &[&str]) -> Self {
        Self::of(env!("CARGO_BIN_EXE_parviz"), arguments)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub(crate) fn sized(mut self, columns: u16, rows: u16) -> Self {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    pub(crate) fn start(&self) -> Session {
        Session::start(self)
    }
}

/// The gate through which the terminal reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    /// The terminal reads nothing.
    Stalled,
    /// It reads this many bytes a second.
    Crawling(u32),
    /// After the next bytes the terminal closes.
    Closing,
}

pub(crate) struct Session {
    output: mpsc::Receiver<Vec<u8>>,
    gate: Arc<(Mutex<Gate>, Condvar)>,
    screen: Parser,
    /// Bytes received so far.
    pub(crate) received: usize,
    /// Whole frames among them.
    pub(crate) frames: usize,
    /// How much of the end of a frame has come.
    matched: usize,
    last: Vec<u8>,
    keys: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    slave: Option<Box<dyn SlavePty + Send>>,
    modes: String,
    background: Option<&'static str>,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn at_least_one(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN)
}

/// The modes of the terminal, for comparison.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

impl Session {
    fn start(setting: &Setting) -> Self {
        let PtyPair { slave, master } = portable_pty::native_pty_system()
            .openpty(size(setting.columns, setting.rows))
            .unwrap();
        let mut command = CommandBuilder::new(&setting.program);
        command.args(&setting.arguments);
        command.cwd("/");
        command.env_clear();
        for (name, value) in &setting.environment {
            command.env(name, value);
        }
        command.set_controlling_tty(setting.controlling);
        let modes = modes(&*master);
        let child = slave.spawn_command(command).unwrap();
        let gate = Arc::new((Mutex::new(Gate::Open), Condvar::new()));
        let (sender, output) = mpsc::channel();
        let mut reader = master.try_clone_reader().unwrap();
        let passing = Arc::clone(&gate);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            let mut most = buffer.len();
            while let Ok(count @ 1..) = reader.read(&mut buffer[..most]) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
                let (gate, changed) = &*passing;
                let gate = gate.lock().unwrap();
                let gate = changed
                    .wait_while(gate, |gate| *gate == Gate::Stalled)
                    .unwrap();
                most = buffer.len();
                match *gate {
                    Gate::Closing => return,
                    Gate::Crawling(rate) => {
                        most = 64;
                        let time = Duration::from_secs(1) * count as u32 / rate;
                        // Until the time is over, or the gate changes.
                        let _ = changed.wait_timeout(gate, time);
                    }
                    Gate::Open | Gate::Stalled => {}
                }
            }
        });
        Self {
            output,
            gate,
            screen: Parser::new(at_least_one(setting.rows), at_least_one(setting.columns), 0),
            received: 0,
            frames: 0,
            matched: 0,
            last: Vec::new(),
            keys: Some(master.take_writer().unwrap()),
            child,
            master: Some(master),
            slave: Some(slave),
            modes,
            background: setting.background,
        }
    }

    pub(crate) fn screen(&self) -> &Screen {
        self.screen.screen()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.process_id().unwrap().cast_signed()).unwrap()
    }

    pub(crate) fn press(&mut self, keys: &str) {
        let input = self.keys.as_mut().unwrap();
        input.write_all(keys.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.screen
            .screen_mut()
            .set_size(at_least_one(rows), at_least_one(columns));
        let master = self.master.as_ref().unwrap();
        master.resize(size(columns, rows)).unwrap();
    }

    /// Something else clears the screen.
    pub(crate) fn scribble(&mut self) {
        self.catch_up();
        self.screen.process(b"\x1b[2J");
    }

    fn set_gate(&self, to: Gate) {
        *self.gate.0.lock().unwrap() = to;
        self.gate.1.notify_all();
    }

    /// The terminal reads one more piece, and then nothing.
    pub(crate) fn stall(&self) {
        self.set_gate(Gate::Stalled);
    }

    /// The terminal reads this many bytes a second.
    pub(crate) fn crawl(&self, rate: u32) {
        self.set_gate(Gate::Crawling(rate));
    }

    pub(crate) fn read_on(&self) {
        self.set_gate(Gate::Open);
    }

    /// The terminal goes away. `provoke` must make the program write something.
    pub(crate) fn hang_up(&mut self, provoke: impl FnOnce(&mut Self)) {
        self.set_gate(Gate::Closing);
        provoke(self);
        while let Ok(bytes) = self.output.recv_timeout(DEADLINE) {
            self.take(&bytes);
        }
        self.slave.take();
        self.keys.take();
        self.master.take();
    }

    fn take(&mut self, bytes: &[u8]) {
        self.received += bytes.len();
        self.screen.process(bytes);
        self.count_frames(bytes);
        // A question may come in two pieces.
        self.last.extend_from_slice(bytes);
        let questions: [(&[u8], Option<String>); 3] = [
            (b"\x1b[6n", Some("\x1b[1;1R".to_owned())),
            (
                b"\x1b]11;?\x1b\\",
                self.background
                    .map(|colour| format!("\x1b]11;{colour}\x1b\\")),
            ),
            (b"\x1b[c", Some("\x1b[?62;22c".to_owned())),
        ];
        for (question, answer) in questions {
            let found = self
                .last
                .windows(question.len())
                .position(|window| window == question);
            if let Some(at) = found {
                self.last.drain(..at + question.len());
                if let (Some(answer), true) = (answer, self.keys.is_some()) {
                    self.press(&answer);
                }
            }
        }
        let keep = self.last.len().saturating_sub(16);
        self.last.drain(..keep);
    }

    fn count_frames(&mut self, bytes: &[u8]) {
        const END: &[u8] = b"\x1b[?2026l";
        for &byte in bytes {
            self.matched = if byte == END[self.matched] {
                self.matched + 1
            } else {
                usize::from(byte == END[0])
            };
            if self.matched == END.len() {
                self.matched = 0;
                self.frames += 1;
            }
        }
    }

    /// Waits until this many whole frames have come.
    pub(crate) fn wait_for_frames(&mut self, count: usize) {
        while self.frames < count {
            match self.output.recv_timeout(DEADLINE) {
                Ok(bytes) => self.take(&bytes),
                Err(error) => panic!("no frame came ({error})"),
            }
        }
    }

    /// Waits until the screen is as `wanted`.
    pub(crate) fn wait_until(&mut self, what: &str, wanted: impl Fn(&Screen) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !wanted(self.screen.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(error) => panic!(
                    "never saw {what} ({error}); the screen:\n{}",
                    self.screen().contents()
                ),
            }
        }
    }

    /// Waits until this text stands on the screen.
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |screen| screen.contents().contains(text));
    }

    /// Takes what has arrived, without waiting.
    pub(crate) fn catch_up(&mut self) {
        while let Ok(bytes) = self.output.try_recv() {
            self.take(&bytes);
        }
    }

    /// Takes what arrives within this time; for measuring.
    pub(crate) fn watch(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while let Ok(bytes) = self
            .output
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            self.take(&bytes);
        }
    }

    /// Waits until the program has no more threads than this. The terminal need not read meanwhile.
    #[cfg(target_os = "linux")]
    pub(crate) fn wait_for_threads(&mut self, count: usize) {
        let place = format!("/proc/{}/task", self.pid().as_raw_nonzero());
        let deadline = Instant::now() + DEADLINE;
        while std::fs::read_dir(&place).unwrap().count() > count {
            assert!(Instant::now() < deadline, "too many threads");
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(5)) {
                self.take(&bytes);
            }
        }
    }

    /// Waits until the program stands still.
    pub(crate) fn wait_stopped(&mut self) {
        let look = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let deadline = Instant::now() + DEADLINE;
        while waitid(WaitId::Pid(self.pid()), look).unwrap().is_none() {
            assert!(Instant::now() < deadline, "the program does not stop");
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(5)) {
                self.take(&bytes);
            }
        }
    }

    /// CPU time that the program has taken, in steps of 10 ms; also when it has ended, until [`Self::end`].
    #[cfg(target_os = "linux")]
    pub(crate) fn cpu_time(&self) -> Duration {
        let place = format!("/proc/{}/stat", self.pid().as_raw_nonzero());
        let told = std::fs::read_to_string(place).unwrap();
        let (_, fields) = told.rsplit_once(')').unwrap();
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.map(|field| field.parse::<u64>().unwrap()).sum();
        Duration::from_millis(10 * ticks)
    }

    /// Waits until the program has ended; what was counted of it is there still.
    pub(crate) fn wait_ended(&mut self) {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let deadline = Instant::now() + DEADLINE;
        while waitid(WaitId::Pid(self.pid()), look).unwrap().is_none() {
            assert!(Instant::now() < deadline, "the program does not end");
            if self.output.recv_timeout(Duration::from_millis(1)).is_err() {
                thread::yield_now();
            }
        }
    }

    /// Waits for the program to end, and for all that it wrote.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(
                Instant::now() < deadline,
                "the program does not end; the screen:\n{}",
                self.screen().contents()
            );
            // It may be waiting for us to read; otherwise this is the pace of looking.
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(5)) {
                self.take(&bytes);
            }
        };
        if let Some(master) = &self.master {
            let found = std::mem::take(&mut self.modes);
            assert_eq!(modes(&**master), found, "the terminal's modes");
        }
        self.set_gate(Gate::Open);
        // Nobody has the terminal open any more: what is left is read, and then it ends.
        self.slave.take();
        while let Ok(bytes) = self.output.recv_timeout(DEADLINE) {
            self.take(&bytes);
        }
        status
    }

    /// The screen is one that a shell can go on with.
    pub(crate) fn assert_given_back(&self) {
        let screen = self.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is on");
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste is on");
        assert_eq!(screen.mouse_protocol_mode(), MouseProtocolMode::None);
    }

    /// Waits for the end, and asserts that the terminal is as it was found.
    pub(crate) fn end_tidily(&mut self) -> ExitStatus {
        let status = self.end();
        self.assert_given_back();
        status
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.set_gate(Gate::Closing);
        // It has ended in every test that succeeds.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
