//! A text as a QR code (ISO/IEC 18004), in a PNG of one bit a pixel.

use png::{BitDepth, ColorType, Encoder};
use qrcodegen::{QrCode, QrCodeEcc};

use crate::service::error::{ServiceError, ServiceResult};

/// Pixels along one side of a module.
const SCALE: i32 = 6;
/// Modules of white around the code (ISO/IEC 18004, section 6.3.8).
const QUIET: i32 = 4;

/// The text as a PNG. Only a text too long for any QR code fails.
pub fn png(text: &str) -> ServiceResult<Vec<u8>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|_| ServiceError::Internal)?;
    let side = (code.size() + 2 * QUIET) * SCALE;
    let width = u32::try_from(side).map_err(|_| ServiceError::Internal)?;
    let mut image = Vec::new();
    let mut encoder = Encoder::new(&mut image, width, width);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels(&code, side)));
    written.map_err(|error| {
        tracing::error!(%error, "a QR code could not be written");
        ServiceError::Internal
    })?;
    Ok(image)
}

/// Row by row, eight pixels a byte, the leftmost in the highest bit; white is 1 (PNG, third edition, section 7.2).
fn pixels(code: &QrCode, side: i32) -> Vec<u8> {
    let is_dark = |x: i32, y: i32| code.get_module(x.div_euclid(SCALE) - QUIET, y.div_euclid(SCALE) - QUIET);
    let byte = |y: i32, start: i32| {
        let bits = (start..start + 8).map(|x| u8::from(x < side && !is_dark(x, y)));
        bits.fold(0, |byte, bit| byte << 1 | bit)
    };
    (0..side).flat_map(|y| (0..side).step_by(8).map(move |start| (y, start))).map(|(y, start)| byte(y, start)).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn every_module_of_the_code_is_a_square_of_the_image_and_the_rest_is_white() {
        let text = "otpauth://totp/Keystead:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Keystead";
        let image = png(text).unwrap();
        let mut reader = png::Decoder::new(Cursor::new(image)).read_info().unwrap();
        let mut packed = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut packed).unwrap();
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        let side = usize::try_from((code.size() + 2 * QUIET) * SCALE).unwrap();
        assert_eq!((info.width as usize, info.height as usize), (side, side));
        for y in 0..side {
            for x in 0..side {
                let white = packed[y * info.line_size + x / 8] >> (7 - x % 8) & 1 == 1;
                let module = |place: usize| i32::try_from(place).unwrap() / SCALE - QUIET;
                assert_eq!(white, !code.get_module(module(x), module(y)), "{x} {y}");
            }
        }
    }
}
