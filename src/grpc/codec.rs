//! prost's codec, but for what it says of bytes that are no message: a fixed text instead of the names of fields.

use std::marker::PhantomData;

use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use super::status;

/// The codec of every generated service and client.
#[derive(Clone, Copy, Debug)]
pub struct StrictCodec<Encode, Decode>(PhantomData<(Encode, Decode)>);

impl<Encode, Decode> Default for StrictCodec<Encode, Decode> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Encode, Decode> Codec for StrictCodec<Encode, Decode>
where
    Encode: Message + Send + 'static,
    Decode: Message + Default + Send + 'static,
{
    type Encode = Encode;
    type Decode = Decode;
    type Encoder = StrictEncoder<Encode>;
    type Decoder = StrictDecoder<Decode>;

    fn encoder(&mut self) -> Self::Encoder {
        StrictEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        StrictDecoder(PhantomData)
    }
}

/// Writes messages.
#[derive(Debug)]
pub struct StrictEncoder<Encode>(PhantomData<Encode>);

impl<Encode: Message> Encoder for StrictEncoder<Encode> {
    type Item = Encode;
    type Error = Status;

    fn encode(&mut self, item: Encode, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(buffer).map_err(|_no_room| status::internal())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

/// Reads messages.
#[derive(Debug)]
pub struct StrictDecoder<Decode>(PhantomData<Decode>);

impl<Decode: Message + Default> Decoder for StrictDecoder<Decode> {
    type Item = Decode;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Decode>, Status> {
        Decode::decode(buffer).map(Some).map_err(|_fault| status::malformed_message())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}
