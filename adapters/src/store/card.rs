//! Pages of people for front ends, by Turkish order of the name.
use super::fault::failed;
use super::{account, person};
use kimlik_domain::ports::{CardPage, PersonRecord, PortResult};
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, LikeExpr};
use sea_orm::{QueryOrder, QuerySelect};

pub(super) async fn page(db: &impl ConnectionTrait, page: &CardPage) -> PortResult<Vec<(Vec<u8>, PersonRecord)>> {
    let mut select =
        person::with_account().order_by_asc(person::Column::SortKey).order_by_asc(person::Column::Id).limit(u64::from(page.limit));
    if let Some((key, id)) = &page.after {
        // Why a row value: both engines go straight to it in the index; an OR reads all that comes before.
        let place = Expr::tuple([Expr::col(person::Column::SortKey), Expr::col(person::Column::Id)]);
        select = select.filter(place.gt(Expr::tuple([Expr::value(key.clone()), Expr::value(id.0)])));
    }
    for word in page.words.iter().filter(|w| !w.is_empty()) {
        select = select.filter(person::Column::Words.like(beginning(word)));
    }
    let rows: Vec<(Vec<u8>, String, Option<String>)> = select
        .select_only()
        .columns([person::Column::SortKey, person::Column::Data])
        .column(account::Column::Data)
        .into_tuple()
        .all(db)
        .await
        .map_err(failed("reading cards"))?;
    let mut keys = Vec::with_capacity(rows.len());
    let mut people = Vec::with_capacity(rows.len());
    for (key, person, account) in rows {
        keys.push(key);
        people.push(person::parse(&person, account.as_deref())?);
    }
    Ok(keys.into_iter().zip(person::complete(db, people).await?).collect())
}

/// `% word%`: a word of the name that begins with this one. What LIKE takes as a pattern is taken as itself.
fn beginning(word: &str) -> LikeExpr {
    let mut pattern = String::from("% ");
    for c in word.chars().filter(|c| *c != '\0') {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('\\')
}
