//! The screen: what the state of the program looks like in cells.
//!
//! Drawing reads the state and changes nothing; a panel's place is a pure function of the size of the
//! screen and the state, so what a click hit is found by the same function that drew it.

pub mod braille;
pub mod digits;
pub mod find;
pub mod form;
pub mod glossary;
pub mod help;
pub mod marks;
pub mod overlay;
pub mod text;
pub mod theme;
