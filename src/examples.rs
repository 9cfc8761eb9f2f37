//! The first programs that use a pool, as real Python: short enough for one slide, and each runs alone.

/// A Python program that comes with parviz.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    pub name: &'static str,
    /// What it shows: the first line of the program itself says the same.
    pub line: &'static str,
    pub source: &'static str,
}

/// The example of this name, with or without `.py`.
pub fn find(name: &str) -> Option<&'static Example> {
    let name = name.strip_suffix(".py").unwrap_or(name);
    TABLE.iter().find(|example| example.name == name)
}

macro_rules! example {
    ($name:literal, $line:literal) => {
        Example {
            name: $name,
            line: $line,
            source: include_str!(concat!("../assets/examples/", $name, ".py")),
        }
    };
}

/// Every example, in the order in which to meet them.
#[rustfmt::skip]
pub static TABLE: [Example; 11] = [
    example!("cpu_count", "Pool() starts as many workers as there are processors."),
    example!("pool_map", "map blocks until all results are there, in input order."),
    example!("pool_starmap", "starmap unpacks tuples: functions of several arguments."),
    example!("pool_map_apply", "map runs tasks side by side; apply, one after another."),
    example!("pool_map_async", "map_async returns at once: main works on meanwhile."),
    example!("pool_starmap_async", "starmap_async returns at once; a callback gets the list."),
    example!("pool_apply_async", "apply_async: each call is one task, fetched with get()."),
    example!("pool_imap", "imap gives results one by one, in input order."),
    example!("pool_imap_unordered", "imap_unordered gives each result as soon as it is there."),
    example!("small_tasks", "Tiny tasks: sending them takes longer than doing them."),
    example!("separate_memory", "Each process counts in its own memory; main sees nothing."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_fits_a_slide_and_opens_with_its_line() {
        for Example { name, line, source } in &TABLE {
            assert!(
                source.starts_with(&format!("\"\"\"{line}\"\"\"\n")),
                "{name}"
            );
            assert!(source.lines().count() <= 25, "{name}");
            assert!(source.lines().all(|line| line.len() <= 80), "{name}");
            assert!(
                source.contains("\nif __name__ == \"__main__\":\n"),
                "{name}"
            );
        }
    }

    #[test]
    fn an_example_is_found_with_and_without_its_ending() {
        for example in &TABLE {
            let file = format!("{}.py", example.name);
            for name in [example.name, &file] {
                assert_eq!(find(name).map(|found| found.line), Some(example.line));
            }
        }
        assert!(find("nothing").is_none());
    }
}
