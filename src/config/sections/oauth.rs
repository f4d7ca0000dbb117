//! Providers that people sign in at: a table for each.

use std::sync::Arc;

use crate::config::form::Form;
use crate::config::reader::Reader;
use crate::config::sections::tls::Authorities;
use crate::domain::identity::{Issuer, ProviderName};
use crate::outbound::oidc::{ProviderKind, ProviderSettings, Settings};
use crate::service::federation::settings::FederationSettings;

const TABLE: &str = "oauth.providers";
/// Stands for a name in the reference.
const ANY: &str = "<name>";

impl Form for ProviderKind {
    const EXPECTED: &'static str = "google, github or oidc";

    fn parse(text: &str) -> Option<Self> {
        [Self::Google, Self::GitHub, Self::Oidc].into_iter().find(|kind| kind.show() == text)
    }

    fn show(&self) -> String {
        match self {
            Self::Google => "google",
            Self::GitHub => "github",
            Self::Oidc => "oidc",
        }
        .to_owned()
    }
}

pub fn read(
    reader: &mut Reader,
    public_url: &str,
    authorities: Option<&Authorities>,
) -> (FederationSettings, Settings) {
    let mut oidc = Settings {
        providers: Vec::new(),
        authorities: authorities.map(|authorities| Arc::clone(&authorities.pem)),
        allow_loopback_http: reader.value(
            "oauth.allow_loopback_http",
            false,
            "Whether a provider on this machine is spoken to in clear text; for tests and development.",
        ),
    };
    let mut federation = FederationSettings::default();
    reader.describe(|scratch| drop(provider(scratch, ANY, "", &oidc)));
    for name in reader.names(TABLE) {
        if let Some((settings, redirects)) = provider(reader, &name, public_url, &oidc) {
            federation.redirects.insert(settings.name.clone(), redirects);
            oidc.providers.push(settings);
        }
    }
    (federation, oidc)
}

/// One provider, and where browsers may go on to after it.
fn provider(
    reader: &mut Reader,
    name: &str,
    public_url: &str,
    oidc: &Settings,
) -> Option<(ProviderSettings, Vec<String>)> {
    let path = |setting: &str| format!("{TABLE}.{name}.{setting}");
    let parsed = ProviderName::parse(name);
    if let Err(fault) = parsed {
        reader.fault(&format!("{TABLE}.{name}"), format!("the name {fault}"));
    }
    let kind: Option<ProviderKind> = reader.optional(&path("kind"), "What the provider speaks; needed.");
    let issuer = issuer(reader, &path("issuer"), kind, oidc);
    let client_id: Option<String> =
        reader.optional(&path("client_id"), "The id that the provider knows this service by; needed.");
    let secret = reader.secret(&path("client_secret"), "text", "The secret that belongs to the id; needed.");
    let scopes: Option<Vec<String>> = reader.optional(
        &path("scopes"),
        "What is asked for; `openid`, `email` and `profile`, or at GitHub `read:user` and `user:email`, where it is not set.",
    );
    let redirects = redirects(reader, &path("redirects"));
    for (setting, is_missing) in
        [("kind", kind.is_none()), ("client_id", client_id.is_none()), ("client_secret", secret.is_none())]
    {
        if is_missing && !reader.is_at_fault(&path(setting)) {
            reader.fault(&path(setting), "is needed for a provider");
        }
    }
    let kind = kind?;
    let settings = ProviderSettings {
        name: parsed.ok()?,
        kind,
        issuer: issuer?,
        client_id: client_id?,
        client_secret: secret?.expose().to_owned().into(),
        scopes: scopes.unwrap_or_else(|| kind.scopes().iter().map(|scope| (*scope).to_owned()).collect()),
        callback: format!("{}/oauth/{name}/callback", public_url.trim_end_matches('/')),
    };
    Some((settings, redirects))
}

fn issuer(reader: &mut Reader, path: &str, kind: Option<ProviderKind>, oidc: &Settings) -> Option<Issuer> {
    let set: Option<String> = reader.optional(
        path,
        "The URL that the provider names itself by, byte for byte; needed with `oidc`. With `github` the URL of a server of \
         one's own.",
    );
    let mut issuer = set.or_else(|| kind?.issuer().map(str::to_owned));
    if kind == Some(ProviderKind::GitHub) {
        // A place, and no name that a document has to repeat: with a slash at its end it is the same.
        issuer = issuer.map(|url| url.trim_end_matches('/').to_owned());
    }
    let parsed = issuer.as_deref().and_then(|url| Issuer::parse(url).ok());
    match &issuer {
        None if kind.is_some() => reader.fault(path, "is needed with this kind"),
        Some(url) if !oidc.allows(url) || url.contains('?') || parsed.is_none() => {
            reader.fault(path, "expected an https URL without query");
        }
        None | Some(_) => {}
    }
    parsed
}

fn redirects(reader: &mut Reader, path: &str) -> Vec<String> {
    let redirects: Option<Vec<String>> = reader.optional(
        path,
        "Where browsers may go on to, compared byte for byte: https URLs, http on this machine, or private schemes of \
         apps like `com.example.app:/signed-in`; needed.",
    );
    let redirects = redirects.unwrap_or_default();
    let are_good = !redirects.is_empty() && redirects.iter().all(|uri| FederationSettings::is_redirect(uri));
    if !are_good && !reader.is_at_fault(path) {
        reader.fault(path, "expected one or more https URLs without fragment");
    }
    redirects
}
