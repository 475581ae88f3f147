//! A run from its beginning to its end. What has begun is recorded, and has the hand at everybody where it is about everybody,
//! before anything is looked at: whoever asks for one is told of it at once, or that another is under way.
use super::grip::{self, CARRIED, Grip, HAND};
use super::look::Look;
use super::reconcile::{Progress, Reconciler, Whom};
use super::run::{Run, Trigger};
use crate::day::{self, Day};
use crate::id::PersonId;
use crate::ports::{PortError, PortResult, Refusal};
use std::collections::HashMap;
use uuid::Uuid;

/// A run that has begun and not yet looked at anybody.
pub struct Started {
    pub run: Run,
    whom: Whom,
    hand: Option<Uuid>,
}

impl Reconciler {
    /// Plans and carries out. The run is recorded whatever becomes of it. Everybody is looked at by one process at a time:
    /// `Refused(InHand)`, and no run, where another is at it.
    pub async fn sync(&self, whom: &Whom, trigger: Trigger, progress: &dyn Progress) -> PortResult<Run> {
        let started = self.start(whom.clone(), trigger, None).await?;
        self.carry_on(started, progress).await
    }

    /// The beginning alone. `by`: who asked for it. Whoever does something else before [`Reconciler::carry_on`] calls
    /// [`Reconciler::keep`] meanwhile, several times in [`HAND`].
    pub async fn start(&self, whom: Whom, trigger: Trigger, by: Option<String>) -> PortResult<Started> {
        let hand = if whom == Whom::Everybody { Some(grip::take_hand(self).await?) } else { None };
        let mut run = self.run(trigger);
        run.summary.by = by;
        if let Err(error) = self.begin(&run).await {
            self.let_go(hand).await;
            return Err(error);
        }
        Ok(Started { run, whom, hand })
    }

    /// Says that it goes on. `Refused(InHand)`: it must not, another process has taken over.
    pub async fn keep(&self, started: &Started) -> PortResult<()> {
        self.store.keep_run(started.run.id, self.clock.now() + CARRIED).await?;
        match started.hand {
            Some(hand) if !self.store.keep_hand(hand, self.clock.now() + HAND).await? => {
                Err(PortError::refused(Refusal::InHand, "another process has taken over: this one was silent for too long"))
            }
            _ => Ok(()),
        }
    }

    /// Ends what has begun without looking at anybody.
    pub async fn give_up(&self, started: Started, why: &PortError) -> PortResult<Run> {
        self.let_go(started.hand).await;
        self.finish(started.run, Some(why)).await
    }

    pub async fn carry_on(&self, started: Started, progress: &dyn Progress) -> PortResult<Run> {
        let Started { mut run, whom, hand } = started;
        let grip = match hand {
            None => Ok(Grip::none(self)),
            Some(hand) => Grip::holding(self, hand).await,
        };
        let grip = match grip {
            Ok(grip) => grip,
            Err(error) => {
                self.let_go(hand).await;
                self.finish(run, Some(&error)).await?;
                return Err(error);
            }
        };
        grip.carries(run.id);
        let everybody = whom == Whom::Everybody;
        let outcome = async {
            let full_run = self.store.full_run_due().await?;
            // Why boxed, both: whoever awaits a run would carry all of it on the stack.
            let look = Box::pin(Look::over(self, day::today(self.clock.now()), true, &whom, &grip)).await?;
            Ok((full_run, Box::pin(self.carry_out(&mut run, look, everybody, &grip, progress)).await?))
        }
        .await;
        match outcome {
            Ok((full_run, next)) => {
                if everybody {
                    let now = self.clock.now();
                    self.store.note_cards(day::today(now), now).await?;
                    self.release(grip, next).await?;
                    if let Some(number) = full_run {
                        self.store.full_run_done(number).await?;
                    }
                }
                self.finish(run, None).await
            }
            Err(error) => {
                grip.give_back().await;
                self.finish(run, Some(&error)).await?;
                Err(error)
            }
        }
    }

    async fn release(&self, grip: Grip<'_>, next: Vec<(PersonId, Option<Day>)>) -> PortResult<()> {
        let due: Vec<_> = next.iter().filter_map(|(p, day)| Some((*p, day::midnight((*day)?)))).collect();
        if !due.is_empty() {
            self.store.wake(&due).await?;
        }
        grip.release(&next.into_iter().collect::<HashMap<PersonId, Option<Day>>>()).await
    }

    async fn let_go(&self, hand: Option<Uuid>) {
        if let Some(hand) = hand {
            // Why ignored: where the store is away, the lease runs out by itself.
            self.store.let_go_of_hand(hand).await.ok();
        }
    }
}
