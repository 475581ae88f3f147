//! What is handed in, kept until it was taken in and its idempotency key has run out. Records are sealed: national ids are in them.
use super::fault::{failed, from_json, from_word, to_json, without_nul, word};
use super::{SqlStore, audit};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::SubmissionId;
use kimlik_domain::ports::{PortResult, Submissions};
use kimlik_domain::staff::submission::{HandedIn, NewPart, Record, Report, Submission};
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "submission")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub owner: String,
    pub key: String,
    pub mode: String,
    pub made_at: DateTimeUtc,
    pub last_part: Option<i32>,
    pub is_whole: bool,
    pub leased_until: Option<DateTimeUtc>,
    pub taken_at: Option<DateTimeUtc>,
    pub report: Option<String>,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

mod part {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "submission_part")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub submission: Uuid,
        pub part: i32,
        pub owner: String,
        pub idempotency_key: String,
        /// Keyed hash of everything that was said.
        pub digest: Vec<u8>,
        pub records: i32,
        /// `None`: taken in, and not needed any more.
        pub body: Option<Vec<u8>>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Where the records are sealed to.
const BODY: &str = "submission_part.body";

fn number(n: i32) -> u32 {
    n.unsigned_abs()
}

async fn whole(db: &impl ConnectionTrait, row: Model) -> PortResult<Submission> {
    let parts: Vec<i32> = part::Entity::find()
        .select_only()
        .column(part::Column::Records)
        .filter(part::Column::Submission.eq(row.id))
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading a submission"))?;
    Ok(Submission {
        id: SubmissionId(row.id),
        owner: row.owner,
        key: row.key,
        mode: from_word(&row.mode, "submission")?,
        made_at: row.made_at,
        parts: u32::try_from(parts.len()).unwrap_or(u32::MAX),
        last_part: row.last_part.map(number),
        records: parts.into_iter().map(number).sum(),
        taken_at: row.taken_at,
        report: row.report.map(|text| from_json(&text, "submission")).transpose()?,
    })
}

/// Records of the parts before this one.
async fn before(db: &impl ConnectionTrait, submission: Uuid, part: i32) -> PortResult<u32> {
    let rows: Vec<i32> = part::Entity::find()
        .select_only()
        .column(part::Column::Records)
        .filter(part::Column::Submission.eq(submission))
        .filter(part::Column::Part.lt(part))
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading a submission"))?;
    Ok(rows.into_iter().map(number).sum())
}

impl SqlStore {
    async fn kept(&self, db: &impl ConnectionTrait, row: Model, part: i32) -> PortResult<HandedIn> {
        let before = before(db, row.id, part).await?;
        Ok(HandedIn::Kept { submission: Box::new(whole(db, row).await?), before })
    }
}

/// Whole and not taken in yet: how many, and when the first of them came.
pub(super) async fn waiting(db: &impl ConnectionTrait) -> PortResult<(u32, Option<DateTime<Utc>>)> {
    let waiting = Entity::find().filter(Column::IsWhole.eq(true)).filter(Column::TakenAt.is_null());
    let came: Vec<DateTime<Utc>> = waiting
        .select_only()
        .column(Column::MadeAt)
        .order_by_asc(Column::MadeAt)
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("counting what was handed in"))?;
    Ok((u32::try_from(came.len()).unwrap_or(u32::MAX), came.first().copied()))
}

#[async_trait]
impl Submissions for SqlStore {
    async fn hand_in(&self, new: &NewPart) -> PortResult<HandedIn> {
        let body = to_json(&new.records)?;
        let said = format!("{}|{}|{}|{}|{body}", word(&new.mode)?, new.key, new.part, new.is_last);
        let digest = self.vault.secret_mark("submission", &said);
        let number = i32::try_from(new.part).unwrap_or(i32::MAX);
        let writing = self.link.write().await?;
        writing.lock(&["submissions"]).await?;
        let failed = failed("keeping a submission");
        let same_key = part::Entity::find()
            .filter(part::Column::Owner.eq(&new.owner))
            .filter(part::Column::IdempotencyKey.eq(&new.idempotency_key))
            .one(&writing.txn)
            .await
            .map_err(&failed)?;
        let row = Entity::find().filter(Column::Owner.eq(&new.owner)).filter(Column::Key.eq(&new.key)).one(&writing.txn);
        let row = row.await.map_err(&failed)?;
        if let Some(known) = same_key {
            return match row.filter(|row| row.id == known.submission && known.digest == digest) {
                Some(row) => self.kept(&writing.txn, row, number).await,
                None => Ok(HandedIn::OtherInput),
            };
        }
        let known: Vec<i32> = match &row {
            Some(row) => part::Entity::find()
                .select_only()
                .column(part::Column::Part)
                .filter(part::Column::Submission.eq(row.id))
                .into_tuple()
                .all(&writing.txn)
                .await
                .map_err(&failed)?,
            None => Vec::new(),
        };
        let mode = word(&new.mode)?;
        let last = row.as_ref().and_then(|row| row.last_part).or(new.is_last.then_some(number));
        let beyond = last.is_some_and(|last| number > last || known.iter().any(|part| *part > last) || (new.is_last && number != last));
        if known.contains(&number) || beyond || row.as_ref().is_some_and(|row| row.mode != mode) {
            return Ok(HandedIn::Conflict);
        }
        let is_whole = last.is_some_and(|last| i32::try_from(known.len() + 1) == Ok(last));
        let row = Model { last_part: last, is_whole, ..row.unwrap_or_else(|| fresh(new, mode)) };
        let part = part::Model {
            id: new.ids.1,
            submission: row.id,
            part: number,
            owner: new.owner.clone(),
            idempotency_key: without_nul(&new.idempotency_key),
            digest,
            records: i32::try_from(new.records.len()).unwrap_or(i32::MAX),
            body: Some(self.vault.seal(BODY, new.ids.1, &body)?),
        };
        let update = super::link::upsert([Column::Id], [Column::LastPart, Column::IsWhole]);
        writing.insert("keeping a submission", vec![row.clone().into_active_model()], update).await?;
        writing.insert("keeping a submission", vec![part.into_active_model()], None).await?;
        audit::record(&writing, [&event(new, row.id)]).await?;
        let kept = self.kept(&writing.txn, row, number).await?;
        writing.commit().await?;
        Ok(kept)
    }

    async fn submission(&self, id: SubmissionId, owner: Option<&str>) -> PortResult<Option<Submission>> {
        let found = Entity::find_by_id(id.0).one(&self.link.db).await.map_err(failed("reading a submission"))?;
        match found.filter(|row| owner.is_none_or(|owner| row.owner == owner)) {
            Some(row) => whole(&self.link.db, row).await.map(Some),
            None => Ok(None),
        }
    }

    async fn waiting_submission(&self, now: DateTime<Utc>) -> PortResult<Option<Submission>> {
        let free = Column::LeasedUntil.is_null().or(Column::LeasedUntil.lte(now));
        let select = Entity::find().filter(Column::IsWhole.eq(true)).filter(Column::TakenAt.is_null()).filter(free);
        let found = select.order_by_asc(Column::Id).one(&self.link.db).await.map_err(failed("reading submissions"))?;
        match found {
            Some(row) => whole(&self.link.db, row).await.map(Some),
            None => Ok(None),
        }
    }

    async fn claim_submission(&self, id: SubmissionId, now: DateTime<Utc>, until: DateTime<Utc>) -> PortResult<bool> {
        let writing = self.link.write().await?;
        writing.lock(&["submissions"]).await?;
        let claimed = Entity::update_many()
            .col_expr(Column::LeasedUntil, Expr::value(until))
            .filter(Column::Id.eq(id.0))
            .filter(Column::TakenAt.is_null())
            .filter(Column::LeasedUntil.is_null().or(Column::LeasedUntil.lte(now)))
            .exec(&writing.txn)
            .await
            .map_err(failed("claiming a submission"))?;
        writing.commit().await?;
        Ok(claimed.rows_affected > 0)
    }

    async fn release_submission(&self, id: SubmissionId) -> PortResult<()> {
        let writing = self.link.write().await?;
        Entity::update_many()
            .col_expr(Column::LeasedUntil, Expr::value(Option::<DateTime<Utc>>::None))
            .filter(Column::Id.eq(id.0))
            .exec(&writing.txn)
            .await
            .map_err(failed("releasing a submission"))?;
        writing.commit().await
    }

    async fn submitted_records(&self, id: SubmissionId) -> PortResult<Vec<Record>> {
        let select = part::Entity::find().filter(part::Column::Submission.eq(id.0)).order_by_asc(part::Column::Part);
        let parts = select.all(&self.link.db).await.map_err(failed("reading a submission"))?;
        let mut records = Vec::new();
        for part in parts {
            let Some(body) = part.body else { continue };
            let text = self.vault.open(BODY, part.id, &body)?;
            records.extend(from_json::<Vec<Record>>(&text, "submission")?);
        }
        Ok(records)
    }

    async fn submission_taken(&self, id: SubmissionId, report: &Report, now: DateTime<Utc>) -> PortResult<()> {
        let writing = self.link.write().await?;
        Entity::update_many()
            .col_expr(Column::TakenAt, Expr::value(now))
            .col_expr(Column::LeasedUntil, Expr::value(Option::<DateTime<Utc>>::None))
            .col_expr(Column::Report, Expr::value(to_json(report)?))
            .filter(Column::Id.eq(id.0))
            .exec(&writing.txn)
            .await
            .map_err(failed("noting what was taken in"))?;
        part::Entity::update_many()
            .col_expr(part::Column::Body, Expr::value(Option::<Vec<u8>>::None))
            .filter(part::Column::Submission.eq(id.0))
            .exec(&writing.txn)
            .await
            .map_err(failed("erasing records"))?;
        writing.commit().await
    }

    async fn forget_submissions(&self, before: DateTime<Utc>) -> PortResult<u64> {
        let writing = self.link.write().await?;
        writing.lock(&["submissions"]).await?;
        // Not one that is whole and still to be taken in.
        let old = Column::MadeAt.lt(before).and(Column::IsWhole.eq(false).or(Column::TakenAt.is_not_null()));
        let ids: Vec<Uuid> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(old)
            .limit(1_000)
            .into_tuple()
            .all(&writing.txn)
            .await
            .map_err(failed("reading submissions"))?;
        let parts = part::Entity::delete_many().filter(part::Column::Submission.is_in(ids.iter().copied()));
        parts.exec(&writing.txn).await.map_err(failed("forgetting submissions"))?;
        let forgotten = Entity::delete_many().filter(Column::Id.is_in(ids)).exec(&writing.txn).await;
        let forgotten = forgotten.map_err(failed("forgetting submissions"))?.rows_affected;
        writing.commit().await?;
        Ok(forgotten)
    }
}

/// How many and of what kind, and nothing of what stands in them.
fn event(new: &NewPart, submission: Uuid) -> AuditEvent {
    AuditEvent {
        at: new.at,
        actor: new.owner.clone(),
        deed: "records.submit".to_owned(),
        person: None,
        because: format!("submission {}", without_nul(&new.key)),
        detail: json!({ "submission": submission.to_string(), "mode": new.mode, "part": new.part, "last": new.is_last, "records": new.records.len() }),
    }
}

fn fresh(new: &NewPart, mode: String) -> Model {
    Model {
        id: new.ids.0.0,
        owner: new.owner.clone(),
        key: without_nul(&new.key),
        mode,
        made_at: new.at,
        last_part: None,
        is_whole: false,
        leased_until: None,
        taken_at: None,
        report: None,
    }
}
