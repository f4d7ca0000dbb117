//! Reads the errors that a comment lists: `NOT_FOUND `USER_UNKNOWN`; ABORTED `ETAG_MISMATCH` where …`.

use tonic::Code;

use super::contract::{Method, Reason, Service};

const OWN: &str = "Errors: ";
const NONE: &str = "none of its own.";
const COMMON: &str = "Beside what each method lists, every method may answer ";

/// The codes by the names of the specification.
const CODES: [(&str, Code); 16] = [
    ("CANCELLED", Code::Cancelled),
    ("UNKNOWN", Code::Unknown),
    ("INVALID_ARGUMENT", Code::InvalidArgument),
    ("DEADLINE_EXCEEDED", Code::DeadlineExceeded),
    ("NOT_FOUND", Code::NotFound),
    ("ALREADY_EXISTS", Code::AlreadyExists),
    ("PERMISSION_DENIED", Code::PermissionDenied),
    ("RESOURCE_EXHAUSTED", Code::ResourceExhausted),
    ("FAILED_PRECONDITION", Code::FailedPrecondition),
    ("ABORTED", Code::Aborted),
    ("OUT_OF_RANGE", Code::OutOfRange),
    ("UNIMPLEMENTED", Code::Unimplemented),
    ("INTERNAL", Code::Internal),
    ("UNAVAILABLE", Code::Unavailable),
    ("DATA_LOSS", Code::DataLoss),
    ("UNAUTHENTICATED", Code::Unauthenticated),
];

/// Errors of one code, as a comment lists them.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed {
    pub code: Code,
    /// The reasons that the text names in backticks.
    pub reasons: Vec<String>,
    pub text: String,
}

/// The errors of a method beside the common ones; nothing where its comment does not end in a list of them.
pub fn own(method: &Method) -> Option<Vec<Listed>> {
    let list = method.comment.last()?.strip_prefix(OWN)?;
    if list == NONE { Some(Vec::new()) } else { listed(list) }
}

/// The errors that every method of a service may answer; nothing where its comment does not list them.
pub fn common(service: &Service) -> Option<Vec<Listed>> {
    service.comment.iter().find_map(|paragraph| paragraph.strip_prefix(COMMON)).and_then(listed)
}

/// The code of a reason's comment, and the rest as one text; nothing unless there is exactly one code.
pub fn of_reason(reason: &Reason) -> Option<(Code, String)> {
    let comment = reason.comment.join(" ");
    let mut codes = comment.split_whitespace().filter_map(code);
    let code = codes.next().filter(|_| codes.next().is_none())?;
    let (before, after) = comment.split_once(name(code))?;
    let meaning = before.trim_end().trim_end_matches('.');
    let meaning = meaning.strip_prefix("Tells that ").or_else(|| meaning.strip_prefix("Tells of ")).unwrap_or(meaning);
    let condition = after.trim_start_matches(',').trim_end_matches('.');
    let separator = if condition.is_empty() { "" } else { ";" };
    Some((code, format!("{meaning}{separator}{condition}")))
}

/// The name of a code in the specification.
pub fn name(code: Code) -> &'static str {
    CODES.iter().find(|(_, found)| *found == code).map_or("OK", |(name, _)| name)
}

/// Reads a list: each of its parts begins with a code. Nothing where it begins otherwise, or a part names no reason.
fn listed(list: &str) -> Option<Vec<Listed>> {
    let mut parts: Vec<(Code, Vec<&str>)> = Vec::new();
    for word in list.split_whitespace() {
        if let Some(code) = code(word) {
            parts.push((code, vec![word]));
        } else {
            parts.last_mut()?.1.push(word);
        }
    }
    let errors = parts.into_iter().map(|(code, words)| {
        let text = words.join(" ");
        let text = text.trim_end_matches(" and").trim_end_matches([',', ';', '.']).to_owned();
        Listed { code, reasons: reasons(&text), text }
    });
    let errors: Vec<Listed> = errors.collect();
    errors.iter().all(|listed| !listed.reasons.is_empty()).then_some(errors)
}

/// A word that stands for a code; in backticks the same word names a reason.
fn code(word: &str) -> Option<Code> {
    let word = word.trim_end_matches([',', '.', ';']);
    CODES.iter().find(|(name, _)| *name == word).map(|(_, code)| *code)
}

/// What stands in backticks and is upper case: messages, roles and fields stand there too.
fn reasons(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_reason = |word: &&str| word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    quoted.filter(is_reason).map(str::to_owned).collect()
}

#[test]
fn a_list_is_read_by_its_codes() {
    let list =
        listed("ABORTED `MOVED` or `GONE`, with `RetryInfo`; NOT_FOUND `NOT_FOUND` for `user`.").expect("a list");
    let moved = Listed {
        code: Code::Aborted,
        reasons: vec!["MOVED".to_owned(), "GONE".to_owned()],
        text: "ABORTED `MOVED` or `GONE`, with `RetryInfo`".to_owned(),
    };
    let missing = Listed {
        code: Code::NotFound,
        reasons: vec!["NOT_FOUND".to_owned()],
        text: "NOT_FOUND `NOT_FOUND` for `user`".to_owned(),
    };
    assert_eq!(list, [moved, missing]);
    assert_eq!(listed("sometimes ABORTED `MOVED`"), None);
    assert_eq!(listed("ABORTED; NOT_FOUND `GONE`"), None);
}
