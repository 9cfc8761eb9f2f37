//! How the dashboard looks and what it takes: as was asked, as the config file says, or as suits the terminal.

use super::Surroundings;
use crate::app::Settings;
use crate::cli::flags::ThemeChoice;
use crate::config::Config;
use crate::palette::{Charset, Look, ThemeName};
use crate::runtime::Options;

/// What is asked of the dashboard, whatever it shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    pub theme: Option<ThemeChoice>,
    pub ascii: bool,
    pub no_mouse: bool,
    pub demo: bool,
}

impl Wishes {
    pub fn settled(self, config: &Config, around: Surroundings) -> (Settings, Options) {
        let theme = self.theme.or(config.theme).and_then(|choice| choice.0);
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
                charset: if ascii {
                    Charset::Ascii
                } else {
                    Charset::Unicode
                },
            },
            theme_named: theme.is_some(),
            mouse,
            keymap: config.keymap.clone(),
            cpus: around.cpus,
            demo: self.demo,
            ..Settings::default()
        };
        let options = Options {
            mouse,
            ask_background: theme.is_none(),
        };
        (settings, options)
    }
}
