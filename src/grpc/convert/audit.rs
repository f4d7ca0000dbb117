//! Audit events, and what is asked about them.

use super::violations::Violations;
use super::{ids, pages, time};
use crate::domain::audit::{AuditKind, AuditOutcome};
use crate::domain::audit_trail::{AuditFilter, StoredEvent};
use crate::domain::id::{PrincipalId, SessionId};
use crate::grpc::pb;
use crate::service::admin::audit::list::{AuditPage, ListAuditEventsRequest};
use crate::service::admin::audit::watch::AuditNews;
use crate::service::error::ServiceResult;

/// More kinds than there are need not be named.
const MAX_KINDS: usize = 50;

pub fn list_request(message: pb::ListAuditEventsRequest) -> ServiceResult<ListAuditEventsRequest> {
    let mut violations = Violations::default();
    let filter = filter(message.filter, &mut violations);
    let page_size = pages::size(message.page_size, &mut violations);
    violations.finish(Some(ListAuditEventsRequest { filter, page_size, page_token: message.page_token }))
}

/// What comes has no time yet that could be asked for.
pub fn watch_filter(message: Option<pb::AuditEventFilter>) -> ServiceResult<AuditFilter> {
    let mut violations = Violations::default();
    let filter = filter(message, &mut violations);
    for (field, time) in [("filter.from_time", filter.from), ("filter.until_time", filter.until)] {
        if time.is_some() {
            violations.add(field, "must not be set: events are told as they come");
        }
    }
    violations.finish(Some(filter))
}

fn filter(message: Option<pb::AuditEventFilter>, violations: &mut Violations) -> AuditFilter {
    let message = message.unwrap_or_default();
    AuditFilter {
        subject: principal("filter.subject_id", &message.subject_id, violations),
        actor: principal("filter.actor_id", &message.actor_id, violations),
        kinds: kinds(&message.kinds, violations),
        from: time::moment("filter.from_time", message.from_time.as_ref(), violations),
        until: time::moment("filter.until_time", message.until_time.as_ref(), violations),
    }
}

fn principal(field: &str, text: &str, violations: &mut Violations) -> Option<PrincipalId> {
    if text.is_empty() { None } else { ids::principal(field, text, violations) }
}

fn kinds(names: &[String], violations: &mut Violations) -> Vec<AuditKind> {
    if names.len() > MAX_KINDS {
        violations.add("filter.kinds", "must name 50 kinds at most");
        return Vec::new();
    }
    let kinds: Option<Vec<_>> = names.iter().map(|name| AuditKind::named(name)).collect();
    kinds.unwrap_or_else(|| {
        violations.add("filter.kinds", "must name kinds of audit events alone");
        Vec::new()
    })
}

pub fn page(page: AuditPage) -> pb::ListAuditEventsResponse {
    pb::ListAuditEventsResponse {
        audit_events: page.events.into_iter().map(event).collect(),
        next_page_token: page.next_page_token.unwrap_or_default(),
    }
}

pub fn news(news: AuditNews) -> pb::WatchAuditEventsResponse {
    pb::WatchAuditEventsResponse { audit_events: news.events.into_iter().map(event).collect(), cursor: news.cursor }
}

fn event(event: StoredEvent) -> pb::AuditEvent {
    let outcome = match event.outcome {
        AuditOutcome::Success => pb::AuditOutcome::Success,
        AuditOutcome::Failure => pb::AuditOutcome::Failure,
    };
    let principal = |id: Option<PrincipalId>| id.map(|id| id.to_string()).unwrap_or_default();
    pb::AuditEvent {
        id: event.id.to_string(),
        time: Some(time::timestamp(event.at)),
        kind: event.kind,
        outcome: outcome.into(),
        actor_id: principal(event.actor),
        subject_id: principal(event.subject),
        session_id: event.session.map(|id: SessionId| id.to_string()).unwrap_or_default(),
        source: event.source.unwrap_or_default(),
        trace_id: event.trace_id,
        detail: event.detail.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::error::ServiceError;

    fn asked(filter: pb::AuditEventFilter) -> ServiceResult<AuditFilter> {
        let message = pb::ListAuditEventsRequest { filter: Some(filter), ..pb::ListAuditEventsRequest::default() };
        list_request(message).map(|request| request.filter)
    }

    fn with_kinds(kinds: &[&str]) -> pb::AuditEventFilter {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        pb::AuditEventFilter { kinds, ..pb::AuditEventFilter::default() }
    }

    #[test]
    fn what_is_unset_chooses_all() {
        assert_eq!(asked(pb::AuditEventFilter::default()), Ok(AuditFilter::default()));
        assert_eq!(watch_filter(None), Ok(AuditFilter::default()));
    }

    // promise A6
    #[test]
    fn only_known_kinds_may_be_named_and_not_without_end() {
        assert_eq!(asked(with_kinds(&["user_created"])).unwrap().kinds, [AuditKind::UserCreated]);
        assert!(asked(with_kinds(&["user_created"; MAX_KINDS])).is_ok());
        for kinds in [&["user_created"; MAX_KINDS + 1][..], &[""], &["USER_CREATED"], &["user_created", "nothing"]] {
            assert!(matches!(asked(with_kinds(kinds)), Err(ServiceError::InvalidFields(_))), "{kinds:?}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let nanos = prost_types::Timestamp { seconds: 0, nanos: -1 };
        let filter = pb::AuditEventFilter {
            subject_id: "me".to_owned(),
            actor_id: "you".to_owned(),
            kinds: vec!["nothing".to_owned()],
            from_time: Some(nanos),
            until_time: Some(nanos),
        };
        let Err(ServiceError::InvalidFields(violations)) = asked(filter) else { panic!("faults") };
        assert_eq!(violations.len(), 5);
    }

    #[test]
    fn a_watch_takes_no_times() {
        let filter = pb::AuditEventFilter { from_time: Some(prost_types::Timestamp::default()), ..Default::default() };
        assert!(watch_filter(Some(filter)).is_err());
    }
}
