//! The forms in which a secret could show itself.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A secret, and what to look for.
pub struct Secret {
    pub name: &'static str,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Secret {
    pub fn new(name: &'static str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        assert!(value.len() >= 12, "{name} is too short to be looked for");
        let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        let list: Vec<_> = value.iter().map(ToString::to_string).collect();
        let mut forms = vec![
            ("clear", value.to_vec()),
            ("hexadecimal", hex.to_uppercase().into_bytes()),
            ("hexadecimal", hex.into_bytes()),
            ("a list of bytes", list.join(", ").into_bytes()),
        ];
        for before in 0..3 {
            forms.push(("base64", middle(&STANDARD_NO_PAD.encode(shifted(before, value)), before, value.len())));
            forms.push(("base64url", middle(&URL_SAFE_NO_PAD.encode(shifted(before, value)), before, value.len())));
        }
        Self { name, forms }
    }

    /// The form in which the secret is there, if it is.
    pub fn form_in(&self, text: &[u8]) -> Option<&'static str> {
        let is_there = |form: &[u8]| text.windows(form.len()).any(|window| window == form);
        self.forms.iter().find(|(_, form)| is_there(form)).map(|(name, _)| *name)
    }
}

fn shifted(before: usize, value: &[u8]) -> Vec<u8> {
    [&vec![0; before], value].concat()
}

/// The characters that depend on the value alone, and on nothing that may stand before or after it.
fn middle(encoded: &str, before: usize, length: usize) -> Vec<u8> {
    let first = (before * 8).div_ceil(6);
    let end = (before + length) * 8 / 6;
    encoded.as_bytes()[first..end].to_vec()
}
