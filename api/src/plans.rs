//! Plans of many people, of which pages are asked for: who has something to do is kept for a while, so that everybody is not looked at
//! for each page; what exactly is planned again for the people of the page.
use crate::wiring::House;
use kimlik_domain::day::Day;
use kimlik_domain::lifecycle::reconcile::{Outline, Whom};
use kimlik_domain::ports::{PortError, PortResult, Refusal};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot};

/// A plan of many people.
#[derive(Debug)]
pub struct Many {
    pub outline: Outline,
    pub as_of: Option<Day>,
}

impl Deref for Many {
    type Target = Outline;
    fn deref(&self) -> &Outline {
        &self.outline
    }
}

/// The last few of them, and whose turn it is to make one.
pub struct PlanShelf {
    kept: Mutex<Vec<Kept>>,
    /// Why one: a look at a whole ministry holds the directory's and the database's attention, and one answers all who have asked.
    everybody: Semaphore,
    /// Officers with their own units do not wait for that.
    some: Semaphore,
}

impl Default for PlanShelf {
    fn default() -> PlanShelf {
        PlanShelf { kept: Mutex::default(), everybody: Semaphore::new(1), some: Semaphore::new(4) }
    }
}

struct Kept {
    whom: Whom,
    many: Arc<Many>,
    began: Instant,
    made: Instant,
}

/// A plan of a whole ministry is some tens of bytes a person who has something to do.
const MOST: usize = 2;
/// So long its pages are those of one plan.
const PAGES: Duration = Duration::from_secs(300);
/// What took so long is not made anew for whoever asks again at once: perhaps it was too long for the first answer.
const LONG: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_secs(60);

/// Who asks, and what for.
struct Question {
    whom: Whom,
    as_of: Option<Day>,
    /// A page behind the first is asked for.
    goes_on: bool,
    at: Instant,
}

impl PlanShelf {
    fn find(&self, of: &Question) -> Option<Arc<Many>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|k| k.made.elapsed() < PAGES);
        let took_long = |k: &Kept| k.made.duration_since(k.began) > LONG && k.made.elapsed() < AGAIN;
        let fresh = |k: &&Kept| of.goes_on || k.began >= of.at || took_long(k);
        kept.iter().rev().filter(|k| k.whom == of.whom && k.many.as_of == of.as_of).find(fresh).map(|k| k.many.clone())
    }

    fn keep(&self, new: Kept) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|k| k.made.elapsed() < PAGES && !(k.whom == new.whom && k.many.as_of == new.many.as_of));
        if kept.len() >= MOST {
            kept.remove(0);
        }
        kept.push(new);
    }
}

/// What would be done now, or as of a later day. `goes_on`: a page behind the first is asked for.
pub async fn plan(house: &Arc<House>, whom: Whom, as_of: Option<Day>, goes_on: bool) -> PortResult<Arc<Many>> {
    let question = Question { whom, as_of, goes_on, at: Instant::now() };
    if let Some(many) = house.plans.find(&question) {
        return Ok(many);
    }
    let (answer, told) = oneshot::channel();
    let own = house.clone();
    // Why a task of its own: what takes longer than a request may is there for the next one.
    tokio::spawn(async move {
        let turns = if question.whom == Whom::Everybody { &own.plans.everybody } else { &own.plans.some };
        let Ok(_turn) = turns.acquire().await else { return };
        // Why: whoever has gone while others were served wants nothing looked at.
        if answer.is_closed() {
            return;
        }
        let made = match own.plans.find(&question) {
            Some(many) => Ok(many),
            None => make(&own, question).await,
        };
        // Why ignored: who has gone asks again.
        answer.send(made).ok();
    });
    told.await.unwrap_or_else(|_| Err(PortError::refused(Refusal::Other, "planning broke off")))
}

async fn make(house: &House, question: Question) -> PortResult<Arc<Many>> {
    let Question { whom, as_of, .. } = question;
    let began = Instant::now();
    let outline = house.reconciler().await?.outline(&whom, as_of).await?;
    let many = Arc::new(Many { outline, as_of });
    house.plans.keep(Kept { whom, many: many.clone(), began, made: Instant::now() });
    Ok(many)
}
