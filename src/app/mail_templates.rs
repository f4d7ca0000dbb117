//! Reads the operator's mail templates, once, at the start.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::start_error::StartError;
use crate::service::mail::settings::MailSettings;
use crate::service::mail::template_file::{TemplateFault, TemplateFile};
use crate::service::mail::templates::Templates;

/// No mail is longer; what is, is something else.
const MAX_TEMPLATE_BYTES: u64 = 256 * 1024;

/// The built-in templates, and in their places those of the operator's folder. Every fault is told at once, with the
/// file that has it.
pub fn load(settings: &MailSettings) -> Result<Arc<Templates>, StartError> {
    let mut faults = Vec::new();
    let files = settings.templates.as_deref().map(|folder| read(folder, &mut faults)).transpose()?.unwrap_or_default();
    let templates = Templates::new(files, &settings.language);
    match templates {
        Ok(templates) if faults.is_empty() => Ok(Arc::new(templates)),
        Ok(_) => Err(refused(&faults)),
        Err(more) => Err(refused(&[faults, more].concat())),
    }
}

fn refused(faults: &[TemplateFault]) -> StartError {
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    StartError::Settings(format!("mail templates (mail.templates) that will not do: {}", faults.join("; ")))
}

fn read(folder: &Path, faults: &mut Vec<TemplateFault>) -> Result<Vec<TemplateFile>, StartError> {
    let mut files = Vec::new();
    for language in entries(folder)? {
        for path in entries(&language)? {
            match read_file(&path) {
                Ok(file) => files.push(file),
                Err(problem) => faults.push(TemplateFault { file: below(folder, &path), problem }),
            }
        }
    }
    Ok(files)
}

fn read_file(path: &Path) -> Result<TemplateFile, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    let about = fs::metadata(path).map_err(cannot)?;
    if !about.is_file() || about.len() > MAX_TEMPLATE_BYTES {
        return Err(format!("is no file of at most {MAX_TEMPLATE_BYTES} bytes"));
    }
    let source = fs::read_to_string(path).map_err(cannot)?;
    let folder = path.parent().and_then(last).unwrap_or_default();
    let file = last(path).unwrap_or_default();
    TemplateFile::named(&folder, &file, source)
        .ok_or_else(|| "is not named as a language, a kind of mail, and subject, txt or html".to_owned())
}

/// What lies in a folder, in order. Hidden names are passed over: Kubernetes keeps the versions of a mounted ConfigMap
/// under such.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, StartError> {
    let failed = |error: std::io::Error| {
        StartError::Settings(format!("mail.templates: {} cannot be listed: {error}", folder.display()))
    };
    let found: Result<Vec<_>, _> = fs::read_dir(folder).map_err(failed)?.map(|entry| entry.map(|e| e.path())).collect();
    let mut found = found.map_err(failed)?;
    found.retain(|path| !last(path).is_some_and(|name| name.starts_with('.')));
    found.sort();
    Ok(found)
}

fn last(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

fn below(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}
