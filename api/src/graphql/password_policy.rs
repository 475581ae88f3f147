//! What a new password has to be: for whoever chooses one, before and while they type.
use super::error::{Maybe, fault};
use super::ticket::held;
use super::{house, language};
use crate::language::Language;
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use kimlik_domain::password::{Broken, PasswordRules, ResetProof, rules::Hint};
use zeroize::Zeroizing;

#[derive(Default)]
pub struct PasswordPolicyQuery;
#[derive(Default)]
pub struct PasswordPolicyMutation;

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
    /// Whether passwordSet of a newcomer and challengeVerify want a PIN.
    reset_needs_pin: bool,
    /// Whether codes for a new password go out only where an officer has them sent (passwordResetSend).
    reset_needs_officer: bool,
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
    /// What makes it easy to guess and what to do about it, in the caller's language; null: it is strong.
    hint: Option<String>,
}

fn hinted(hint: Hint) -> &'static str {
    match hint {
        Hint::Keyboard => "Keys that lie side by side are easily guessed. Take words that have nothing to do with each other.",
        Hint::Repeats => "Repeating something hardly makes it stronger. Add another word.",
        Hint::Sequence => "Sequences such as abc or 6543 are easily guessed. Add another word.",
        Hint::Date => "Years and dates are easily guessed. Add another word.",
        Hint::Known => "Many people have this password, or one like it. Take words that have nothing to do with each other.",
        Hint::Word => "One word by itself is easily guessed. Add one that has nothing to do with it.",
        Hint::Name => "Names are easily guessed. Add words that have nothing to do with them.",
        Hint::Little => "Add one or two words that have nothing to do with each other.",
    }
}

fn rule(code: Broken, rules: &PasswordRules) -> PasswordRule {
    let english = words(code, rules);
    PasswordRule { code: code.into(), turkish: Language::Turkish.say(&english), english }
}

pub fn words(code: Broken, rules: &PasswordRules) -> String {
    let days = rules.minimum_age.map_or(0, |age| (age.num_hours() + 23) / 24);
    match code {
        Broken::TooShort => format!("At least {} characters.", rules.minimum_length),
        Broken::TooYoung => format!("The password was changed a short while ago; it cannot be changed again within {days} days."),
        // Why another word: a filter of the ministry's own on its controllers, which tells nobody what it wants.
        Broken::InHistory if rules.history == 0 => "The directory does not take this password. Choose another one.".to_owned(),
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
        reset_needs_pin: proof == ResetProof::SmsAndPin,
        reset_needs_officer: proof == ResetProof::SmsAndOfficer,
    }
}

#[Object]
impl PasswordPolicyQuery {
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
impl PasswordPolicyMutation {
    /// How strong a password is and which rules it breaks, while somebody types. Nothing is kept.
    async fn password_assess(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password.")] input: PasswordAssessInput,
    ) -> Maybe<PasswordAssessPayload> {
        Some(assess(ctx, input).await)
    }
}

async fn assess(ctx: &Context<'_>, input: PasswordAssessInput) -> Result<PasswordAssessPayload> {
    let desk = &house(ctx)?.desk;
    let password = Zeroizing::new(input.password);
    let held = input.ticket.map(|ticket| held(&Zeroizing::new(ticket)));
    let holder = held.as_ref().map(|(token, browser)| (token, browser));
    let (strength, broken, rules) = desk.assess(&password, holder).await.map_err(|e| fault(ctx, &e))?;
    Ok(PasswordAssessPayload {
        score: strength.score.into(),
        broken: broken.into_iter().map(|code| rule(code, &rules)).collect(),
        hint: strength.hint.map(|hint| language(ctx).say(hinted(hint))),
    })
}

async fn rules_of(ctx: &Context<'_>, ticket: Option<String>) -> Result<PasswordPolicy> {
    let held = ticket.map(|ticket| held(&Zeroizing::new(ticket)));
    let holder = held.as_ref().map(|(token, browser)| (token, browser));
    let rules = house(ctx)?.desk.policy(holder).await.map_err(|e| fault(ctx, &e))?;
    Ok(policy(&rules, house(ctx)?.desk.rules.challenge.proof))
}
