//! What the dashboard costs: at rest, alive, at the start, and on a terminal that stalls or crawls.
//!
//! The other side is this program itself, run as `strawman`: bare ratatui, drawing as little as it can
//! get away with. Both run in a pseudo-terminal of the same size. Times are CPU time of the whole
//! process, except where waiting is what is measured.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench reads clocks and files, and prints"
)]

#[cfg(unix)]
#[path = "../tests/pty/session.rs"]
mod session;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, name, kind] = arguments.as_slice()
        && name == "strawman"
    {
        return strawman::show(kind);
    }
    if let [_, name, frames] = arguments.as_slice()
        && name == "frames"
    {
        return frames::draw(frames.parse().unwrap_or(1000));
    }
    #[cfg(target_os = "linux")]
    sides::all();
    Ok(())
}

/// What is compared with: nothing but ratatui.
mod strawman {
    use crossterm::event::{self, Event};
    use crossterm::{cursor, execute, terminal};
    use ratatui::Terminal;
    use ratatui::backend::CrosstermBackend;
    use ratatui::style::Color;
    use std::io::{self, BufWriter, Write};
    use std::time::{Duration, Instant};

    /// `still`, or `live`: a tenth of the cells changes ten times a second.
    pub(crate) fn show(kind: &str) -> io::Result<()> {
        terminal::enable_raw_mode()?;
        let mut output = BufWriter::with_capacity(1 << 16, io::stdout());
        execute!(output, terminal::EnterAlternateScreen, cursor::Hide)?;
        let mut terminal = Terminal::new(CrosstermBackend::new(output))?;
        let mut turn = 0_usize;
        loop {
            let drawn = Instant::now();
            write!(terminal.backend_mut(), "\x1b[?2026h")?;
            terminal.draw(|frame| {
                for (place, cell) in frame.buffer_mut().content.iter_mut().enumerate() {
                    let moment = if place % 10 == 0 { turn } else { 0 };
                    cell.set_char(if moment % 2 == 0 { 'a' } else { 'b' });
                    cell.set_fg(Color::Indexed((place / 7 % 200) as u8));
                }
            })?;
            write!(terminal.backend_mut(), "\x1b[?2026l")?;
            terminal.backend_mut().flush()?;
            turn += 1;
            let quits = if kind == "still" {
                matches!(event::read()?, Event::Key(_))
            } else {
                let left = Duration::from_millis(100).saturating_sub(drawn.elapsed());
                event::poll(left)? && matches!(event::read()?, Event::Key(_))
            };
            if quits {
                break;
            }
        }
        execute!(
            terminal.backend_mut(),
            cursor::Show,
            terminal::LeaveAlternateScreen
        )?;
        terminal::disable_raw_mode()
    }
}

/// Frames drawn into memory one after another, for a profiler: no terminal, no waiting.
mod frames {
    use parviz::app::{App, Message, Settings};
    use parviz::experiment::{Backend, Experiment};
    use parviz::time::{Nanos, Time};
    use parviz::{origin, terminal::Canvas, ui};
    use ratatui::layout::Size;
    use std::time::Instant;

    pub(crate) fn draw(frames: u32) -> std::io::Result<()> {
        let experiment = Experiment {
            backend: Backend::Simulated,
            workers: 16,
            tasks: 1280,
            chunksize: Some(1),
            unit: Nanos(560_000_000),
            ..Experiment::default()
        };
        let settings = Settings {
            size: (200, 50),
            ..Settings::default()
        };
        let events = origin::simulated::run(&experiment);
        let mut app = App::new(experiment, settings);
        let run = app.run.id;
        app.update(Message::Batch {
            run,
            events,
            complete_to: Time::NEVER,
        });
        app.update(Message::RunOver { run });
        let mut canvas = Canvas::new(Size::new(200, 50))?;
        let (mut frame, mut bytes) = (Vec::new(), 0);
        let began = Instant::now();
        for turn in 0..frames {
            // From the first second to the whole run.
            let now = Nanos(40_000_000_000 / u64::from(frames) * u64::from(turn));
            app.update(Message::Tick { now });
            canvas.draw(&mut frame, |frame| ui::draw(&app, frame))?;
            bytes += frame.len();
        }
        let each = began.elapsed() / frames;
        println!("{each:?} and {} bytes a frame", bytes / frames as usize);
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod sides {
    use crate::session::{Session, Setting};
    use rustix::process::Pid;
    use std::time::{Duration, Instant};

    const SIZE: (u16, u16) = (200, 50);

    pub(crate) fn all() {
        let seconds = std::env::var("PARVIZ_BENCH_SECONDS").ok();
        let asked = seconds.and_then(|text| text.parse().ok());
        let seconds = |usual| Duration::from_secs(asked.unwrap_or(usual));
        idle(seconds(60));
        live(seconds(20));
        start();
        stalled();
        crawling();
        lost();
    }

    fn strawman(kind: &str) -> Setting {
        let program = std::env::current_exe().expect("a bench knows where it is");
        let (columns, rows) = SIZE;
        Setting::of(&program.to_string_lossy(), &["strawman", kind]).sized(columns, rows)
    }

    fn parviz(arguments: &[&str]) -> Setting {
        let (columns, rows) = SIZE;
        let usual = ["lab", "--theme", "dark"];
        Setting::parviz(&[&usual, arguments].concat()).sized(columns, rows)
    }

    /// A run of the simulated pool that is over at once.
    const SHORT: [&str; 6] = [
        "--backend",
        "simulated",
        "--costs",
        "1,1,1,1",
        "--unit",
        "1ms",
    ];

    /// CPU time of all threads the process has now.
    fn cpu_time(pid: Pid) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero()));
        let nanos = tasks.into_iter().flatten().flatten().filter_map(|task| {
            let told = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            told.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanos.sum())
    }

    fn memory(pid: Pid) -> u64 {
        let told = std::fs::read_to_string(format!("/proc/{}/statm", pid.as_raw_nonzero()));
        let pages = told.ok().and_then(|told| {
            let resident = told.split_whitespace().nth(1)?;
            resident.parse::<u64>().ok()
        });
        pages.unwrap_or_default() * 4096
    }

    /// What a session did while it was watched.
    #[derive(Default)]
    struct Watched {
        cpu: f64,
        bytes: usize,
        frames: usize,
    }

    fn watch(session: &mut Session, time: Duration) -> Watched {
        session.catch_up();
        let before = (cpu_time(session.pid()), session.received, session.frames);
        let began = Instant::now();
        session.watch(time);
        let cpu = cpu_time(session.pid()).saturating_sub(before.0);
        Watched {
            cpu: 100.0 * cpu.as_secs_f64() / began.elapsed().as_secs_f64(),
            bytes: session.received - before.1,
            frames: session.frames - before.2,
        }
    }

    /// Watches both for this long, in turn, so that what else the machine does meets both.
    fn watch_in_turn(mut sides: [&mut Session; 2], time: Duration) -> [Watched; 2] {
        const TURNS: u32 = 4;
        let mut seen = [Watched::default(), Watched::default()];
        for _ in 0..TURNS {
            for (session, seen) in sides.iter_mut().zip(&mut seen) {
                let turn = watch(session, time / TURNS);
                seen.cpu += turn.cpu / f64::from(TURNS);
                seen.bytes += turn.bytes;
                seen.frames += turn.frames;
            }
        }
        seen
    }

    fn finish(mut session: Session) {
        session.press("q");
        session.end();
    }

    fn idle(time: Duration) {
        println!("goal 5  idle, nothing changing, {time:?} each: at most 0.1 % of a core, 0 bytes");
        let mut ours = parviz(&SHORT).start();
        let mut bare = strawman("still").start();
        for session in [&mut ours, &mut bare] {
            session.wait_for_frames(1);
            session.watch(Duration::from_secs(3));
        }
        let [a, b] = watch_in_turn([&mut ours, &mut bare], time);
        println!("  parviz    {:.4} %  {} bytes", a.cpu, a.bytes);
        println!("  strawman  {:.4} %  {} bytes", b.cpu, b.bytes);
        println!("  ratio to the goal {:.2}", a.cpu / 0.1);
        finish(ours);
        finish(bare);
    }

    fn live(time: Duration) {
        println!("goal 6  alive, 200x50: at most 1 % of a core at 10 frames/s");
        let unit = format!("{}ms", (2 * time.as_millis() + 5000) / 80);
        let run = [
            &[
                "--backend",
                "simulated",
                "--workers",
                "16",
                "--tasks",
                "1280",
            ][..],
            &[
                "--costs",
                "lognormal:1",
                "--unit",
                &unit,
                "--chunksize",
                "1",
            ],
        ]
        .concat();
        let mut ours = parviz(&run).start();
        let mut bare = strawman("live").start();
        for session in [&mut ours, &mut bare] {
            session.wait_for_frames(1);
            session.watch(Duration::from_secs(1));
        }
        let [a, b] = watch_in_turn([&mut ours, &mut bare], time);
        let mut each = Vec::new();
        for (name, side) in [("parviz  ", &a), ("strawman", &b)] {
            let frames = side.frames.max(1) as f64;
            let rate = frames / time.as_secs_f64();
            let at_ten = side.cpu * 10.0 / rate;
            let size = side.bytes as f64 / frames / 1000.0;
            println!(
                "  {name}  {:.2} % at {rate:.1} frames/s, {size:.1} kB a frame: {at_ten:.2} % at 10",
                side.cpu
            );
            each.push(at_ten);
        }
        println!("  ratio {:.2}", each[0] / each[1]);
        finish(ours);
        finish(bare);
    }

    fn start() {
        println!(
            "goal 11  start to the first whole frame, best and middle of 15: at most 15 ms, and half of bottom's"
        );
        let mut sides = vec![
            ("parviz  ", parviz(&SHORT), Vec::new()),
            ("strawman", strawman("still"), Vec::new()),
        ];
        if let Some(bottom) = bottom() {
            sides.push(("bottom  ", bottom, Vec::new()));
        } else {
            println!("  bottom    not compared: `btm` is not on the path");
        }
        for _ in 0..15 {
            // In turn, so that what else the machine does meets all.
            for (name, setting, times) in &mut sides {
                let began = Instant::now();
                let mut session = setting.start();
                if *name == "bottom  " {
                    // It does not say where a frame ends: the first part of one counts.
                    session.wait_until("bottom", |screen| !screen.contents().trim().is_empty());
                } else {
                    session.wait_for_frames(1);
                }
                times.push(began.elapsed().as_secs_f64() * 1e3);
                finish(session);
            }
        }
        let mut ours = None;
        for (name, _, times) in &mut sides {
            times.sort_by(f64::total_cmp);
            let ours = *ours.get_or_insert(times[7]);
            let ratio = ours / times[7];
            println!(
                "  {name}  {:.1} ms, {:.1} ms: ratio {ratio:.2}",
                times[0], times[7]
            );
        }
    }

    /// The monitor `btm`, if it is on the path.
    fn bottom() -> Option<Setting> {
        let path = std::env::var_os("PATH")?;
        let found = std::env::split_paths(&path).any(|folder| folder.join("btm").is_file());
        let (columns, rows) = SIZE;
        found.then(|| Setting::of("btm", &[]).sized(columns, rows))
    }

    fn stalled() {
        println!("stalled  1000 tasks of 1 ms, I/O, 4 workers; the terminal reads nothing for 5 s");
        let run = [
            &["--backend", "threads", "--workers", "4", "--tasks", "1000"][..],
            &["--costs", "const:1ms", "--kind", "io", "--main-work", "0"],
        ]
        .concat();
        let mut makespans = Vec::new();
        for stalls in [false, true] {
            let mut session = parviz(&run).start();
            session.wait_for_frames(1);
            if stalls {
                session.stall();
            }
            let before = memory(session.pid());
            session.watch(Duration::from_secs(5));
            let grown = memory(session.pid()).saturating_sub(before) / 1024;
            let asked = Instant::now();
            session.press("?");
            session.read_on();
            session.wait_for("Esc");
            let answered = asked.elapsed().as_secs_f64() * 1e3;
            session.press("\x1b");
            let told = makespan(&mut session);
            println!(
                "  {}  makespan {told:.4} s, key answered after {answered:.0} ms, memory {grown:+} KiB",
                if stalls { "stalled " } else { "reading " }
            );
            makespans.push(told);
            finish(session);
        }
        println!("  ratio {:.3}", makespans[1] / makespans[0]);
    }

    /// The makespan as the screen tells it, in seconds: the number under the word.
    fn makespan(session: &mut Session) -> f64 {
        session.wait_for("replay");
        let screen = session.screen().contents();
        let mut lines = screen.lines().skip_while(|line| !line.contains("makespan"));
        let mut words = lines.nth(1).unwrap_or_default().split_whitespace();
        let number = words.next().and_then(|word| word.parse::<f64>().ok());
        let unit = match words.next() {
            Some("s") => 1.0,
            Some("ms") => 1e-3,
            _ => f64::NAN,
        };
        number.unwrap_or(f64::NAN) * unit
    }

    fn crawling() {
        println!("crawling  a terminal of 2 kB/s, a run playing: frames and keys");
        let run = [
            &["--backend", "simulated", "--workers", "8", "--tasks", "64"][..],
            &["--costs", "lognormal:1", "--unit", "1s"],
        ]
        .concat();
        let mut session = parviz(&run).sized(80, 24).start();
        session.wait_for_frames(1);
        session.crawl(2000);
        let watched = watch(&mut session, Duration::from_secs(10));
        let asked = Instant::now();
        session.press("q");
        session.end();
        println!(
            "  {:.1} frames/s, {} bytes/s, {:.2} % of a core; q gave the terminal back after {:.0} ms",
            watched.frames as f64 / 10.0,
            watched.bytes / 10,
            watched.cpu,
            asked.elapsed().as_secs_f64() * 1e3
        );
    }

    fn lost() {
        println!(
            "lost  the terminal goes away in a run: until the end, middle and worst of 15; 1 s"
        );
        for (name, controlling) in [("with a signal   ", true), ("without a signal", false)] {
            let mut ends: Vec<(f64, Duration)> = (0..15).map(|_| lose(controlling)).collect();
            ends.sort_by(|a, b| a.0.total_cmp(&b.0));
            let cpu = ends.iter().map(|end| end.1).max().unwrap_or_default();
            println!(
                "  {name}  {:.0} ms, {:.0} ms; CPU time {cpu:?} at most",
                ends[7].0, ends[14].0
            );
        }
    }

    /// Milliseconds from the loss of the terminal to the end, and the CPU time of that.
    fn lose(controlling: bool) -> (f64, Duration) {
        let mut setting = parviz(&["--costs", "const:60s", "--kind", "io"]);
        setting.controlling = controlling;
        let mut session = setting.start();
        session.wait_for_frames(2);
        session.hang_up(|session| session.press("T"));
        let (lost, before) = (Instant::now(), session.cpu_time());
        session.wait_ended();
        let took = lost.elapsed().as_secs_f64() * 1e3;
        let cpu = session.cpu_time().saturating_sub(before);
        session.end();
        (took, cpu)
    }
}
