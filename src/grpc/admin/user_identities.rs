//! The part of `AdminService` that speaks of the identities that open accounts.

use tonic::{Request, Response, Status};

use crate::grpc::convert::{identities, ids};
use crate::grpc::front::split_called;
use crate::grpc::pb;
use crate::service::admin::user_identities::list::ListUserIdentities;
use crate::service::admin::user_identities::unlink::UnlinkUserIdentity;

/// The use cases behind it.
pub struct UserIdentitiesApi {
    pub list: ListUserIdentities,
    pub unlink: UnlinkUserIdentity,
}

type Answer<T> = Result<Response<T>, Status>;

impl UserIdentitiesApi {
    pub async fn list_user_identities(
        &self,
        request: Request<pb::ListUserIdentitiesRequest>,
    ) -> Answer<pb::ListUserIdentitiesResponse> {
        let (_, _, message) = split_called(request)?;
        let listed = self.list.run(ids::the_user(&message.user_id)?).await?;
        Ok(Response::new(pb::ListUserIdentitiesResponse { identities: identities::identities(&listed) }))
    }

    pub async fn unlink_user_identity(
        &self,
        request: Request<pb::UnlinkUserIdentityRequest>,
    ) -> Answer<pb::UnlinkUserIdentityResponse> {
        let (caller, origin, message) = split_called(request)?;
        self.unlink.run(identities::unlink_of_user(&message)?, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::UnlinkUserIdentityResponse {}))
    }
}
