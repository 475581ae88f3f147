//! What a worker holds while it works: the one hand at everybody, and claims on people. Both are leases that are kept while the work
//! lasts; where one was lost (this process slept, another has taken over), the worker stops before its next intent. The run that
//! it carries out is kept likewise, so that whoever follows it is told if nobody does any more.
use super::reconcile::Reconciler;
use crate::day::{self, Day};
use crate::id::{PersonId, RunId};
use crate::ports::{Claim, PortError, PortResult, Refusal};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// How long a claim on the queue lasts: longer than a chunk takes, short enough that a crash delays nobody for long.
const CLAIM: TimeDelta = TimeDelta::seconds(60);
/// How long the hand at everybody lasts. Why shorter: whoever starts Kimlik anew after a crash waits for it.
pub const HAND: TimeDelta = TimeDelta::seconds(15);
/// How long a run counts as carried out by somebody who says no more of it. Why no shorter: it takes nothing from anybody, and a
/// directory that answers late must not make it look dead.
pub const CARRIED: TimeDelta = TimeDelta::seconds(60);
/// Leases are kept when a third of them is over.
const THIRD: i32 = 3;
const CLAIMS: u32 = 256;

pub struct Grip<'a> {
    of: &'a Reconciler,
    hand: Option<Uuid>,
    claims: Vec<Claim>,
    kept: Mutex<Kept>,
}

struct Kept {
    hand_at: DateTime<Utc>,
    claims_at: DateTime<Utc>,
    run: Option<(RunId, DateTime<Utc>)>,
    lost: HashSet<PersonId>,
}

impl<'a> Grip<'a> {
    fn new(of: &'a Reconciler, hand: Option<Uuid>, claims: Vec<Claim>) -> Grip<'a> {
        let now = of.clock.now();
        Grip { of, hand, claims, kept: Mutex::new(Kept { hand_at: now, claims_at: now, run: None, lost: HashSet::new() }) }
    }

    /// Of a worker that looks at people by name, because somebody said so.
    pub fn none(of: &'a Reconciler) -> Grip<'a> {
        Grip::new(of, None, Vec::new())
    }

    /// The hand at everybody, and whoever is due. `Refused(InHand)`: another process has it.
    pub async fn on_everybody(of: &'a Reconciler) -> PortResult<Grip<'a>> {
        let hand = take_hand(of).await?;
        Grip::holding(of, hand).await
    }

    /// The same, of a hand that was taken; where it fails, the hand is let go.
    pub async fn holding(of: &'a Reconciler, hand: Uuid) -> PortResult<Grip<'a>> {
        let mut grip = Grip::new(of, Some(hand), Vec::new());
        // Why at once: the hand may have been taken a while ago.
        if !of.store.keep_hand(hand, of.clock.now() + HAND).await? {
            return Err(PortError::refused(Refusal::InHand, "another process has taken over: this one was silent for too long"));
        }
        match claim_all(of).await {
            Ok(claims) => grip.claims = claims,
            Err(error) => {
                grip.give_back().await;
                return Err(error);
            }
        }
        Ok(grip)
    }

    /// A part of those who are due.
    pub async fn on_some(of: &'a Reconciler) -> PortResult<Grip<'a>> {
        let now = of.clock.now();
        Ok(Grip::new(of, None, of.store.claim(now, now + CLAIM, CLAIMS).await?))
    }

    /// Of these people, those whom nobody else has in hand.
    pub async fn on_these(of: &'a Reconciler, people: &[PersonId]) -> PortResult<Grip<'a>> {
        let until = of.clock.now() + CLAIM;
        Ok(Grip::new(of, None, of.store.claim_these(people, until).await?))
    }

    /// From now on it keeps this run too, which was begun or kept a moment ago.
    pub fn carries(&self, run: RunId) {
        self.kept().run = Some((run, self.of.clock.now()));
    }

    pub fn people(&self) -> Vec<PersonId> {
        self.claims.iter().map(|c| c.person).collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called between two pieces of work: says that it goes on. An error: it must not.
    pub async fn keep(&self) -> PortResult<()> {
        let now = self.of.clock.now();
        if let Some(hand) = self.hand
            && due(&mut self.kept().hand_at, now, HAND)
            && !self.of.store.keep_hand(hand, now + HAND).await?
        {
            return Err(PortError::refused(Refusal::InHand, "another process has taken over: this one was silent for too long"));
        }
        if !self.claims.is_empty() && due(&mut self.kept().claims_at, now, CLAIM) {
            let lost = self.of.store.renew_claims(&self.claims, now + CLAIM).await?;
            self.kept().lost.extend(lost);
        }
        let run = self.kept().run.as_mut().filter(|(_, kept_at)| is_due(*kept_at, now, CARRIED)).map(|(run, kept_at)| {
            *kept_at = now;
            *run
        });
        if let Some(run) = run {
            self.of.store.keep_run(run, now + CARRIED).await?;
        }
        Ok(())
    }

    /// Somebody else works on this person by now.
    pub fn has_lost(&self, person: PersonId) -> bool {
        self.kept().lost.contains(&person)
    }

    /// The work is done: who is to be looked at again, and when.
    pub async fn release(self, next: &HashMap<PersonId, Option<Day>>) -> PortResult<()> {
        let again = |c: &Claim| next.get(&c.person).copied().flatten().map(day::midnight);
        let done: Vec<_> = self.claims.iter().map(|c| (*c, again(c))).collect();
        if !done.is_empty() {
            self.of.store.release(&done).await?;
        }
        self.let_go().await;
        Ok(())
    }

    /// They stay due: a neighbour that was away must not keep a leaver's account open until the lease has run out.
    pub async fn give_back(self) {
        let now = self.of.clock.now();
        let due: Vec<_> = self.claims.iter().map(|c| (*c, Some(now))).collect();
        if !due.is_empty() {
            // Why ignored: where the store is away too, the leases run out by themselves.
            self.of.store.release(&due).await.ok();
        }
        self.let_go().await;
    }

    async fn let_go(&self) {
        if let Some(hand) = self.hand {
            // Why ignored: as above.
            self.of.store.let_go_of_hand(hand).await.ok();
        }
    }
}

/// The hand at everybody alone. `Refused(InHand)`: another process has it.
pub async fn take_hand(of: &Reconciler) -> PortResult<Uuid> {
    let now = of.clock.now();
    let hand = of.uuid(now);
    if of.store.take_hand(hand, now, now + HAND).await? {
        Ok(hand)
    } else {
        Err(PortError::refused(Refusal::InHand, "another process is looking at everybody just now"))
    }
}

/// Is it time to keep a lease again? If so, it counts as kept.
fn due(kept_at: &mut DateTime<Utc>, now: DateTime<Utc>, lease: TimeDelta) -> bool {
    let due = is_due(*kept_at, now, lease);
    if due {
        *kept_at = now;
    }
    due
}

fn is_due(kept_at: DateTime<Utc>, now: DateTime<Utc>, lease: TimeDelta) -> bool {
    now - kept_at >= lease / THIRD
}

async fn claim_all(of: &Reconciler) -> PortResult<Vec<Claim>> {
    let now = of.clock.now();
    let mut all = Vec::new();
    loop {
        let some = of.store.claim(now, now + CLAIM, 10_000).await?;
        if some.is_empty() {
            return Ok(all);
        }
        all.extend(some);
    }
}
