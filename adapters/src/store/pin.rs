//! PINs: of each only a slow keyed hash. Without the pepper nothing can be tried; with it, each try takes as long as here.
use super::SqlStore;
use super::fault::failed;
use super::link::{Link, upsert};
use super::vault::Vault;
use super::{audit, message};
use async_trait::async_trait;
use aws_lc_rs::constant_time;
use chrono::{DateTime, Utc};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::PersonId;
use kimlik_domain::message::NewMessage;
use kimlik_domain::password::Pin;
use kimlik_domain::ports::{Pins, PortError, PortResult, Refusal};
use sea_orm::entity::prelude::*;
use sea_orm::{ExprTrait, IntoActiveModel, QuerySelect};
use zeroize::Zeroizing;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pin")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub person: Uuid,
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2-HMAC-SHA-256 that made the mark.
    pub rounds: i64,
    pub mark: Vec<u8>,
    /// Wrong ones in a row.
    pub tries: i64,
    pub set_at: DateTimeUtc,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

/// What OWASP asks of PBKDF2-HMAC-SHA-256.
const ROUNDS: u32 = 600_000;

/// Takes a tenth of a second and more of one processor: off the threads that answer.
async fn mark(vault: &Vault, person: Uuid, pin: &Pin, salt: Vec<u8>, rounds: u32) -> PortResult<Vec<u8>> {
    let fault = |text: &str| PortError::refused(Refusal::Other, text);
    let rounds = std::num::NonZeroU32::new(rounds).ok_or_else(|| fault("a PIN without rounds"))?;
    let keyed = Zeroizing::new(vault.pin_key(person, pin.expose()));
    let slow = tokio::task::spawn_blocking(move || {
        let mut mark = vec![0; 32];
        aws_lc_rs::pbkdf2::derive(aws_lc_rs::pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, keyed.as_slice(), &mut mark);
        mark
    });
    slow.await.map_err(|_| fault("a PIN could not be hashed"))
}

async fn set(
    link: &Link,
    vault: &Vault,
    person: PersonId,
    (pin, salt): (&Pin, [u8; 16]),
    event: &AuditEvent,
    notices: &[NewMessage],
    now: DateTime<Utc>,
) -> PortResult<()> {
    let mark = mark(vault, person.0, pin, salt.to_vec(), ROUNDS).await?;
    let row = Model { person: person.0, salt: salt.to_vec(), rounds: ROUNDS.into(), mark, tries: 0, set_at: now };
    let writing = link.write().await?;
    let columns = [Column::Salt, Column::Rounds, Column::Mark, Column::Tries, Column::SetAt];
    writing.insert("keeping a PIN", vec![row.into_active_model()], upsert([Column::Person], columns)).await?;
    message::queue(&writing, vault, notices.iter().map(|notice| (person, notice, now))).await?;
    audit::record(&writing, [event]).await?;
    writing.commit().await
}

async fn try_pin(link: &Link, vault: &Vault, person: PersonId, pin: &Pin, tries: u32) -> PortResult<bool> {
    let writing = link.write().await?;
    let left = Column::Person.eq(person.0).and(Column::Tries.lt(i64::from(tries)));
    let counted = Entity::update_many()
        .col_expr(Column::Tries, Expr::col(Column::Tries).add(1))
        .filter(left)
        .exec(&writing.txn)
        .await
        .map_err(failed("counting a try"))?;
    if counted.rows_affected != 1 {
        return Ok(false);
    }
    let row = Entity::find_by_id(person.0).one(&writing.txn).await.map_err(failed("reading a PIN"))?;
    // Why before the comparison: a process that dies after it must not give tries back.
    writing.commit().await?;
    let Some(row) = row else { return Ok(false) };
    let rounds = u32::try_from(row.rounds).unwrap_or(0);
    let typed = mark(vault, person.0, pin, row.salt.clone(), rounds).await?;
    if constant_time::verify_slices_are_equal(&typed, &row.mark).is_err() {
        return Ok(false);
    }
    let writing = link.write().await?;
    // Why the mark: one that was set meanwhile keeps its own tries.
    Entity::update_many()
        .col_expr(Column::Tries, Expr::value(0_i64))
        .filter(Column::Person.eq(person.0).and(Column::Mark.eq(row.mark)))
        .exec(&writing.txn)
        .await
        .map_err(failed("forgetting tries"))?;
    writing.commit().await?;
    Ok(true)
}

#[async_trait]
impl Pins for SqlStore {
    async fn has_pin(&self, person: PersonId, tries: u32) -> PortResult<bool> {
        let usable = Column::Person.eq(person.0).and(Column::Tries.lt(i64::from(tries)));
        let found: Option<Uuid> = Entity::find()
            .select_only()
            .column(Column::Person)
            .filter(usable)
            .into_tuple()
            .one(&self.link.db)
            .await
            .map_err(failed("looking for a PIN"))?;
        Ok(found.is_some())
    }
    async fn set_pin(
        &self,
        person: PersonId,
        pin: &Pin,
        salt: [u8; 16],
        event: &AuditEvent,
        notices: &[NewMessage],
        now: DateTime<Utc>,
    ) -> PortResult<()> {
        set(&self.link, &self.vault, person, (pin, salt), event, notices, now).await
    }
    async fn try_pin(&self, person: PersonId, pin: &Pin, tries: u32) -> PortResult<bool> {
        try_pin(&self.link, &self.vault, person, pin, tries).await
    }
}
