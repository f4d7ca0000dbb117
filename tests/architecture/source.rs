//! Reads Rust source as far as the walls need it: which paths a file names, and whether only its tests do.
//!
//! Knows the language's words, not the house's rules. Macros are read as plain tokens; a path that a macro pastes
//! together is not seen.

/// A path that a file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The parts after `crate`, or the whole path where it begins with an external crate.
    pub parts: Vec<String>,
    pub in_test: bool,
}

/// What a file holds, as far as the walls need it.
#[derive(Debug, Default)]
pub struct Source {
    /// Paths that begin with `crate::`.
    pub own: Vec<Reference>,
    /// First parts of every other path, such as `tonic` in `tonic::Status`.
    pub roots: Vec<Reference>,
    /// Names of the modules that are compiled for tests only and lie in files of their own.
    pub test_modules: Vec<String>,
    /// Modules that are visible outside: `pub mod x`, `pub(crate) mod x`.
    pub visible_modules: Vec<String>,
    pub has_super_super: bool,
    /// Whether the file reaches above itself by `super::` outside inline modules.
    pub has_outer_super: bool,
    /// Whether something is re-exported by `pub use`.
    pub has_reexport: bool,
}

impl Source {
    pub fn parse(text: &str) -> Self {
        let tokens = tokens(text);
        let mut source = Self::default();
        let mut walk = Walk { tokens: &tokens, depth: 0, test_until: None, modules: Vec::new() };
        for at in 0..tokens.len() {
            walk.step(at, &mut source);
        }
        source
    }
}

struct Walk<'a> {
    tokens: &'a [String],
    depth: usize,
    /// The depth at which the test-only item ends.
    test_until: Option<usize>,
    /// The depths at which inline modules end.
    modules: Vec<usize>,
}

impl Walk<'_> {
    fn is(&self, at: usize, expected: &[&str]) -> bool {
        expected.iter().enumerate().all(|(offset, word)| self.tokens.get(at + offset).is_some_and(|it| it == word))
    }

    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", String::as_str)
    }

    fn step(&mut self, at: usize, source: &mut Source) {
        match self.word(at) {
            "{" => self.depth += 1,
            "}" => self.close(),
            "#" if self.is(at, &["#", "[", "cfg", "(", "test", ")", "]"]) => self.test_item(at + 7, source),
            "mod" => self.module(at, source),
            "super" => self.parent(at, source),
            "pub" => source.has_reexport |= self.after_visibility(at) == "use",
            "crate" if self.is(at + 1, &["::"]) => self.own_paths(at + 2, source),
            word if is_name(word) && self.is(at + 1, &["::"]) && !self.continues_path(at) => {
                source.roots.push(Reference { parts: vec![word.to_owned()], in_test: self.test_until.is_some() });
            }
            _ => {}
        }
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.test_until = self.test_until.filter(|depth| *depth < self.depth);
        self.modules.retain(|depth| *depth < self.depth);
    }

    fn continues_path(&self, at: usize) -> bool {
        at > 0 && self.word(at - 1) == "::"
    }

    fn after_visibility(&self, at: usize) -> &str {
        if self.word(at + 1) != "(" {
            return self.word(at + 1);
        }
        let close = (at..self.tokens.len()).find(|index| self.word(*index) == ")").unwrap_or(at);
        self.word(close + 1)
    }

    /// The item after `#[cfg(test)]` ends at its `;`, or with its block.
    fn test_item(&mut self, at: usize, source: &mut Source) {
        let end = (at..self.tokens.len()).find(|index| matches!(self.word(*index), ";" | "{"));
        let Some(end) = end else { return };
        if self.word(end) == "{" {
            self.test_until = self.test_until.or(Some(self.depth));
        } else if self.word(end - 2) == "mod" {
            source.test_modules.push(self.word(end - 1).to_owned());
        }
    }

    fn module(&mut self, at: usize, source: &mut Source) {
        if self.is(at + 2, &["{"]) {
            self.modules.push(self.depth);
        }
        let visible = at > 0 && matches!(self.word(at - 1), "pub" | ")");
        if visible {
            source.visible_modules.push(self.word(at + 1).to_owned());
        }
    }

    fn parent(&mut self, at: usize, source: &mut Source) {
        source.has_super_super |= self.is(at, &["super", "::", "super"]);
        let path_or_visibility = self.is(at + 1, &["::"]) && !self.continues_path(at);
        source.has_outer_super |= path_or_visibility && self.modules.is_empty();
    }

    fn own_paths(&self, at: usize, source: &mut Source) {
        let mut paths = Vec::new();
        self.tree(at, &mut Vec::new(), &mut paths);
        let in_test = self.test_until.is_some();
        source.own.extend(paths.into_iter().map(|parts| Reference { parts, in_test }));
    }

    /// Reads one tree of a `use`, or one path; returns the index after it.
    fn tree(&self, at: usize, prefix: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
        if self.word(at) == "{" {
            return self.group(at + 1, prefix, paths);
        }
        prefix.push(self.word(at).to_owned());
        let continues =
            self.is(at + 1, &["::"]) && (is_name(self.word(at + 2)) || matches!(self.word(at + 2), "{" | "*"));
        let next = if continues {
            self.tree(at + 2, prefix, paths)
        } else {
            paths.push(prefix.clone());
            at + 1
        };
        prefix.pop();
        next
    }

    fn group(&self, mut at: usize, prefix: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
        while at < self.tokens.len() && self.word(at) != "}" {
            at = match self.word(at) {
                "," => at + 1,
                "as" => at + 2,
                _ => self.tree(at, prefix, paths),
            };
        }
        at + 1
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// The words and signs of a file, without comments and literals.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        at += match rest {
            ['/', '/', ..] => rest.iter().take_while(|sign| **sign != '\n').count(),
            ['/', '*', ..] => block_comment(rest),
            ['r', '"' | '#', ..] | ['b', 'r', '"' | '#', ..] => raw_string(rest, &mut found),
            ['"', ..] => string(rest),
            ['\'', ..] => character_or_lifetime(rest),
            [':', ':', ..] => push(&mut found, "::".to_owned()),
            [first, ..] if first.is_alphanumeric() || *first == '_' => push(&mut found, name(rest)),
            [first, ..] if first.is_whitespace() => 1,
            [first, ..] => push(&mut found, first.to_string()),
            [] => break,
        };
    }
    found
}

fn push(found: &mut Vec<String>, token: String) -> usize {
    let length = token.chars().count();
    found.push(token);
    length
}

fn name(rest: &[char]) -> String {
    rest.iter().take_while(|sign| sign.is_alphanumeric() || **sign == '_').collect()
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn raw_string(rest: &[char], found: &mut Vec<String>) -> usize {
    let start = rest.iter().take_while(|sign| matches!(sign, 'b' | 'r')).count();
    let hashes = rest[start..].iter().take_while(|sign| **sign == '#').count();
    if rest.get(start + hashes) != Some(&'"') {
        return push(found, name(rest)); // a raw identifier: `r#type`
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = start + hashes + 1;
    let length = rest[body..].windows(end.len()).position(|window| window == end).unwrap_or(rest.len() - body);
    body + length + end.len()
}

fn character_or_lifetime(rest: &[char]) -> usize {
    match rest {
        ['\'', '\\', ..] => 2 + rest[2..].iter().skip(1).take_while(|sign| **sign != '\'').count() + 2,
        ['\'', _, '\'', ..] => 3,
        _ => 1,
    }
}
