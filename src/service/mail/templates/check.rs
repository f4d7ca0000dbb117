//! Whether a template will do, found out before a mail needs it.

use std::collections::HashSet;

use minijinja::Environment;

use super::{render, told};
use crate::domain::clock::Timestamp;
use crate::domain::mail::MailKind;
use crate::service::mail::facts::{COMMON, Facts, Link, OF_A_LINK};
use crate::service::mail::template_file::{Part, TemplateFault, TemplateFile, name, stem};

const SAMPLE_LINK: &str = "https://accounts.example.com/page?a=1&b=2#token=sample";

/// Parses the template into the engine and renders it with samples; what is wrong with it, if anything is.
pub fn add(engine: &mut Environment<'static>, file: &TemplateFile) -> Result<(), String> {
    engine.add_template_owned(file.name(), file.source.clone()).map_err(|error| told(&error))?;
    check_names(engine, file)?;
    for facts in [sample(file.kind, "192.0.2.1", "Phone"), sample(file.kind, "", "")] {
        let rendered = render(engine, &file.name(), &facts, file.part).map_err(|error| error.0)?;
        check_sample(&rendered, file)?;
    }
    Ok(())
}

/// Every name that stands in it anywhere, in a branch that no sample takes too.
fn check_names(engine: &Environment<'_>, file: &TemplateFile) -> Result<(), String> {
    let template = engine.get_template(&file.name()).map_err(|error| told(&error))?;
    let of_engine: HashSet<&str> = engine.globals().map(|(name, _)| name).collect();
    let of_a_link: &[&str] = if file.kind.token_purpose().is_some() { &OF_A_LINK } else { &[] };
    let is_known = |used: &str| COMMON.contains(&used) || of_a_link.contains(&used) || of_engine.contains(used);
    let mut unknown: Vec<String> =
        template.undeclared_variables(false).into_iter().filter(|name| !is_known(name)).collect();
    unknown.sort_unstable();
    if unknown.is_empty() { Ok(()) } else { Err(format!("this mail has no {}", unknown.join(", "))) }
}

fn check_sample(rendered: &str, file: &TemplateFile) -> Result<(), String> {
    let link = match file.part {
        Part::Subject | Part::Text => SAMPLE_LINK.to_owned(),
        Part::Html => SAMPLE_LINK.replace('&', "&amp;"),
    };
    if rendered.trim().is_empty() {
        return Err("gives an empty text".to_owned());
    }
    match file.part {
        Part::Subject if rendered.trim_end().contains(['\r', '\n']) => Err("gives more than one line".to_owned()),
        Part::Subject if rendered.contains(&link) => Err("a link does not belong into a subject".to_owned()),
        Part::Text | Part::Html if file.kind.token_purpose().is_some() && !rendered.contains(&link) => {
            Err("lacks the link: {{ link }}".to_owned())
        }
        Part::Subject | Part::Text | Part::Html => Ok(()),
    }
}

fn sample(kind: MailKind, source: &str, device: &str) -> Facts {
    let at = Timestamp::from_millis(1_700_000_000_000);
    let link = Link { url: SAMPLE_LINK.to_owned(), expires_at: at, minutes: 30 };
    Facts {
        product: "Keystead".to_owned(),
        at,
        source: source.to_owned(),
        device: device.to_owned(),
        link: kind.token_purpose().map(|_| link),
    }
}

/// The stems whose parts are all there. Of a mail in two languages nobody would know what to think: a kind that has
/// some of its parts in a language is a fault.
pub fn complete(engine: &Environment<'_>, faults: &mut Vec<TemplateFault>) -> HashSet<String> {
    let there: HashSet<&str> = engine.templates().map(|(name, _)| name).collect();
    let languages: HashSet<&str> = there.iter().filter_map(|name| name.split('/').next()).collect();
    let mut complete = HashSet::new();
    for language in languages {
        for kind in MailKind::ALL {
            let names = Part::ALL.map(|part| name(language, kind, part));
            let missing: Vec<_> = names.iter().filter(|name| !there.contains(name.as_str())).collect();
            if missing.is_empty() {
                complete.insert(stem(language, kind));
            } else if missing.len() < names.len() {
                let problem = "is missing, while other parts of the mail are there".to_owned();
                let fault = |name: &&String| TemplateFault { file: (*name).clone(), problem: problem.clone() };
                faults.extend(missing.iter().map(fault));
            }
        }
    }
    complete
}
