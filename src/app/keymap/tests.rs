//! Tests of the table and of keys that are bound anew.

use super::*;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::collections::HashSet;

#[test]
fn no_key_is_bound_twice_in_a_context() {
    assert_eq!(Keymap::default().check(), Ok(()));
    let mut seen = HashSet::new();
    for row in ROWS {
        for (key, _) in row.keys {
            assert!(
                seen.insert((row.context, *key)),
                "{key} in {:?}",
                row.context
            );
        }
    }
}

#[test]
fn every_key_of_the_table_is_a_key() {
    let keys: usize = ROWS.iter().map(|row| row.keys.len()).sum();
    assert_eq!(Keymap::default().bound.len(), keys);
}

#[test]
fn every_action_is_reachable_and_has_one_name() {
    let reached: HashSet<Action> = ROWS
        .iter()
        .flat_map(|row| row.keys.iter().map(|(_, action)| *action))
        .collect();
    for (action, name) in Action::ALL {
        assert!(reached.contains(&action), "{name} has no key");
        assert_eq!(Action::named(name), Some(action));
    }
    assert_eq!(reached.len(), Action::ALL.len());
}

#[test]
fn without_arrows_no_arrow_key_looks_like_another_key() {
    let map = Keymap::default().without_arrows();
    let shown: Vec<String> = (0..ROWS.len()).map(|row| map.keys(row)).collect();
    assert!(shown.iter().all(|keys| keys.is_ascii()), "{shown:?}");
    let slower = shown.iter().filter(|keys| keys.contains(['<', '>']));
    assert_eq!(slower.count(), 1);
    assert!(shown.contains(&"arrows".to_owned()));
    assert_eq!(map.of(Action::PreviousMatch), "Up");
}

#[test]
fn shift_is_said_by_the_character() {
    let map = Keymap::default();
    let press = |code, modifiers| {
        let key = Key::pressed(&KeyEvent::new(code, modifiers)).unwrap();
        map.action(key, Context::Lab)
    };
    let help = Some(Action::Help);
    assert_eq!(press(KeyCode::Char('?'), KeyModifiers::NONE), help);
    assert_eq!(press(KeyCode::Char('?'), KeyModifiers::SHIFT), help);
    let back = Some(Action::PreviousFamily);
    assert_eq!(press(KeyCode::Char('M'), KeyModifiers::SHIFT), back);
    assert_eq!(press(KeyCode::Char('M'), KeyModifiers::NONE), back);
    assert_eq!(press(KeyCode::Char('m'), KeyModifiers::SHIFT), back);
    assert_eq!(press(KeyCode::Char('s'), KeyModifiers::CONTROL), None);
}

#[test]
fn other_keys_can_be_bound_and_are_shown() {
    let mut map = Keymap::default();
    map.rebind("compare", &["v".to_owned(), "ctrl-v".to_owned()])
        .unwrap();
    assert_eq!(map.check(), Ok(()));
    let act = |text| map.action(Key::parse(text).unwrap(), Context::Lab);
    assert_eq!(act("v"), Some(Action::Compare));
    assert_eq!(act("c"), None);
    let shown = map
        .help(Context::Lab)
        .find(|entry| entry.words == "compare with previous run")
        .unwrap();
    assert_eq!(shown.keys, "v Ctrl-V");
    map.rebind("next-family", &["x".to_owned()]).unwrap();
    assert_eq!(map.starters(), "s, x or r");
}

#[test]
fn ctrl_c_quits_whatever_is_bound() {
    let mut map = Keymap::default();
    map.rebind("quit", &["f10".to_owned()]).unwrap();
    let act = |text| map.action(Key::parse(text).unwrap(), Context::Form);
    assert_eq!(act("ctrl-c"), Some(Action::Quit));
    let main = |text| map.action(Key::parse(text).unwrap(), Context::Lab);
    assert_eq!((main("q"), main("f10")), (None, Some(Action::Quit)));
}

#[test]
fn what_works_everywhere_gets_other_keys_on_the_main_screen() {
    let mut map = Keymap::default();
    map.rebind("suspend", &["X".to_owned()]).unwrap();
    assert_eq!(map.check(), Ok(()));
    let act = |text, context| map.action(Key::parse(text).unwrap(), context);
    assert_eq!(act("X", Context::Lab), Some(Action::Suspend));
    assert_eq!(act("X", Context::Find), None);
    assert_eq!(act("ctrl-z", Context::Find), Some(Action::Suspend));
    map.rebind("suspend", &["q".to_owned()]).unwrap();
    let wrong = map.check().unwrap_err().to_string();
    assert!(wrong.starts_with("`q` would mean both"), "{wrong}");
}

#[test]
fn a_key_that_no_terminal_sends_is_told() {
    for (key, sends) in [("ctrl-m", "enter"), ("ctrl-i", "tab")] {
        let wrong = Key::parse(key).unwrap_err().to_string();
        assert!(wrong.ends_with(&format!("write {sends}")), "{wrong}");
    }
}

#[test]
fn a_bad_binding_says_what_is_wrong() {
    let mut map = Keymap::default();
    let rebind = |map: &mut Keymap, name: &str, key: &str| {
        map.rebind(name, &[key.to_owned()])
            .map_err(|e| e.to_string())
    };
    assert!(
        rebind(&mut map, "dance", "x")
            .unwrap_err()
            .starts_with("`dance` is no action")
    );
    assert!(
        rebind(&mut map, "find", "hyper-q")
            .unwrap_err()
            .starts_with("`hyper-q` is no key")
    );
    rebind(&mut map, "find", "s").unwrap();
    assert_eq!(
        map.check().unwrap_err().to_string(),
        "`s` would mean both switch-form and find"
    );
}
