//! [password]: what proves somebody who has forgotten the password, and how long things count.
use super::{Config, Fault};
use chrono::TimeDelta;
use kimlik_domain::password::{ChallengeRules, ResetProof};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Password {
    /// sms | sms+national_id | sms+pin | sms+officer
    pub reset_proof: String,
    /// A code, from when it is sent.
    pub code_minutes: u32,
    /// To a mobile that was changed less long ago no code goes, whoever changed it.
    pub mobile_cooling_hours: u32,
}

impl Default for Password {
    fn default() -> Password {
        Password { reset_proof: "sms+national_id".into(), code_minutes: 10, mobile_cooling_hours: 24 }
    }
}

impl Password {
    fn proof(&self) -> Option<ResetProof> {
        match self.reset_proof.as_str() {
            "sms" => Some(ResetProof::Sms),
            "sms+national_id" => Some(ResetProof::SmsAndNationalId),
            "sms+pin" => Some(ResetProof::SmsAndPin),
            "sms+officer" => Some(ResetProof::SmsAndOfficer),
            _ => None,
        }
    }

    /// Of a checked configuration nothing is lost here.
    pub fn rules(&self) -> ChallengeRules {
        ChallengeRules {
            proof: self.proof().unwrap_or_default(),
            code: TimeDelta::minutes(self.code_minutes.into()),
            cooling: TimeDelta::hours(self.mobile_cooling_hours.into()),
            ..ChallengeRules::default()
        }
    }
}

pub(super) fn check(config: &Config, faults: &mut Vec<Fault>) {
    let password = &config.password;
    if password.proof().is_none() {
        let (found, mend) = (format!("\"{}\"", password.reset_proof), "write \"sms+national_id\", \"sms+pin\", \"sms+officer\" or \"sms\"");
        faults.push(Fault::new("password.reset_proof", found, mend));
    }
    if !(1..=10).contains(&password.code_minutes) {
        faults.push(Fault::new("password.code_minutes", password.code_minutes.to_string(), "write a number from 1 to 10"));
    }
    if password.mobile_cooling_hours > 24 * 30 {
        faults.push(Fault::new("password.mobile_cooling_hours", password.mobile_cooling_hours.to_string(), "write at most 720"));
    }
}
