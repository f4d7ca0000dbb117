//! What is wrong with a token, in the words of the contract.

use keystead_verifier::Refusal;

use crate::pb::TokenStatus;

const STATUSES: [(TokenStatus, Refusal); 10] = [
    (TokenStatus::Expired, Refusal::Expired),
    (TokenStatus::NotYetValid, Refusal::NotYetValid),
    (TokenStatus::Revoked, Refusal::Revoked),
    (TokenStatus::BadSignature, Refusal::BadSignature),
    (TokenStatus::UnknownKey, Refusal::UnknownKey),
    (TokenStatus::WrongAudience, Refusal::WrongAudience),
    (TokenStatus::WrongIssuer, Refusal::WrongIssuer),
    (TokenStatus::WrongType, Refusal::WrongType),
    (TokenStatus::Malformed, Refusal::Malformed),
    (TokenStatus::InsufficientRole, Refusal::InsufficientRole),
];

/// `None` for one that refuses nothing.
pub(crate) fn refusal(status: TokenStatus) -> Option<Refusal> {
    STATUSES.iter().find(|(told, _)| *told == status).map(|(_, refusal)| *refusal)
}

#[cfg(feature = "testing")]
pub(crate) fn status(refusal: Refusal) -> TokenStatus {
    let told = STATUSES.iter().find(|(_, meant)| *meant == refusal);
    told.map_or(TokenStatus::Unspecified, |(status, _)| *status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_but_two_is_a_refusal_and_each_is_told_by_its_own() {
        let known: Vec<_> = (0..).map_while(|number| TokenStatus::try_from(number).ok()).collect();
        assert_eq!(known.len(), STATUSES.len() + 2);
        for told in known {
            let refuses = !matches!(told, TokenStatus::Unspecified | TokenStatus::Active);
            assert_eq!(refusal(told).is_some(), refuses, "{}", told.as_str_name());
            assert!(refusal(told).map(status) == refuses.then_some(told), "{}", told.as_str_name());
        }
    }
}
