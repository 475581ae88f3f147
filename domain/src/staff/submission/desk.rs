//! Handing in and taking in. What was handed in is kept before anything else: whoever has got an answer need not send it again.
use super::{FEED, HandedIn, KEPT, NewPart, Record, Report, Submission};
use crate::id::{PersonId, RunId, SubmissionId, uuid_v7};
use crate::ports::{Clock, Entropy, PortResult, Store, Submissions};
use crate::staff::Reasons;
use crate::staff::intake::{Changed, intake_telling, rehearse};
use chrono::TimeDelta;
use std::sync::Arc;
use uuid::Uuid;

/// So long the queue leaves people to whoever has taken in what was handed in: their run is one that can be followed.
const AHEAD: TimeDelta = TimeDelta::seconds(5);
/// Longer than taking in a ministry takes.
const LEASE: TimeDelta = TimeDelta::minutes(10);

pub struct SubmissionDesk {
    pub submissions: Arc<dyn Submissions>,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub reasons: Reasons,
}

impl SubmissionDesk {
    /// What would become of the records, without anything being written.
    /// And who is other than they were, as they would be.
    pub async fn rehearse(&self, mode: super::Mode, records: &[Record]) -> PortResult<(Report, Vec<Changed>)> {
        let now = self.clock.now();
        let submission = Submission {
            id: SubmissionId(Uuid::nil()),
            owner: String::new(),
            key: "dry run".to_owned(),
            mode,
            made_at: now,
            parts: 1,
            last_part: Some(1),
            records: 0,
            taken_at: None,
            report: None,
        };
        let (store, clock, entropy) = (self.store.as_ref(), self.clock.as_ref(), self.entropy.as_ref());
        let (feed, changed) = rehearse(store, clock, entropy, &self.reasons, FEED, &submission.delivery(records)).await?;
        Ok((Report::of(records, &feed), changed))
    }

    /// Keeps a part. A call that was a submission by itself is taken in at once; a snapshot of several parts by [`Self::take_waiting`].
    /// Also answers whom it changed, if it was taken in now: somebody is to look at them within [`AHEAD`].
    pub async fn hand_in(&self, mut part: NewPart) -> PortResult<(HandedIn, Vec<PersonId>)> {
        let now = self.clock.now();
        part.at = now;
        part.ids = (SubmissionId(self.uuid()), self.uuid());
        let handed = self.submissions.hand_in(&part).await?;
        let HandedIn::Kept { submission, before } = handed else { return Ok((handed, Vec::new())) };
        let at_once = submission.is_whole() && submission.parts == 1 && submission.report.is_none();
        if !at_once || !self.submissions.claim_submission(submission.id, now, now + LEASE).await? {
            return Ok((HandedIn::Kept { submission, before }, Vec::new()));
        }
        let (submission, changed) = self.take(submission, &part.records).await?;
        Ok((HandedIn::Kept { submission, before }, changed))
    }

    /// Takes in one submission that has become whole, if there is one.
    pub async fn take_waiting(&self) -> PortResult<Option<(Submission, Vec<PersonId>)>> {
        let now = self.clock.now();
        let Some(submission) = self.submissions.waiting_submission(now).await? else { return Ok(None) };
        if !self.submissions.claim_submission(submission.id, now, now + LEASE).await? {
            return Ok(None);
        }
        let records = match self.submissions.submitted_records(submission.id).await {
            Ok(records) => records,
            Err(fault) => {
                self.submissions.release_submission(submission.id).await?;
                return Err(fault);
            }
        };
        self.take(submission, &records).await.map(Some)
    }

    pub async fn forget(&self) -> PortResult<u64> {
        self.submissions.forget_submissions(self.clock.now() - KEPT).await
    }

    async fn take(&self, submission: Submission, records: &[Record]) -> PortResult<(Submission, Vec<PersonId>)> {
        let (store, clock, entropy) = (self.store.as_ref(), self.clock.as_ref(), self.entropy.as_ref());
        let delivery = submission.delivery(records);
        let (feed, changed) = match intake_telling(store, clock, entropy, &self.reasons, FEED, &delivery, AHEAD).await {
            Ok(feed) => feed,
            Err(fault) => {
                // What was taken stays taken; taking it in again changes nothing, and somebody does so soon.
                self.submissions.release_submission(submission.id).await?;
                return Err(fault);
            }
        };
        let run = (!changed.is_empty()).then(|| RunId(self.uuid()));
        let (report, now) = (Report { run, ..Report::of(records, &feed) }, self.clock.now());
        self.submissions.submission_taken(submission.id, &report, now).await?;
        let changed = changed.into_iter().map(|c| c.person.id).collect();
        Ok((Submission { report: Some(report), taken_at: Some(now), ..submission }, changed))
    }

    fn uuid(&self) -> Uuid {
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        uuid_v7(self.clock.now(), random)
    }
}
