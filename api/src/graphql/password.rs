//! Parola: activation, a new password, changing it, the rules. Nobody is signed in here; codes, tickets and passwords prove.
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::phone::{CHALLENGE, Challenge, ChallengeStartPayload};
use super::{house, id};
use crate::http::auth::ClientAddress;
use crate::http::browser;
use crate::language::Language;
use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use kimlik_domain::access::session::Secret;
use kimlik_domain::password::challenge::CODE_LENGTH;
use kimlik_domain::password::{self, Broken, ChallengeKind, PasswordRules, Refused, ResetProof};
use kimlik_domain::staff::NationalId;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;
use zeroize::Zeroizing;

#[derive(Default)]
pub struct PasswordQuery;
#[derive(Default)]
pub struct PasswordMutation;

/// Nobody who is refused learns from the time it took what there is.
const REFUSED_AFTER: Duration = Duration::from_millis(600);

/// A rule that a password can break.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::password::Broken")]
pub enum PasswordRuleCode {
    /// Fewer characters than the rules ask for.
    TooShort,
    /// More characters than a directory takes.
    TooLong,
    /// Fewer than three kinds of: capitals, small letters, digits, other signs.
    TooSimple,
    /// It holds the user name or a part of the owner's name.
    HoldsName,
    /// Among the first that anybody would try.
    Common,
    /// It was used before, or the directory has a rule of its own against it.
    InHistory,
    /// The password was changed too short a while ago.
    TooYoung,
}

/// A rule of passwords, in both languages.
#[derive(SimpleObject)]
pub struct PasswordRule {
    /// For programs.
    code: PasswordRuleCode,
    /// For people who read Turkish.
    turkish: String,
    /// For people who read English.
    english: String,
}

/// What a new password has to be.
#[derive(SimpleObject)]
pub struct PasswordPolicy {
    /// Characters.
    minimum_length: u32,
    /// Three kinds of characters, and no part of the owner's name.
    complexity: bool,
    /// So many passwords before this one are refused.
    history_length: u32,
    /// Whole days before it may be changed again; null: at once.
    minimum_age: Option<i64>,
    /// Whole days until it expires; null: never.
    maximum_age: Option<i64>,
    /// Each rule in words.
    rules: Vec<PasswordRule>,
    /// Whether passwordResetStart and accountUnlockStart want the national id (T.C. kimlik no).
    reset_needs_national_id: bool,
}

/// What a ticket is good for.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "kimlik_domain::password::TicketPurpose")]
pub enum TicketPurpose {
    /// A new password, with passwordSet.
    SetPassword,
    /// Unlocking the account; the password stays.
    Unlock,
}

/// Proof of who somebody is: once, for ten minutes, in the browser whose cookie the same answer sets.
#[derive(SimpleObject)]
pub struct PasswordTicket {
    /// For passwordSet or accountUnlock.
    token: String,
    /// It is of no use afterwards.
    expires_at: DateTime<Utc>,
    /// What it is good for.
    purposes: Vec<TicketPurpose>,
}

/// The code of the message that announced the account.
#[derive(InputObject)]
pub struct AccountActivateInput {
    /// As in the message: ayse.sahin.
    username: String,
    /// Eight digits; spaces do not count.
    #[graphql(secret)]
    code: String,
}

/// What came of a code.
#[derive(SimpleObject)]
pub struct TicketPayload {
    /// Null: the code proved nothing.
    ticket: Option<PasswordTicket>,
    /// Why.
    user_errors: Vec<UserError>,
}

/// A ticket and the new password.
#[derive(InputObject)]
pub struct PasswordSetInput {
    /// Of accountActivate or challengeVerify.
    #[graphql(secret)]
    ticket: String,
    /// Set in the directory and kept nowhere else.
    #[graphql(secret)]
    new_password: String,
}

/// Who has forgotten the password.
#[derive(InputObject)]
pub struct PasswordResetStartInput {
    /// As one signs in: ayse.sahin.
    username: String,
    /// T.C. kimlik no, where the ministry asks for it (passwordPolicy.resetNeedsNationalId).
    #[graphql(secret)]
    national_id: Option<String>,
}

/// Whose account is locked.
#[derive(InputObject)]
pub struct AccountUnlockStartInput {
    /// As one signs in: ayse.sahin.
    username: String,
    /// T.C. kimlik no, where the ministry asks for it (passwordPolicy.resetNeedsNationalId).
    #[graphql(secret)]
    national_id: Option<String>,
}

/// The code that came by SMS.
#[derive(InputObject)]
pub struct ChallengeVerifyInput {
    /// Of passwordResetStart or accountUnlockStart.
    challenge_id: ID,
    /// Six digits; spaces do not count.
    #[graphql(secret)]
    code: String,
}

/// A ticket for unlocking.
#[derive(InputObject)]
pub struct AccountUnlockInput {
    /// Of challengeVerify.
    #[graphql(secret)]
    ticket: String,
}

/// What became of unlocking.
#[derive(SimpleObject)]
pub struct AccountUnlockPayload {
    /// The account is not locked; its password is the one that it was.
    done: bool,
    /// Why not.
    user_errors: Vec<UserError>,
}

/// The present password and the new one.
#[derive(InputObject)]
pub struct PasswordChangeInput {
    /// As one signs in: ayse.sahin.
    username: String,
    /// Also one that has expired or must be changed.
    #[graphql(secret)]
    current_password: String,
    /// Set in the directory and kept nowhere else.
    #[graphql(secret)]
    new_password: String,
}

/// What became of a new password.
#[derive(SimpleObject)]
pub struct PasswordSetPayload {
    /// It counts from now on; all sessions of its owner have ended.
    done: bool,
    /// When it will have to be changed; null: never, or it was not set.
    expires_at: Option<DateTime<Utc>>,
    /// It was refused so late that the old one does not work any more either. The ticket still does: choose another one.
    old_password_gone: bool,
    /// Why it was not set, each rule by itself.
    user_errors: Vec<UserError>,
}

/// A password on trial. It is not kept.
#[derive(InputObject)]
pub struct PasswordAssessInput {
    /// What somebody is typing.
    #[graphql(secret)]
    password: String,
    /// For the rules of the ticket's owner.
    #[graphql(secret)]
    ticket: Option<String>,
}

/// What is to be said of a password.
#[derive(SimpleObject)]
pub struct PasswordAssessPayload {
    /// 0: guessed at once, to 4: very hard to guess.
    score: i32,
    /// Rules that it breaks, as far as that can be told without trying.
    broken: Vec<PasswordRule>,
}

fn rule(code: Broken, rules: &PasswordRules) -> PasswordRule {
    let english = words(code, rules);
    PasswordRule { code: code.into(), turkish: Language::Turkish.say(&english), english }
}

fn words(code: Broken, rules: &PasswordRules) -> String {
    let days = rules.minimum_age.map_or(0, |age| (age.num_hours() + 23) / 24);
    match code {
        Broken::TooShort => format!("At least {} characters.", rules.minimum_length),
        Broken::TooYoung => format!("The password was changed a short while ago; it cannot be changed again within {days} days."),
        Broken::InHistory => format!("Not one of the last {} passwords.", rules.history),
        Broken::TooLong => "At most 256 characters.".to_owned(),
        Broken::TooSimple => "Three kinds out of four: capitals, small letters, digits, signs.".to_owned(),
        Broken::HoldsName => "Without your name or user name.".to_owned(),
        Broken::Common => "Not one that is easily guessed.".to_owned(),
    }
}

fn policy(rules: &PasswordRules, proof: ResetProof) -> PasswordPolicy {
    let mut codes = vec![Broken::TooShort];
    if rules.complexity {
        codes.extend([Broken::TooSimple, Broken::HoldsName]);
    }
    codes.push(Broken::Common);
    codes.extend((rules.history > 0).then_some(Broken::InHistory));
    codes.extend(rules.minimum_age.map(|_| Broken::TooYoung));
    PasswordPolicy {
        minimum_length: rules.minimum_length,
        complexity: rules.complexity,
        history_length: rules.history,
        minimum_age: rules.minimum_age.map(|age| age.num_days()),
        maximum_age: rules.maximum_age.map(|age| age.num_days()),
        rules: codes.into_iter().map(|code| rule(code, rules)).collect(),
        reset_needs_national_id: proof == ResetProof::SmsAndNationalId,
    }
}

/// `at`: where in the input the new password stands.
fn told(refused: &Refused, rules: &PasswordRules, at: &str) -> Vec<UserError> {
    use UserErrorCode::{CodeWrong, CredentialsWrong, RateLimited, TicketSpent};
    let (code, path, text) = match refused {
        Refused::Broken { rules: broken, .. } => {
            let error = |code: &Broken| UserError::new(error_code(*code), at, words(*code, rules));
            return broken.iter().map(error).collect();
        }
        Refused::CodeWrong => (
            CodeWrong,
            "code",
            "User name or code is wrong, or the code was used, has expired or was tried too often. Your personnel unit can have a new one sent.",
        ),
        Refused::TicketSpent => (TicketSpent, "ticket", "This took too long, or was begun in another window. Begin again."),
        Refused::CredentialsWrong => {
            (CredentialsWrong, "currentPassword", "User name or password is wrong, or the account is locked or closed.")
        }
        Refused::TooMany => (RateLimited, "username", "Too many attempts. Wait a quarter of an hour."),
    };
    vec![UserError::new(code, path, text)]
}

fn error_code(code: Broken) -> UserErrorCode {
    match code {
        Broken::TooShort => UserErrorCode::PasswordTooShort,
        Broken::TooLong => UserErrorCode::TooLong,
        Broken::TooSimple | Broken::HoldsName => UserErrorCode::PasswordTooSimple,
        Broken::Common => UserErrorCode::PasswordCommon,
        Broken::InHistory => UserErrorCode::PasswordInHistory,
        Broken::TooYoung => UserErrorCode::PasswordTooYoung,
    }
}

/// A ticket, and the browser that it was handed to. A browser without cookie: a ticket that nobody has.
fn held(ticket: &str) -> (Secret, Secret) {
    (Secret::given(ticket), browser::given().unwrap_or_else(|| Secret::given("")))
}

#[Object]
impl PasswordQuery {
    /// What a new password has to be; for anybody.
    async fn password_policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "For the rules of this ticket's owner: some have others than all.", secret)] ticket: Option<String>,
    ) -> Maybe<PasswordPolicy> {
        Some(rules_of(ctx, ticket).await)
    }
}

#[Object]
impl PasswordMutation {
    /// A newcomer's first step: user name and code of the message. The same answer, after the same time, for whoever is none.
    async fn account_activate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User name and code.")] input: AccountActivateInput,
    ) -> Maybe<TicketPayload> {
        Some(activate(ctx, input).await)
    }

    /// Somebody has forgotten the password. The same answer, of the same size and after the same time, for everybody: whether
    /// anybody is there and gets a code is found out behind it.
    async fn password_reset_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who asks.")] input: PasswordResetStartInput,
    ) -> Maybe<ChallengeStartPayload> {
        Some(ask(ctx, ChallengeKind::Reset, &input.username, input.national_id).await)
    }

    /// Like passwordResetStart, for an account that was locked by wrong passwords and whose password is known.
    async fn account_unlock_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who asks.")] input: AccountUnlockStartInput,
    ) -> Maybe<ChallengeStartPayload> {
        Some(ask(ctx, ChallengeKind::Unlock, &input.username, input.national_id).await)
    }

    /// The code becomes a ticket. A challenge that nobody was sent a code for is answered like a wrong code.
    async fn challenge_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The challenge and its code.")] input: ChallengeVerifyInput,
    ) -> Maybe<TicketPayload> {
        Some(verify(ctx, input).await)
    }

    /// With a ticket, the wrong passwords are forgotten. Enables nobody who is disabled; the password stays.
    async fn account_unlock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ticket.")] input: AccountUnlockInput,
    ) -> Maybe<AccountUnlockPayload> {
        Some(unlock(ctx, input).await)
    }

    /// A new password, with a ticket. Where it is refused the ticket still counts.
    async fn password_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ticket and the new password.")] input: PasswordSetInput,
    ) -> Maybe<PasswordSetPayload> {
        Some(set(ctx, input).await)
    }

    /// A new password in place of one that is known; also where that has expired or must be changed.
    async fn password_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "User name, present password, new password.")] input: PasswordChangeInput,
    ) -> Maybe<PasswordSetPayload> {
        Some(change(ctx, input).await)
    }

    /// How strong a password is and which rules it breaks, while somebody types. Nothing is kept.
    async fn password_assess(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password.")] input: PasswordAssessInput,
    ) -> Maybe<PasswordAssessPayload> {
        Some(assess(ctx, input).await)
    }
}

async fn activate(ctx: &Context<'_>, input: AccountActivateInput) -> Result<TicketPayload> {
    let began = Instant::now();
    let code = Zeroizing::new(input.code);
    let outcome = house(ctx)?.desk.activate(&input.username, &code, address(ctx)).await.map_err(|e| fault(ctx, &e))?;
    ticket_payload(outcome, began, "code").await
}

async fn ticket_payload(
    outcome: std::result::Result<password::desk::Handed, Refused>,
    began: Instant,
    at: &'static str,
) -> Result<TicketPayload> {
    match outcome {
        Ok(handed) => {
            let ticket = PasswordTicket {
                token: handed.token.expose().to_owned(),
                expires_at: handed.expires_at,
                purposes: handed.purposes.into_iter().map(Into::into).collect(),
            };
            browser::keep(handed.browser);
            Ok(TicketPayload { ticket: Some(ticket), user_errors: Vec::new() })
        }
        Err(refused) => {
            tokio::time::sleep_until(began + REFUSED_AFTER).await;
            Ok(TicketPayload { ticket: None, user_errors: told(&refused, &PasswordRules::default(), at) })
        }
    }
}

/// The longest that is looked at: who types more has made a mistake, or means harm.
const LONGEST_NAME: usize = 256;

async fn ask(ctx: &Context<'_>, kind: ChallengeKind, username: &str, national_id: Option<String>) -> Result<ChallengeStartPayload> {
    let desk = &house(ctx)?.desk;
    let typed = national_id.map(Zeroizing::new).filter(|text| !text.trim().is_empty());
    let wanted = desk.rules.challenge.proof == ResetProof::SmsAndNationalId;
    let mut faults = Vec::new();
    if username.trim().is_empty() || username.chars().count() > LONGEST_NAME {
        faults.push(UserError::new(UserErrorCode::Invalid, "username", "Write the user name as you sign in with it."));
    }
    let national_id = typed.as_ref().map(|text| NationalId::parse(text));
    // Why it may be told: it is a matter of the digits, not of whose they are.
    if wanted && !matches!(national_id, Some(Ok(_))) {
        faults.push(UserError::new(UserErrorCode::Invalid, "nationalId", "Write the eleven digits of your national id."));
    }
    if !faults.is_empty() {
        return Ok(ChallengeStartPayload { challenge: None, user_errors: faults });
    }
    let national_id = national_id.and_then(std::result::Result::ok).filter(|_| wanted);
    let outcome = desk.ask(kind, username, national_id, address(ctx)).await.map_err(|e| fault(ctx, &e))?;
    Ok(match outcome {
        Ok(begun) => {
            let (id, code_length) = (id::encode(CHALLENGE, begun.id), CODE_LENGTH);
            let challenge = Challenge { id, expires_at: begun.expires_at, resend_after: begun.resend_after, code_length };
            ChallengeStartPayload { challenge: Some(challenge), user_errors: Vec::new() }
        }
        Err(refused) => ChallengeStartPayload { challenge: None, user_errors: told(&refused, &PasswordRules::default(), "username") },
    })
}

async fn verify(ctx: &Context<'_>, input: ChallengeVerifyInput) -> Result<TicketPayload> {
    let began = Instant::now();
    let code = Zeroizing::new(input.code);
    // Why nil: what is no challenge is answered like one that has ended.
    let challenge = id::decode(CHALLENGE, &input.challenge_id).unwrap_or(Uuid::nil());
    let outcome = house(ctx)?.desk.verify(challenge, &code, address(ctx)).await.map_err(|e| fault(ctx, &e))?;
    if matches!(outcome, Err(Refused::CodeWrong)) {
        tokio::time::sleep_until(began + REFUSED_AFTER).await;
        let error = UserError::new(
            UserErrorCode::CodeWrong,
            "code",
            "The code is wrong, or was used, has expired or was tried too often. Begin again to get a new one.",
        );
        return Ok(TicketPayload { ticket: None, user_errors: vec![error] });
    }
    ticket_payload(outcome, began, "code").await
}

async fn unlock(ctx: &Context<'_>, input: AccountUnlockInput) -> Result<AccountUnlockPayload> {
    let (token, browser) = held(&Zeroizing::new(input.ticket));
    let outcome = house(ctx)?.desk.unlock(&token, &browser).await.map_err(|e| fault(ctx, &e))?;
    Ok(match outcome {
        Ok(_) => AccountUnlockPayload { done: true, user_errors: Vec::new() },
        Err(refused) => AccountUnlockPayload { done: false, user_errors: told(&refused, &PasswordRules::default(), "ticket") },
    })
}

async fn set(ctx: &Context<'_>, input: PasswordSetInput) -> Result<PasswordSetPayload> {
    let desk = &house(ctx)?.desk;
    let (token, browser) = held(&Zeroizing::new(input.ticket));
    let new = Zeroizing::new(input.new_password);
    let outcome = desk.set(&token, &browser, &new).await.map_err(|e| fault(ctx, &e))?;
    // Why asked again: what is refused is told with the figures of its owner.
    let rules = match &outcome {
        Ok(_) => PasswordRules::default(),
        Err(_) => desk.policy(Some((&token, &browser))).await.map_err(|e| fault(ctx, &e))?,
    };
    Ok(payload(outcome, &rules))
}

async fn change(ctx: &Context<'_>, input: PasswordChangeInput) -> Result<PasswordSetPayload> {
    let began = Instant::now();
    let desk = &house(ctx)?.desk;
    let (current, new) = (Zeroizing::new(input.current_password), Zeroizing::new(input.new_password));
    let outcome = desk.change(&input.username, &current, &new, address(ctx)).await.map_err(|e| fault(ctx, &e))?;
    let rules = match &outcome {
        Ok(_) => PasswordRules::default(),
        Err(_) => desk.policy(None).await.map_err(|e| fault(ctx, &e))?,
    };
    if matches!(outcome, Err(Refused::CredentialsWrong | Refused::TooMany)) {
        tokio::time::sleep_until(began + REFUSED_AFTER).await;
    }
    Ok(payload(outcome, &rules))
}

fn payload(outcome: std::result::Result<password::Done, Refused>, rules: &PasswordRules) -> PasswordSetPayload {
    match outcome {
        Ok(done) => PasswordSetPayload { done: true, expires_at: done.expires_at, old_password_gone: false, user_errors: Vec::new() },
        Err(refused) => PasswordSetPayload {
            done: false,
            expires_at: None,
            old_password_gone: matches!(refused, Refused::Broken { old_gone: true, .. }),
            user_errors: told(&refused, rules, "newPassword"),
        },
    }
}

async fn assess(ctx: &Context<'_>, input: PasswordAssessInput) -> Result<PasswordAssessPayload> {
    let desk = &house(ctx)?.desk;
    let password = Zeroizing::new(input.password);
    let held = input.ticket.map(|ticket| held(&Zeroizing::new(ticket)));
    let holder = held.as_ref().map(|(token, browser)| (token, browser));
    let (score, broken, rules) = desk.assess(&password, holder).await.map_err(|e| fault(ctx, &e))?;
    Ok(PasswordAssessPayload { score: score.into(), broken: broken.into_iter().map(|code| rule(code, &rules)).collect() })
}

async fn rules_of(ctx: &Context<'_>, ticket: Option<String>) -> Result<PasswordPolicy> {
    let held = ticket.map(|ticket| held(&Zeroizing::new(ticket)));
    let holder = held.as_ref().map(|(token, browser)| (token, browser));
    let rules = house(ctx)?.desk.policy(holder).await.map_err(|e| fault(ctx, &e))?;
    Ok(policy(&rules, house(ctx)?.desk.rules.challenge.proof))
}

fn address<'a>(ctx: &Context<'a>) -> &'a str {
    ctx.data_opt::<ClientAddress>().map_or("unknown", |a| &a.0)
}
