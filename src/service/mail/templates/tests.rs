//! Every kind in every language, with what strangers write, and templates that will not do.

use super::*;
use crate::domain::clock::Timestamp;
use crate::service::mail::facts::Link;

/// What strangers may write into a name, as far as names get through the door.
const HOSTILE: [&str; 5] = [
    "<script>alert('x')</script><a href=\"https://evil.example\">",
    "Your account is closed: https://evil.example/login?x=%0d%0aBcc:you@evil.example",
    "a\u{202e}moc.elpmaxe\u{2066}",
    "x\r\nBcc: you@evil.example\r\n\r\nhello\u{2028}there",
    "{{ link }}{% for x in product %}",
];

fn templates() -> Templates {
    with(&[]).unwrap()
}

/// The built-in templates with these in their places, English at last.
fn with(files: &[(&str, &str)]) -> Result<Templates, Vec<String>> {
    in_language(files, "en")
}

fn in_language(files: &[(&str, &str)], language: &str) -> Result<Templates, Vec<String>> {
    let file = |(name, source): &(&str, &str)| {
        let (folder, file) = name.split_once('/').unwrap();
        TemplateFile::named(folder, file, (*source).to_owned()).unwrap_or_else(|| panic!("{name}"))
    };
    let made = Templates::new(files.iter().map(file).collect(), &self::language(language));
    made.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn language(tag: &str) -> Language {
    Language::parse(tag).unwrap()
}

fn facts(kind: MailKind) -> Facts {
    let at = Timestamp::from_millis(1_700_000_059_999);
    let url = "https://accounts.example.com/page?a=1&b=2#token=ksxx_abc".to_owned();
    Facts {
        product: "Keystead".to_owned(),
        at,
        source: "192.0.2.7".to_owned(),
        device: "Ada's phone".to_owned(),
        link: kind.token_purpose().map(|_| Link { url, expires_at: at, minutes: 30 }),
    }
}

#[test]
fn every_kind_is_there_in_every_built_in_language() {
    let templates = templates();
    for kind in MailKind::ALL {
        let [english, german] = ["en", "de"].map(|tag| templates.render(kind, &language(tag), &facts(kind)).unwrap());
        assert_ne!(english.subject, german.subject, "{kind:?}");
        assert!(english.html.contains("<html lang=\"en\">") && german.html.contains("<html lang=\"de\">"));
        for mail in [english, german] {
            assert_eq!(mail.text.contains("ksxx_abc"), kind.token_purpose().is_some(), "{kind:?}: {}", mail.text);
            assert_eq!(mail.subject.lines().count(), 1);
            assert!(!mail.text.contains("\n\n\n") && mail.text.ends_with("Keystead\n"), "{:?}", mail.text);
            assert!(!mail.text.contains('{') && !mail.html.contains('{'), "{kind:?}");
        }
    }
}

// promise X5
#[test]
fn the_link_stands_on_a_line_of_its_own_and_is_whole_in_html() {
    let templates = templates();
    for kind in MailKind::ALL.into_iter().filter(|kind| kind.token_purpose().is_some()) {
        let mail = templates.render(kind, &language("en"), &facts(kind)).unwrap();
        let url = "https://accounts.example.com/page?a=1&b=2#token=ksxx_abc";
        assert!(mail.text.lines().any(|line| line == url), "{}", mail.text);
        let href = format!("<a href=\"{0}\">{0}</a>", url.replace('&', "&amp;"));
        assert!(mail.html.contains(&href), "{}", mail.html);
        assert!(mail.text.contains("until 2023-11-14 22:14 UTC."), "{}", mail.text);
    }
}

#[test]
fn nothing_that_a_stranger_writes_makes_a_link_a_line_or_markup() {
    let templates = templates();
    for kind in MailKind::ALL {
        for tag in ["en", "de"] {
            for device in HOSTILE {
                let facts = Facts { device: device.to_owned(), ..facts(kind) };
                let harmless = Facts { device: "x".to_owned(), ..facts.clone() };
                let mail = templates.render(kind, &language(tag), &facts).unwrap();
                let calm = templates.render(kind, &language(tag), &harmless).unwrap();
                assert_eq!(mail.subject, calm.subject);
                assert_eq!(mail.text.lines().count(), calm.text.lines().count(), "{}", mail.text);
                let whole = mail.text + &mail.html;
                for bad in ["<script", "evil.example", "you@", "\u{202e}", "\u{2066}", "\u{2028}", "\r", "Bcc:"] {
                    assert!(!whole.contains(bad), "{kind:?} {tag} {bad:?}: {whole}");
                }
                let marks = |text: &str| text.matches('<').count();
                assert_eq!(marks(&mail.html), marks(&calm.html), "{}", mail.html);
            }
        }
    }
}

#[test]
fn what_an_operator_configures_breaks_neither_html_nor_headers() {
    let templates = with(&[("en/password_changed.subject", "{{ product }} <{{ product }}>")]).unwrap();
    let product = "<b>\"A\" & 'B'</b>\r\nBcc: x".to_owned();
    let kind = MailKind::PasswordChanged;
    let mail = templates.render(kind, &language("en"), &Facts { product, ..facts(kind) }).unwrap();
    assert!(mail.html.contains("&lt;b&gt;&quot;A&quot; &amp; &#x27;B&#x27;"), "{}", mail.html);
    assert!(!mail.html.contains("<b>"));
    assert!(!mail.subject.contains(['\r', '\n']) && mail.subject.contains("<b>"), "{}", mail.subject);
}

#[test]
fn what_is_not_known_leaves_no_trace() {
    let templates = templates();
    let kind = MailKind::NewSignIn;
    let facts = Facts { source: String::new(), device: String::new(), ..facts(kind) };
    let mail = templates.render(kind, &language("en"), &facts).unwrap();
    assert!(!mail.text.contains("From:") && !mail.text.contains("Device:"), "{}", mail.text);
    assert!(!mail.text.contains("\n\n\n"), "{:?}", mail.text);
}

#[test]
fn the_language_is_the_exact_one_or_its_primary_one_or_the_services() {
    let own = [
        ("pt-BR/password_changed.subject", "brasileiro"),
        ("pt-BR/password_changed.txt", "texto"),
        ("pt-BR/password_changed.html", "<p>texto</p>"),
    ];
    let templates = in_language(&own, "de").unwrap();
    let subject = |tag: &str, kind| templates.render(kind, &language(tag), &facts(kind)).unwrap().subject;
    let changed = MailKind::PasswordChanged;
    assert_eq!(subject("pt-br", changed), "brasileiro");
    assert_eq!(subject("en-AU", changed), "Your password was changed");
    assert_eq!(subject("de-CH-1996", changed), "Ihr Passwort wurde geändert");
    for tag in ["", "pt", "fr", "pt-BR"] {
        assert_eq!(subject(tag, MailKind::EmailChanged), "Die Adresse Ihres Kontos wurde geändert", "{tag}");
    }
}

#[test]
fn an_operators_file_takes_the_place_of_one_part_alone() {
    let templates = with(&[("en/password_reset.txt", "{{ product }}: {{ link }} {{ minutes }}")]).unwrap();
    let kind = MailKind::PasswordReset;
    let mail = templates.render(kind, &language("en"), &facts(kind)).unwrap();
    let built_in = self::templates().render(kind, &language("en"), &facts(kind)).unwrap();
    assert_eq!(mail.text, "Keystead: https://accounts.example.com/page?a=1&b=2#token=ksxx_abc 30\n");
    assert_eq!((mail.subject, mail.html), (built_in.subject, built_in.html));
}

#[test]
fn a_template_that_will_not_do_is_named_with_what_is_wrong() {
    for (file, source, problem) in [
        ("en/password_reset.txt", "{{ link }} {{ prodct }}", "this mail has no prodct"),
        ("en/password_reset.txt", "{{ link }}{% if source == 'never' %}{{ nonsense }}{% endif %}", "no nonsense"),
        ("en/password_reset.html", "<a href=\"{{ link\">", "in line 1"),
        ("en/password_reset.html", "<p>Hello</p>", "lacks the link"),
        ("de/email_change.txt", "Hi {% if device %}{{ link }}{% endif %}", "lacks the link"),
        ("de/email_change.txt", "{{ minutes.foo.bar }} {{ link }}", "undefined value"),
        ("en/password_changed.txt", "{{ link }}", "this mail has no link"),
        ("en/password_changed.subject", "one\ntwo", "more than one line"),
        ("en/password_reset.subject", "open {{ link }}", "does not belong into a subject"),
        ("en/password_changed.html", " \n", "empty"),
        ("en/password_changed.txt", "{% include 'en/password_reset.txt' %}", "in line 1"),
        ("en/password_changed.txt", "{{ product | nofilter }}", "nofilter"),
    ] {
        let faults = with(&[(file, source)]).err().unwrap_or_else(|| panic!("{source} was taken"));
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with(&format!("{file}: ")) && faults[0].contains(problem), "{faults:?}");
    }
}

#[test]
fn every_fault_is_told_at_once() {
    let faults = with(&[("en/password_reset.txt", "x"), ("fr/new_sign_in.txt", "y"), ("de/new_sign_in.txt", "{{")]);
    let faults = faults.err().unwrap();
    for file in ["en/password_reset.txt", "fr/new_sign_in.subject", "fr/new_sign_in.html", "de/new_sign_in.txt"] {
        assert!(faults.iter().any(|fault| fault.starts_with(&format!("{file}: "))), "{file}: {faults:?}");
    }
}

#[test]
fn the_services_own_language_must_be_whole() {
    let faults = in_language(&[], "fr").err().unwrap();
    assert_eq!(faults.len(), MailKind::ALL.len(), "{faults:?}");
    assert!(faults[0].contains("fr/password_reset") && faults[0].contains("mail.language"), "{faults:?}");
    assert!(in_language(&[], "de-AT").is_ok(), "its primary language will do");
}

#[test]
fn only_languages_kinds_and_parts_name_a_template() {
    let named = |folder, file| TemplateFile::named(folder, file, String::new()).map(|file| file.name());
    assert_eq!(named("pt-BR", "new_sign_in.txt").as_deref(), Some("pt-br/new_sign_in.txt"));
    for (folder, file) in [
        ("", "new_sign_in.txt"),
        ("..", "new_sign_in.txt"),
        ("en", "new_signin.txt"),
        ("en", "new_sign_in.md"),
        ("en", "new_sign_in"),
        ("en", "README"),
        ("en", ".txt"),
        ("en", "new_sign_in.html.bak"),
    ] {
        assert_eq!(named(folder, file), None, "{folder}/{file}");
    }
}
