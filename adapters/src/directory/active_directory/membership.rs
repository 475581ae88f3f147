//! Memberships: what several accounts ask of one group while another request to it is under way goes as one request.
//! Why: a controller reads and writes a group's whole list of members for each request; twenty newcomers cost it as much as one.
use super::write::{ANY, by_guid, octets, one};
use super::{Core, codes, filter};
use kimlik_domain::account::Dn;
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{PortError, PortResult, Refusal};
use ldap3::Mod;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// Values a request: far below what any controller takes.
const AT_ONCE: usize = 100;

/// What is to become of a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Deed {
    Join,
    Leave,
}

/// Who waits for what has not been sent yet. An entry, even an empty one: a request to that group is under way.
type Waiting = HashMap<(Dn, Deed), Vec<(AccountGuid, oneshot::Sender<PortResult<()>>)>>;

#[derive(Default)]
pub(super) struct Memberships {
    waiting: Mutex<Waiting>,
}

impl Memberships {
    /// True: nobody sends for this group, and the caller has to see to it.
    fn queue(&self, group: &Dn, deed: Deed, account: AccountGuid, heard: oneshot::Sender<PortResult<()>>) -> PortResult<bool> {
        let mut waiting = self.waiting.lock().map_err(|_| broken())?;
        let of_group = waiting.get_mut(&(group.clone(), deed));
        let idle = of_group.is_none();
        match of_group {
            Some(queue) => queue.push((account, heard)),
            None => drop(waiting.insert((group.clone(), deed), vec![(account, heard)])),
        }
        Ok(idle)
    }

    /// The next to be sent; `None`: nobody waits any more.
    fn next(&self, group: &Dn, deed: Deed) -> Option<Vec<(AccountGuid, oneshot::Sender<PortResult<()>>)>> {
        let mut waiting = self.waiting.lock().ok()?;
        let key = (group.clone(), deed);
        let queue = waiting.get_mut(&key)?;
        if queue.is_empty() {
            waiting.remove(&key);
            return None;
        }
        let rest = queue.split_off(queue.len().min(AT_ONCE));
        Some(std::mem::replace(queue, rest))
    }
}

/// Who sends for a group. Where it breaks off, those who wait are told, and the next one sends again: else all would wait for ever.
struct Sender<'a> {
    of: &'a Memberships,
    key: (Dn, Deed),
    is_done: bool,
}

impl Drop for Sender<'_> {
    fn drop(&mut self) {
        if !self.is_done
            && let Ok(mut waiting) = self.of.waiting.lock()
        {
            waiting.remove(&self.key);
        }
    }
}

fn broken() -> PortError {
    PortError::InDoubt("a request to the group broke off".into())
}

impl Core {
    /// Answers when the directory has answered for this account.
    pub(super) async fn change_membership(self: &Arc<Core>, account: AccountGuid, group: &Dn, deed: Deed) -> PortResult<()> {
        let (heard, answer) = oneshot::channel();
        if self.memberships.queue(group, deed, account, heard)? {
            let (core, group) = (self.clone(), group.clone());
            // Why a task of its own: others wait for it, and whoever asked first may be given up.
            tokio::spawn(async move { core.send_memberships(&group, deed).await });
        }
        answer.await.unwrap_or_else(|_| Err(broken()))
    }

    async fn send_memberships(&self, group: &Dn, deed: Deed) {
        let mut sender = Sender { of: &self.memberships, key: (group.clone(), deed), is_done: false };
        while let Some(some) = self.memberships.next(group, deed) {
            let accounts: Vec<AccountGuid> = some.iter().map(|(account, _)| *account).collect();
            // Why one by one where all of them together are refused: one is there already, or gone, and the others are not to suffer.
            let together = if accounts.len() > 1 { self.members(group, deed, &accounts).await } else { Ok(false) };
            for (account, heard) in some {
                let answer = match &together {
                    Ok(true) => Ok(()),
                    Ok(false) => self.member(group, deed, account).await,
                    Err(error) => Err(error.clone()),
                };
                // Nobody hears it where the account was given up.
                heard.send(answer).ok();
            }
        }
        // Why: what stands there from here on is another's.
        sender.is_done = true;
    }

    /// All of them in one request, or (false) none.
    async fn members(&self, group: &Dn, deed: Deed, accounts: &[AccountGuid]) -> PortResult<bool> {
        let values: HashSet<Vec<u8>> = accounts.iter().map(|guid| by_guid(*guid).into_bytes()).collect();
        Ok(self.connection.modify(group.as_str(), &vec![change(deed, values)]).await?.rc == 0)
    }

    async fn member(&self, group: &Dn, deed: Deed, account: AccountGuid) -> PortResult<()> {
        let result = self.connection.modify(group.as_str(), &vec![change(deed, one(by_guid(account).into_bytes()))]).await?;
        match (deed, result.rc) {
            (_, 0) => return Ok(()),
            // Samba: 68 without more; Windows: 68 with ERROR_MEMBER_IN_GROUP or _ALIAS, by the kind of the group.
            (Deed::Join, 20 | 68) | (Deed::Leave, 16 | 32) => return Ok(()),
            (Deed::Join, 32) if self.connection.read(group.as_str(), ANY, &["objectGUID"]).await?.is_none() => {
                return Err(PortError::refused(Refusal::NotFound, format!("there is no group {group}")));
            }
            // Why looked at: "unwilling" is the answer to "no member", and to other things too.
            (Deed::Leave, 53) => {
                let still = filter::equals("memberOf", group.as_str());
                if self.connection.read(&by_guid(account), &still, &["objectGUID"]).await?.is_none() {
                    return Ok(());
                }
            }
            _ => {}
        }
        Err(codes::of_write(&format!("member of {group}"), &result))
    }
}

fn change(deed: Deed, values: HashSet<Vec<u8>>) -> Mod<Vec<u8>> {
    match deed {
        Deed::Join => Mod::Add(octets("member"), values),
        Deed::Leave => Mod::Delete(octets("member"), values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_while_a_request_is_under_way_goes_with_the_next() {
        let (all, group) = (Memberships::default(), Dn::new("CN=a,DC=b"));
        let ask = |n: u128, deed| all.queue(&group, deed, AccountGuid(uuid::Uuid::from_u128(n)), oneshot::channel().0).unwrap();
        let sent = |deed| all.next(&group, deed).map(|some| some.len());
        assert!(ask(1, Deed::Join), "the first one sends");
        assert_eq!(sent(Deed::Join), Some(1));
        assert!(!ask(2, Deed::Join) && !ask(3, Deed::Join), "the others wait");
        assert!(ask(4, Deed::Leave), "leaving is another request");
        assert_eq!((sent(Deed::Join), sent(Deed::Join)), (Some(2), None));
        assert!(ask(5, Deed::Join), "and when all is sent, the next one sends again");
        (0..250).for_each(|n| assert!(!ask(n, Deed::Join)));
        assert_eq!([sent(Deed::Join), sent(Deed::Join), sent(Deed::Join), sent(Deed::Join)], [Some(100), Some(100), Some(51), None]);
    }

    #[test]
    fn who_waits_for_a_request_that_broke_off_is_told_and_the_next_one_sends() {
        let (all, key) = (Memberships::default(), (Dn::new("CN=a,DC=b"), Deed::Join));
        let ask = |heard| all.queue(&key.0, key.1, AccountGuid(uuid::Uuid::from_u128(1)), heard).unwrap();
        assert!(ask(oneshot::channel().0));
        let sender = Sender { of: &all, key: key.clone(), is_done: false };
        let (heard, mut answer) = oneshot::channel();
        assert!(!ask(heard), "it waits");
        drop(sender);
        assert!(matches!(answer.try_recv(), Err(oneshot::error::TryRecvError::Closed)), "nobody will answer it any more");
        assert!(ask(oneshot::channel().0), "the next one sends");
        drop(Sender { of: &all, key: key.clone(), is_done: true });
        assert!(!ask(oneshot::channel().0), "who is done leaves the next one's queue alone");
    }
}
