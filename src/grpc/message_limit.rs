//! How large a message may be, and how many there may be: judged by the five bytes that announce one, before anything
//! of it is kept.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tonic::Status;

use super::methods::Messages;
use super::status;

/// A compression flag and a length of four bytes, big endian (gRPC over HTTP/2, "Length-Prefixed-Message").
const PREFIX_BYTES: usize = 5;

/// A request's body whose messages are all within the limit and not too many, or that ends in an error.
///
/// tonic passes over what follows the one message of a unary call; here it is refused, as gRPC demands. And tonic decodes
/// a message, which may grow many times over by that, before it waits for the end of the stream: so a unary call's
/// message is held back, as bytes, until the stream has ended, or a caller who never ends it would fill the memory.
#[derive(Debug)]
pub struct LimitedBody<B> {
    inner: B,
    gauge: Gauge,
    held: BytesMut,
}

impl<B> LimitedBody<B> {
    /// `limit` is in bytes, of each message without its prefix.
    pub fn new(inner: B, limit: usize, messages: Messages) -> Self {
        Self {
            inner,
            gauge: Gauge { limit, messages, begun: false, prefix: [0; PREFIX_BYTES], filled: 0, payload_left: 0 },
            held: BytesMut::new(),
        }
    }

    /// What was held back, once there is no more to come.
    fn release(&mut self) -> Option<Result<Frame<Bytes>, Status>> {
        (!self.held.is_empty()).then(|| Ok(Frame::data(self.held.split().freeze())))
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for LimitedBody<B> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        loop {
            let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(context)) else {
                return Poll::Ready(self.release());
            };
            let Ok(frame) = frame else {
                return Poll::Ready(Some(Err(status::malformed_message())));
            };
            // Trailers of a request mean nothing to gRPC.
            let Ok(data) = frame.into_data() else { continue };
            match self.gauge.measure(&data) {
                Verdict::Fits => {}
                Verdict::TooLarge => return Poll::Ready(Some(Err(status::message_too_large()))),
                Verdict::TooMany => return Poll::Ready(Some(Err(status::malformed_message()))),
            }
            match self.gauge.messages {
                // Where the stream ends with this frame, there is nothing to wait for and nothing to copy.
                Messages::One if self.held.is_empty() && self.inner.is_end_stream() => {
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                // Copied: the frame may be a small part of a large buffer, which it would keep.
                Messages::One => self.held.extend_from_slice(&data),
                Messages::Many => return Poll::Ready(Some(Ok(Frame::data(data)))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Fits,
    TooLarge,
    /// A second message where one is allowed.
    TooMany,
}

/// Follows the prefixes through a body, however it is cut into frames.
#[derive(Debug)]
struct Gauge {
    limit: usize,
    messages: Messages,
    /// Whether a message has been announced.
    begun: bool,
    prefix: [u8; PREFIX_BYTES],
    /// How much of the prefix has been seen.
    filled: usize,
    /// How much of the message after the prefix is still to come.
    payload_left: usize,
}

impl Gauge {
    fn measure(&mut self, mut data: &[u8]) -> Verdict {
        while !data.is_empty() {
            if self.payload_left > 0 {
                let skipped = self.payload_left.min(data.len());
                self.payload_left -= skipped;
                data = &data[skipped..];
                continue;
            }
            if self.begun && self.messages == Messages::One {
                return Verdict::TooMany;
            }
            self.prefix[self.filled] = data[0];
            self.filled += 1;
            data = &data[1..];
            if self.filled == PREFIX_BYTES {
                let [_, length @ ..] = self.prefix;
                self.filled = 0;
                self.begun = true;
                self.payload_left = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                if self.payload_left > self.limit {
                    return Verdict::TooLarge;
                }
            }
        }
        Verdict::Fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge() -> Gauge {
        LimitedBody::new((), 8, Messages::Many).gauge
    }

    fn message(length: u8) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 0, length];
        bytes.extend(std::iter::repeat_n(b'x', usize::from(length)));
        bytes
    }

    // promise N2
    #[test]
    fn a_message_over_the_limit_is_refused_at_its_prefix() {
        assert_eq!(gauge().measure(&[0, 0, 0, 0, 9]), Verdict::TooLarge);
        assert_eq!(gauge().measure(&[0, 255, 255, 255, 255]), Verdict::TooLarge);
    }

    #[test]
    fn messages_up_to_the_limit_fit_however_they_are_cut() {
        let bytes = [message(8), message(0), message(3)].concat();
        for cut in 1..=bytes.len() {
            let mut gauge = gauge();
            for piece in bytes.chunks(cut) {
                assert_eq!(gauge.measure(piece), Verdict::Fits, "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_later_message_is_measured_too() {
        let bytes = [message(8), message(9)].concat();
        assert_eq!(gauge().measure(&bytes), Verdict::TooLarge);
    }

    #[test]
    fn a_unary_call_has_one_message_and_nothing_after_it() {
        let mut unary = LimitedBody::new((), 8, Messages::One).gauge;
        assert_eq!(unary.measure(&message(8)), Verdict::Fits);
        assert_eq!(unary.measure(&[]), Verdict::Fits);
        assert_eq!(unary.measure(&[0]), Verdict::TooMany);
        let mut empty = LimitedBody::new((), 8, Messages::One).gauge;
        assert_eq!(empty.measure(&[message(0), message(0)].concat()), Verdict::TooMany);
    }

    /// A body that gives these pieces, and then pends for ever or ends.
    struct Pieces(std::collections::VecDeque<Bytes>, bool);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            match self.0.pop_front() {
                Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
                None if self.1 => Poll::Ready(None),
                None => Poll::Pending,
            }
        }
    }

    fn next(body: &mut LimitedBody<Pieces>) -> Poll<Option<Bytes>> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let polled = Pin::new(body).poll_frame(&mut context);
        polled.map(|frame| frame.map(|frame| frame.expect("no fault").into_data().expect("data")))
    }

    fn body(messages: Messages, ends: bool) -> LimitedBody<Pieces> {
        let bytes = message(8);
        let pieces = bytes.chunks(5).map(Bytes::copy_from_slice).collect();
        LimitedBody::new(Pieces(pieces, ends), 8, messages)
    }

    // promise N3
    #[test]
    fn a_unary_message_is_held_back_until_its_stream_has_ended() {
        assert_eq!(next(&mut body(Messages::One, false)), Poll::Pending);
        let mut ended = body(Messages::One, true);
        assert_eq!(next(&mut ended), Poll::Ready(Some(message(8).into())));
        assert_eq!(next(&mut ended), Poll::Ready(None));
    }

    #[test]
    fn messages_of_a_stream_are_handed_on_as_they_come() {
        assert_eq!(next(&mut body(Messages::Many, false)), Poll::Ready(Some(Bytes::copy_from_slice(&message(8)[..5]))));
    }
}
