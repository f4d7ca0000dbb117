//! Public keys, on their way out.

use super::time;
use crate::grpc::pb;
use crate::service::token::jwks::PublishedKeys;

pub fn published_keys(published: &PublishedKeys) -> pb::GetJwksResponse {
    let keys = published.keys.iter().map(|key| pb::JsonWebKey {
        kid: key.kid.clone(),
        kty: key.kty.to_owned(),
        r#use: key.use_.to_owned(),
        alg: key.alg.to_owned(),
        crv: key.crv.unwrap_or_default().to_owned(),
        x: key.x.clone().unwrap_or_default(),
        y: key.y.clone().unwrap_or_default(),
        n: key.n.clone().unwrap_or_default(),
        e: key.e.clone().unwrap_or_default(),
    });
    pb::GetJwksResponse { keys: keys.collect(), max_age: Some(time::duration(published.max_age)) }
}
