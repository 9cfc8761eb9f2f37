//! parviz shows parallel execution as it happens: pools, workers, tasks, and who waits for whom.
//!
//! Every fact flows one way:
//!
//! ```text
//! origin ──batches of events──> Trace ──> App (cursor, viewport, selection) ──> ui::draw
//!                                                ^
//!                                  keys, mouse, ticks, run by the runtime
//! ```
//!
//! | part | modules | may import |
//! |---|---|---|
//! | words | [`time`], [`bytes`], [`control`], [`event`], [`palette`], [`examples`], [`plural`] | each other |
//! | semantics | [`experiment`], [`method`], [`workload`], [`call`] | words, each other |
//! | facts | [`trace`], [`definition`], [`finding`], [`report`], [`export`] | words, each other; a report also semantics |
//! | origins | [`origin`]: the lab's `simulated`, `threads`, `processes` and `python`, which also watches any program | words, semantics, [`platform`] |
//! | teaching | [`lesson`] | words, facts, semantics, the simulated origin |
//! | app | [`app`] | all above |
//! | ui | [`ui`] | app and below, ratatui; no clock, file or thread |
//! | edge | [`platform`], [`terminal`], [`runtime`], [`cli`], [`config`] | everything |
//!
//! What holds everywhere:
//!
//! * An origin only reports. It sends batches through a bounded channel from threads of its own and never
//!   waits for the screen; nothing of a run of the lab is lost.
//! * A watched program never waits for parviz and outlives it. What could not be told in time is counted,
//!   and the numbers it touches are lower bounds. What a process says is checked before it is believed: no
//!   number from outside is an index or a size.
//! * A trace is a fold of events: the same events give the same trace, in whatever batches they come and
//!   however the lanes are mixed. What is missing is ordinary and never invented.
//! * Everything is playback. Live means that the cursor sticks to the end of a trace that still grows, so
//!   pause, step and slow motion are the same for a real run and a simulated one.
//! * One thread owns one [`app::App`]. [`app::App::update`] is all that changes it; [`ui::draw`] takes it by
//!   shared reference and remembers nothing. It sorts no more than the few lines it draws.
//! * Drawing never delays watching: a frame is drawn into memory only when the terminal has taken the last
//!   one. A slow terminal costs frames, never events, keys or time of the run.
//! * The rules of a pool stand once, in [`method`] and [`call`], for every backend. A backend adds how a
//!   worker is made and how a task is run.
//! * What the user can list is a table: methods, keys, themes, numbers. All else is derived from it.
//! * A number that is not known is `None`, shown as n/a, never 0. Each run says whether it is measured or
//!   simulated.
//! * The program's clock, files, threads and system calls are in the edge and the origins only; time
//!   reaches everything else as an argument.
//!
//! Deliberately absent: locks around shared state, globals, an async runtime, a component framework, and
//! logging to a terminal that is drawn on.

pub mod app;
pub mod bytes;
pub mod call;
pub mod cli;
pub mod config;
pub mod control;
pub mod definition;
pub mod event;
pub mod examples;
pub mod experiment;
pub mod export;
pub mod finding;
pub mod lesson;
pub mod method;
pub mod origin;
pub mod palette;
pub mod platform;
pub mod plural;
pub mod report;
pub mod runtime;
pub mod terminal;
pub mod time;
pub mod trace;
pub mod ui;
pub mod workload;
