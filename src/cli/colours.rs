//! How many colours there are, from what the environment says of the terminal and of the person's wish.

use crate::palette::Depth;

/// The colours of stdout. `ask` looks up a variable of the environment.
///
/// 1. `NO_COLOR`, unless it is empty, forbids them, whatever else is set;
/// 2. `FORCE_COLOR` and `CLICOLOR_FORCE` give so many at least, never fewer than there are;
/// 3. `FORCE_COLOR=0` and `CLICOLOR=0` ask for none.
pub(super) fn depth(is_terminal: bool, ask: impl Fn(&str) -> Option<String>) -> Depth {
    let given = |name: &str| ask(name).filter(|value| !value.is_empty());
    if given("NO_COLOR").is_some() {
        return Depth::None;
    }
    let forced = match (
        ask("FORCE_COLOR").as_deref(),
        given("CLICOLOR_FORCE").as_deref(),
    ) {
        (Some("0" | "false"), _) => return Depth::None,
        (Some("2"), _) => Depth::Indexed,
        (Some("3"), _) => Depth::True,
        (None, None | Some("0")) => Depth::None,
        _ => Depth::Sixteen,
    };
    let unwanted = forced == Depth::None && given("CLICOLOR").as_deref() == Some("0");
    if unwanted || !is_terminal {
        return forced;
    }
    of_terminal(given).max(forced)
}

fn of_terminal(given: impl Fn(&str) -> Option<String>) -> Depth {
    let word = |name: &str| given(name).unwrap_or_default();
    let (term, program) = (word("TERM"), word("TERM_PROGRAM"));
    let ends = |ends: [&str; 2]| ends.iter().any(|end| term.ends_with(end));
    let is_exact = matches!(word("COLORTERM").as_str(), "truecolor" | "24bit")
        || ends(["direct", "truecolor"])
        || program == "iTerm.app";
    // These turn exact colours into their own choice of 256, whatever the terminal around them can do.
    let is_multiplexed = term.starts_with("tmux") || term.starts_with("screen");
    if term == "dumb" || term.is_empty() && cfg!(unix) {
        Depth::None
    } else if is_exact && !is_multiplexed {
        Depth::True
    } else if is_exact || ends(["256", "256color"]) || program == "Apple_Terminal" {
        Depth::Indexed
    } else {
        Depth::Sixteen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &str) -> Depth {
        let find = |name: &str| {
            let mut pairs = variables.split(' ').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|pair| pair.0 == name)
                .map(|pair| pair.1.to_owned())
        };
        depth(!variables.contains("PIPED"), find)
    }

    #[test]
    fn the_terminal_says_what_it_can() {
        assert_eq!(of("TERM=xterm-256color COLORTERM=truecolor"), Depth::True);
        assert_eq!(of("TERM=xterm-direct"), Depth::True);
        assert_eq!(of("TERM=tmux-256color COLORTERM=truecolor"), Depth::Indexed);
        assert_eq!(of("TERM=xterm-256color"), Depth::Indexed);
        assert_eq!(of("TERM=xterm"), Depth::Sixteen);
        assert_eq!(of("TERM=dumb COLORTERM=truecolor"), Depth::None);
        assert_eq!(of("TERM=xterm PIPED=1"), Depth::None);
    }

    #[test]
    fn no_colour_is_obeyed_before_all_else_unless_it_is_empty() {
        for value in ["1", "0", "no"] {
            assert_eq!(
                of(&format!("NO_COLOR={value} FORCE_COLOR=3 TERM=xterm")),
                Depth::None
            );
        }
        assert_eq!(of("NO_COLOR= TERM=xterm-256color"), Depth::Indexed);
    }

    #[test]
    fn what_is_forced_never_lowers_and_zero_asks_for_none() {
        let exact = "TERM=xterm COLORTERM=truecolor";
        for forced in [
            "CLICOLOR_FORCE=1",
            "FORCE_COLOR=1",
            "FORCE_COLOR=true",
            "CLICOLOR_FORCE=0",
        ] {
            assert_eq!(of(&format!("{exact} {forced}")), Depth::True, "{forced}");
        }
        assert_eq!(of("TERM=xterm FORCE_COLOR=3"), Depth::True);
        assert_eq!(of("TERM=xterm PIPED=1 CLICOLOR_FORCE=1"), Depth::Sixteen);
        for none in ["CLICOLOR=0", "FORCE_COLOR=0", "FORCE_COLOR=false"] {
            assert_eq!(of(&format!("{exact} {none}")), Depth::None, "{none}");
        }
        assert_eq!(
            of(&format!("{exact} CLICOLOR=0 CLICOLOR_FORCE=1")),
            Depth::True
        );
    }
}
