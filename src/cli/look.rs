//! How the dashboard looks and what it takes: as was asked, as the config file says, or as suits the terminal.

use super::setup::Surroundings;
use crate::app::Settings;
use crate::config::Config;
use crate::experiment::AUTO;
use crate::palette::{Charset, Look, ThemeName};
use crate::runtime::Options;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::str::FromStr;

/// What is asked of it, whatever it shows.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct LookFlags {
    /// Colours: dark, light, high-contrast, or auto (as the terminal is) [default: auto]
    #[arg(long, value_name = "THEME", value_parser = theme_parser(), hide_possible_values = true)]
    pub theme: Option<ThemeChoice>,
    /// Draw with ASCII characters only [default: where the locale is not UTF-8]
    #[arg(long)]
    pub ascii: bool,
    /// Leave the mouse to the terminal
    #[arg(long)]
    pub no_mouse: bool,
}

impl LookFlags {
    /// The theme that was named, if one was.
    pub(super) fn theme(self, config: &Config) -> Option<ThemeName> {
        self.theme.or(config.theme).and_then(|choice| choice.0)
    }

    pub(super) fn settled(
        self,
        config: &Config,
        around: Surroundings,
        demo: bool,
    ) -> (Settings, Options) {
        let theme = self.theme(config);
        // Said in the file, `ascii = false` holds against the locale.
        let ascii = self.ascii || config.ascii.unwrap_or(!around.utf8);
        let usual = if around.light {
            ThemeName::Light
        } else {
            ThemeName::Dark
        };
        let mouse = !self.no_mouse && config.mouse != Some(false);
        let settings = Settings {
            look: Look {
                theme: theme.unwrap_or(usual),
                depth: around.depth,
                charset: charset(ascii),
            },
            theme_named: theme.is_some(),
            mouse,
            keymap: config.keymap.clone(),
            cpus: around.cpus,
            demo,
            ..Settings::default()
        };
        let options = Options {
            mouse,
            ask_background: theme.is_none(),
        };
        (settings, options)
    }
}

pub(super) fn charset(ascii: bool) -> Charset {
    if ascii {
        Charset::Ascii
    } else {
        Charset::Unicode
    }
}

/// A theme by name, or `None` for the one that fits the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThemeChoice(pub Option<ThemeName>);

impl ThemeChoice {
    fn words() -> impl Iterator<Item = &'static str> {
        ThemeName::ALL
            .map(ThemeName::word)
            .into_iter()
            .chain([AUTO])
    }
}

impl FromStr for ThemeChoice {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let words: Vec<&str> = Self::words().collect();
            format!("write one of {}", words.join(", "))
        };
        match text {
            AUTO => Ok(Self(None)),
            name => ThemeName::named(name)
                .map(|name| Self(Some(name)))
                .ok_or_else(wrong),
        }
    }
}

fn theme_parser() -> impl TypedValueParser<Value = ThemeChoice> {
    PossibleValuesParser::new(ThemeChoice::words()).try_map(|name| name.parse::<ThemeChoice>())
}
