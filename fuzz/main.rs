//! The fuzzer: one binary for every property, which the variable `FUZZ_TARGET` names. libFuzzer has the `main`.

#![no_main]

mod properties;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use properties::{Property, named};

fn property() -> Property {
    static PROPERTY: OnceLock<Property> = OnceLock::new();
    *PROPERTY.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET");
        named(&name).unwrap_or_else(|| panic!("no property is called {name}"))
    })
}

fuzz_target!(|bytes: &[u8]| property()(bytes));
