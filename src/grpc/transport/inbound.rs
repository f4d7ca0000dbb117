//! What a connection sends to us: counted, which tells a slow beginner from one that never begins, and without what h2
//! would misjudge once the client has been told to go.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::late_streams::{Confirmed, Follower, Mask, PREFACE};

/// Read at once after the farewell, when little is still to come.
const CHUNK: usize = 1024;

/// A stream that counts what is read from it, and masks some.
#[derive(Debug)]
pub struct Inbound<S> {
    stream: S,
    received: Arc<AtomicUsize>,
    follower: Follower,
    after: Option<Box<After>>,
}

/// How much has come, in bytes.
#[derive(Clone, Debug)]
pub struct Meter(Arc<AtomicUsize>);

/// What is read after the client has confirmed the farewell.
#[derive(Debug)]
struct After {
    mask: Mask,
    /// Not masked yet.
    waiting: BytesMut,
    /// Masked, and not handed on yet.
    done: BytesMut,
}

impl Meter {
    /// Whether all has come that a client sends first.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= PREFACE
    }
}

impl After {
    fn new(confirmed: Confirmed, read: &[u8]) -> Self {
        let mut after = Self { mask: Mask::new(confirmed.last), waiting: BytesMut::new(), done: BytesMut::new() };
        after.take(read);
        after
    }

    fn take(&mut self, read: &[u8]) {
        self.waiting.extend_from_slice(read);
        let done = self.mask.mask(&mut self.waiting);
        self.done.unsplit(self.waiting.split_to(done));
    }

    /// The end has come, maybe in the middle of a head: whoever reads shall see that.
    fn end(&mut self) {
        self.done.unsplit(self.waiting.split());
    }

    fn hand_on(&mut self, buffer: &mut ReadBuf<'_>) {
        let count = self.done.len().min(buffer.remaining());
        buffer.put_slice(&self.done.split_to(count));
    }
}

impl<S> Inbound<S> {
    pub fn new(stream: S) -> (Self, Meter) {
        let received = Arc::new(AtomicUsize::new(0));
        let meter = Meter(Arc::clone(&received));
        (Self { stream, received, follower: Follower::default(), after: None }, meter)
    }
}

impl<S: AsyncRead + Unpin> Inbound<S> {
    /// Reads and counts.
    fn poll_counted(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        self.received.fetch_add(read, Ordering::Relaxed);
        Poll::Ready(Ok(read))
    }

    fn poll_before(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let start = buffer.filled().len();
        ready!(self.poll_counted(context, buffer))?;
        if let Some(confirmed) = self.follower.follow(&buffer.filled()[start..]) {
            let (_, late) = buffer.filled()[start..].split_at(confirmed.bytes);
            self.after = Some(Box::new(After::new(confirmed, late)));
            buffer.set_filled(start + confirmed.bytes);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads until something is masked, or the end has come.
    fn poll_after(&mut self, context: &mut Context<'_>, after: &mut After) -> Poll<io::Result<()>> {
        while after.done.is_empty() {
            let mut chunk = [0; CHUNK];
            let mut chunk = ReadBuf::new(&mut chunk);
            if ready!(self.poll_counted(context, &mut chunk))? == 0 {
                after.end();
                break;
            }
            after.take(chunk.filled());
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Inbound<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(mut after) = self.after.take() else { return self.poll_before(context, buffer) };
        let outcome = self.poll_after(context, &mut after);
        if let Poll::Ready(Ok(())) = outcome {
            after.hand_on(buffer);
        }
        self.after = Some(after);
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Inbound<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const PREFACE_AND_CONFIRMATION: &[u8] =
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x08\x06\x01\0\0\0\0\x0b\x7b\xa2\xf0\x8b\x9b\xfe\x54";
    const LATE: &[u8] = b"\0\0\x04\x08\0\0\0\0\x01\0\0\x01\0\0\0\x04\x08\0\0\0\0\0\0\0\x01\0";

    /// All that is read, where that is asked for by so many bytes of what is written by so many.
    async fn read(written: &[u8], each: usize, asked: usize) -> Vec<u8> {
        let (mut client, server) = tokio::io::duplex(each);
        let (mut inbound, _) = Inbound::new(server);
        let written = written.to_vec();
        let writing = tokio::spawn(async move { client.write_all(&written).await });
        let (mut all, mut some) = (Vec::new(), vec![0; asked]);
        loop {
            let count = inbound.read(&mut some).await.unwrap();
            if count == 0 {
                break;
            }
            all.extend_from_slice(&some[..count]);
        }
        writing.await.unwrap().unwrap();
        all
    }

    #[tokio::test]
    async fn all_is_handed_on_and_late_windows_are_masked() {
        let mut expected = [PREFACE_AND_CONFIRMATION, LATE].concat();
        let written = expected.clone();
        expected[PREFACE_AND_CONFIRMATION.len() + 3] = 0xf8;
        for (each, asked) in [(1, 1), (1, 64), (5, 3), (7, 64), (64, 1), (64, 64), (4096, 4096)] {
            assert_eq!(read(&written, each, asked).await, expected, "{each} {asked}");
        }
    }

    #[tokio::test]
    async fn what_ends_in_the_middle_of_a_head_is_handed_on() {
        let written = [PREFACE_AND_CONFIRMATION, &LATE[..7]].concat();
        assert_eq!(read(&written, 64, 64).await, written);
    }

    #[tokio::test]
    async fn a_connection_has_begun_once_the_preface_is_there() {
        let (mut client, server) = tokio::io::duplex(64);
        let (mut inbound, meter) = Inbound::new(server);
        for (written, begun) in [(&PREFACE_AND_CONFIRMATION[..23], false), (&PREFACE_AND_CONFIRMATION[23..24], true)] {
            client.write_all(written).await.unwrap();
            inbound.read_exact(&mut vec![0; written.len()]).await.unwrap();
            assert_eq!(meter.has_begun(), begun);
        }
    }
}
