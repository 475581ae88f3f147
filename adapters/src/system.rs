//! The one file that reads the clock and throws dice.
use chrono::{DateTime, SubsecRound, Utc};
use kimlik_domain::ports::{Clock, Entropy};

pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, octets: &mut [u8]) {
        // Why expect: a machine without randomness must not hand out passwords and codes; ending is right.
        #[allow(clippy::expect_used)]
        aws_lc_rs::rand::fill(octets).expect("the operating system gives no randomness");
    }
}
