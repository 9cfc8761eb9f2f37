//! The picture that is to be written.

#![expect(
    clippy::disallowed_methods,
    reason = "asks whether the folder of a picture is there"
)]

use crate::app::Settings;
use crate::cli::Lab;
use crate::cli::flags::Size;
use crate::cli::look::charset;
use crate::config::Config;
use crate::palette::{Depth, Look};
use crate::time::{Nanos, Time};
use std::path::PathBuf;

#[derive(Debug)]
pub struct Picture {
    pub file: PathBuf,
    pub size: Size,
    /// `None`: the end of the run.
    pub at: Option<Time>,
    pub settings: Settings,
}

impl Lab {
    /// A picture has all colours and all characters, whatever the terminal has.
    pub(super) fn picture(
        &self,
        config: &Config,
        cpus: u32,
        unit: Nanos,
    ) -> Result<Picture, String> {
        let file = self.output.picture.clone().unwrap_or_default();
        if file
            .extension()
            .is_none_or(|extension| !extension.eq_ignore_ascii_case("svg"))
        {
            return Err(format!(
                "--picture {}: name a file that ends in .svg",
                file.display()
            ));
        }
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            return Err(format!(
                "--picture {}: there is no folder {}",
                file.display(),
                folder.display()
            ));
        }
        let look = self.output.look;
        let size = self.output.size.unwrap_or(Size::PICTURE);
        let at = self
            .output
            .at
            .as_ref()
            .map(|at| at.in_units(unit))
            .transpose()
            .map_err(|wrong| format!("--at {wrong}"))?;
        Ok(Picture {
            file,
            size,
            at: at.map(|at| Time(at.0)),
            settings: Settings {
                look: Look {
                    theme: look.theme(config).unwrap_or_default(),
                    depth: Depth::True,
                    charset: charset(look.ascii || config.ascii == Some(true)),
                },
                theme_named: true,
                mouse: false,
                keymap: config.keymap.clone(),
                cpus,
                demo: false,
                size: (size.columns, size.rows),
            },
        })
    }
}
