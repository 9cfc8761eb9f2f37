//! Something that goes wrong in one task, and how that is written: on the command line, in the config file, and in
//! the form.

use super::FaultKind;
use serde::Serialize;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Fault {
    pub task: u32,
    pub kind: FaultKind,
}

impl Fault {
    /// Reads `1,5,9:raise`: one kind for several tasks. The error says what is wrong, and what can be written instead.
    pub fn parse(text: &str) -> Result<Vec<Self>, String> {
        let wrong = || {
            format!(
                "`{text}` is no fault: write TASKS:raise, TASKS:die or TASKS:hang, such as 1,5,9:raise"
            )
        };
        let (tasks, kind) = text.split_once(':').ok_or_else(wrong)?;
        let tasks: Vec<u32> = tasks
            .split(',')
            .map(|task| {
                task.parse()
                    .map_err(|_| format!("`{task}` is no task: write its number, from 0 on"))
            })
            .collect::<Result<_, _>>()?;
        let mut kinds = FaultKind::ALL.iter().copied();
        let kind = kinds.find(|known| known.name() == kind).ok_or_else(wrong)?;
        Ok(tasks.into_iter().map(|task| Self { task, kind }).collect())
    }

    /// Reads `3:die 1,5,9:raise`; nothing, or `none`, is no fault.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let groups = text.split_whitespace().filter(|group| *group != "none");
        let faults: Vec<Vec<Self>> = groups.map(Self::parse).collect::<Result<_, _>>()?;
        Ok(faults.concat())
    }

    /// The text that [`Fault::parse_all`] reads back as the same faults.
    pub fn all_written(faults: &[Self]) -> String {
        let groups = faults.chunk_by(|a, b| a.kind == b.kind);
        let written = groups.map(|group| {
            let tasks: Vec<String> = group.iter().map(|fault| fault.task.to_string()).collect();
            let kind = group.first().map_or("", |fault| fault.kind.name());
            format!("{}:{kind}", tasks.join(","))
        });
        let written: Vec<String> = written.collect();
        if written.is_empty() {
            return "none".to_owned();
        }
        written.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_back_as_they_are_written() {
        for text in ["none", "3:die", "1,5,9:raise", "3:die 1,5:raise 2:hang"] {
            let faults = Fault::parse_all(text).unwrap();
            assert_eq!(Fault::all_written(&faults), text);
        }
        assert_eq!(Fault::parse_all(" "), Ok(Vec::new()));
    }

    #[test]
    fn a_wrong_fault_says_what_can_be_written() {
        let wrong = |text| Fault::parse_all(text).unwrap_err();
        let form = "write TASKS:raise, TASKS:die or TASKS:hang, such as 1,5,9:raise";
        for text in ["3", "3:stop", "3:die:raise"] {
            assert_eq!(wrong(text), format!("`{text}` is no fault: {form}"));
        }
        let task = "`x` is no task: write its number, from 0 on";
        assert_eq!(wrong("3:die 2,x:raise"), task);
    }
}
