//! PINs: changed by their owners, who know the password.
use super::error::{Maybe, UserError, UserErrorCode, fault};
use super::house;
use super::password::{REFUSED_AFTER, address, told};
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use kimlik_domain::password::Pin;
use kimlik_domain::password::pin::PinFault;
use tokio::time::Instant;
use zeroize::Zeroizing;

#[derive(Default)]
pub struct PinMutation;

/// The password, and the PIN that is to count.
#[derive(InputObject)]
pub struct PinSetInput {
    /// As one signs in: ayse.sahin.
    username: String,
    /// The present password.
    #[graphql(secret)]
    current_password: String,
    /// 6 to 12 digits that are not tried first; spaces do not count. Kept as a slow keyed hash.
    #[graphql(secret)]
    new_pin: String,
}

/// What became of a PIN.
#[derive(SimpleObject)]
pub struct PinSetPayload {
    /// It counts from now on, and the one before does not.
    done: bool,
    /// Why it was not set.
    user_errors: Vec<UserError>,
}

#[Object]
impl PinMutation {
    /// A PIN in place of the one before, for whoever knows the password; also where the one before was tried too often. Its owner
    /// is told.
    async fn pin_set(&self, ctx: &Context<'_>, #[graphql(desc = "User name, password, PIN.")] input: PinSetInput) -> Maybe<PinSetPayload> {
        Some(set(ctx, input).await)
    }
}

/// As somebody chose it.
pub fn chosen(text: &str, at: &str) -> std::result::Result<Pin, UserError> {
    Pin::choose(text).map_err(|fault| {
        let text = match fault {
            PinFault::Digits => "A PIN is 6 to 12 digits.",
            PinFault::Easy => "This PIN is among the first that anybody would try.",
        };
        UserError::new(UserErrorCode::Invalid, at, text)
    })
}

async fn set(ctx: &Context<'_>, input: PinSetInput) -> Result<PinSetPayload> {
    let began = Instant::now();
    let (password, typed) = (Zeroizing::new(input.current_password), Zeroizing::new(input.new_pin));
    let pin = match chosen(&typed, "newPin") {
        Ok(pin) => pin,
        Err(error) => return Ok(PinSetPayload { done: false, user_errors: vec![error] }),
    };
    let outcome = house(ctx)?.desk.set_pin(&input.username, &password, &pin, address(ctx)).await.map_err(|e| fault(ctx, &e))?;
    Ok(match outcome {
        Ok(()) => PinSetPayload { done: true, user_errors: Vec::new() },
        Err(refused) => {
            tokio::time::sleep_until(began + REFUSED_AFTER).await;
            PinSetPayload { done: false, user_errors: told(&refused, "currentPassword") }
        }
    })
}
