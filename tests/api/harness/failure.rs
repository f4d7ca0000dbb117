//! A refused call, checked for what every refusal promises.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// The domain of every `google.rpc.ErrorInfo`.
const DOMAIN: &str = "keystead.v1";

/// What a client learns of a refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: Code,
    pub message: String,
    pub reason: String,
    /// The fields at fault, in the order told.
    pub fields: Vec<String>,
    pub retry_after: Option<Duration>,
    pub trace_id: Option<String>,
}

impl Failure {
    /// Reads a status, and fails the test on one that no test run may see.
    pub fn checked(status: Status) -> Self {
        assert!(
            !matches!(status.code(), Code::Internal | Code::Unknown),
            "INTERNAL and UNKNOWN never appear in a test run: {status:?}"
        );
        let details = status.get_error_details();
        if let Some(info) = details.error_info() {
            assert_eq!(info.domain, DOMAIN, "{status:?}");
        }
        let violations = details.bad_request().map(|it| it.field_violations.clone()).unwrap_or_default();
        Self {
            code: status.code(),
            message: status.message().to_owned(),
            reason: details.error_info().map(|info| info.reason.clone()).unwrap_or_default(),
            fields: violations.into_iter().map(|violation| violation.field).collect(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
            trace_id: details.request_info().map(|info| info.request_id.clone()),
        }
    }

    /// The same without what differs from call to call.
    pub fn without_trace(&self) -> Self {
        Self { trace_id: None, ..self.clone() }
    }

    /// Fails the test unless this is the refusal that was expected.
    #[track_caller]
    pub fn is(&self, code: Code, reason: &str) {
        assert_eq!((self.code, self.reason.as_str()), (code, reason), "{self:?}");
    }

    /// Whether an overloaded service asked to come back, when what the call was for may or may not have been done; or the
    /// call met others in the database until its time was over, and nothing was done.
    pub fn is_busy(&self) -> bool {
        let unavailable = self.code == Code::Unavailable && self.reason == "DEPENDENCY_UNAVAILABLE";
        (unavailable && self.retry_after.is_some()) || self.lost_to_others()
    }

    /// Whether concurrent changes were in the way until the call's time was over.
    pub fn lost_to_others(&self) -> bool {
        self.code == Code::Aborted && self.reason == "CONCURRENT_CHANGE"
    }
}
