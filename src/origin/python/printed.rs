//! Hands on what the program printed, from the files that keep it.

use super::{Handle, Output, Stream};
use crate::origin::Cancel;
use crossbeam_channel::{Sender, TrySendError, select};

const PIECE: usize = 1 << 16;

/// See the module.
#[derive(Debug)]
pub(super) struct Printed {
    handle: Handle,
    pieces: Sender<Output>,
    /// How far the two streams were handed on.
    places: [u64; 2],
}

impl Printed {
    pub(super) fn new(handle: Handle, pieces: Sender<Output>) -> Self {
        Self {
            handle,
            pieces,
            places: [0; 2],
        }
    }

    /// Hands on what was printed, as far as there is room for it.
    pub(super) fn hand_on(&mut self) {
        for stream in [Stream::Out, Stream::Err] {
            while let Some(piece) = self.piece(stream) {
                let length = piece.bytes.len() as u64;
                match self.pieces.try_send(piece) {
                    Ok(()) => self.places[stream as usize] += length,
                    Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => break,
                }
            }
        }
    }

    /// Hands on all that was printed; waits for the reader.
    pub(super) fn hand_on_rest(&mut self, cancel: &Cancel) {
        for stream in [Stream::Out, Stream::Err] {
            while let Some(piece) = self.piece(stream) {
                let length = piece.bytes.len() as u64;
                let sent = select! {
                    send(self.pieces, piece) -> sent => sent.is_ok(),
                    recv(cancel.closed()) -> _ => false,
                };
                if !sent {
                    return;
                }
                self.places[stream as usize] += length;
            }
        }
    }

    fn piece(&self, stream: Stream) -> Option<Output> {
        let mut bytes = vec![0; PIECE];
        let from = self.places[stream as usize];
        let length = self.handle.read_kept(stream, from, &mut bytes).ok()?;
        bytes.truncate(length);
        (length > 0).then_some(Output { stream, bytes })
    }
}
