//! The part of `AdminService` that speaks of signing keys.

use tonic::{Request, Response, Status};

use crate::grpc::pb;

/// The use cases behind it.
pub struct SigningKeysApi {}

type Answer<T> = Result<Response<T>, Status>;

impl SigningKeysApi {
    pub async fn list_signing_keys(
        &self,
        _request: Request<pb::ListSigningKeysRequest>,
    ) -> Answer<pb::ListSigningKeysResponse> {
        todo!()
    }

    pub async fn rotate_signing_key(
        &self,
        _request: Request<pb::RotateSigningKeyRequest>,
    ) -> Answer<pb::RotateSigningKeyResponse> {
        todo!()
    }

    pub async fn revoke_signing_key(
        &self,
        _request: Request<pb::RevokeSigningKeyRequest>,
    ) -> Answer<pb::RevokeSigningKeyResponse> {
        todo!()
    }
}
