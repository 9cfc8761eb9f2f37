//! Everything a watched program printed: where each line stands in the files that keep it.
//!
//! Memory holds the order of the pieces of the two streams and a mark every 64 KiB, however much was
//! printed. A line ends at its newline, where the other stream goes on, or where it gets too long.

use crate::app::output::{Line, plain};
use crate::origin::python::{Handle, Output, Stream};
use std::io::{self, Write};
use std::ops::ControlFlow;

/// The most bytes of a line.
const LONGEST: usize = 4_096;
/// Bytes between two marks.
const MARKED: u64 = 1 << 16;
/// The most lines of a page.
const MOST: u64 = 1_000;

/// What keeps the two streams.
pub(super) trait Kept {
    /// Reads a stream from a place on; 0 at the end of what there is.
    fn read(&self, stream: Stream, from: u64, into: &mut [u8]) -> io::Result<usize>;
}

impl Kept for Handle {
    fn read(&self, stream: Stream, from: u64, into: &mut [u8]) -> io::Result<usize> {
        self.read_kept(stream, from, into)
    }
}

/// Neighbouring bytes of one stream.
#[derive(Clone, Copy, Debug)]
struct Piece {
    stream: Stream,
    length: u64,
}

/// The begin of a line.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    line: u64,
    piece: usize,
    /// Bytes of that piece before it.
    within: u64,
    /// Bytes of each stream before it.
    places: [u64; 2],
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Printed {
    pieces: Vec<Piece>,
    /// At least one, at the very begin, as soon as anything was printed.
    marks: Vec<Mark>,
    lines: u64,
    /// Bytes of the last line; 0: it has ended.
    open: usize,
    /// Bytes of each stream.
    places: [u64; 2],
}

impl Printed {
    /// How many lines there are.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// The next piece of what was printed.
    pub(super) fn add(&mut self, printed: &Output) {
        let stream = printed.stream;
        if self.pieces.last().is_none_or(|last| last.stream != stream) {
            self.open = 0;
            self.pieces.push(Piece { stream, length: 0 });
        }
        for part in parts(&printed.bytes, self.open) {
            if self.open == 0 {
                self.mark();
                self.lines += 1;
            }
            self.open = rest(part, self.open);
            self.places[stream as usize] += part.len() as u64;
            if let Some(piece) = self.pieces.last_mut() {
                piece.length += part.len() as u64;
            }
        }
    }

    /// Marks the line that begins here, if the last mark is far enough away.
    fn mark(&mut self) {
        let bytes = |places: [u64; 2]| places[0] + places[1];
        let far = |last: &Mark| bytes(self.places) - bytes(last.places) >= MARKED;
        if self.marks.last().is_none_or(far) {
            self.marks.push(Mark {
                line: self.lines,
                piece: self.pieces.len() - 1,
                within: self.pieces.last().map_or(0, |piece| piece.length),
                places: self.places,
            });
        }
    }

    /// So many lines before line `end`.
    pub(super) fn page(&self, kept: &impl Kept, end: u64, count: u64) -> io::Result<Vec<Line>> {
        let end = end.min(self.lines);
        let first = end.saturating_sub(count.min(MOST));
        let mut page = Vec::new();
        let mark = self.marks.partition_point(|mark| mark.line <= first);
        let Some(mark) = mark.checked_sub(1).map(|place| self.marks[place]) else {
            return Ok(page);
        };
        self.walk(kept, mark, |number, stream, bytes| {
            if number >= end {
                return ControlFlow::Break(());
            }
            if number >= first {
                page.push(Line {
                    number,
                    stream,
                    text: plain(bytes),
                });
            }
            ControlFlow::Continue(())
        })?;
        Ok(page)
    }

    /// Visits the lines from a mark on.
    fn walk(
        &self,
        kept: &impl Kept,
        mark: Mark,
        mut visit: impl FnMut(u64, Stream, &[u8]) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut places = mark.places;
        let mut within = mark.within;
        let mut number = mark.line;
        let mut line: Vec<u8> = Vec::new();
        for &piece in &self.pieces[mark.piece..] {
            let place = &mut places[piece.stream as usize];
            let length = piece.length - std::mem::take(&mut within);
            let seen = read(kept, Piece { length, ..piece }, place, |bytes| {
                for part in parts(bytes, line.len()) {
                    let open = rest(part, line.len());
                    line.extend_from_slice(part);
                    if open == 0 {
                        if visit(number, piece.stream, &line).is_break() {
                            return Ok(ControlFlow::Break(()));
                        }
                        number += 1;
                        line.clear();
                    }
                }
                Ok(ControlFlow::Continue(()))
            })?;
            if seen.is_break() {
                return Ok(());
            }
            if !line.is_empty() {
                if visit(number, piece.stream, &line).is_break() {
                    return Ok(());
                }
                number += 1;
                line.clear();
            }
        }
        Ok(())
    }

    /// Takes what is kept and was not told yet.
    pub(super) fn catch_up(&mut self, kept: &impl Kept) {
        for stream in [Stream::Out, Stream::Err] {
            let mut bytes = vec![0; MARKED as usize];
            while let Ok(length @ 1..) = kept.read(stream, self.places[stream as usize], &mut bytes)
            {
                let bytes = bytes[..length].to_vec();
                self.add(&Output { stream, bytes });
            }
        }
    }

    /// Writes all of it to where the program would have written it, in the order in which it came.
    pub(super) fn give_back(
        &self,
        kept: &impl Kept,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> io::Result<()> {
        let mut places = [0; 2];
        for &piece in &self.pieces {
            let to: &mut dyn Write = match piece.stream {
                Stream::Out => &mut *out,
                Stream::Err => &mut *err,
            };
            let place = &mut places[piece.stream as usize];
            // Of what is no longer kept, nothing can be given back.
            let _ = read(kept, piece, place, |bytes| {
                to.write_all(bytes)?;
                Ok(ControlFlow::Continue(()))
            })?;
            to.flush()?;
        }
        Ok(())
    }
}

/// Reads a piece from this place of its stream on, part by part, and moves the place behind it. `Break`: it was
/// stopped, or there is less than that.
fn read(
    kept: &impl Kept,
    piece: Piece,
    place: &mut u64,
    mut take: impl FnMut(&[u8]) -> io::Result<ControlFlow<()>>,
) -> io::Result<ControlFlow<()>> {
    let mut left = piece.length;
    let mut buffer = vec![0; MARKED.min(left) as usize];
    while left > 0 {
        let room = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let length = kept.read(piece.stream, *place, &mut buffer[..room])?;
        *place += length as u64;
        left -= length as u64;
        if length == 0 || take(&buffer[..length])?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The bytes cut behind newlines and where a line gets too long, of which `open` bytes came before.
fn parts(bytes: &[u8], mut open: usize) -> impl Iterator<Item = &[u8]> {
    let mut left = bytes;
    std::iter::from_fn(move || {
        if left.is_empty() {
            return None;
        }
        let room = left.len().min(LONGEST - open);
        let newline = left[..room].iter().position(|&byte| byte == b'\n');
        let (part, after) = left.split_at(newline.map_or(room, |newline| newline + 1));
        open = rest(part, open);
        left = after;
        Some(part)
    })
}

/// Bytes of the line that this part leaves open.
fn rest(part: &[u8], open: usize) -> usize {
    let length = open + part.len();
    if part.ends_with(b"\n") || length >= LONGEST {
        0
    } else {
        length
    }
}

/// A search under way. It goes on mark by mark, so that nobody waits for it.
#[derive(Debug)]
pub(super) struct Search {
    /// In lower case.
    text: String,
    from: u64,
    back: bool,
    /// The mark whose lines are looked at next.
    at: usize,
    /// Marks that are still to be looked at.
    left: usize,
    /// All lines of a mark count, not only those on the near side of `from`.
    whole: bool,
}

impl Search {
    pub(super) fn new(printed: &Printed, text: String, from: u64, back: bool) -> Self {
        let at = printed
            .marks
            .partition_point(|mark| mark.line < from.max(1));
        Self {
            text,
            from,
            back,
            at: at.saturating_sub(1),
            // The one it begins in is looked at twice: first its near side, last its far side.
            left: printed.marks.len() + 1,
            whole: false,
        }
    }

    /// Looks at the lines of one mark. The line that has the text; `Break(None)`: none has.
    pub(super) fn step(&mut self, printed: &Printed, kept: &impl Kept) -> ControlFlow<Option<u64>> {
        let Some(&mark) = printed.marks.get(self.at) else {
            return ControlFlow::Break(None);
        };
        if self.left == 0 {
            return ControlFlow::Break(None);
        }
        let end = printed
            .marks
            .get(self.at + 1)
            .map_or(printed.lines, |next| next.line);
        let mut found = None;
        let looked = printed.walk(kept, mark, |number, _, bytes| {
            if number >= end {
                return ControlFlow::Break(());
            }
            let near = (number < self.from) == self.back;
            if (near || self.whole) && plain(bytes).to_lowercase().contains(&self.text) {
                found = Some(number);
                if !self.back {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        if found.is_some() || looked.is_err() {
            return ControlFlow::Break(found);
        }
        self.whole = true;
        self.left -= 1;
        let count = printed.marks.len();
        self.at = (self.at + if self.back { count - 1 } else { 1 }) % count;
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Streams([Vec<u8>; 2]);

    impl Kept for Streams {
        fn read(&self, stream: Stream, from: u64, into: &mut [u8]) -> io::Result<usize> {
            let rest = &self.0[stream as usize][from as usize..];
            let length = rest.len().min(into.len());
            into[..length].copy_from_slice(&rest[..length]);
            Ok(length)
        }
    }

    #[test]
    fn what_was_kept_and_not_told_is_given_back_too() {
        let (mut printed, mut streams) = told(&[(Stream::Out, b"a\nb")]);
        streams.0[0].extend_from_slice(b"c\n");
        streams.0[1].extend_from_slice(b"wrong\n");
        printed.catch_up(&streams);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        printed.give_back(&streams, &mut out, &mut err).unwrap();
        assert_eq!((out, err), (b"a\nbc\n".to_vec(), b"wrong\n".to_vec()));
        assert_eq!(printed.lines(), 3);
    }

    fn told(pieces: &[(Stream, &[u8])]) -> (Printed, Streams) {
        let (mut printed, mut streams) = (Printed::default(), Streams::default());
        for &(stream, bytes) in pieces {
            let bytes = bytes.to_vec();
            streams.0[stream as usize].extend_from_slice(&bytes);
            printed.add(&Output { stream, bytes });
        }
        (printed, streams)
    }

    fn many(count: u32) -> (Printed, Streams) {
        let lines: Vec<String> = (0..count).map(|line| format!("line {line}\n")).collect();
        let text = lines.concat();
        let pieces: Vec<_> = text
            .as_bytes()
            .chunks(1_000)
            .map(|piece| (Stream::Out, piece))
            .collect();
        told(&pieces)
    }

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let text = b"one\ntwo\n\nfour";
        let whole = told(&[(Stream::Out, text)]);
        let page = whole.0.page(&whole.1, 9, 9).unwrap();
        let seen: Vec<&str> = page.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(seen, ["one", "two", "", "four"]);
        for size in 1..text.len() {
            let pieces: Vec<_> = text
                .chunks(size)
                .map(|piece| (Stream::Out, piece))
                .collect();
            let (printed, streams) = told(&pieces);
            assert_eq!(printed.page(&streams, 9, 9).unwrap(), page, "{size}");
            assert_eq!(printed.lines(), 4);
        }
    }

    #[test]
    fn a_line_ends_where_the_other_stream_goes_on() {
        let pieces: [(Stream, &[u8]); 4] = [
            (Stream::Out, b"a"),
            (Stream::Err, b"wrong\n"),
            (Stream::Out, b"b\nc"),
            (Stream::Out, b"d"),
        ];
        let (printed, streams) = told(&pieces);
        let page = printed.page(&streams, 9, 9).unwrap();
        let seen: Vec<_> = page
            .iter()
            .map(|line| (line.stream, line.text.as_str()))
            .collect();
        let (out, err) = (Stream::Out, Stream::Err);
        assert_eq!(seen, [(out, "a"), (err, "wrong"), (out, "b"), (out, "cd")]);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        printed.give_back(&streams, &mut out, &mut err).unwrap();
        assert_eq!((out, err), (b"ab\ncd".to_vec(), b"wrong\n".to_vec()));
    }

    #[test]
    fn a_page_far_behind_is_found_without_the_lines_before_it() {
        let (printed, streams) = many(100_000);
        assert_eq!(printed.lines(), 100_000);
        assert!((2..40).contains(&printed.marks.len()));
        for end in [3, 5_000, 77_777, 100_000] {
            let page = printed.page(&streams, end, 3).unwrap();
            let texts: Vec<_> = page.iter().map(|line| line.text.clone()).collect();
            let wanted: Vec<_> = (end - 3..end).map(|line| format!("line {line}")).collect();
            assert_eq!(texts, wanted);
            assert_eq!(page[0].number, end - 3);
        }
    }

    #[test]
    fn a_line_without_an_end_takes_no_more_than_its_share() {
        let text = vec![b'x'; 3 * LONGEST + 1];
        let (printed, streams) = told(&[(Stream::Out, &text)]);
        assert_eq!(printed.lines(), 4);
        let page = printed.page(&streams, 4, 4).unwrap();
        assert_eq!(page[3].text, "x");
    }

    #[test]
    fn a_search_goes_either_way_and_round() {
        let (printed, streams) = many(50_000);
        let search = |text: &str, from, back| {
            let mut search = Search::new(&printed, text.to_owned(), from, back);
            loop {
                if let ControlFlow::Break(found) = search.step(&printed, &streams) {
                    return found;
                }
            }
        };
        assert_eq!(search("line 4999", 50_000, true), Some(49_999));
        assert_eq!(search("line 4999", 49_990, true), Some(4_999));
        assert_eq!(search("line 4999", 4_999, true), Some(49_999));
        assert_eq!(search("line 4999", 5_000, false), Some(49_990));
        assert_eq!(search("line 17", 40_000, false), Some(17));
        assert_eq!(search("line 0", 0, true), Some(0));
        assert_eq!(search("nowhere", 40_000, false), None);
    }

    #[test]
    fn nothing_printed_is_nothing_found() {
        let (printed, streams) = told(&[]);
        assert_eq!(printed.page(&streams, 5, 5).unwrap(), []);
        let mut search = Search::new(&printed, "a".to_owned(), 0, true);
        assert_eq!(search.step(&printed, &streams), ControlFlow::Break(None));
    }
}
