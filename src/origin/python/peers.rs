//! The processes that are connected: what they say, and what their rings hold.
//!
//! A look at all of them ([`Peers::look`]) goes so:
//!
//! 1. The clock is read (`now`).
//! 2. Connections are taken in and what they say is read, so that every process that told something before
//!    `now` is known, and every name it used.
//! 3. All rings are emptied. What was told up to `now` is there.
//! 4. It is joined in the order of time up to `now`. What is later waits for the next look: something that
//!    caused it may have been missed. So does what speaks of a text that is still on its way, as a record
//!    may tell of a time before its text was sent, and everything behind it.
//!
//! A process that closed its connection and lives on is cut off: its ring is read as before, and it may connect
//! again. Another interpreter in its place, which it became by itself, waits until it has left.
//!
//! Who sends what makes no sense is no longer listened to. There are never more than so many connections,
//! and who does not say hello soon is forgotten, so a flood costs itself only. Who is one too many is
//! counted as not seen.
#![expect(
    clippy::disallowed_methods,
    reason = "opens the rings of processes that it is told of"
)]

mod later;

use super::join::{Join, Peer};
use super::ring::Ring;
use super::wire::{
    ENTRIES, ENTRIES_AT, ENTRY_BYTES, Entry, HEADER_BYTES, Header, Hello, Message, RING_BYTES,
    Record, SOCKET, Told,
};
use crate::event::{Kind, Note, NoteKind};
use crate::platform;
use later::{Later, Said};
use rustix::fs::{Mode, OFlags};
use rustix::net::RecvFlags;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Connections at a time, if so many files may be open: every one of them is asked in every look.
const MOST: usize = 2_000;
/// So often in one look those who left without a word make room for others.
const WEEDINGS: usize = 4;
/// Files of a connection, with one of those from which the clocks of threads are read; and those that all the
/// rest of parviz may need.
const FILES: u64 = 3;
const OTHER_FILES: u64 = 124;
/// Who has not said hello after so many nanoseconds will not.
const SILENT: u64 = 2_000_000_000;
/// Bytes that are read of one connection in one look.
const AT_ONCE: usize = 1 << 18;
/// What a process names that could not have a ring, or not all of it: what it does is lost.
const RING: &str = "ring";
/// A time that lies so far ahead is no time.
const AHEAD: u64 = 1_000_000_000;
/// Time between two looks at the page of a ring, and between two reports of what watching costs.
const PAGE: u64 = 20_000_000;
const COST: u64 = 1_000_000_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Peers {
    listener: UnixListener,
    /// Where rings may be: a process that finds no room in the first makes its own in the second.
    rings: [PathBuf; 2],
    list: Vec<Connection>,
    paged: u64,
    costed: u64,
    /// Connections that were one too many, until that is told.
    refused: u32,
    /// Someone has said hello: with its version.
    pub(super) greeted: Option<Hello>,
}

#[derive(Debug)]
struct Connection {
    stream: UnixStream,
    bytes: Vec<u8>,
    since: u64,
    /// `None`: it has not said hello.
    peer: Option<Peer>,
    pid: u32,
    hello: Option<Hello>,
    ring: Option<Ring>,
    /// How many rings it has named: there is one.
    named_rings: u32,
    /// Slots that are no records.
    unread: u64,
    /// Messages that it says it had to drop.
    unsaid: u64,
    /// The latest time of each thread: its records stay in their order.
    latest: HashMap<u16, u64>,
    /// What happened later than the last look.
    later: Vec<Later>,
    records: u64,
    items: u64,
    /// Its process closed it, and lived on.
    is_cut: bool,
    /// Instead of a hello: it is the next connection of the process with this pid.
    again: Option<u32>,
    /// It has the pid of a process that has not left, and waits for that.
    instead: Option<u32>,
    /// It said its last word.
    is_closed: bool,
    /// Its ring was emptied after that.
    is_empty: bool,
}

impl Peers {
    /// Listens in the folder of the probe; rings are in the other one, or here.
    pub(super) fn listen(folder: &Path, rings: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(folder.join(SOCKET))?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            rings: [rings, folder].map(Path::to_owned),
            list: Vec::new(),
            paged: 0,
            costed: 0,
            refused: 0,
            greeted: None,
        })
    }

    /// See the module; `now` was read before. With `last` what is later than `now` is joined as well.
    pub(super) fn look(&mut self, join: &mut Join, now: u64, last: bool) {
        self.accept(now);
        let mut present = Vec::new();
        if self.list.iter().any(|one| one.peer.is_none()) {
            present.extend(self.pids().map(|(_, pid)| pid));
        }
        let mut replaced = Vec::new();
        for connection in &mut self.list {
            if connection.is_cut {
                connection.is_closed = !platform::has_memory(connection.pid);
            } else if !connection.is_closed {
                connection.listen(join, &self.rings, now, &present);
                replaced.extend(connection.instead.take());
            }
            if let (None, Some(hello)) = (&self.greeted, connection.hello.take()) {
                self.greeted = Some(hello);
            }
        }
        self.reunite(join, now);
        for connection in &mut self.list {
            connection.is_closed |= connection.is_cut && replaced.contains(&connection.pid);
            connection.empty(join, now, last);
        }
        let until = if last {
            u64::MAX
        } else {
            self.told_until(join, now)
        };
        let mut told = Vec::new();
        for connection in &mut self.list {
            connection.hand_on(until, &mut told);
        }
        // Stable: what one thread tells at the same moment stays in its order.
        told.sort_by_key(|&(at, ..)| at);
        for (at, peer, said) in told {
            match said {
                Said::Record(record) => join.record(peer, record),
                Said::NoProbe { part, reason } => {
                    join.no_probe(peer, at, part == RING, &format!("{part}: {reason}"));
                }
            }
        }
        // What is seen here and now comes before what is still held back.
        let seen = until.min(now);
        if now.saturating_sub(self.paged) >= PAGE {
            self.paged = now;
            self.list
                .iter_mut()
                .for_each(|connection| connection.look_at_page(join, seen));
        }
        let costs = now.saturating_sub(self.costed) >= COST || last;
        if costs {
            self.costed = now;
        }
        for connection in &self.list {
            if costs && !connection.is_closed {
                connection.tell_cost(join, seen);
            }
        }
        let refused = std::mem::take(&mut self.refused);
        if refused > 0 {
            let why = format!("more than {} at a time", most());
            join.unwatched(seen, NoteKind::Refused, refused, &why);
        }
        self.list.retain(|connection| {
            // What its parent saw of its end may still be held back.
            let is_over = connection.is_empty && until >= now;
            if is_over {
                connection.leave(join, now);
                // It died before now, so that comes first.
                connection.tell_cost(join, now);
            }
            !is_over
        });
        join.pass(now, seen);
    }

    /// Up to when everything is known: `now`, or just before the first record whose text, or the name of whose
    /// thread, is on its way.
    fn told_until(&self, join: &Join, now: u64) -> u64 {
        let first = self.list.iter().filter_map(|connection| {
            let peer = connection.peer?;
            let mut threads = connection.latest.keys();
            let all_threads = threads.all(|&thread| join.knows_thread(peer, thread));
            let mut later = connection.later.iter();
            let first = later.find(|later| later.waits(join, peer, all_threads, now))?;
            Some(first.at.saturating_sub(1))
        });
        first.min().unwrap_or(now).min(now)
    }

    /// Those that were cut off and have connected again go on.
    fn reunite(&mut self, join: &mut Join, now: u64) {
        if self.list.iter().all(|one| one.again.is_none()) {
            return;
        }
        let all = std::mem::take(&mut self.list).into_iter();
        let (back, rest): (Vec<_>, Vec<_>) = all.partition(|one| one.again.is_some());
        self.list = rest;
        for next in back {
            let mut known = self.list.iter_mut();
            let old = known
                .find(|old| !old.is_closed && old.peer.is_some() && Some(old.pid) == next.again);
            match old {
                Some(old) => old.resume(next, join, &self.rings, now),
                None => self.list.push(next),
            }
        }
    }

    fn accept(&mut self, now: u64) {
        self.list
            .retain(|one| one.peer.is_some() || now.saturating_sub(one.since) < SILENT);
        let mut weedings = WEEDINGS;
        while let Ok((stream, _)) = self.listener.accept() {
            if self.list.len() >= most() && weedings > 0 {
                weedings -= 1;
                self.list.retain(|one| !one.has_left());
            }
            // Whoever is one too many finds the connection closed.
            if self.list.len() < most() && stream.set_nonblocking(true).is_ok() {
                self.list.push(Connection::new(stream, now));
            } else {
                self.refused += 1;
            }
        }
    }

    /// The processes that are watched now, each with its pid.
    pub(super) fn pids(&self) -> impl Iterator<Item = (Peer, u32)> + '_ {
        self.list
            .iter()
            .filter_map(|connection| Some((connection.peer?, connection.pid)))
    }
}

impl Connection {
    fn new(stream: UnixStream, since: u64) -> Self {
        Self {
            stream,
            bytes: Vec::new(),
            since,
            peer: None,
            pid: 0,
            hello: None,
            ring: None,
            named_rings: 0,
            unread: 0,
            unsaid: 0,
            latest: HashMap::new(),
            later: Vec::new(),
            records: 0,
            items: 0,
            is_cut: false,
            again: None,
            instead: None,
            is_closed: false,
            is_empty: false,
        }
    }

    /// It never said anything, and has closed.
    fn has_left(&self) -> bool {
        let peeked = rustix::net::recv(&self.stream, &mut [0][..], RecvFlags::PEEK);
        self.peer.is_none() && peeked.is_ok_and(|(_, length)| length == 0)
    }

    /// Reads what it says.
    fn listen(&mut self, join: &mut Join, rings: &[PathBuf; 2], now: u64, present: &[u32]) {
        let mut piece = [0; 1 << 14];
        let mut read = 0;
        self.is_closed = self.heed(join, rings, now, present).is_none();
        // What is behind words that have to wait waits in the socket, and so does its end.
        while read < AT_ONCE && !self.is_closed && !self.waits() {
            match self.stream.read(&mut piece) {
                Ok(0) if self.peer.is_some() && platform::has_memory(self.pid) => {
                    self.is_cut = true;
                    return;
                }
                Ok(0) => self.is_closed = true,
                Ok(length) => {
                    read += length;
                    self.bytes.extend_from_slice(&piece[..length]);
                    if self.heed(join, rings, now, present).is_none() {
                        self.is_closed = true;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.is_closed = true,
            }
        }
    }

    /// For its turn to be heeded.
    fn waits(&self) -> bool {
        self.instead.is_some() || self.again.is_some()
    }

    /// Does what the messages say that are there; `None` if one of them makes no sense.
    fn heed(
        &mut self,
        join: &mut Join,
        rings: &[PathBuf; 2],
        now: u64,
        present: &[u32],
    ) -> Option<()> {
        let mut place = 0;
        while self.again.is_none()
            && let Some((message, length)) = Message::parse(self.bytes.get(place..)?).ok()?
        {
            match (self.peer, message) {
                (None, Message::Hello(hello)) => {
                    if !is_from(&self.stream, hello.pid) {
                        return None;
                    }
                    if present.contains(&hello.pid) {
                        self.instead = Some(hello.pid);
                        break;
                    }
                    self.peer = Some(join.hello(&hello)?);
                    self.pid = hello.pid;
                    self.hello = Some(hello);
                }
                (Some(peer), Message::String { id, text }) => join.name(peer, id, text),
                (
                    Some(peer),
                    Message::Thread {
                        number,
                        native,
                        name,
                    },
                ) => join.thread(peer, number, native, &name),
                (Some(_), Message::Ring { file }) => {
                    if let Err(reason) = self.take_ring(rings, &file) {
                        let part = RING.to_owned();
                        let said = Said::NoProbe { part, reason };
                        self.later.push(Later {
                            at: now,
                            came: now,
                            said,
                        });
                    }
                }
                (Some(_), Message::NoProbe { at, part, reason }) => {
                    let said = Said::NoProbe { part, reason };
                    self.later.push(Later {
                        at: at.min(now),
                        came: now,
                        said,
                    });
                }
                (None, Message::Again { pid }) if is_from(&self.stream, pid) => {
                    self.again = Some(pid);
                }
                (None, _) | (Some(_), Message::Hello(_) | Message::Again { .. }) => return None,
            }
            place += length;
        }
        self.bytes.drain(..place);
        Some(())
    }

    /// Goes on with its next connection.
    fn resume(&mut self, next: Self, join: &mut Join, rings: &[PathBuf; 2], now: u64) {
        if !self.is_cut {
            // A child may have the same descriptor.
            self.listen(join, rings, now, &[]);
        }
        self.stream = next.stream;
        // What was begun before is said again.
        self.bytes = next.bytes;
        self.is_cut = false;
        self.listen(join, rings, now, &[]);
    }

    /// Opens the ring it names, or says why that is not read: once, whatever it names after that.
    fn take_ring(&mut self, [first, second]: &[PathBuf; 2], file: &str) -> Result<(), String> {
        let named = self.named_rings;
        self.named_rings = named.saturating_add(1);
        match named {
            0 if !belongs(file, self.pid) => Err("it names that of another process".to_owned()),
            0 => {
                let opened = open(&first.join(file)).or_else(|_| open(&second.join(file)));
                self.ring = Some(Ring::new(opened.map_err(|error| error.to_string())?));
                Ok(())
            }
            1 => Err("it has a second one".to_owned()),
            _ => Ok(()),
        }
    }

    /// Takes what is in the ring, in pairs of the moment by which it is sorted and the record.
    fn empty(&mut self, join: &mut Join, now: u64, last: bool) {
        let Some(peer) = self.peer else {
            return;
        };
        let is_closed = self.is_closed;
        let mut records = std::mem::take(&mut self.later);
        let mut gone = 0;
        if let Some(ring) = &mut self.ring {
            gone = ring.drain(is_closed || last, |slot| {
                let parsed = Record::parse(slot).filter(|(first, _)| first.at < now + AHEAD);
                let Some((first, second)) = parsed else {
                    self.unread += 1;
                    return;
                };
                self.records += 1;
                if let Told::Items { count, .. } = first.told {
                    self.items += u64::from(count);
                }
                let latest = self.latest.entry(first.thread).or_default();
                for record in [Some(first), second].into_iter().flatten() {
                    *latest = record.at.max(*latest);
                    records.push(Later {
                        at: *latest,
                        came: now,
                        said: Said::Record(record),
                    });
                }
            });
        }
        self.later = records;
        gone += std::mem::take(&mut self.unread);
        if gone > 0 {
            join.dropped(peer, now, gone);
        }
    }

    /// Hands on what happened until then.
    fn hand_on(&mut self, until: u64, told: &mut Vec<(u64, Peer, Said)>) {
        if let Some(peer) = self.peer {
            for later in std::mem::take(&mut self.later) {
                if later.at <= until {
                    told.push((later.at, peer, later.said));
                } else {
                    self.later.push(later);
                }
            }
        }
        self.is_empty = self.is_closed && self.later.is_empty();
    }

    /// The words of the threads, as far as they hold still.
    fn page(&self) -> Option<(Header, Vec<u8>)> {
        let ring = self.ring.as_ref()?;
        let (mut first, mut second) = (vec![0; HEADER_BYTES], vec![0; HEADER_BYTES]);
        ring.header(&mut first).ok()?;
        ring.header(&mut second).ok()?;
        let header = Header::parse(&second)?;
        let entries = first
            .chunks_exact(ENTRY_BYTES)
            .zip(second.chunks_exact_mut(ENTRY_BYTES));
        for (before, now) in entries.skip(ENTRIES_AT / ENTRY_BYTES) {
            if before != now {
                now.fill(0);
            }
        }
        Some((header, second))
    }

    fn entry(page: &[u8], thread: usize) -> Option<Entry> {
        let from = ENTRIES_AT + thread * ENTRY_BYTES;
        let words = page.get(from..from + ENTRY_BYTES)?.as_chunks::<8>().0;
        let words: [[u8; 8]; 4] = words.try_into().ok()?;
        Some(Entry::from_words(words.map(u64::from_ne_bytes)))
    }

    fn look_at_page(&mut self, join: &mut Join, now: u64) {
        let (Some(peer), Some((header, page))) = (self.peer, self.page()) else {
            return;
        };
        let more = header.lost.saturating_sub(self.unsaid);
        if more > 0 {
            self.unsaid = header.lost;
            join.dropped(peer, now, more);
        }
        for thread in 0..ENTRIES {
            if let Some(entry) = Self::entry(&page, thread) {
                join.seen(peer, thread as u16, entry);
            }
        }
    }

    fn tell_cost(&self, join: &mut Join, now: u64) {
        let (Some(peer), Some((header, _))) = (self.peer, self.page()) else {
            return;
        };
        let cost = u64::from(header.record_cost)
            .saturating_mul(self.records)
            .saturating_add(u64::from(header.item_cost).saturating_mul(self.items));
        let note = Note {
            kind: NoteKind::ProbeCost,
            pool: None,
            call: None,
            text: String::new(),
            value: i64::try_from(cost).unwrap_or(i64::MAX),
        };
        let lane = join.lane(peer);
        let tell = join.tell();
        tell.say(lane, tell.time(now), Kind::Noted(Box::new(note)));
    }

    /// The process is gone.
    fn leave(&self, join: &mut Join, now: u64) {
        let Some(peer) = self.peer else {
            return;
        };
        let page = self.page().map(|(_, page)| page);
        let thread = join.working_thread(peer);
        let entry = page
            .zip(thread)
            .and_then(|(page, thread)| Self::entry(&page, usize::from(thread)));
        join.gone(peer, now, entry);
    }
}

/// So many connections there may be now, and so many clocks of threads may be kept open.
pub(super) fn most() -> usize {
    let files = platform::files_allowed().saturating_sub(OTHER_FILES) / FILES;
    usize::try_from(files).unwrap_or(MOST).min(MOST)
}

/// A ring has the pid of its process in its name.
fn belongs(file: &str, pid: u32) -> bool {
    file.split_once('-')
        .is_some_and(|(own, _)| own.parse() == Ok(pid))
}

/// Opens a ring if it is what it should be, and takes its name away: nobody else needs it.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let facts = file.metadata()?;
    let is_ours = facts.uid() == rustix::process::getuid().as_raw();
    if !facts.is_file() || facts.len() != RING_BYTES as u64 || !is_ours {
        return Err(ErrorKind::InvalidData.into());
    }
    fs::remove_file(path)?;
    Ok(file)
}

/// Whether the system says that the other end has this pid; true where it says nothing.
#[cfg(target_os = "linux")]
fn is_from(stream: &UnixStream, pid: u32) -> bool {
    let asked = rustix::net::sockopt::socket_peercred(stream);
    asked.is_ok_and(|other| u32::try_from(other.pid.as_raw_nonzero().get()) == Ok(pid))
}

#[cfg(not(target_os = "linux"))]
fn is_from(_: &UnixStream, _: u32) -> bool {
    true
}
