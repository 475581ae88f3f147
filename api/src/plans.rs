//! Plans of many people, of which pages are asked for: who has something to do is kept for a while, so that everybody is not looked at
//! for each page; what exactly is planned again for the people of the page.
use crate::wiring::House;
use kimlik_domain::day::Day;
use kimlik_domain::lifecycle::reconcile::{Head, Overview, Whom};
use kimlik_domain::ports::{PortError, PortResult, Refusal};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A plan of many people.
#[derive(Debug)]
pub struct Many {
    pub overview: Overview,
    pub heads: Vec<Head>,
    pub as_of: Option<Day>,
}

/// The last few of them.
#[derive(Default)]
pub struct PlanShelf(Mutex<Vec<Kept>>);

struct Kept {
    whom: Whom,
    many: Arc<Many>,
    made: Instant,
    took: Duration,
}

/// A plan of a whole ministry is some tens of bytes a person who has something to do.
const MOST: usize = 2;
/// So long its pages are those of one plan.
const PAGES: Duration = Duration::from_secs(300);
/// What took so long is not made anew for whoever asks again at once: perhaps it was too long for the first answer.
const LONG: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_secs(60);

impl PlanShelf {
    fn find(&self, whom: &Whom, as_of: Option<Day>, goes_on: bool) -> Option<Arc<Many>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|k| k.made.elapsed() < PAGES);
        let fresh = |k: &&Kept| goes_on || (k.took > LONG && k.made.elapsed() < AGAIN);
        kept.iter().rev().filter(|k| k.whom == *whom && k.many.as_of == as_of).find(fresh).map(|k| k.many.clone())
    }

    fn keep(&self, new: Kept) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|k| k.made.elapsed() < PAGES && !(k.whom == new.whom && k.many.as_of == new.many.as_of));
        if kept.len() >= MOST {
            kept.remove(0);
        }
        kept.push(new);
    }
}

/// What would be done now, or as of a later day. `goes_on`: a page behind the first is asked for.
pub async fn plan(house: &Arc<House>, whom: Whom, as_of: Option<Day>, goes_on: bool) -> PortResult<Arc<Many>> {
    if let Some(many) = house.plans.find(&whom, as_of, goes_on) {
        return Ok(many);
    }
    let own = house.clone();
    // Why a task of its own: what takes longer than a request may is there for the next one.
    let work = tokio::spawn(async move {
        let began = Instant::now();
        let reconciler = own.reconciler().await?;
        let preview = reconciler.preview(&whom, as_of).await?;
        let many = Arc::new(Many { overview: preview.overview.clone(), heads: preview.heads(), as_of });
        own.plans.keep(Kept { whom, many: many.clone(), made: Instant::now(), took: began.elapsed() });
        Ok::<_, PortError>(many)
    });
    work.await.unwrap_or_else(|_| Err(PortError::refused(Refusal::Other, "planning broke off")))
}
