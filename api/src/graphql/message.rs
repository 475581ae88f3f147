//! The outbox: texts to people, by SMS and e-mail. Readable with the embedded directory only, because codes stand in them.
use super::card::{IdentityCard, of_person};
use super::error::{Maybe, bad_input, fault};
use super::page::{self, Cursor, Page};
use super::scalar::comparable;
use super::{allows, house, id, permits, permitted};
use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use kimlik_domain::access::{About, Deed};
use kimlik_domain::id::{MessageId, PersonId};
use kimlik_domain::message;
use kimlik_domain::ports::MessageFilter;
use uuid::Uuid;

#[derive(Default)]
pub struct MessageQuery;

/// What a text is for.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::message::Purpose")]
pub enum MessagePurpose {
    /// The account works: user name, address, portal, activation code.
    AccountOpened,
    /// The code that proves who asks for a new password.
    ResetCode,
    /// The code that proves who asks for unlocking.
    UnlockCode,
    /// The code that proves that a new mobile number is in its owner's hand.
    MobileConfirmCode,
    /// To the number before: the mobile number was changed.
    MobileChangedNotice,
    /// To the number before: the mobile number was removed, and there is none any more.
    MobileRemovedNotice,
    /// The password was changed.
    PasswordChangedNotice,
    /// The PIN that is asked beside codes was changed.
    PinChangedNotice,
    /// Somebody signed in after wrong passwords.
    SignInNotice,
    /// The password will have to be changed in a few days.
    PasswordExpiring,
    /// To head and staff of a personnel unit: how many data issues of its people are open.
    IssueDigest,
}

/// What carries a text.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::message::Channel")]
pub enum MessageChannel {
    /// To a mobile number.
    Sms,
    /// E-mail, to the account's primary address. Codes never go by e-mail.
    Mail,
}

/// How a text stands.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::message::MessageState")]
pub enum MessageState {
    /// In the outbox, to be sent.
    Queued,
    /// A gateway is being asked.
    Sending,
    /// A gateway has taken it.
    Sent,
    /// The phone has it. Of e-mail nothing more is known than that the mail server took it.
    Delivered,
    /// A gateway had taken it, and it did not reach the phone.
    Undelivered,
    /// It will not be sent.
    Failed,
    /// Perhaps it was sent; it is not sent again.
    Doubtful,
    /// Taken back, its code with it: outlived, or replaced by another message.
    Voided,
}

/// A text to a person.
pub struct Message(message::Message);

#[Object]
/// A text to a person.
impl Message {
    /// Of this message.
    pub async fn id(&self) -> ID {
        id::encode(id::MESSAGE, self.0.id.0)
    }
    /// What it is for.
    async fn purpose(&self) -> MessagePurpose {
        self.0.purpose.into()
    }
    /// What carries it.
    async fn channel(&self) -> MessageChannel {
        self.0.to.channel().into()
    }
    /// The number, or the mail address, masked.
    async fn to(&self) -> String {
        self.0.to.masked()
    }
    /// The line above an e-mail; null in an SMS, and wherever `text` is null.
    async fn subject(&self, ctx: &Context<'_>) -> Option<&str> {
        readable(ctx, self.0.subject.as_ref())
    }
    /// Null with a real directory, for everybody but administrators, and when it was erased because nobody needs it any more.
    async fn text(&self, ctx: &Context<'_>) -> Option<&str> {
        readable(ctx, self.0.text.as_ref())
    }
    /// How it stands.
    async fn state(&self) -> MessageState {
        self.0.state.into()
    }
    /// When it was put into the outbox.
    async fn queued_at(&self) -> DateTime<Utc> {
        self.0.queued_at
    }
    /// Until when it is of use; null: always.
    async fn valid_until(&self) -> Option<DateTime<Utc>> {
        self.0.valid_until
    }
    /// How often a gateway was asked to send it.
    async fn attempts(&self) -> u32 {
        self.0.attempts
    }
    /// Parts that it is billed as; 0 before it was sent, 1 of an e-mail.
    async fn parts(&self) -> u32 {
        self.0.parts
    }
    /// Which gateway was asked last.
    async fn gateway(&self) -> Option<&str> {
        self.0.gateway.as_deref()
    }
    /// Why it stands as it does, where that has a reason.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }
    /// When it came to stand as it does.
    async fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.0.settled_at
    }
    /// To whom.
    #[graphql(complexity = "5 + child_complexity")]
    async fn card(&self, ctx: &Context<'_>) -> Maybe<IdentityCard> {
        of_person(ctx, self.0.person).await.transpose()
    }
}

fn readable<'a>(ctx: &Context<'_>, text: Option<&'a zeroize::Zeroizing<String>>) -> Option<&'a str> {
    let embedded = house(ctx).is_ok_and(|h| h.config.directory.is_embedded());
    text.filter(|_| embedded && allows(ctx, Deed::ReadMessageText, About::Everything)).map(|text| text.as_str())
}

/// Which texts; all that is said must fit.
#[derive(InputObject)]
#[graphql(name = "MessageFilter")]
pub struct AskedMessages {
    /// One of these: QUEUED and SENDING wait, FAILED and UNDELIVERED did not reach anybody.
    states: Option<Vec<MessageState>>,
    /// One of these: ACCOUNT_OPENED are announcements.
    purposes: Option<Vec<MessagePurpose>>,
    /// Carried by one of these.
    channels: Option<Vec<MessageChannel>>,
    /// The id of a card: to this person.
    person_id: Option<ID>,
    /// Put into the outbox then or later.
    since: Option<DateTime<Utc>>,
    /// Put into the outbox before.
    until: Option<DateTime<Utc>>,
}

const MOST_VALUES: usize = 100;

fn asked(filter: Option<AskedMessages>) -> Result<MessageFilter> {
    let Some(filter) = filter else { return Ok(MessageFilter::default()) };
    let sizes = [filter.states.as_ref().map(Vec::len), filter.purposes.as_ref().map(Vec::len), filter.channels.as_ref().map(Vec::len)];
    if sizes.into_iter().flatten().any(|n| n > MOST_VALUES) {
        return Err(bad_input(format!("filter: at most {MOST_VALUES} values of a kind.")));
    }
    Ok(MessageFilter {
        states: filter.states.map(|states| states.into_iter().map(Into::into).collect()),
        purposes: filter.purposes.map(|purposes| purposes.into_iter().map(Into::into).collect()),
        channels: filter.channels.map(|channels| channels.into_iter().map(Into::into).collect()),
        person: filter.person_id.map(|id| id::argument(id::CARD, "filter.personId", &id)).transpose()?.map(PersonId),
        since: filter.since.map(comparable),
        until: filter.until.map(comparable),
    })
}

#[Object]
impl MessageQuery {
    /// Texts to people, newest first; a personnel officer sees those to the own people.
    #[graphql(complexity = "page::cost(__ctx, __variables_definition, __field, child_complexity)")]
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these; null: all.")] filter: Option<AskedMessages>,
        #[graphql(desc = "How many, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "The endCursor of the page before.")] after: Option<String>,
    ) -> Maybe<Page<Message>> {
        if !allows(ctx, Deed::ReadMessage, About::List) {
            return None;
        }
        Some(messages(ctx, filter, first, after.as_deref()).await)
    }
}

/// By its id, where the caller may read it.
pub async fn one(ctx: &Context<'_>, id: Uuid) -> Result<Option<Message>> {
    if !allows(ctx, Deed::ReadMessage, About::List) {
        return Ok(None);
    }
    let found = house(ctx)?.store.messages(Some(MessageId(id::above(id))), 1).await.map_err(|e| fault(ctx, &e))?;
    let Some(message) = found.into_iter().find(|message| message.id.0 == id) else { return Ok(None) };
    Ok(permits(ctx, Deed::ReadMessage, message.person).await?.then_some(Message(message)))
}

async fn messages(ctx: &Context<'_>, filter: Option<AskedMessages>, first: Option<i32>, after: Option<&str>) -> Result<Page<Message>> {
    let wanted = page::first(first)?;
    let before = page::after(id::MESSAGE, after)?.map(MessageId);
    let found = visible(ctx, &asked(filter)?, before, wanted as usize + 1).await?;
    Ok(page::page(found, wanted, before.is_some(), |m| (Cursor(id::encode(id::MESSAGE, m.id.0).0), Message(m))))
}

/// Messages read at once where only some of them may be seen.
const BATCH: u32 = 500;

/// Those that the caller may see, in their order, until there are enough.
async fn visible(ctx: &Context<'_>, filter: &MessageFilter, mut before: Option<MessageId>, enough: usize) -> Result<Vec<message::Message>> {
    let everything = allows(ctx, Deed::ReadMessage, About::Everything);
    let batch = if everything { u32::try_from(enough).unwrap_or(BATCH) } else { BATCH };
    let mut seen = Vec::new();
    loop {
        let found = house(ctx)?.records.messages_of(filter, before, batch).await.map_err(|e| fault(ctx, &e))?;
        if everything {
            return Ok(found);
        }
        let is_last = found.len() < batch as usize;
        before = found.last().map(|m| m.id);
        let people = permitted(ctx, Deed::ReadMessage, found.iter().map(|m| m.person)).await?;
        seen.extend(found.into_iter().filter(|m| people.contains(&m.person)));
        if is_last || seen.len() >= enough {
            return Ok(seen);
        }
    }
}
