//! A program that did not end well.

use super::FindingKind;
use super::search::{Search, noted};
use super::words::short;
use crate::event::{NoteKind, exit_words};

/// As shells and Python end after Ctrl-C.
const INTERRUPTED: [i32; 2] = [130, -2];
/// Somebody ended it: `SIGHUP`, `SIGTERM`.
const ASKED: [i32; 4] = [-1, -15, 129, 143];

/// To be asked when all else has been found: what went wrong may say why.
pub(super) fn search(search: &mut Search<'_>) {
    let mut notes = search.scene.notes().iter();
    let Some(note) = notes.rfind(|note| note.note.kind == NoteKind::ProgramEnded) else {
        return;
    };
    let exit = i32::try_from(note.note.value).unwrap_or(1);
    let is_meant = exit == 0 || INTERRUPTED.contains(&exit) || ASKED.contains(&exit);
    if is_meant || search.has_cause() {
        return;
    }
    let said = &note.note.text;
    let how = match exit {
        ..0 => format!("the program was killed ({})", exit_words(exit)),
        _ => format!("the program ended with {}", exit_words(exit)),
    };
    let text = match said.as_str() {
        "" => how,
        _ => format!("{how}; the last line on stderr is: {}", short(said)),
    };
    let advice = if said.starts_with("EOFError") {
        "its stdin is empty: give it a file with --stdin FILE, or run it with --text, where it has the terminal"
    } else {
        "look at what it printed, above all to stderr"
    };
    let mut finding = noted(FindingKind::ProgramFailed, note, text, advice);
    (finding.lane, finding.call) = (None, None);
    finding.numbers.push(("exit", f64::from(exit)));
    search.of_pool(0.0, finding);
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;

    fn ended(exit: i64, said: &str) -> Told {
        let told = Told::pool("Pool", 2).call(0, "map", 2, 1);
        told.note_of(50, 0, NoteKind::ProgramEnded, (said, exit))
    }

    #[test]
    fn an_exit_code_that_nothing_else_explains_is_told_with_the_last_line_of_stderr() {
        let found = ended(1, "ValueError: bad row 5").finding();
        assert_eq!(found.kind, FindingKind::ProgramFailed);
        found.says(
            "the program ended with exit code 1; the last line on stderr is: ValueError: bad row 5",
        );
        assert_eq!(
            ended(3, "").finding().text,
            "the program ended with exit code 3"
        );
        assert_eq!(
            ended(-11, "").finding().text,
            "the program was killed (SIGSEGV)"
        );
        let empty = ended(1, "EOFError: EOF when reading a line").finding();
        assert!(empty.advice.contains("--stdin FILE"), "{}", empty.advice);
    }

    #[test]
    fn an_error_that_nobody_saw_ended_no_program() {
        let told = Told::pool("Pool", 2).call(0, "map_async", 1, 1);
        let told = told.fails(1, 0, 0, 5).ready(5, 0).over(300);
        let told = told.note_of(300, 0, NoteKind::ProgramEnded, ("ValueError: b", 1));
        let kinds = [FindingKind::HiddenError, FindingKind::ProgramFailed];
        assert_eq!(told.kinds(), kinds);
    }

    #[test]
    fn a_program_that_ended_well_or_was_ended_is_no_finding() {
        for exit in [0, 130, -2, -15] {
            assert_eq!(ended(exit, "KeyboardInterrupt").ever(), [], "{exit}");
        }
        let explained = ended(1, "").note(5, 1, NoteKind::UnpicklableArgument, 0);
        assert_eq!(explained.kinds(), [FindingKind::UnpicklableArgument]);
    }
}
