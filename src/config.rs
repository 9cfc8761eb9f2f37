//! The config file: defaults for the flags of the lab, the look, and keys.
//!
//! It stands in the XDG config folder unless `--config` names it. A key that means nothing is an error
//! with its line, so that a typing mistake is never a setting that silently does nothing.
//!
//! ```toml
//! theme = "light"          # dark, light, high-contrast, auto
//! ascii = false
//! mouse = true
//!
//! [lab]                    # the flags of `parviz lab`, by their names
//! workers = 8
//! costs = "lognormal:200ms"
//!
//! [keys]                   # an action, and the keys for it
//! pause = ["space", "ctrl-p"]
//! ```
#![expect(clippy::disallowed_methods, reason = "reads its one file")]

use crate::app::keymap::Keymap;
use crate::cli::flags::{Flags, written};
use crate::cli::look::ThemeChoice;
use etcetera::BaseStrategy;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::DeTable;

/// The most bytes of a config file.
const LONGEST: u64 = 1 << 20;

/// What serde says, in the words of this file and of who writes it.
const WORDS: [(&str, &str); 3] = [
    ("unknown field", "unknown key"),
    ("expected a boolean", "write true or false"),
    ("expected a string", "write a text in quotes"),
];

/// The most lines that are looked through for what is wrong first.
const MOST_LINES: usize = 1_000;

/// They end within so many bytes: all that stands before each is read again.
const MOST_BYTES: usize = 1 << 16;

/// What the file says; what it does not say is `None` or empty.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub theme: Option<ThemeChoice>,
    pub ascii: Option<bool>,
    pub mouse: Option<bool>,
    pub lab: Flags,
    pub keymap: Keymap,
    /// Its name, for who has to correct it.
    pub name: String,
    /// Where the keys of `[lab]` stand.
    lines: BTreeMap<String, usize>,
}

/// The file as it is written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    #[serde(deserialize_with = "written")]
    theme: Option<ThemeChoice>,
    ascii: Option<bool>,
    mouse: Option<bool>,
    lab: Flags,
    keys: BTreeMap<String, Spanned<Keys>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "write a key in quotes, or a list of them")]
enum Keys {
    One(String),
    Several(Vec<String>),
}

impl Config {
    /// Reads the file that was asked for, else the one in its usual place if there is one. The error
    /// is one line that names the file.
    pub fn load(asked: Option<&Path>) -> Result<Self, String> {
        let Some(path) = asked.map(Path::to_owned).or_else(usual_place) else {
            return Ok(Self::default());
        };
        match read(&path) {
            Ok(text) => match Self::parse(&text) {
                Ok(config) => Ok(Self {
                    name: path.display().to_string(),
                    ..config
                }),
                Err(wrong) => Err(format!("{}:{wrong}", path.display())),
            },
            // As good as none: nobody asked for it, and it may be another user's.
            Err(error) if asked.is_none() && is_out_of_reach(&error) => Ok(Self::default()),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(format!(
                "--config {}: there is no such file: leave it out, or write the file",
                path.display()
            )),
            Err(error) => Err(format!("{}: cannot be read: {error}", path.display())),
        }
    }

    /// The error is `LINE: what is wrong`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let line = |place: usize| {
            1 + text
                .bytes()
                .take(place)
                .filter(|&byte| byte == b'\n')
                .count()
        };
        let file = in_order(text).map_err(|error| {
            let mut what = error.message().to_owned();
            for (theirs, ours) in WORDS {
                what = what.replace(theirs, ours);
            }
            let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
            format!(
                "{}: {what}",
                line(error.span().map_or(0, |span| span.start))
            )
        })?;
        let lines: BTreeMap<String, usize> = places(text, "lab")
            .into_iter()
            .map(|(key, place)| (key, line(place)))
            .collect();
        if let (Some(tasks), Some(costs)) = (&file.lab.tasks, file.lab.listed_costs()) {
            return Err(format!(
                "{}: costs lists {costs} tasks: leave tasks = {tasks} out",
                lines.get("tasks").copied().unwrap_or_default()
            ));
        }
        let mut keymap = Keymap::default();
        for (action, keys) in &file.keys {
            let bound = match keys.get_ref() {
                Keys::One(key) => std::slice::from_ref(key),
                Keys::Several(keys) => keys,
            };
            let place = keys.span().start;
            keymap
                .rebind(action, bound)
                .map_err(|wrong| format!("{}: {wrong}", line(place)))?;
        }
        // Only all of them together can be in each other's way: the later of the two is the one too many.
        keymap.check().map_err(|wrong| {
            let bound = wrong
                .actions()
                .into_iter()
                .filter_map(|name| file.keys.get(name));
            let place = bound.map(|keys| keys.span().start).max();
            format!("{}: {wrong}", line(place.unwrap_or(0)))
        })?;
        Ok(Self {
            theme: file.theme,
            ascii: file.ascii,
            mouse: file.mouse,
            lab: file.lab,
            keymap,
            name: String::new(),
            lines,
        })
    }

    /// What is wrong with an experiment, as the fault of this file: with the line of the key that is named
    /// first, if that stands here.
    pub fn blamed(&self, wrong: &str) -> String {
        let bare = wrong.strip_prefix("--").unwrap_or(wrong);
        let key = bare.split([' ', ':']).next().unwrap_or_default();
        match self.lines.get(key) {
            Some(line) => format!("{}:{line}: {bare}", self.name),
            None => format!("{wrong} (a default of {})", self.name),
        }
    }
}

/// The file, or what is wrong in it first: keys of a table are read by name, so where something is wrong
/// the lines up to each are tried one after another. Lines that are no TOML end within a value.
fn in_order(text: &str) -> Result<File, toml::de::Error> {
    toml::from_str(text).map_err(|last| {
        let mut whole = parts(text).filter(|part| DeTable::parse(part).is_ok());
        let first = whole.find_map(|part| toml::from_str::<File>(part).err());
        first.unwrap_or(last)
    })
}

/// The text up to the end of each line.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let ends = text.match_indices('\n').map(|(end, _)| end);
    let ends = ends.take(MOST_LINES).take_while(|&end| end < MOST_BYTES);
    ends.map(|end| &text[..=end])
}

/// The text of a file, unless it is longer than any that a person writes.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    if file.take(LONGEST + 1).read_to_string(&mut text)? as u64 > LONGEST {
        return Err(io::Error::other("it is too long for a config file"));
    }
    Ok(text)
}

fn is_out_of_reach(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied
    )
}

/// Where the keys of a table stand in the text.
fn places(text: &str, table: &str) -> Vec<(String, usize)> {
    let file = DeTable::parse(text).ok();
    let file = file.as_ref().map(Spanned::get_ref);
    let table = file.and_then(|file| file.get(table)?.get_ref().as_table());
    let keys = table.into_iter().flat_map(|table| table.keys());
    keys.map(|key| (key.get_ref().to_string(), key.span().start))
        .collect()
}

fn usual_place() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join("parviz").join("config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::time::Nanos;

    #[test]
    fn the_example_of_this_module_is_read() {
        let text = "theme = \"light\"\nmouse = true\n[lab]\nworkers = 8\nmethod = \"imap\"\n\
            costs = [9, 2.5, \"1s\"]\nmain-work = 6\nchunksize = \"auto\"\nfault = [\"3:die\", \"1,5:raise\"]\n";
        let config = Config::parse(text).unwrap();
        assert_eq!(config.mouse, Some(true));
        assert_eq!(config.lab.workers, Some(8));
        assert_eq!(config.lab.method, Some(Method::Imap));
        let unit = Nanos(10_000_000);
        assert_eq!(
            config
                .lab
                .costs
                .unwrap()
                .in_units(unit)
                .unwrap()
                .to_string(),
            "90ms,25ms,1s"
        );
        assert_eq!(
            config.lab.main_work.unwrap().in_units(unit),
            Ok(Nanos(60_000_000))
        );
        assert_eq!(config.lab.fault.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let wrong = |text: &str| Config::parse(text).unwrap_err();
        assert_eq!(
            wrong("mouse = true\nmuose = false\n"),
            "2: unknown key `muose`, expected one of `theme`, `ascii`, `mouse`, `lab`, `keys`"
        );
        assert!(
            wrong("\n[lab]\nworker = 3\n")
                .starts_with("3: unknown key `worker`, expected one of `method`")
        );
        assert_eq!(
            wrong("[lab]\nseed = 1\ncosts = \"9,x\"\n"),
            "3: 9,x: `x` is no length of time: write 600ms, 1.5s, 20us, 5ns, 2min, 1h, or a bare number of units"
        );
        assert_eq!(
            wrong("theme = \"pink\"\n"),
            "1: pink: write one of dark, light, high-contrast, auto"
        );
        assert!(
            wrong("theme = \"dark\"\nworkers = 3\nbogus = 1\n")
                .starts_with("2: unknown key `workers`")
        );
        let windows = wrong("theme = \"dark\"\r\nworkers = 3\r\nbogus = 1\r\n");
        assert!(windows.starts_with("2: unknown key `workers`"), "{windows}");
        assert!(wrong("[lab]\ncosts = [\n1,\n]\nworker = 3\nbogus = 1\n").starts_with("5: "));
        for (name, told) in [("\"pmap\"", "pmap"), ("1", "1"), ("[1]", "1")] {
            let wrong = wrong(&format!("[lab]\nmethod = {name}\n"));
            let says = format!("2: {told}: write one of map, map_async, imap, ");
            assert!(wrong.starts_with(&says), "{wrong}");
        }
        assert_eq!(
            wrong("[lab]\nworkers = 99999999999999999999\n"),
            "2: 99999999999999999999: at most 4294967295"
        );
        assert!(wrong("[lab\n").starts_with("1: "));
        assert_eq!(
            wrong("[lab]\nworkers = \"x\"\n"),
            "2: x: write a whole number"
        );
        assert_eq!(
            wrong("mouse = 1\n"),
            "1: invalid type: integer `1`, write true or false"
        );
        assert_eq!(
            wrong("[lab]\n\ntasks = -1\n"),
            "3: -1: write a whole number"
        );
        assert_eq!(
            wrong("[lab]\nseed = true\n"),
            "2: write a number, or a text in quotes"
        );
        assert_eq!(
            wrong("theme = \"dark\"\n[lab]\ncosts = [1, 2]\ntasks = 5\n"),
            "4: costs lists 2 tasks: leave tasks = 5 out"
        );
    }

    #[test]
    fn a_long_file_is_not_read_again_for_each_of_its_lines() {
        let line = format!("{}\n", "#".repeat(1_000));
        let bytes = |lines: usize| parts(&line.repeat(lines)).map(str::len).sum::<usize>();
        assert_eq!(bytes(3), 6 * line.len());
        assert!(bytes(1_000) < 50 * MOST_BYTES, "{}", bytes(1_000));
    }

    #[test]
    fn keys_are_bound_and_wrong_ones_told_with_their_line() {
        use crate::app::action::Action;
        use crate::app::keymap::{Context, Key};
        let config =
            Config::parse("[keys]\npause = [\"space\", \"ctrl-p\"]\nfit = \"G\"\n").unwrap();
        let means = |key| config.keymap.action(Key::parse(key).unwrap(), Context::Lab);
        assert_eq!(means("ctrl-p"), Some(Action::Pause));
        assert_eq!(means("G"), Some(Action::Fit));
        let wrong = |text: &str| Config::parse(text).unwrap_err();
        assert_eq!(
            wrong("[keys]\n\npuase = \"x\"\n"),
            "3: `puase` is no action; the key table of the README lists them"
        );
        assert_eq!(
            wrong("[keys]\npause = \"hyper-x\"\n"),
            "2: `hyper-x` is no key: write for example x, X, space, f5, pageup or ctrl-x"
        );
        assert!(wrong("[keys]\npause = \"q\"\n").starts_with("2: `q` would mean both"));
        assert_eq!(
            wrong("[keys]\nfit = \"G\"\n\npause = \"G\"\nhelp = \"f1\"\n"),
            "4: `G` would mean both fit and pause"
        );
    }
}
