//! A run in virtual time on a screen of any size: keys in, the whole screen out.

use std::fmt::Write;

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use parviz::app::output::Line;
use parviz::app::{App, Effect, Message, Settings, Watched};
use parviz::event::Event;
use parviz::experiment::{Backend, Experiment};
use parviz::origin::python::Stream;
use parviz::origin::simulated;
use parviz::palette::{Charset, Depth, Look, ThemeName};
use parviz::time::{Nanos, Time};
use parviz::ui;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Style;

/// A program that has been started, with its run told to the end and seen to the end.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) app: App,
}

impl Stage {
    pub(crate) fn new(experiment: &Experiment, size: (u16, u16)) -> Self {
        let experiment = Experiment {
            backend: Backend::Simulated,
            ..experiment.clone()
        };
        let settings = Settings {
            size,
            ..Settings::default()
        };
        let mut stage = Self {
            app: App::new(experiment, settings),
        };
        let opening = stage.app.opening();
        stage.perform(Some(opening));
        stage
    }

    /// A program that was told these events of its first run and then that it is over.
    pub(crate) fn told(experiment: &Experiment, size: (u16, u16), events: Vec<Event>) -> Self {
        let settings = Settings {
            size,
            ..Settings::default()
        };
        let mut app = App::new(experiment.clone(), settings);
        let run = app.run.id;
        let complete_to = Time::ZERO;
        app.update(Message::Batch {
            run,
            events,
            complete_to,
        });
        app.update(Message::RunOver { run });
        Self { app }
    }

    /// A program that is watched, told these events: to its end, or up to a moment, in milliseconds.
    pub(crate) fn watching(
        program: Watched,
        size: (u16, u16),
        events: &[Event],
        until: Option<u64>,
    ) -> Self {
        let settings = Settings {
            size,
            ..Settings::default()
        };
        let mut app = App::watching(program, settings);
        app.update(Message::Python("python3.12 3.12.1".to_owned()));
        let run = app.run.id;
        let complete_to = until.map_or(Time::NEVER, |until| Time(until * 1_000_000));
        let told = |event: &&Event| until.is_none() || event.at <= complete_to;
        app.update(Message::Batch {
            run,
            events: events.iter().filter(told).cloned().collect(),
            complete_to,
        });
        app.update(Message::Tick { now: Nanos::SECOND });
        Self { app }
    }

    /// The program has printed these lines, each to stdout, or to stderr where it begins with `!`.
    pub(crate) fn printed(mut self, lines: &[&str]) -> Self {
        let lines = lines.iter().zip(0..).map(|(line, number)| Line {
            number,
            stream: if line.starts_with('!') {
                Stream::Err
            } else {
                Stream::Out
            },
            text: line.trim_start_matches('!').to_owned(),
        });
        let page: Vec<Line> = lines.collect();
        let lines = page.len() as u64;
        self.app.update(Message::Printed { lines });
        self.app.update(Message::Page(page));
        self
    }

    /// The same in other colours or characters.
    pub(crate) fn look(mut self, look: Look) -> Self {
        self.app.look = look;
        if self.app.is_ascii() {
            self.app.keymap = self.app.keymap.without_arrows();
        }
        self
    }

    /// Puts the cursor at a share of the run, paused.
    pub(crate) fn at(mut self, share: f64) -> Self {
        let end = self.app.run.end();
        let at = Time((end.0 as f64 * share) as u64);
        self.app.run.playback.stop_at(at);
        self
    }

    /// Presses keys, one after another: `c`, `PageDown`, `Enter`, ...
    pub(crate) fn press(mut self, keys: &[&str]) -> Self {
        for key in keys {
            let code = match *key {
                "Enter" => KeyCode::Enter,
                "Esc" => KeyCode::Esc,
                "Tab" => KeyCode::Tab,
                "Up" => KeyCode::Up,
                "Down" => KeyCode::Down,
                "Left" => KeyCode::Left,
                "Right" => KeyCode::Right,
                "PageDown" => KeyCode::PageDown,
                "PageUp" => KeyCode::PageUp,
                "Home" => KeyCode::Home,
                "End" => KeyCode::End,
                "space" => KeyCode::Char(' '),
                key => KeyCode::Char(key.chars().next().expect("a key has a name")),
            };
            let event = KeyEvent::new(code, KeyModifiers::NONE);
            let effect = self.app.update(Message::Input(Input::Key(event)));
            self.perform(effect);
        }
        self
    }

    /// Runs what is to be run, at once and whole.
    fn perform(&mut self, effect: Option<Effect>) {
        if let Some(Effect::Scroll { down }) = effect {
            let lanes = ui::timeline::scrolled(&self.app, down);
            self.app.update(Message::Scrolled { lanes });
        }
        if let Some(Effect::TurnPage { down }) = effect {
            let page = ui::turned(&self.app, down);
            self.app.update(Message::Turned { page });
        }
        let Some(Effect::Start { run, experiment }) = effect else {
            return;
        };
        self.app.foretell();
        self.app.update(Message::Batch {
            run,
            events: simulated::run(&experiment),
            complete_to: Time::ZERO,
        });
        self.app.update(Message::RunOver { run });
        let end = self.app.run.end();
        self.app.run.playback.stop_at(end);
    }

    pub(crate) fn buffer(&self) -> Buffer {
        let (width, height) = self.app.size;
        let mut terminal =
            Terminal::new(TestBackend::new(width, height)).expect("memory is enough");
        terminal
            .draw(|frame| ui::draw(&self.app, frame))
            .expect("memory is enough");
        terminal.backend().buffer().clone()
    }

    /// The screen as text, then a letter for the style of each cell, then what the letters mean.
    pub(crate) fn drawn(&self) -> String {
        let buffer = self.buffer();
        let mut styles = Styles::default();
        let letters = styles.letters(&buffer);
        format!("{}\n{letters}\n{}", rows(&buffer), styles.legend())
    }

    /// The screen as text alone, without what is empty at the ends of lines.
    pub(crate) fn text(&self) -> String {
        let buffer = self.buffer();
        let line = |y| -> String {
            let cells = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol());
            cells.collect::<String>().trim_end().to_owned()
        };
        (0..buffer.area.height)
            .map(line)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Looks that are not the usual one.
pub(crate) const LOOKS: [(&str, ThemeName, Depth); 6] = [
    ("light", ThemeName::Light, Depth::True),
    ("high_contrast", ThemeName::HighContrast, Depth::True),
    ("256", ThemeName::Dark, Depth::Indexed),
    ("16", ThemeName::Dark, Depth::Sixteen),
    ("16_light", ThemeName::Light, Depth::Sixteen),
    ("no_colour", ThemeName::Dark, Depth::None),
];

/// Several screens in one of [`LOOKS`]: of the text of each the lines that differ from the usual look, then a
/// letter for the style of each cell; at the end what the letters of all of them mean.
pub(crate) fn in_look(screens: &[(&str, Stage)], theme: ThemeName, depth: Depth) -> String {
    let (mut styles, mut drawn) = (Styles::default(), String::new());
    for (name, stage) in screens {
        let charset = Charset::Unicode;
        let look = Look {
            theme,
            depth,
            charset,
        };
        let usual = rows(&stage.buffer());
        let buffer = stage.clone().look(look).buffer();
        writeln!(drawn, "{name}").expect("a string grows");
        let seen = rows(&buffer);
        let lines = usual.lines().zip(seen.lines()).enumerate();
        for (y, (_, line)) in lines.filter(|(_, (usual, line))| usual != line) {
            writeln!(drawn, "{y:2} {line}").expect("a string grows");
        }
        drawn.push_str(&styles.letters(&buffer));
        drawn.push('\n');
    }
    drawn + &styles.legend()
}

fn rows(buffer: &Buffer) -> String {
    lines(buffer, |cell, text| text.push_str(cell.symbol()))
}

/// A line for each row, with what is said of each cell, and an end that is seen.
fn lines(buffer: &Buffer, mut say: impl FnMut(&Cell, &mut String)) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        for x in 0..buffer.area.width {
            say(&buffer[(x, y)], &mut text);
        }
        text.push_str("|\n");
    }
    text
}

/// The styles that were met so far.
#[derive(Default)]
struct Styles(Vec<Style>);

impl Styles {
    fn letters(&mut self, buffer: &Buffer) -> String {
        lines(buffer, |cell, letters| {
            let style = cell.style();
            let known = self.0.iter().position(|known| *known == style);
            letters.push(letter(known.unwrap_or_else(|| {
                self.0.push(style);
                self.0.len() - 1
            })));
        })
    }

    fn legend(&self) -> String {
        let mut legend = String::new();
        for (place, style) in self.0.iter().enumerate() {
            let (fg, bg) = (style.fg.unwrap_or_default(), style.bg.unwrap_or_default());
            let modifiers = style.add_modifier;
            writeln!(legend, "{} {fg} on {bg} {modifiers:?}", letter(place))
                .expect("a string grows");
        }
        legend
    }
}

/// The most frequent styles come first, more or less: letters are given as styles appear.
fn letter(place: usize) -> char {
    let first = ('a'..='z').chain('A'..='Z').chain('0'..='9');
    let more = ('\u{391}'..='\u{3c9}').filter(|char| char.is_alphabetic());
    let most = '\u{410}'..='\u{44f}';
    first.chain(more).chain(most).nth(place).unwrap_or('?')
}
