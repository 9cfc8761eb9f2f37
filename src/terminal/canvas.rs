//! Where frames are drawn: ratatui's terminal over bytes in memory.
//!
//! It never asks the terminal anything (not its size, not where the cursor is), so a frame can be
//! made whether or not the terminal reads. ratatui sends the difference from the frame made
//! before; so every frame that was made must also be written, and none is made while the writer is
//! busy.

use crossterm::{Command, cursor, terminal};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Rect, Size};
use ratatui::{Frame, Terminal};
use std::io;

const SYNC_BEGINS: &[u8] = b"\x1b[?2026h";
const SYNC_ENDS: &[u8] = b"\x1b[?2026l";

/// Draws frames and turns them into bytes.
pub struct Canvas {
    terminal: Terminal<Paper>,
    ahead: Vec<u8>,
}

impl Canvas {
    /// Starts from an empty screen with a hidden cursor.
    pub fn new(size: Size) -> io::Result<Self> {
        Ok(Self {
            terminal: Terminal::new(Paper {
                ink: Vec::new(),
                size,
                cursor: None,
            })?,
            ahead: Vec::new(),
        })
    }

    pub fn size(&self) -> Size {
        self.terminal.backend().size
    }

    /// Draws everything anew with the next frame, at this size: what is on the screen is unknown.
    pub fn renew(&mut self, size: Size) -> io::Result<()> {
        let paper = self.terminal.backend_mut();
        paper.size = size;
        paper.hide_cursor()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Bytes that must reach the terminal before the next frame.
    pub fn insert(&mut self, bytes: &[u8]) {
        self.ahead.extend_from_slice(bytes);
    }

    /// Draws, if there is a cell to draw on, and puts into `frame` what brings the terminal to what was
    /// drawn: nothing, if that is what it shows already.
    pub fn draw(
        &mut self,
        frame: &mut Vec<u8>,
        draw: impl FnOnce(&mut Frame<'_>),
    ) -> io::Result<()> {
        frame.clear();
        frame.append(&mut self.ahead);
        let size = self.size();
        if size.width > 0 && size.height > 0 {
            self.terminal.draw(draw)?;
        }
        let ink = &mut self.terminal.backend_mut().ink;
        if !ink.is_empty() {
            frame.extend_from_slice(SYNC_BEGINS);
            frame.append(ink);
            frame.extend_from_slice(SYNC_ENDS);
        }
        Ok(())
    }
}

/// Collects what ratatui would send.
struct Paper {
    ink: Vec<u8>,
    size: Size,
    /// Where the cursor is shown.
    cursor: Option<Position>,
}

impl Paper {
    fn write(&mut self, command: impl Command) -> io::Result<()> {
        crossterm::queue!(self.ink, command)
    }
}

impl Backend for Paper {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        // Drawing nothing would still reset the colours.
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        if self.cursor.take().is_some() {
            self.write(cursor::Hide)?;
        }
        CrosstermBackend::new(&mut self.ink).draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        match self.cursor.take() {
            Some(_) => self.write(cursor::Hide),
            None => Ok(()),
        }
    }

    /// Shown when it gets its place.
    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor != Some(position) {
            self.write(cursor::MoveTo(position.x, position.y))?;
            if self.cursor.is_none() {
                self.write(cursor::Show)?;
            }
            self.cursor = Some(position);
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        let region = match region {
            ClearType::All => terminal::ClearType::All,
            ClearType::AfterCursor => terminal::ClearType::FromCursorDown,
            ClearType::BeforeCursor => terminal::ClearType::FromCursorUp,
            ClearType::CurrentLine => terminal::ClearType::CurrentLine,
            ClearType::UntilNewLine => terminal::ClearType::UntilNewLine,
        };
        self.write(terminal::Clear(region))
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize {
            columns_rows: self.size,
            pixels: Size::ZERO,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(canvas: &mut Canvas, text: &str) -> String {
        let mut frame = Vec::new();
        canvas
            .draw(&mut frame, |frame| frame.render_widget(text, frame.area()))
            .unwrap();
        String::from_utf8(frame).unwrap()
    }

    #[test]
    fn a_frame_is_wrapped_so_that_it_appears_at_once() {
        let mut canvas = Canvas::new(Size::new(10, 2)).unwrap();
        let frame = write(&mut canvas, "hello");
        assert!(frame.starts_with("\x1b[?2026h"), "{frame:?}");
        assert!(frame.contains("hello"));
        assert!(frame.ends_with("\x1b[?2026l"));
    }

    #[test]
    fn an_unchanged_frame_is_no_bytes() {
        let mut canvas = Canvas::new(Size::new(10, 2)).unwrap();
        write(&mut canvas, "hello");
        assert_eq!(write(&mut canvas, "hello"), "");
    }

    #[test]
    fn renewing_sends_everything_again() {
        let mut canvas = Canvas::new(Size::new(10, 2)).unwrap();
        write(&mut canvas, "hello");
        canvas.renew(Size::new(10, 2)).unwrap();
        let frame = write(&mut canvas, "hello");
        assert!(frame.contains("\x1b[2J") && frame.contains("hello"));
    }

    #[test]
    fn the_cursor_is_sent_only_when_it_changes() {
        let mut canvas = Canvas::new(Size::new(10, 2)).unwrap();
        let mut frame = Vec::new();
        let mut put = |at: Option<(u16, u16)>| {
            canvas
                .draw(&mut frame, |frame| {
                    if let Some(at) = at {
                        frame.set_cursor_position(at);
                    }
                })
                .unwrap();
            String::from_utf8_lossy(&frame).into_owned()
        };
        assert!(put(Some((2, 1))).contains("\x1b[2;3H\x1b[?25h"));
        assert_eq!(put(Some((2, 1))), "");
        assert!(put(None).contains("\x1b[?25l"));
        assert_eq!(put(None), "");
    }

    proptest! {
        #[test]
        fn any_sizes_in_any_order_are_drawn(sizes in proptest::collection::vec((0_u16..300, 0_u16..100), 1..6)) {
            let mut canvas = Canvas::new(Size::ZERO).unwrap();
            for (width, height) in sizes {
                canvas.renew(Size::new(width, height)).unwrap();
                let text = write(&mut canvas, "x");
                prop_assert_eq!(text.contains('x'), width > 0 && height > 0);
            }
        }
    }
}
