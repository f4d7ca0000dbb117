//! The reference of every setting, written by the code that reads them.

use std::fmt::Write;

use super::Settings;
use super::raw::{RawSettings, variable};
use super::reader::{Declaration, Reader};

const INTRODUCTION: &str = "\
# Settings

Keystead runs with no configuration at all. What differs from the defaults comes from a TOML file (`keystead --config
FILE`, or `KEYSTEAD_CONFIG`) and from environment variables, which win over the file. `database.url` in the file is

```toml
[database]
url = \"postgres://…\"
```

and `KEYSTEAD_DATABASE_URL` in the environment. A list is an array in the file, and separated by commas in a variable.
A variable that is empty is as good as not set. A secret can also be given by a file: by the setting with `_file` at
its end. Such a file, like every private key, may be readable by its owner alone (`chmod 600`); one that belongs to
somebody else may be readable by its group, which is how Kubernetes hands it to a process that is not root (`fsGroup`).

Anything wrong stops the start with exit code 64, an unknown setting included; every fault is named at once, and no
value is ever shown. The variables that Kubernetes injects for a Service whose name begins with `keystead` are no
settings, and are passed over.

This page is the output of `keystead settings`.
";

/// The reference in Markdown: a table for each section.
pub fn markdown() -> String {
    let mut reader = Reader::new(RawSettings::default());
    // Only what is asked for on the way counts here.
    drop(Settings::read(&mut reader));
    let mut page = INTRODUCTION.to_owned();
    let mut section = "";
    for declaration in reader.declarations() {
        let name = declaration.path.split('.').next().unwrap_or_default();
        if name != section {
            section = name;
            page.push_str(&heading(name));
        }
        page.push_str(&row(declaration));
    }
    page
}

fn heading(section: &str) -> String {
    format!("\n## {section}\n\n| setting | variable | expected | default | meaning |\n|---|---|---|---|---|\n")
}

fn row(declaration: &Declaration) -> String {
    let Declaration { path, expected, default, meaning } = declaration;
    let default = match default.as_deref() {
        None => "not set".to_owned(),
        Some("") => "empty".to_owned(),
        Some(default) => format!("`{default}`"),
    };
    let mut row = String::new();
    // Writing to a string cannot fail.
    writeln!(row, "| `{path}` | `{}` | {expected} | {default} | {meaning} |", variable(path)).unwrap_or_default();
    row
}
