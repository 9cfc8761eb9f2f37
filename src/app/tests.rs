//! What a person does, and what becomes of it, on runs in virtual time.

mod playback;
mod program;
mod runs;
mod screen;

use super::*;
use crate::app::playback::{Pace, Speed};
use crate::app::switch::Basis;
use crate::event::Kind;
use crate::experiment::{Backend, Fault, FaultKind, MemoryModel};
use crate::method::Method;
use crate::origin::simulated;
use crate::trace::Trace;
use crate::workload::Costs;
use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

const UNIT: u64 = 10_000_000;

/// Eight tasks on four workers: 3 1 5 4 2 0 7 6 is the order in which they finish.
fn eight(method: Method, backend: Backend) -> Experiment {
    let costs = [9, 2, 6, 1, 4, 1, 8, 5];
    Experiment {
        method,
        backend,
        tasks: 8,
        costs: Costs::List(costs.map(|cost| Nanos(cost * UNIT)).to_vec()),
        ..Experiment::default()
    }
}

fn app(method: Method, backend: Backend) -> App {
    App::new(eight(method, backend), Settings::default())
}

fn key(text: &str) -> Input {
    let code = match text {
        "space" => KeyCode::Char(' '),
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "tab" => KeyCode::Tab,
        "f1" => KeyCode::F(1),
        "pagedown" => KeyCode::PageDown,
        letter => KeyCode::Char(letter.chars().next().unwrap()),
    };
    Input::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

/// Presses keys one after another; the effect of the last one.
fn press(app: &mut App, keys: &str) -> Option<Effect> {
    let press = |text| {
        let effect = app.update(Message::Input(key(text)));
        if matches!(effect, Some(Effect::Start { .. })) {
            app.foretell();
        }
        effect
    };
    keys.split(' ').map(press).last().flatten()
}

/// The events of the current run, as if they had been measured where its backend measures.
fn events(app: &App) -> Vec<Event> {
    let experiment = app.run.experiment().unwrap();
    let measured = experiment.backend.is_measured();
    let mut events = simulated::run(&Experiment {
        backend: Backend::Simulated,
        ..experiment.clone()
    });
    for event in &mut events {
        if let Kind::RunBegan(run) = &mut event.kind {
            run.measured = measured;
        }
    }
    events
}

/// Tells of the current run what happened before `until` units.
fn tell(app: &mut App, until: u64) {
    let known = app.run.complete_to;
    let complete_to = Time(until * UNIT);
    let events = events(app)
        .into_iter()
        .filter(|event| {
            event.at < complete_to && (event.at >= known || app.run.trace.run().is_none())
        })
        .collect();
    let run = app.run.id;
    app.update(Message::Batch {
        run,
        events,
        complete_to,
    });
}

/// Tells the rest.
fn tell_all(app: &mut App) {
    let known = app.run.complete_to;
    let fresh = app.run.trace.run().is_none();
    let events = events(app)
        .into_iter()
        .filter(|event| event.at >= known || fresh)
        .collect();
    let run = app.run.id;
    app.update(Message::Batch {
        run,
        events,
        complete_to: Time::NEVER,
    });
}

/// Lets the clock go on by so many units, after a tick that starts it.
fn wait(app: &mut App, units: u64) -> Option<Effect> {
    let now = app.ticked.unwrap_or(Nanos::SECOND);
    app.update(Message::Tick { now });
    app.update(Message::Tick {
        now: now + Nanos(units * UNIT),
    })
}

/// Where the cursor stands, exactly on a unit.
fn units(app: &App) -> u64 {
    let cursor = app.cursor().0;
    assert!(cursor.is_multiple_of(UNIT), "{cursor}");
    cursor / UNIT
}
