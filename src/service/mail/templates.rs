//! The templates of every kind of mail in every language: checked once, at the start; nothing is read later.
//!
//! A link carries its token in the fragment (`#token=…`): a browser does not send that to the server, so that the token
//! stands in no access log and no Referer. The page that the link opens reads it there.

mod check;

use std::collections::HashSet;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior};

use super::built_in;
use super::facts::{Facts, one_line};
use super::template_file::{Part, TemplateFault, TemplateFile, name, stem};
use crate::domain::language::Language;
use crate::domain::mail::MailKind;

/// A rendered mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// A template that was checked does not render.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(String);

/// Every template, ready to render.
pub struct Templates {
    engine: Environment<'static>,
    /// The stems whose parts are all there.
    complete: HashSet<String>,
    /// The service's own language.
    language: Language,
}

impl Templates {
    /// The built-in templates with `files` in their places. Every template is parsed and rendered with samples; all
    /// faults are told together.
    pub fn new(files: Vec<TemplateFile>, language: &Language) -> Result<Self, Vec<TemplateFault>> {
        let mut engine = engine();
        let mut faults = Vec::new();
        for file in built_in::files().into_iter().chain(files) {
            if let Err(problem) = check::add(&mut engine, &file) {
                faults.push(TemplateFault { file: file.name(), problem });
            }
        }
        let complete = check::complete(&engine, &mut faults);
        let templates = Self { engine, complete, language: language.clone() };
        for kind in MailKind::ALL {
            if templates.language_for(kind, language).is_none() {
                let problem = "is missing in the service's own language (mail.language)".to_owned();
                faults.push(TemplateFault { file: name(language.as_str(), kind, Part::Subject), problem });
            }
        }
        if faults.is_empty() { Ok(templates) } else { Err(faults) }
    }

    /// In the language, or else in the language without its region, or else in the service's own.
    pub fn render(&self, kind: MailKind, language: &Language, facts: &Facts) -> Result<Rendered, RenderError> {
        let chosen = self.language_for(kind, language).or_else(|| self.language_for(kind, &self.language));
        let chosen = chosen.ok_or_else(|| RenderError(format!("no language for {kind:?}")))?;
        let part = |part| render(&self.engine, &name(chosen, kind, part), facts, part);
        Ok(Rendered {
            subject: one_line(&part(Part::Subject)?),
            text: format!("{}\n", part(Part::Text)?.trim_end()),
            html: format!("{}\n", part(Part::Html)?.trim_end()),
        })
    }

    fn language_for<'a>(&self, kind: MailKind, language: &'a Language) -> Option<&'a str> {
        [language.as_str(), language.primary()].into_iter().find(|tag| self.complete.contains(&stem(tag, kind)))
    }
}

fn render(engine: &Environment<'_>, name: &str, facts: &Facts, part: Part) -> Result<String, RenderError> {
    let rendered = engine.get_template(name).and_then(|template| template.render(facts.values(part)));
    rendered.map_err(|error| RenderError(format!("{name}: {}", told(&error))))
}

/// What is wrong, and where.
fn told(error: &Error) -> String {
    let line = error.line().map_or_else(String::new, |line| format!(" in line {line}"));
    let detail = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
    format!("{}{line}{detail}", error.kind())
}

/// Undefined names are errors wherever they are used, HTML is escaped by the name's end, and a block leaves no line.
fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    // Fails for delimiters alone, and these are the engine's own.
    engine.set_syntax(syntax.unwrap_or_default());
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_auto_escape_callback(|name| match name.rsplit_once('.') {
        Some((_, "html")) => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    engine
}

#[cfg(test)]
mod tests;
