//! preview VIEW key=value...
#![allow(clippy::all, clippy::pedantic, unused, clippy::disallowed_methods)]
use parviz::app::*;
use parviz::experiment::*;
use parviz::method::Method;
use parviz::palette::*;
use parviz::time::*;
use parviz::ui::{self, text::Pen, theme::Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use std::collections::HashMap;
fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let view = args.remove(0);
    let o: HashMap<String, String> = args
        .iter()
        .filter_map(|a| a.split_once('=').map(|(a, b)| (a.into(), b.into())))
        .collect();
    let num = |k: &str, d: u64| o.get(k).and_then(|v| v.parse().ok()).unwrap_or(d);
    let text = |k: &str, d: &str| o.get(k).cloned().unwrap_or(d.to_owned());
    let (cols, rows) = crossterm::terminal::size().unwrap_or((80, 24));
    let look = Look {
        theme: ThemeName::named(&text("theme", "dark")).unwrap(),
        depth: match text("depth", "true").as_str() {
            "true" => Depth::True,
            "256" => Depth::Indexed,
            "16" => Depth::Sixteen,
            _ => Depth::None,
        },
        charset: if num("ascii", 0) == 1 {
            Charset::Ascii
        } else {
            Charset::Unicode
        },
    };
    let mut experiment = Experiment {
        backend: Backend::Simulated,
        method: Method::named(&text("method", "map")).unwrap(),
        workers: num("workers", 8) as u32,
        cpus: Some(num("cpus", 8) as u32),
        tasks: num("tasks", 24) as u32,
        chunksize: Some(num("chunk", 1) as u32),
        seed: num("seed", 7),
        ..Experiment::default()
    };
    for (key, kind) in [("fail", FaultKind::Raise), ("die", FaultKind::Die)] {
        if let Some(v) = o.get(key) {
            experiment.faults.push(Fault {
                task: v.parse().unwrap(),
                kind,
            });
        }
    }
    let run = |e: &Experiment| parviz::origin::simulated::run(e);
    let mut app = App::new(
        experiment.clone(),
        Settings {
            look,
            size: (cols, rows),
            demo: num("demo", 0) == 1,
            ..Settings::default()
        },
    );
    let before = Method::named(&text("before", "map")).unwrap();
    if num("two", 0) == 1 {
        let old = Experiment {
            method: before,
            ..experiment.clone()
        };
        app = App::new(
            old.clone(),
            Settings {
                look,
                size: (cols, rows),
                ..Settings::default()
            },
        );
        let id = app.run.id;
        app.update(Message::Batch {
            run: id,
            events: run(&old),
            complete_to: Time::ZERO,
        });
        app.update(Message::RunOver { run: id });
        let end = app.run.end();
        app.run.playback.stop_at(end);
        let prev = app.run.clone();
        app = App::new(
            experiment.clone(),
            Settings {
                look,
                size: (cols, rows),
                ..Settings::default()
            },
        );
        app.previous = Some(prev);
    }
    let id = app.run.id;
    app.update(Message::Batch {
        run: id,
        events: run(&experiment),
        complete_to: Time::ZERO,
    });
    app.update(Message::RunOver { run: id });
    let end = app.run.end();
    let at: f64 = text("at", "1").parse().unwrap();
    app.run.playback.stop_at(Time((end.0 as f64 * at) as u64));
    let cursor = app.cursor();
    app.viewport.fit_exactly(end);
    let area = Rect::new(0, 0, cols, rows);
    let mut buffer = Buffer::empty(area);
    let mut pen = Pen::new(&mut buffer, Theme::of(look));
    pen.fill(area, pen.theme.background);
    let inner = Rect {
        y: 1,
        height: rows.saturating_sub(2),
        ..area
    };
    let trace = &app.run.trace;
    let page = num("page", 0) as usize;
    match view.as_str() {
        "slope" => ui::slope::render(trace, cursor, inner, &mut pen),
        "figures" => ui::figures::render(trace, cursor, 0, inner, &mut pen),
        "definitions" => ui::definitions::render(trace, cursor, page, area, &mut pen),
        "help" => ui::help::render(&app, page, area, &mut pen),
        "inspector" => ui::inspector::render(
            &app.run,
            o.get("task").map(|t| t.parse().unwrap()),
            area,
            &mut pen,
        ),
        "form" => {
            let mut form = parviz::app::form::Form::new(&experiment, 4);
            form.focus = num("focus", 2) as usize;
            ui::form::render(&form, area, &mut pen)
        }
        "find" => ui::find::render(
            &parviz::app::find::Find {
                line: "1".into(),
                matches: vec![1, 2],
                ..Default::default()
            },
            area,
            &mut pen,
        ),
        _ => panic!(),
    }
    let mut out = String::from("\x1b[2J\x1b[?7l");
    for y in 0..rows {
        out += &format!("\x1b[{};1H", y + 1);
        for x in 0..cols {
            let c = &buffer[(x, y)];
            out += "\x1b[0";
            for (color, base) in [(c.fg, 38), (c.bg, 48)] {
                match color {
                    Color::Rgb(r, g, b) => out += &format!(";{base};2;{r};{g};{b}"),
                    Color::Indexed(i) => out += &format!(";{base};5;{i}"),
                    _ => {}
                }
            }
            for (m, n) in [
                (Modifier::BOLD, 1),
                (Modifier::UNDERLINED, 4),
                (Modifier::REVERSED, 7),
            ] {
                if c.modifier.contains(m) {
                    out += &format!(";{n}");
                }
            }
            out += "m";
            out += c.symbol();
        }
    }
    print!("{out}\x1b[?25l");
    use std::io::Write;
    std::io::stdout().flush().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(20));
}
