//! The part of `AdminService` that speaks of signing keys.

use tonic::{Request, Response, Status};

use crate::grpc::convert::{signing_keys, time};
use crate::grpc::front::split_called;
use crate::grpc::pb;
use crate::service::admin::signing_keys::list::ListSigningKeys;
use crate::service::admin::signing_keys::revoke::RevokeSigningKey;
use crate::service::admin::signing_keys::rotate::RotateSigningKey;

/// The use cases behind it.
pub struct SigningKeysApi {
    pub list: ListSigningKeys,
    pub rotate: RotateSigningKey,
    pub revoke: RevokeSigningKey,
}

type Answer<T> = Result<Response<T>, Status>;

impl SigningKeysApi {
    pub async fn list_signing_keys(
        &self,
        _request: Request<pb::ListSigningKeysRequest>,
    ) -> Answer<pb::ListSigningKeysResponse> {
        let keys = self.list.run().await?;
        let signing_keys = keys.into_iter().map(signing_keys::signing_key).collect();
        Ok(Response::new(pb::ListSigningKeysResponse { signing_keys }))
    }

    pub async fn rotate_signing_key(
        &self,
        request: Request<pb::RotateSigningKeyRequest>,
    ) -> Answer<pb::RotateSigningKeyResponse> {
        let (caller, origin, _) = split_called(request)?;
        let next = self.rotate.run(&caller.initiates(&origin)).await?;
        Ok(Response::new(pb::RotateSigningKeyResponse {
            signing_key: Some(signing_keys::signing_key(next.key)),
            activation_time: Some(time::timestamp(next.activates_at)),
        }))
    }

    pub async fn revoke_signing_key(
        &self,
        request: Request<pb::RevokeSigningKeyRequest>,
    ) -> Answer<pb::RevokeSigningKeyResponse> {
        let (caller, origin, message) = split_called(request)?;
        let id = signing_keys::id(message)?;
        self.revoke.run(&id, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::RevokeSigningKeyResponse {}))
    }
}
