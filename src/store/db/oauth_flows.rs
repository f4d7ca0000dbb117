//! Sign-ins at providers that are under way. Of those who take a step at once the conditional statement alone decides.

use async_trait::async_trait;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _};

use super::database::Database;
use super::entity::oauth_flow::{ActiveModel, Column, Entity, Model};
use super::fault::Fault;
use crate::domain::clock::Timestamp;
use crate::domain::identity::ProviderName;
use crate::domain::oauth_flow::{FlowAnswer, FlowReturn, NewFlow, RedeemedFlow, Redemption};
use crate::domain::one_time_token::TokenHash;
use crate::domain::ports::StoreResult;
use crate::domain::ports::oauth_flows::OAuthFlows;

#[async_trait]
impl OAuthFlows for Database {
    async fn begin(&self, flow: &NewFlow) -> StoreResult<()> {
        self.run(|| async {
            Entity::insert(row(flow)).exec_without_returning(&self.writer).await?;
            Ok(())
        })
        .await
    }

    async fn come_back(&self, back: &FlowReturn, answer: &FlowAnswer, now: Timestamp) -> StoreResult<Option<String>> {
        self.run(|| self.try_come_back(back, answer, now)).await
    }

    async fn give_up(&self, back: &FlowReturn, now: Timestamp) -> StoreResult<Option<String>> {
        self.run(|| async {
            let gone = Entity::delete_many().filter(waiting(back, now)).exec_with_returning(&self.writer).await?;
            Ok(gone.into_iter().next().map(|row| row.redirect_uri))
        })
        .await
    }

    async fn redeem(&self, redemption: &Redemption, now: Timestamp) -> StoreResult<Option<RedeemedFlow>> {
        self.run(|| self.try_redeem(redemption, now)).await
    }
}

impl Database {
    async fn try_come_back(
        &self,
        back: &FlowReturn,
        answer: &FlowAnswer,
        now: Timestamp,
    ) -> Result<Option<String>, Fault> {
        let moved = Entity::update_many()
            .col_expr(Column::Code, Expr::val(bytes(answer.code)))
            .col_expr(Column::CodeExpiresAt, Expr::val(answer.code_expires_at.as_millis()))
            .col_expr(Column::SealedAnswer, Expr::val(answer.sealed_answer.clone()))
            .filter(waiting(back, now))
            .exec_with_returning(&self.writer)
            .await?;
        Ok(moved.into_iter().next().map(|row| row.redirect_uri))
    }

    async fn try_redeem(&self, redemption: &Redemption, now: Timestamp) -> Result<Option<RedeemedFlow>, Fault> {
        let gone = Entity::delete_many().filter(answered(redemption, now)).exec_with_returning(&self.writer).await?;
        gone.into_iter().next().map(redeemed).transpose()
    }
}

fn row(flow: &NewFlow) -> ActiveModel {
    ActiveModel {
        state: Set(bytes(flow.state)),
        provider: Set(flow.provider.to_string()),
        redirect_uri: Set(flow.redirect_uri.clone()),
        challenge: Set(flow.challenge.as_str().to_owned()),
        browser: Set(flow.browser.map(bytes)),
        user_id: Set(flow.linking.map(|linking| linking.user_id.as_uuid())),
        session_id: Set(flow.linking.map(|linking| linking.session_id.as_uuid())),
        sealed_secrets: Set(flow.sealed_secrets.clone()),
        code: Set(None),
        code_expires_at: Set(None),
        sealed_answer: Set(None),
        expires_at: Set(flow.expires_at.as_millis()),
    }
}

fn redeemed(row: Model) -> Result<RedeemedFlow, Fault> {
    Ok(RedeemedFlow {
        provider: ProviderName::parse(&row.provider).map_err(|_| Fault::Corrupt("provider of a flow"))?,
        sealed_secrets: row.sealed_secrets,
        sealed_answer: row.sealed_answer.ok_or(Fault::Corrupt("answer of a flow"))?,
    })
}

/// A flow that has not come back yet, and does so where it should. One that a browser began wants that browser; to one
/// that was begun elsewhere it does not matter what a browser keeps.
fn waiting(back: &FlowReturn, now: Timestamp) -> Condition {
    let browser = Condition::any()
        .add(Column::Browser.is_null())
        .add_option(back.browser.map(|browser| Column::Browser.eq(bytes(browser))));
    Condition::all()
        .add(Column::State.eq(bytes(back.state)))
        .add(Column::Provider.eq(back.provider.as_str()))
        .add(Column::Code.is_null())
        .add(Column::ExpiresAt.gt(now.as_millis()))
        .add(browser)
}

/// A flow that has come back, and is asked for by who began it.
fn answered(redemption: &Redemption, now: Timestamp) -> Condition {
    let linking = match redemption.linking {
        None => Condition::all().add(Column::UserId.is_null()).add(Column::SessionId.is_null()),
        Some(linking) => Condition::all()
            .add(Column::UserId.eq(linking.user_id.as_uuid()))
            .add(Column::SessionId.eq(linking.session_id.as_uuid())),
    };
    Condition::all()
        .add(Column::State.eq(bytes(redemption.state)))
        .add(Column::Code.eq(bytes(redemption.code)))
        .add(Column::Challenge.eq(redemption.challenge.as_str()))
        .add(Column::CodeExpiresAt.gt(now.as_millis()))
        .add(Column::ExpiresAt.gt(now.as_millis()))
        .add(linking)
}

fn bytes(hash: TokenHash) -> Vec<u8> {
    hash.0.to_vec()
}
