//! What one worker and parviz share: a tape of events, a stream of answers, and some words.
//!
//! Each has one writer, the worker, and one reader. The worker may die at any instruction: what it has
//! published is there and whole, the rest was never written. [`recorder`](super::super::threads::recorder)
//! says how the tape is complete up to a moment; the flag `QUIET` is the one of its rules.

use super::memory::{self, Memory, words_of};
use rustix::thread::futex;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

/// Words of one place on the tape.
pub(super) const PLACE: usize = 4;
pub(super) type Place = [u64; PLACE];

/// Words of the stream.
const STREAM: usize = 32 * 1024;
/// Words before the tape.
const HEAD: usize = 64;
/// More than any answer has: see [`Experiment::check`](crate::experiment::Experiment::check).
const MOST_BYTES: u64 = 1 << 31;

// Flags.
/// The worker tells nothing for a while; see the module.
pub(super) const QUIET: usize = 0;
/// The tape is filling up.
pub(super) const LOOK: usize = 1;
/// It sleeps at the queue.
pub(super) const ASLEEP: usize = 2;
const ROOM_BELL: usize = 3;
/// The index of its task that has begun not to end, plus 1.
pub(super) const HANGS: usize = 4;

// Words.
const WRITTEN: usize = 0;
const READ: usize = 8;
const SAID: usize = 16;
const HEARD: usize = 24;
/// The number of the message it works on, plus 1.
pub(super) const HOLDS: usize = 32;
/// Increments it has made.
pub(super) const COUNT: usize = 40;
/// When its task began not to end.
pub(super) const HUNG_AT: usize = 48;

/// See the module; the same for both sides.
#[derive(Clone, Debug)]
pub(super) struct Book {
    memory: Arc<Memory>,
    /// Places on the tape.
    places: usize,
}

impl Book {
    pub(super) fn new(places: usize) -> io::Result<(Self, OwnedFd)> {
        let (memory, file) = Memory::new(HEAD + places * PLACE + STREAM)?;
        let book = Self {
            memory: Arc::new(memory),
            places,
        };
        // It has told nothing before it lives.
        book.flag(QUIET).store(1, SeqCst);
        Ok((book, file))
    }

    pub(super) fn of(file: &OwnedFd) -> io::Result<Self> {
        let memory = Memory::of(file)?;
        let places = memory
            .words()
            .len()
            .checked_sub(HEAD + STREAM)
            .filter(|words| *words >= PLACE)
            .ok_or_else(|| io::Error::other("no book to share"))?
            / PLACE;
        Ok(Self {
            memory: Arc::new(memory),
            places,
        })
    }

    pub(super) fn flag(&self, place: usize) -> &AtomicU32 {
        self.memory.flag(place)
    }

    pub(super) fn word(&self, place: usize) -> &AtomicU64 {
        &self.memory.words()[place]
    }

    fn tape(&self) -> &[AtomicU64] {
        &self.memory.words()[HEAD..HEAD + self.places * PLACE]
    }

    fn stream(&self) -> &[AtomicU64] {
        &self.memory.words()[HEAD + self.places * PLACE..]
    }
}

/// The end of the worker.
pub(super) struct Writer {
    book: Book,
    written: u64,
    /// How far the reader was when the tape last seemed full.
    read: u64,
    /// Places written since the reader was last called.
    uncalled: u64,
    said: u64,
}

impl Writer {
    pub(super) fn new(book: Book) -> Self {
        Self {
            book,
            written: 0,
            read: 0,
            uncalled: 0,
            said: 0,
        }
    }

    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    /// Writes places that belong together, no more than the tape has; `call` wakes the reader. Waits only
    /// if the tape is full.
    pub(super) fn tell(&mut self, places: &[Place], call: impl Fn()) {
        let room = self.book.places as u64;
        self.uncalled += places.len() as u64;
        if self.uncalled * 2 > room {
            self.uncalled = 0;
            self.book.flag(LOOK).store(1, SeqCst);
            call();
        }
        while self.written + places.len() as u64 - self.read > room {
            self.read = self.book.word(READ).load(Acquire);
            if self.written + places.len() as u64 - self.read > room {
                self.book.flag(LOOK).store(1, SeqCst);
                call();
                std::thread::yield_now();
            }
        }
        let tape = self.book.tape();
        for place in places {
            let first = (self.written % room) as usize * PLACE;
            for (word, value) in tape[first..first + PLACE].iter().zip(place) {
                word.store(*value, Relaxed);
            }
            self.written += 1;
        }
        self.book.word(WRITTEN).store(self.written, Release);
    }

    /// Says an answer, in pieces if it is long; `call` wakes the reader.
    pub(super) fn say(&mut self, bytes: &[u8], call: impl Fn()) {
        let header = (bytes.len() as u64).to_ne_bytes();
        let room = self.book.stream().len() as u64;
        let mut rest = bytes;
        let mut first = true;
        while first || !rest.is_empty() {
            let bell = self.book.flag(ROOM_BELL).load(SeqCst);
            let free = room - (self.said - self.book.word(HEARD).load(Acquire));
            let needs = u64::from(first) + 1;
            if free < needs {
                call();
                let Ok(most) = Duration::from_millis(2).try_into() else {
                    continue;
                };
                let room_bell = self.book.flag(ROOM_BELL);
                let _ = futex::wait(room_bell, futex::Flags::empty(), bell, Some(&most));
                continue;
            }
            let stream = self.book.stream();
            if first {
                memory::write(stream, self.said, &header);
                self.said += 1;
            }
            let piece = rest.len().min((free as usize - usize::from(first)) * 8);
            memory::write(stream, self.said, &rest[..piece]);
            self.said += words_of(piece) as u64;
            rest = &rest[piece..];
            first = false;
            self.book.word(SAID).store(self.said, SeqCst);
        }
        call();
    }
}

/// Reads the tape.
pub(super) struct TapeReader {
    book: Book,
    read: u64,
}

impl TapeReader {
    pub(super) fn new(book: Book) -> Self {
        Self { book, read: 0 }
    }

    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    /// Hands over what is new, in pieces that were written together or parts of them.
    pub(super) fn read(&mut self, mut place: impl FnMut(Place)) {
        let room = self.book.places as u64;
        let written = self.book.word(WRITTEN).load(Acquire);
        // More than fits cannot be true, whoever says it.
        let written = written.min(self.read + room);
        let tape = self.book.tape();
        for number in self.read..written {
            let first = (number % room) as usize * PLACE;
            let mut words = [0; PLACE];
            for (word, value) in words.iter_mut().zip(&tape[first..first + PLACE]) {
                *word = value.load(Relaxed);
            }
            place(words);
        }
        self.read = self.read.max(written);
        self.book.word(READ).store(self.read, Release);
    }
}

/// Reads the stream of answers.
pub(super) struct StreamReader {
    book: Book,
    heard: u64,
    /// What has come, from `done` on not handed out yet.
    bytes: Vec<u8>,
    done: usize,
}

impl StreamReader {
    pub(super) fn new(book: Book) -> Self {
        Self {
            book,
            heard: 0,
            bytes: Vec::new(),
            done: 0,
        }
    }

    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    /// Whether there is something to read.
    pub(super) fn has_news(&self) -> bool {
        self.book.word(SAID).load(SeqCst) != self.heard
    }

    /// Takes what has come; true if it was anything.
    pub(super) fn listen(&mut self) -> bool {
        self.bytes.drain(..self.done);
        self.done = 0;
        let room = self.book.stream().len() as u64;
        let said = self.book.word(SAID).load(Acquire);
        let new = said.saturating_sub(self.heard).min(room);
        if new == 0 {
            return false;
        }
        memory::read(
            self.book.stream(),
            self.heard,
            new as usize,
            &mut self.bytes,
        );
        self.heard += new;
        self.book.word(HEARD).store(self.heard, Release);
        if new * 2 > room {
            // The writer may have had no room.
            let bell = self.book.flag(ROOM_BELL);
            bell.fetch_add(1, SeqCst);
            let _ = futex::wake(bell, futex::Flags::empty(), 1);
        }
        true
    }

    /// The next whole answer of those that have come. An error: what the worker says makes no sense.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let Some((header, rest)) = self.bytes[self.done..].split_first_chunk::<8>() else {
            return Ok(None);
        };
        let length = u64::from_ne_bytes(*header);
        if length > MOST_BYTES {
            return Err(io::Error::other("an answer longer than any"));
        }
        let padded = words_of(length as usize) * 8;
        if rest.len() < padded {
            return Ok(None);
        }
        let first = self.done + 8;
        self.done = first + padded;
        Ok(Some(&self.bytes[first..first + length as usize]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(places: usize) -> (Writer, Book) {
        let (book, file) = Book::new(places).unwrap();
        (Writer::new(Book::of(&file).unwrap()), book)
    }

    #[test]
    fn the_tape_is_read_in_the_order_it_was_written_and_goes_round() {
        let (mut writer, book) = both(4);
        let mut reader = TapeReader::new(book);
        let mut seen = Vec::new();
        for round in 0..5 {
            writer.tell(&[[round, 1, 2, 3], [round, 4, 5, 6]], || {});
            reader.read(|place| seen.push((place[0], place[1])));
        }
        let expected: Vec<_> = (0..5).flat_map(|round| [(round, 1), (round, 4)]).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_tape_that_is_filling_up_calls_its_reader() {
        let (mut writer, book) = both(8);
        let calls = std::cell::Cell::new(0);
        for _ in 0..5 {
            writer.tell(&[[0; PLACE]], || calls.set(calls.get() + 1));
        }
        assert_eq!(
            (calls.get(), book.flag(LOOK).load(SeqCst)),
            (1, 1),
            "once half of it is written"
        );
    }

    #[test]
    fn an_answer_longer_than_the_stream_comes_in_pieces() {
        let (mut writer, book) = both(1);
        let long: Vec<u8> = (0..STREAM * 20 + 3).map(|byte| byte as u8).collect();
        std::thread::scope(|threads| {
            threads.spawn(|| {
                writer.say(b"short", || {});
                writer.say(&long, || {});
                writer.say(b"", || {});
            });
            let mut reader = StreamReader::new(book);
            let mut answers = Vec::new();
            while answers.len() < 3 {
                reader.listen();
                while let Some(answer) = reader.next().unwrap() {
                    answers.push(answer.to_vec());
                }
                std::thread::yield_now();
            }
            assert_eq!(answers, [b"short".to_vec(), long.clone(), Vec::new()]);
        });
    }

    #[test]
    fn an_answer_of_impossible_length_is_an_error() {
        let (writer, book) = both(1);
        writer.book().stream()[0].store(u64::MAX, Relaxed);
        writer.book().word(SAID).store(1, SeqCst);
        let mut reader = StreamReader::new(book);
        assert!(reader.has_news() && reader.listen());
        assert!(reader.next().is_err());
    }
}
