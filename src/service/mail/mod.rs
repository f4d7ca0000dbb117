//! The worker behind the outbox: looks up, mints, renders, delivers. And the texts of mails.

mod built_in;
pub mod deliver;
mod envelope;
mod facts;
mod recipient;
pub mod settings;
pub mod template_file;
pub mod templates;
