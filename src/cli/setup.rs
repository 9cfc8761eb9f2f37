//! From what was asked, what the config file says and what surrounds the program to what is done.
//!
//! Nothing here opens or asks anything but whether the folder of a picture is there: the surroundings are
//! an argument, so that every decision can be tested. Errors are one line that names the flag and says
//! what to do.

mod picture;

pub use picture::Picture;

use crate::app::Settings;
use crate::cli::Lab;
use crate::cli::flags::Flags;
use crate::config::Config;
use crate::experiment::{Experiment, MainWork};
use crate::palette::Depth;
use crate::runtime::Options;
use crate::time::Nanos;

/// What the program can know of where it runs.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// CPUs that this process can use.
    pub cpus: u32,
    /// Why the dashboard cannot be shown on stdout, if so.
    pub no_screen: Option<&'static str>,
    pub utf8: bool,
    /// Colours of the terminal.
    pub depth: Depth,
    /// The environment says that the terminal's background is light.
    pub light: bool,
}

/// What to do.
#[derive(Debug)]
pub struct Setup {
    pub experiment: Experiment,
    pub show: Show,
    /// To be said on stderr first.
    pub warning: Option<String>,
}

#[derive(Debug)]
pub enum Show {
    Dashboard(Box<Settings>, Options),
    Text,
    Json,
    Picture(Box<Picture>),
}

impl Setup {
    pub fn new(lab: &Lab, config: &Config, around: Surroundings) -> Result<Self, String> {
        let wanted = lab.wanted()?;
        let headless = wanted.is_some() || around.no_screen.is_some();
        let main_work = match wanted {
            Some(Wanted::Picture) => MainWork::Half,
            _ if headless => MainWork::Fixed(Nanos::ZERO),
            _ => MainWork::Half,
        };
        let experiment = lab.experiment(config, around.cpus, main_work)?;
        let (show, warning) = match (wanted, around.no_screen) {
            (Some(Wanted::Text), _) => (Show::Text, None),
            (Some(Wanted::Json), _) => (Show::Json, None),
            (Some(Wanted::Picture), _) => {
                let picture = lab.picture(config, around.cpus, experiment.unit)?;
                (Show::Picture(Box::new(picture)), None)
            }
            (None, Some(why)) if lab.output.demo => {
                return Err(format!(
                    "--demo is for the dashboard, and {why}: leave it out"
                ));
            }
            (None, Some(why)) => {
                let warning =
                    format!("{why}: printing the text report (--json and --picture work here too)");
                (Show::Text, Some(warning))
            }
            (None, None) => {
                let output = &lab.output;
                let (settings, options) = output.look.settled(config, around, output.demo);
                (Show::Dashboard(Box::new(settings), options), None)
            }
        };
        Ok(Self {
            experiment,
            show,
            warning,
        })
    }
}

/// What was asked for instead of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Text,
    Json,
    Picture,
}

impl Lab {
    /// What the flags ask for, and the config file where they say nothing. What the file asks for in vain
    /// gives way: it waits for a backend and a method that have a place for it.
    fn experiment(
        &self,
        config: &Config,
        cpus: u32,
        main_work: MainWork,
    ) -> Result<Experiment, String> {
        let flags = &self.flags;
        flags.contradictions(&config.lab)?;
        let checked = |flags: &Flags| {
            let mut experiment = flags.experiment(cpus, main_work)?;
            for misfit in experiment.misfits() {
                if !self.flags.ask_for(misfit.part) {
                    experiment.leave_out(misfit.part);
                }
            }
            let check = experiment.check().map_err(|wrong| wrong.to_string());
            check.map(|()| experiment)
        };
        let all = flags.clone().over(&config.lab);
        // What the command line alone would not do wrong, the config file does.
        checked(&all).map_err(|wrong| match checked(flags) {
            Ok(_) => config.blamed(&wrong),
            Err(_) => wrong,
        })
    }

    fn wanted(&self) -> Result<Option<Wanted>, String> {
        let output = &self.output;
        let asked = [
            (output.text, "--text", Wanted::Text),
            (output.json, "--json", Wanted::Json),
            (output.picture.is_some(), "--picture", Wanted::Picture),
        ];
        let mut asked = asked.into_iter().filter(|row| row.0);
        let first = asked.next();
        if let (Some((_, one, _)), Some((_, other, _))) = (first, asked.next()) {
            return Err(format!(
                "{one} and {other} contradict each other: give one of them"
            ));
        }
        if let Some((_, flag, _)) = first.filter(|_| output.demo) {
            return Err(format!("--demo is for the dashboard: leave {flag} out"));
        }
        if output.demo && self.flags.method.is_some() {
            return Err("--demo goes through the methods by itself: leave --method out".to_owned());
        }
        for (given, flag) in [
            (output.at.is_some(), "--at"),
            (output.size.is_some(), "--size"),
        ] {
            if given && output.picture.is_none() {
                return Err(format!("{flag} is for pictures: add --picture FILE.svg"));
            }
        }
        Ok(first.map(|row| row.2))
    }
}

#[cfg(test)]
mod tests;
