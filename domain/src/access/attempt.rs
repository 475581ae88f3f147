//! How often somebody may try to sign in. Three limits (account, address, all), and one thing above them: nobody may lock
//! a colleague out, neither of the directory nor of Kimlik.
//!
//! A wrong password that reaches the directory counts there towards the lock-out of the account. So strangers (addresses from
//! which this account has not signed in lately) have fewer attempts between them than the directory allows, and addresses that
//! it has signed in from keep some of their own that no stranger can use up.
use super::session::Lockout;
use chrono::TimeDelta;

/// Failures (and attempts whose end is not known yet) within the window, the present one not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Of this account from addresses that it did not sign in from before.
    pub by_strangers: u32,
    /// Of this account from those that it did.
    pub by_friends: u32,
    pub from_address: u32,
    pub in_all: u32,
    /// The account has signed in from this address lately.
    pub is_friend: bool,
    /// It has from some address.
    pub has_friends: bool,
}

/// What came before the right password, within the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Wrong passwords of this account, from wherever.
    pub failures: u32,
    /// The account has signed in from elsewhere lately, and never from this address.
    pub is_elsewhere: bool,
}

impl Before {
    /// Its owner should hear of it. Fingers slip twice; at an address that the account was never at, once is enough: a stranger who
    /// guesses has few attempts. A new address alone is no sign: addresses are lent out anew each morning.
    pub fn is_suspicious(self) -> bool {
        self.failures >= FINGERS || (self.failures > 0 && self.is_elsewhere)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptRules {
    pub window: TimeDelta,
    /// Failures of an account that has signed in from nowhere yet: there is nobody to keep attempts for.
    pub alone: u32,
    /// Strangers' failures of one account.
    pub strangers: u32,
    /// Friends' failures of one account, beside those.
    pub friends: u32,
    pub from_address: u32,
    pub in_all: u32,
}

/// So many wrong passwords before the right one are more than slips of the fingers.
const FINGERS: u32 = 3;
/// Where the directory locks nobody: enough for fingers, too few for guessing.
const STRANGERS: u32 = 5;
const FRIENDS: u32 = 5;
const WINDOW: TimeDelta = TimeDelta::minutes(15);

impl AttemptRules {
    /// For a directory that locks as `lockout` says. One attempt is always left for the person at their own computer.
    pub fn below(lockout: Option<Lockout>, from_address: u32, in_all: u32) -> AttemptRules {
        let Some(lockout) = lockout.filter(|l| l.threshold > 0) else {
            return AttemptRules { window: WINDOW, alone: STRANGERS, strangers: STRANGERS, friends: FRIENDS, from_address, in_all };
        };
        let ours = lockout.threshold.saturating_sub(1);
        let friends = ours.div_ceil(2).min(FRIENDS);
        let strangers = (ours - friends).min(STRANGERS);
        AttemptRules { window: lockout.window.max(WINDOW), alone: ours.min(STRANGERS), strangers, friends, from_address, in_all }
    }

    /// May the directory be asked?
    pub fn allow(&self, tally: &Tally) -> bool {
        let account = match (tally.is_friend, tally.has_friends) {
            (true, _) => tally.by_friends < self.friends,
            (false, true) => tally.by_strangers < self.strangers,
            (false, false) => tally.by_strangers < self.alone,
        };
        // Why friends pass: else a flood from anywhere would keep the whole ministry out.
        account && tally.from_address < self.from_address && (tally.is_friend || tally.in_all < self.in_all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lockout(threshold: u32) -> Option<Lockout> {
        Some(Lockout { threshold, window: TimeDelta::minutes(30) })
    }

    #[test]
    fn all_attempts_together_stay_below_the_directory_s_threshold() {
        for threshold in 1..50 {
            let rules = AttemptRules::below(lockout(threshold), 30, 1_000);
            assert!(rules.strangers + rules.friends < threshold && rules.alone < threshold, "{threshold}: {rules:?}");
            assert_eq!(rules.window, TimeDelta::minutes(30));
        }
        assert_eq!(AttemptRules::below(lockout(0), 30, 1_000), AttemptRules::below(None, 30, 1_000));
    }

    #[test]
    fn strangers_cannot_use_up_what_is_kept_for_friends() {
        let rules = AttemptRules::below(lockout(5), 30, 1_000);
        let flood = Tally { has_friends: true, by_strangers: 1_000_000, in_all: 1_000_000, ..Tally::default() };
        assert!(!rules.allow(&flood));
        assert!(rules.allow(&Tally { is_friend: true, ..flood }));
        assert!(!rules.allow(&Tally { is_friend: true, by_friends: rules.friends, ..flood }));
    }

    #[test]
    fn slips_of_the_fingers_are_no_sign_and_guesses_from_elsewhere_are() {
        let suspicious = |failures, is_elsewhere| Before { failures, is_elsewhere }.is_suspicious();
        assert_eq!([0, 1, 2, 3, 9].map(|n| suspicious(n, false)), [false, false, false, true, true]);
        assert_eq!([0, 1, 3].map(|n| suspicious(n, true)), [false, true, true], "a new address alone is none");
    }

    #[test]
    fn one_address_tries_many_accounts_only_so_often() {
        let rules = AttemptRules::below(None, 30, 1_000);
        assert!(rules.allow(&Tally { from_address: 29, ..Tally::default() }));
        assert!(!rules.allow(&Tally { from_address: 30, ..Tally::default() }));
        assert!(!rules.allow(&Tally { from_address: 30, is_friend: true, ..Tally::default() }));
    }
}
