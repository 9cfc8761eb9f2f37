//! Memory that processes share: a page of small flags, and words behind it.
//!
//! All of it is atomic, so whatever the other side does, and whenever it dies, nothing worse can be read
//! here than a wrong number. Bytes are stored as whole words.
#![expect(unsafe_code, reason = "a map of memory that others write to as well")]

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{MemfdFlags, fstat, ftruncate, memfd_create};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Bytes of the flags, which come first.
const PAGE: usize = 4096;

/// See the module.
#[derive(Debug)]
pub(super) struct Memory {
    map: MmapRaw,
    words: usize,
}

impl Memory {
    /// New memory, all zero, and the file by which another process gets it.
    pub(super) fn new(words: usize) -> io::Result<(Self, OwnedFd)> {
        let file = memfd_create("parviz", MemfdFlags::CLOEXEC)?;
        ftruncate(&file, (PAGE + words * 8) as u64)?;
        Ok((Self::of(&file)?, file))
    }

    /// The memory behind a file.
    pub(super) fn of(file: &OwnedFd) -> io::Result<Self> {
        let bytes = usize::try_from(fstat(file)?.st_size).unwrap_or_default();
        if bytes < PAGE {
            return Err(io::Error::other("no memory to share"));
        }
        let map = MmapOptions::new().len(bytes).map_raw(file)?;
        Ok(Self {
            map,
            words: (bytes - PAGE) / 8,
        })
    }

    /// One of 64 flags, each alone in its line of the cache.
    #[expect(clippy::cast_ptr_alignment, reason = "the map begins with a page")]
    pub(super) fn flag(&self, place: usize) -> &AtomicU32 {
        assert!(place < PAGE / 64);
        // SAFETY: the map is at least a page long, aligned to one, and lives as long as `self`; no part of it
        // is ever anything but an atomic, in no process.
        unsafe { &*self.map.as_ptr().add(place * 64).cast::<AtomicU32>() }
    }

    #[expect(clippy::cast_ptr_alignment, reason = "a page ends aligned as it began")]
    pub(super) fn words(&self) -> &[AtomicU64] {
        // SAFETY: as above; `words` is what fits behind the page.
        unsafe {
            std::slice::from_raw_parts(self.map.as_ptr().add(PAGE).cast::<AtomicU64>(), self.words)
        }
    }
}

/// Words needed for so many bytes.
pub(super) fn words_of(bytes: usize) -> usize {
    bytes.div_ceil(8)
}

/// Copies bytes into a ring of words, from this position on. There must be room for them.
pub(super) fn write(ring: &[AtomicU64], position: u64, bytes: &[u8]) {
    let mut place = (position % ring.len() as u64) as usize;
    let mut put = |word: u64| {
        ring[place].store(word, Ordering::Relaxed);
        place += 1;
        if place == ring.len() {
            place = 0;
        }
    };
    let (whole, rest) = bytes.as_chunks::<8>();
    for word in whole {
        put(u64::from_ne_bytes(*word));
    }
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        put(u64::from_ne_bytes(last));
    }
}

/// Copies so many words out of a ring, behind what is there already.
pub(super) fn read(ring: &[AtomicU64], position: u64, words: usize, into: &mut Vec<u8>) {
    let first = (position % ring.len() as u64) as usize;
    let to_end = words.min(ring.len() - first);
    into.reserve(words * 8);
    for part in [&ring[first..first + to_end], &ring[..words - to_end]] {
        for word in part {
            into.extend_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_across_the_end_of_a_ring() {
        let (memory, file) = Memory::new(8).unwrap();
        let other = Memory::of(&file).unwrap();
        let bytes: Vec<u8> = (1..=45).collect();
        write(memory.words(), 5, &bytes);
        let mut back = Vec::new();
        read(other.words(), 5, words_of(bytes.len()), &mut back);
        assert_eq!(back[..45], bytes);
        memory.flag(63).store(7, Ordering::Release);
        assert_eq!(other.flag(63).load(Ordering::Acquire), 7);
    }
}
