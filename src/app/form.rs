//! The form in which every field of the lab's command line can be changed.

use crate::app::form::fields::{FIELDS, Fill};
use crate::app::form::place::{field_of, of_part};
use crate::app::{line, variant};
use crate::experiment::{Experiment, MainWork, WorkKind};
use crate::method::Sends;
use crate::time::Nanos;
use crossterm::event::KeyEvent;
use tui_input::Input;

mod fields;
mod place;

/// What stands beside a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    Plain(String),
    /// It will run, but not as one may think.
    Warning(String),
    /// It cannot run.
    Wrong(String),
}

/// How a field is filled in.
#[derive(Clone, Debug)]
pub enum Entry {
    Text(Input),
    /// One of these words, by Left and Right.
    Choice {
        words: &'static [&'static str],
        at: usize,
    },
}

#[derive(Clone, Debug)]
pub struct Field {
    pub label: &'static str,
    pub entry: Entry,
    /// Of a number, what comes before all others.
    pub least: Option<&'static str>,
    pub remark: Remark,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Form {
    pub fields: Vec<Field>,
    /// The field that the keys go to.
    pub focus: usize,
    /// Nothing was edited since the focus came here: what is typed takes the place of what stands there.
    pub fresh: bool,
    /// One line that foretells the run, or says at length what is wrong.
    pub forecast: String,
    /// The experiment as far as the fields can be read.
    draft: Experiment,
    /// CPUs of this machine.
    cpus: u32,
}

/// What a remark is written from.
struct Draft<'a> {
    experiment: &'a Experiment,
    cpus: u32,
    makespan: Option<Nanos>,
    /// The length of main's own work where that is half of the makespan.
    half: Option<Nanos>,
}

/// More tasks than this are not drawn at every key only to foretell how long they take.
pub(super) const MOST_FORETOLD: u32 = 1_000_000;

impl Field {
    pub fn text(&self) -> &str {
        match &self.entry {
            Entry::Text(input) => input.value(),
            Entry::Choice { words, at } => words.get(*at).copied().unwrap_or_default(),
        }
    }

    /// Whether Left and Right change it: of a text they only move the cursor.
    pub fn is_turned(&self) -> bool {
        self.least.is_some() || matches!(self.entry, Entry::Choice { .. })
    }
}

impl Form {
    /// The form for this experiment, on a machine with so many CPUs.
    pub fn new(experiment: &Experiment, cpus: u32) -> Self {
        let fields = FIELDS.iter().map(|spec| Field {
            label: spec.label,
            entry: match spec.fill {
                Fill::Text { read, .. } | Fill::Number { read, .. } => {
                    Entry::Text(Input::new(read(experiment)))
                }
                Fill::Choice { words, read, .. } => Entry::Choice {
                    words,
                    at: read(experiment),
                },
            },
            least: match spec.fill {
                Fill::Number { least, .. } => Some(least),
                Fill::Text { .. } | Fill::Choice { .. } => None,
            },
            remark: Remark::Plain(String::new()),
        });
        let mut form = Self {
            fields: fields.collect(),
            focus: 0,
            fresh: true,
            forecast: String::new(),
            draft: experiment.clone(),
            cpus,
        };
        form.read();
        form
    }

    /// The experiment to run, with what had to be left out of it; `None` while a field is wrong, and
    /// then that field has the focus.
    pub fn experiment(&mut self) -> Option<(Experiment, Option<String>)> {
        let wrong = |field: &Field| matches!(field.remark, Remark::Wrong(_));
        if let Some(field) = self.fields.iter().position(wrong) {
            self.go_to(field);
            return None;
        }
        Some(variant::settled(self.draft.clone()))
    }

    /// Whether Left and Right change the field that has the focus.
    pub fn is_turned(&self) -> bool {
        self.fields.get(self.focus).is_some_and(Field::is_turned)
    }

    pub fn go_to(&mut self, field: usize) {
        self.focus = field.min(self.fields.len().saturating_sub(1));
        self.fresh = true;
    }

    /// To a neighbouring field, round and round.
    pub fn move_focus(&mut self, forward: bool) {
        let count = self.fields.len().max(1);
        let step = if forward { 1 } else { count - 1 };
        self.go_to((self.focus + step) % count);
    }

    /// Left and Right: another word of a choice, the number before or after, or the place in a text.
    pub fn turn(&mut self, forward: bool) {
        let Some(field) = self.fields.get_mut(self.focus) else {
            return;
        };
        match &mut field.entry {
            Entry::Text(input) => {
                let least = field.least;
                if let Some(next) = least.and_then(|least| next(input.value(), least, forward)) {
                    *input = Input::new(next);
                    self.fresh = true;
                    self.read();
                } else {
                    self.fresh = false;
                    line::step(input, forward);
                }
            }
            Entry::Choice { words, at } => {
                let step = if forward { 1 } else { words.len() - 1 };
                *at = (*at + step) % words.len();
                self.read();
            }
        }
    }

    /// A key that the form has no meaning for: it is typed.
    pub fn type_key(&mut self, event: &KeyEvent) {
        if let Some(Entry::Text(input)) = self.fields.get_mut(self.focus).map(|f| &mut f.entry) {
            let replaces = std::mem::take(&mut self.fresh) && line::types(event);
            if replaces {
                input.reset();
            }
            if line::edit(input, event) || replaces {
                self.read();
            }
        }
    }

    pub fn paste(&mut self, text: &str) {
        if let Some(Entry::Text(input)) = self.fields.get_mut(self.focus).map(|f| &mut f.entry) {
            if std::mem::take(&mut self.fresh) {
                input.reset();
            }
            line::paste(input, text);
            self.read();
        }
    }

    /// Reads every field anew and writes the remarks.
    fn read(&mut self) {
        let mut errors: Vec<(usize, String)> = Vec::new();
        // The unit stands last and is read first: bare numbers count it.
        for (number, (spec, field)) in FIELDS.iter().zip(&self.fields).enumerate().rev() {
            match (spec.fill, &field.entry) {
                (Fill::Text { write, .. } | Fill::Number { write, .. }, Entry::Text(input)) => {
                    if let Err(error) = write(&mut self.draft, input.value().trim()) {
                        errors.push((number, error));
                    }
                }
                (Fill::Choice { write, .. }, Entry::Choice { at, .. }) => {
                    write(&mut self.draft, *at);
                }
                _ => {}
            }
        }
        if errors.is_empty()
            && let Err(wrong) = variant::settled(self.draft.clone()).0.check()
        {
            errors.push((field_of(&wrong), without_flags(&wrong.to_string())));
        }
        let foretold = (self.draft.tasks <= MOST_FORETOLD).then(|| self.foretold());
        let draft = Draft {
            experiment: &self.draft,
            cpus: self.cpus,
            makespan: foretold.map(|foretold| foretold.0),
            half: foretold.map(|foretold| foretold.1),
        };
        for (spec, field) in FIELDS.iter().zip(&mut self.fields) {
            field.remark = (spec.remark)(&draft);
        }
        for misfit in self.draft.misfits() {
            let words = format!("left out: not for {}", misfit.not_for);
            self.fields[of_part(misfit.part)].remark = Remark::Warning(words);
        }
        self.forecast = forecast(&draft);
        // From the last field to the first: the first one has the last word.
        for (number, error) in errors {
            let short = error.split(": ").next().unwrap_or_default().to_owned();
            self.forecast = format!("{}: {error}", FIELDS[number].label);
            self.fields[number].remark = Remark::Wrong(short);
        }
    }

    /// What the call needs at best, on the CPUs that there are; and what main does besides, if that is half
    /// of a makespan.
    fn foretold(&self) -> (Nanos, Nanos) {
        let (mut experiment, _) = variant::settled(self.draft.clone());
        let costs = experiment.costs.draw(experiment.tasks, experiment.seed);
        experiment.main_work = MainWork::Half;
        let half = experiment.main_work_length(&costs, self.cpus);
        let experiment = experiment.in_virtual_time(self.cpus);
        (experiment.expected_makespan(&costs, self.cpus), half)
    }
}

/// The number after this one, or before it as far as `least`, which may be a word; `None` of what is none.
fn next(text: &str, least: &str, forward: bool) -> Option<String> {
    let floor = least.parse::<u64>();
    let text = text.trim();
    let first = floor.clone().unwrap_or(1);
    let number = match text.parse::<u64>() {
        Ok(number) if forward => number.saturating_add(1),
        Ok(number) if number > first => number - 1,
        Err(_) if text != least => return None,
        Err(_) if forward => first,
        _ => return Some(least.to_owned()),
    };
    Some(number.to_string())
}

/// `24 messages, 3.61 s or more: 8 workers share 4 CPUs`
fn forecast(draft: &Draft<'_>) -> String {
    let experiment = draft.experiment;
    let messages = experiment
        .tasks
        .div_ceil(experiment.real_chunksize().max(1));
    let sent = match (experiment.rules().sends, messages) {
        (Sends::Nothing, _) => "no messages".to_owned(),
        (_, 1) => "1 message".to_owned(),
        _ => format!("{messages} messages"),
    };
    let time = draft
        .makespan
        .map_or_else(String::new, |time| format!(", {time} or more"));
    let is_locked = experiment.kind == WorkKind::Cpu && experiment.has_one_interpreter();
    let why = match draft.shared_cpus() {
        _ if is_locked && experiment.running_workers() > 1 => {
            ": one task at a time computes".to_owned()
        }
        Some(cpus) => format!(": {} workers share {cpus} CPUs", experiment.workers),
        None => String::new(),
    };
    format!("{sent}{time}{why}")
}

impl Draft<'_> {
    /// The number of CPUs where computing workers have to share them.
    fn shared_cpus(&self) -> Option<u32> {
        let experiment = self.experiment;
        let cpus = if experiment.backend.is_measured() {
            self.cpus
        } else {
            experiment.simulated_cpus()
        };
        let compute = experiment.kind == WorkKind::Cpu;
        (compute && experiment.running_workers() > cpus).then_some(cpus)
    }
}

/// What is wrong, for somebody who reads it beside the field: `must be from 1 to 1024, not 0`.
fn without_flags(wrong: &str) -> String {
    match wrong.split_once(": ") {
        Some((flag, rest)) if flag.starts_with("--") => rest.to_owned(),
        _ => {
            let words = wrong.split(' ').filter(|word| !word.starts_with("--"));
            words.collect::<Vec<_>>().join(" ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Backend, Fault, PythonPool};
    use crate::method::Method;
    use crate::workload::Costs;
    use crossterm::event::{KeyCode, KeyModifiers};

    fn form() -> Form {
        Form::new(&Experiment::default(), 4)
    }

    fn fill(form: &mut Form, label: &str, text: &str) {
        form.go_to(form.fields.iter().position(|f| f.label == label).unwrap());
        form.type_key(&KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
        form.paste(text);
    }

    fn remark<'a>(form: &'a Form, label: &str) -> &'a Remark {
        &form
            .fields
            .iter()
            .find(|f| f.label == label)
            .unwrap()
            .remark
    }

    #[test]
    fn an_untouched_form_runs_the_same_experiment() {
        for experiment in [
            Experiment::default(),
            Experiment {
                backend: Backend::Simulated,
                cpus: Some(2),
                chunksize: None,
                faults: Fault::parse_all("3:die 1,5:raise").unwrap(),
                costs: Costs::List(vec![Nanos(5); 24]),
                ..Experiment::default()
            },
        ] {
            let mut form = Form::new(&experiment, 4);
            assert_eq!(form.experiment(), Some((experiment, None)));
        }
    }

    #[test]
    fn every_field_of_the_command_line_is_there() {
        assert_eq!(form().fields.len(), 26);
    }

    #[test]
    fn a_choice_turns_and_a_text_is_typed() {
        let mut form = form();
        form.turn(true);
        assert_eq!(form.fields[0].text(), "map_async");
        form.turn(false);
        form.turn(false);
        assert_eq!(form.fields[0].text(), "loop");
        fill(&mut form, "tasks", "12");
        fill(&mut form, "costs", "const:3");
        fill(&mut form, "unit", "20ms");
        let (experiment, _) = form.experiment().unwrap();
        assert_eq!((experiment.method, experiment.tasks), (Method::Loop, 12));
        assert_eq!(experiment.costs, Costs::Const(Nanos(60_000_000)));
    }

    #[test]
    fn a_list_of_costs_decides_the_number_of_tasks() {
        let mut form = form();
        fill(&mut form, "costs", "9,2,6");
        let (experiment, _) = form.experiment().unwrap();
        assert_eq!(experiment.tasks, 3);
        assert_eq!(
            remark(&form, "tasks"),
            &Remark::Plain("as many as costs".to_owned())
        );
    }

    #[test]
    fn a_wrong_field_says_what_is_wrong_and_keeps_the_form_open() {
        let mut form = form();
        fill(&mut form, "costs", "normal:3");
        assert_eq!(
            remark(&form, "costs"),
            &Remark::Wrong("`normal` is no distribution".to_owned())
        );
        assert!(
            form.forecast
                .starts_with("costs: `normal` is no distribution: write")
        );
        form.go_to(0);
        assert_eq!(form.experiment(), None);
        assert_eq!(form.fields[form.focus].label, "costs");
        fill(&mut form, "costs", "const:3");
        fill(&mut form, "workers", "0");
        assert!(matches!(remark(&form, "workers"), Remark::Wrong(_)));
        fill(&mut form, "workers", "2");
        fill(&mut form, "faults", "99:die");
        assert!(matches!(remark(&form, "faults"), Remark::Wrong(_)));
        fill(&mut form, "faults", "9:die");
        assert!(form.experiment().is_some());
    }

    #[test]
    fn what_is_wrong_is_said_without_flags() {
        let mut form = form();
        for (label, text, wrong) in [
            ("workers", "0", "must be from 1 to 1024, not 0"),
            (
                "chunk size",
                "0",
                "must be at least 1; CPython's own rule is auto",
            ),
            (
                "faults",
                "99:die",
                "there is no task 99, the last one is 23",
            ),
            (
                "faults",
                "3:die 1,3:raise",
                "task 3 is named twice: leave one out",
            ),
            (
                "unit",
                "abc",
                "`abc` is no unit: write it with a suffix, such as 10ms",
            ),
        ] {
            let before = form.clone();
            fill(&mut form, label, text);
            assert_eq!(form.forecast, format!("{label}: {wrong}"));
            form = before;
        }
    }

    #[test]
    fn typing_first_takes_the_place_of_what_stood_there() {
        let mut form = form();
        let press = |form: &mut Form, code| {
            form.type_key(&KeyEvent::new(code, KeyModifiers::NONE));
        };
        form.go_to(4);
        press(&mut form, KeyCode::Char('1'));
        press(&mut form, KeyCode::Char('2'));
        assert_eq!(form.fields[4].text(), "12");
        form.go_to(4);
        press(&mut form, KeyCode::End);
        press(&mut form, KeyCode::Char('0'));
        assert_eq!(form.fields[4].text(), "120");
        form.go_to(4);
        press(&mut form, KeyCode::Backspace);
        assert_eq!(form.fields[4].text(), "12");
        fill(&mut form, "costs", "const:2");
        form.turn(false);
        press(&mut form, KeyCode::Char('3'));
        assert_eq!(form.fields[form.focus].text(), "const:32");
        form.go_to(4);
        form.paste("7");
        assert_eq!(form.experiment().unwrap().0.tasks, 7);
    }

    #[test]
    fn left_and_right_step_a_number() {
        let mut form = form();
        let mut turned = |label: &str, from: &str, forward| {
            fill(&mut form, label, from);
            form.turn(forward);
            form.fields[form.focus].text().to_owned()
        };
        assert_eq!(turned("workers", "4", true), "5");
        assert_eq!(turned("workers", "1", false), "1");
        assert_eq!(turned("cpus", "auto", true), "1");
        assert_eq!(turned("cpus", "1", false), "auto");
        assert_eq!(turned("cpus", "auto", false), "auto");
        assert_eq!(turned("seed", "x", true), "x");
        assert_eq!(turned("seed", "1", false), "0");
        assert_eq!(turned("workers", "4", true), "5");
        form.type_key(&KeyEvent::new(KeyCode::Char('9'), KeyModifiers::NONE));
        assert_eq!(form.experiment().unwrap().0.workers, 9);
        let typed = form.fields.iter().filter(|field| !field.is_turned());
        assert!(typed.map(|field| field.label).eq([
            "costs",
            "main's own work",
            "dispatch",
            "startup",
            "serial",
            "payload",
            "python",
            "faults",
            "unit",
        ]));
    }

    #[test]
    fn the_forecast_says_how_many_share_the_cpus() {
        let mut form = form();
        fill(&mut form, "costs", "const:1s");
        assert_eq!(form.forecast, "24 messages, 6.00 s or more");
        fill(&mut form, "workers", "8");
        assert_eq!(
            form.forecast,
            "24 messages, 6.00 s or more: 8 workers share 4 CPUs"
        );
        assert_eq!(
            remark(&form, "workers"),
            &Remark::Warning("more than the 4 CPUs here".to_owned())
        );
    }

    #[test]
    fn what_contradicts_the_backend_is_left_out_with_a_warning() {
        let mut form = form();
        fill(&mut form, "cpus", "2");
        let left_out = Remark::Warning("left out: not for threads".to_owned());
        assert_eq!(remark(&form, "cpus"), &left_out);
        let (experiment, words) = form.experiment().unwrap();
        assert_eq!(experiment.cpus, None);
        assert!(words.is_some());
    }

    #[test]
    fn remarks_fit_beside_their_fields() {
        for backend in Backend::TABLE {
            remarks_fit(backend.0);
        }
    }

    #[test]
    fn threads_of_one_interpreter_are_foretold_as_that() {
        let form = Form::new(
            &Experiment {
                backend: Backend::Python,
                pool: PythonPool::ThreadPool,
                kind: WorkKind::Cpu,
                costs: Costs::Const(Nanos(1_000)),
                workers: 4,
                tasks: 8,
                ..Experiment::default()
            },
            4,
        );
        assert_eq!(form.foretold(), (Nanos(8_000), Nanos(4_000)));
    }

    fn remarks_fit(backend: Backend) {
        let mut form = Form::new(
            &Experiment {
                backend,
                cpus: Some(2),
                payload: 10,
                gil: true,
                faults: Fault::parse_all("3:die").unwrap(),
                pool: PythonPool::ThreadPool,
                ..Experiment::default()
            },
            4,
        );
        for _ in 0..9 {
            form.turn(true);
            for field in &form.fields {
                let (Remark::Plain(text) | Remark::Warning(text) | Remark::Wrong(text)) =
                    &field.remark;
                assert!(text.len() <= 28, "{}: {text}", field.label);
            }
        }
    }
}
