//! Sign-ins that wait: kept, and found again.

use sea_orm::{ActiveValue::Set, EntityTrait as _, QueryFilter as _};

use super::{find_factor, usable};
use crate::domain::audit::AuditKind;
use crate::domain::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::ports::AuditContext;
use crate::domain::second_factor::{
    ChallengeCreation, ChallengeHash, NewChallenge, OpenChallenge, TotpFactor, TotpStep,
};
use crate::domain::user::UserState;
use crate::store::db::audit;
use crate::store::db::database::Database;
use crate::store::db::entity::{sign_in_challenge, totp_factor};
use crate::store::db::fault::Fault;
use crate::store::db::sessions::renew_hash;
use crate::store::db::users::{find_user, is_unchanged, lock_user, stored_name};
use crate::store::db::words::{list, parse_list};

impl Database {
    pub(super) async fn try_challenge(
        &self,
        new: &NewChallenge,
        context: &AuditContext,
    ) -> Result<ChallengeCreation, Fault> {
        let transaction = self.begin().await?;
        let user = lock_user(&transaction, new.user_id).await?;
        if !user.is_some_and(|user| is_unchanged(&user, new.seen_epoch)) {
            return Ok(ChallengeCreation::UserChanged);
        }
        sign_in_challenge::Entity::insert(row(new)).exec_without_returning(&transaction).await?;
        let mut events = vec![audit::by_user(AuditKind::LoginChallenged, new.user_id, None)];
        if let Some(rehash) = &new.rehash
            && renew_hash(&transaction, new.user_id.as_uuid(), rehash).await?
        {
            events.push(audit::by_user(AuditKind::PasswordRehashed, new.user_id, None));
        }
        self.write_events(&transaction, context, events).await?;
        transaction.commit().await?;
        Ok(ChallengeCreation::Created)
    }

    pub(super) async fn try_find_challenge(
        &self,
        hash: &ChallengeHash,
        now: Timestamp,
    ) -> Result<Option<OpenChallenge>, Fault> {
        let found = sign_in_challenge::Entity::find().filter(usable(hash, now)).one(&self.reader).await?;
        let Some(challenge) = found else { return Ok(None) };
        let id = UserId::from_uuid(challenge.user_id);
        let user = find_user(&self.reader, id).await?;
        let stands = |epoch: i64, state| epoch == challenge.user_epoch && state == UserState::Active;
        let Some(user) = user.filter(|user| stands(user.epoch.0, user.state)) else { return Ok(None) };
        let factor = find_factor(&self.reader, id).await?.map(factor).transpose()?;
        Ok(Some(OpenChallenge {
            user,
            factor,
            methods: parse_list(&challenge.methods)?,
            audience: parse_list(&challenge.audience)?,
            device_name: stored_name(&challenge.device_name)?,
        }))
    }
}

fn row(new: &NewChallenge) -> sign_in_challenge::ActiveModel {
    sign_in_challenge::ActiveModel {
        hash: Set(new.hash.0.to_vec()),
        user_id: Set(new.user_id.as_uuid()),
        user_epoch: Set(new.seen_epoch.0),
        methods: Set(list(&new.methods)),
        audience: Set(list(&new.audience)),
        device_name: Set(new.device_name.as_str().to_owned()),
        tries: Set(0),
        expires_at: Set(new.expires_at.as_millis()),
    }
}

fn factor(row: totp_factor::Model) -> Result<TotpFactor, Fault> {
    Ok(TotpFactor {
        sealed: row.sealed,
        last_step: TotpStep(row.last_step),
        failures: u32::try_from(row.failures).map_err(|_| Fault::Corrupt("failures of a second factor"))?,
    })
}
