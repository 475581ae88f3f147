//! Phones changed here: what HR has not confirmed of them, codes to new numbers, numbers to be told, and the way back to HR.
//! Deliveries of HR and changes made here alter the same rows: both hold the lock of intakes while they do.
use super::fault::{failed, from_json, from_word, to_json, word};
use super::link::{Link, Writing, upsert};
use super::message;
use super::vault::Vault;
use super::{SqlStore, announcement, audit, card, person, work};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kimlik_domain::audit::AuditEvent;
use kimlik_domain::id::PersonId;
use kimlik_domain::message::NewMessage;
use kimlik_domain::phone::desk::MobileChallenge;
use kimlik_domain::phone::write_back::{ForHr, Handed, WriteBack};
use kimlik_domain::phone::{Entails, Ledger, Line, PhoneChange, Standing};
use kimlik_domain::ports::{PhoneBook, PortError, PortResult, Refusal, Untold};
use kimlik_domain::staff::{MobileNumber, Person};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveValue, ExprTrait, IntoActiveModel, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use zeroize::Zeroizing;

/// What was changed here of one person; nearly nobody has a row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "person_phone")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub person: Uuid,
    pub data: String,
}
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}

mod challenge {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mobile_challenge")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub person: Uuid,
        /// The new number.
        pub sealed: Vec<u8>,
        pub made_at: DateTimeUtc,
        pub expires_at: DateTimeUtc,
        pub spent_at: Option<DateTimeUtc>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

mod notice {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "phone_notice")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub person: Uuid,
        /// The number that counted before; empty: there was none.
        pub number: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

mod write_back {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "hr_write_back")]
    pub struct Model {
        /// The key under which HR gets it. What it gets stands in the person's ledger, under the same id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub person: Uuid,
        pub line: String,
        pub state: String,
        pub made_at: DateTimeUtc,
        /// When it is to be taken up; during a lease, the lease's end. `None`: never again.
        pub due_at: Option<DateTimeUtc>,
        pub leased: bool,
        /// One more with each lease: who lost the lease cannot settle the next one's.
        pub generation: i64,
        pub tries: i64,
        pub note: Option<String>,
        pub settled_at: Option<DateTimeUtc>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Where a way back stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum State {
    Queued,
    /// A later change, or HR's own word, made it needless.
    Voided,
    Taken,
    Newer,
    Refused,
}

const SEALED: &str = "mobile_challenge.sealed";

async fn ledgers(writing: &Writing, people: impl IntoIterator<Item = Uuid> + Send) -> PortResult<HashMap<Uuid, Ledger>> {
    let rows = Entity::find().filter(Column::Person.is_in(people)).all(&writing.txn).await.map_err(failed("reading phones"))?;
    rows.into_iter().map(|row| Ok((row.person, from_json(&row.data, "phones")?))).collect()
}

/// In the caller's transaction, before the people are saved: HR delivers them anew. Answers those who were known, as HR said them.
pub(super) async fn hear(writing: &Writing, people: &[&Person], at: DateTime<Utc>) -> PortResult<HashMap<PersonId, Person>> {
    let known = person::as_hr_said(&writing.txn, people.iter().map(|p| p.id.0)).await?;
    let known: HashMap<PersonId, Person> = known.into_iter().map(|p| (p.id, p)).collect();
    let mut held = ledgers(writing, known.keys().map(|id| id.0)).await?;
    for after in people {
        let Some(before) = known.get(&after.id) else { continue };
        let ledger = held.remove(&after.id.0).unwrap_or_default();
        let mut heard = ledger.clone();
        let entails = heard.hear(before, after, at);
        if heard != ledger {
            save(writing, after.id, &heard, &entails, at).await?;
        }
        if heard.mobile_changed != ledger.mobile_changed {
            announcement::renumber(writing, after.id, at).await?;
        }
    }
    Ok(known)
}

async fn save(writing: &Writing, of: PersonId, ledger: &Ledger, entails: &Entails, at: DateTime<Utc>) -> PortResult<()> {
    let row = Model { person: of.0, data: to_json(ledger)? }.into_active_model();
    writing.insert("saving phones", vec![row], upsert([Column::Person], [Column::Data])).await?;
    for line in &entails.superseded {
        void(writing, of, *line, at).await?;
    }
    let mut rows = Vec::new();
    for (id, line) in &entails.write_back {
        rows.push(queued(*id, of, *line, at)?.into_active_model());
    }
    writing.insert("queueing for HR", rows, None).await?;
    let told = entails.tell.iter().map(|number| notice::ActiveModel {
        id: ActiveValue::NotSet,
        person: ActiveValue::Set(of.0),
        number: ActiveValue::Set(number.as_ref().map_or_else(String::new, |n| n.e164().to_owned())),
    });
    writing.insert("noting whom to tell", told.collect(), None).await
}

fn queued(id: Uuid, of: PersonId, line: Line, at: DateTime<Utc>) -> PortResult<write_back::Model> {
    Ok(write_back::Model {
        id,
        person: of.0,
        line: word(&line)?,
        state: word(&State::Queued)?,
        made_at: at,
        due_at: Some(at),
        leased: false,
        generation: 0,
        tries: 0,
        note: None,
        settled_at: None,
    })
}

/// What is in somebody's hand stays there until they let go: HR must not get the next one before it has answered this one.
async fn void(writing: &Writing, of: PersonId, line: Line, at: DateTime<Utc>) -> PortResult<()> {
    use write_back::Column as C;
    let standing = C::Person.eq(of.0).and(C::Line.eq(word(&line)?)).and(C::State.eq(word(&State::Queued)?));
    write_back::Entity::update_many()
        .col_expr(C::State, Expr::value(word(&State::Voided)?))
        .col_expr(C::SettledAt, Expr::value(Some(at)))
        .filter(standing)
        .exec(&writing.txn)
        .await
        .map_err(failed("taking back what HR was to get"))?;
    Ok(())
}

async fn begin(link: &Link, vault: &Vault, begun: &MobileChallenge, code: &NewMessage, event: &AuditEvent) -> PortResult<()> {
    let writing = link.write().await?;
    let before = challenge::Column::Person.eq(begun.person.0);
    challenge::Entity::delete_many().filter(before).exec(&writing.txn).await.map_err(failed("ending challenges"))?;
    let number = Zeroizing::new(begun.to.e164().to_owned());
    let row = challenge::Model {
        id: begun.id,
        person: begun.person.0,
        sealed: vault.seal(SEALED, begun.id, &number)?,
        made_at: begun.made_at,
        expires_at: begun.expires_at,
        spent_at: None,
    };
    writing.insert("beginning a challenge", vec![row.into_active_model()], None).await?;
    message::queue(&writing, vault, [(begun.person, code, begun.made_at)]).await?;
    audit::record(&writing, [event]).await?;
    writing.commit().await
}

async fn challenge_of(link: &Link, vault: &Vault, id: Uuid, of: PersonId, now: DateTime<Utc>) -> PortResult<Option<MobileChallenge>> {
    let found = challenge::Entity::find_by_id(id).one(&link.db).await.map_err(failed("reading a challenge"))?;
    let Some(row) = found.filter(|row| row.person == of.0 && row.spent_at.is_none() && now < row.expires_at) else { return Ok(None) };
    let number = vault.open(SEALED, row.id, &row.sealed)?;
    let to = MobileNumber::parse(&number).map_err(|_| super::fault::unreadable(SEALED, "not a number"))?;
    Ok(Some(MobileChallenge { id: row.id, person: of, to, made_at: row.made_at, expires_at: row.expires_at }))
}

async fn change(link: &Link, made: &PhoneChange, proof: Option<Uuid>, event: &AuditEvent) -> PortResult<bool> {
    let writing = link.write().await?;
    writing.lock(&["intake"]).await?;
    if let Some(proof) = proof {
        let unspent = challenge::Column::Id.eq(proof).and(challenge::Column::SpentAt.is_null());
        let spent = challenge::Entity::update_many()
            .col_expr(challenge::Column::SpentAt, Expr::value(Some(made.at)))
            .filter(unspent)
            .exec(&writing.txn)
            .await
            .map_err(failed("spending a challenge"))?;
        if spent.rows_affected != 1 {
            return Ok(false);
        }
    }
    let hr = person::as_hr_said(&writing.txn, [made.person.0]).await?.into_iter().next();
    let hr = hr.ok_or_else(|| PortError::refused(Refusal::NotFound, "there is no such person"))?;
    let mut ledger = ledgers(&writing, [made.person.0]).await?.remove(&made.person.0).unwrap_or_default();
    let before = ledger.mobile_changed.clone();
    let entails = ledger.change(&hr, made);
    save(&writing, made.person, &ledger, &entails, made.at).await?;
    if ledger.mobile_changed != before {
        announcement::renumber(&writing, made.person, made.at).await?;
    }
    card::mark(&writing, [made.person]).await?;
    work::wake(&writing, [made.person], made.at).await?;
    audit::record(&writing, [event]).await?;
    writing.commit().await?;
    Ok(true)
}

async fn claim(link: &Link, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<WriteBack>> {
    use write_back::Column as C;
    let due = || -> PortResult<_> { Ok(C::DueAt.lte(now).and(C::State.eq(word(&State::Queued)?))) };
    let any: Option<Uuid> = write_back::Entity::find()
        .select_only()
        .column(C::Id)
        .filter(due()?)
        .limit(1)
        .into_tuple()
        .one(&link.db)
        .await
        .map_err(failed("looking for what HR is to get"))?;
    if any.is_none() {
        return Ok(Vec::new());
    }
    let writing = link.write().await?;
    writing.lock(&["write_back"]).await?;
    // Why those voided too: one that is in somebody's hand may reach HR yet.
    let in_hand = C::Leased.eq(true).and(C::DueAt.gt(now));
    let in_hand: Vec<Uuid> = write_back::Entity::find()
        .select_only()
        .column(C::Person)
        .filter(in_hand)
        .into_tuple()
        .all(&writing.txn)
        .await
        .map_err(failed("claiming what HR is to get"))?;
    let mut busy: HashSet<Uuid> = in_hand.into_iter().collect();
    let rows = write_back::Entity::find()
        .filter(due()?)
        .order_by_asc(C::MadeAt)
        .order_by_asc(C::Id)
        .limit(u64::from(limit))
        .lock(LockType::Update)
        .all(&writing.txn)
        .await
        .map_err(failed("claiming what HR is to get"))?;
    let free: Vec<write_back::Model> = rows.into_iter().filter(|row| busy.insert(row.person)).collect();
    let ids: Vec<Uuid> = free.iter().map(|row| row.person).collect();
    let people = person::as_hr_said(&writing.txn, ids.iter().copied()).await?;
    let people: HashMap<Uuid, Person> = people.into_iter().map(|p| (p.id.0, p)).collect();
    let ledgers = ledgers(&writing, ids).await?;
    let mut claimed = Vec::with_capacity(free.len());
    for mut row in free {
        let numbers = ledgers.get(&row.person).and_then(|ledger| numbers_of(ledger, row.id));
        match (numbers, people.get(&row.person)) {
            (Some(numbers), Some(person)) => {
                row.generation += 1;
                (row.leased, row.due_at) = (true, Some(until));
                claimed.push(WriteBack {
                    id: row.id,
                    person: person.id,
                    registry_no: person.registry_no.clone(),
                    numbers,
                    made_at: row.made_at,
                    generation: row.generation,
                    tries: u32::try_from(row.tries).unwrap_or(0),
                });
            }
            _ => (row.state, row.due_at, row.settled_at) = (word(&State::Voided)?, None, Some(now)),
        }
        put(&writing, row).await?;
    }
    writing.commit().await?;
    Ok(claimed)
}

/// How many changes HR has not got yet, and when the first of them was made.
pub(super) async fn waiting_for_hr(db: &impl ConnectionTrait) -> PortResult<(u32, Option<DateTime<Utc>>)> {
    use write_back::Column as C;
    // Why the time too: it is what is indexed, and those that are over have none.
    let waiting = write_back::Entity::find().filter(C::DueAt.is_not_null()).filter(C::State.eq(word(&State::Queued)?));
    let first: Option<DateTime<Utc>> = waiting
        .clone()
        .select_only()
        .column(C::MadeAt)
        .order_by_asc(C::MadeAt)
        .limit(1)
        .into_tuple()
        .one(db)
        .await
        .map_err(failed("looking for what HR is to get"))?;
    let count = if first.is_some() { waiting.count(db).await.map_err(failed("counting what HR is to get"))? } else { 0 };
    Ok((u32::try_from(count).unwrap_or(u32::MAX), first))
}

fn numbers_of(ledger: &Ledger, change: Uuid) -> Option<ForHr> {
    let mobile = ledger.mobile.as_ref().filter(|own| own.change == change && own.counts());
    let work = ledger.work.as_ref().filter(|own| own.change == change && own.counts());
    mobile.map(|own| ForHr::Mobile(own.value.clone())).or_else(|| work.map(|own| ForHr::Work(own.value.clone())))
}

async fn put(writing: &Writing, row: write_back::Model) -> PortResult<()> {
    use write_back::Column as C;
    let columns = [C::State, C::DueAt, C::Leased, C::Generation, C::Tries, C::Note, C::SettledAt];
    writing.insert("saving what HR is to get", vec![row.into_active_model()], upsert([C::Id], columns)).await
}

async fn settle(link: &Link, claimed: &WriteBack, handed: &Handed, event: Option<&AuditEvent>, now: DateTime<Utc>) -> PortResult<()> {
    let writing = link.write().await?;
    writing.lock(&["intake"]).await?;
    let held = write_back::Entity::find_by_id(claimed.id)
        .filter(write_back::Column::Generation.eq(claimed.generation))
        .lock(LockType::Update)
        .one(&writing.txn)
        .await
        .map_err(failed("reading what HR was to get"))?;
    let Some(mut row) = held.filter(|row| row.leased) else { return Ok(()) };
    row.leased = false;
    let state: State = from_word(&row.state, "hr_write_back")?;
    match handed {
        Handed::Again { .. } if state == State::Voided => row.due_at = None,
        Handed::Again { at, tries, note } => {
            (row.due_at, row.tries, row.note) = (Some(*at), i64::from(*tries), Some(note.clone()));
        }
        Handed::Over(standing, note) => {
            row.due_at = None;
            if state == State::Queued {
                let state = match standing {
                    Standing::Newer => State::Newer,
                    Standing::Refused => State::Refused,
                    _ => State::Taken,
                };
                (row.state, row.note, row.settled_at) = (word(&state)?, note.clone(), Some(now));
            }
            answered(&writing, claimed, *standing, now).await?;
        }
    }
    put(&writing, row).await?;
    audit::record(&writing, event).await?;
    writing.commit().await
}

async fn answered(writing: &Writing, claimed: &WriteBack, standing: Standing, now: DateTime<Utc>) -> PortResult<()> {
    let hr = person::as_hr_said(&writing.txn, [claimed.person.0]).await?.into_iter().next();
    let ledger = ledgers(writing, [claimed.person.0]).await?.remove(&claimed.person.0);
    let (Some(hr), Some(mut ledger)) = (hr, ledger) else { return Ok(()) };
    if ledger.answered(&hr, claimed.id, standing) {
        save(writing, claimed.person, &ledger, &Entails::default(), now).await?;
        work::wake(writing, [claimed.person], now).await?;
    }
    Ok(())
}

#[async_trait]
impl PhoneBook for SqlStore {
    async fn begin_mobile_change(&self, begun: &MobileChallenge, code: &NewMessage, event: &AuditEvent) -> PortResult<()> {
        begin(&self.link, &self.vault, begun, code, event).await
    }
    async fn mobile_challenge(&self, id: Uuid, of: PersonId, now: DateTime<Utc>) -> PortResult<Option<MobileChallenge>> {
        challenge_of(&self.link, &self.vault, id, of, now).await
    }
    async fn change_phones(&self, made: &PhoneChange, proof: Option<Uuid>, event: &AuditEvent) -> PortResult<bool> {
        change(&self.link, made, proof, event).await
    }
    async fn untold(&self, limit: u32) -> PortResult<Vec<Untold>> {
        let rows = notice::Entity::find().order_by_asc(notice::Column::Id).limit(u64::from(limit)).all(&self.link.db);
        let rows = rows.await.map_err(failed("reading whom to tell"))?;
        let untold = |row: notice::Model| {
            let number = || MobileNumber::parse(&row.number).map_err(|_| super::fault::unreadable("phone_notice", "not a number"));
            let to = (!row.number.is_empty()).then(number).transpose()?;
            Ok(Untold { id: row.id, person: PersonId(row.person), to })
        };
        rows.into_iter().map(untold).collect()
    }
    async fn told(&self, untold: &Untold, told: &[NewMessage], now: DateTime<Utc>) -> PortResult<()> {
        let writing = self.link.write().await?;
        message::queue(&writing, &self.vault, told.iter().map(|told| (untold.person, told, now))).await?;
        notice::Entity::delete_by_id(untold.id).exec(&writing.txn).await.map_err(failed("noting who was told"))?;
        writing.commit().await
    }
    async fn claim_write_backs(&self, now: DateTime<Utc>, until: DateTime<Utc>, limit: u32) -> PortResult<Vec<WriteBack>> {
        claim(&self.link, now, until, limit).await
    }
    async fn settle_write_back(
        &self,
        claimed: &WriteBack,
        handed: &Handed,
        event: Option<&AuditEvent>,
        now: DateTime<Utc>,
    ) -> PortResult<()> {
        settle(&self.link, claimed, handed, event, now).await
    }
}
