//! [password]: what proves somebody who has forgotten the password, and how long things count.
use super::{Config, Fault};
use chrono::TimeDelta;
use kimlik_domain::password::{ChallengeRules, DeskRules, ResetProof};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Password {
    /// sms | sms+national_id | sms+pin | sms+officer
    pub reset_proof: String,
    /// A code, from when it is sent.
    pub code_minutes: u32,
    /// A newcomer's code, from when it was sent.
    pub activation_hours: u32,
    /// To a mobile that was changed less long ago no code goes, whoever changed it.
    pub mobile_cooling_hours: u32,
    /// Codes to one person, to one number, and by one officer, within an hour.
    pub codes_per_person: u32,
    pub codes_per_number: u32,
    pub codes_per_officer: u32,
    /// Starts, and tries of codes, from one address, one network (/24, /48) and in all, within a quarter of an hour.
    pub tries_per_address: u32,
    pub tries_per_network: u32,
    pub tries_in_all: u32,
}

impl Default for Password {
    fn default() -> Password {
        Password {
            reset_proof: "sms+national_id".into(),
            code_minutes: 10,
            activation_hours: 72,
            mobile_cooling_hours: 24,
            codes_per_person: 5,
            codes_per_number: 5,
            codes_per_officer: 30,
            tries_per_address: 60,
            tries_per_network: 300,
            tries_in_all: 3_000,
        }
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

    /// `words`: of the ministry's own. Of a checked configuration nothing is lost here.
    pub fn rules(&self, words: Vec<String>) -> DeskRules {
        let (from_address, in_all) = (self.tries_per_address, self.tries_in_all);
        let activation = TimeDelta::hours(self.activation_hours.into());
        DeskRules { words, activation, from_address, in_all, challenge: self.challenge(), ..DeskRules::default() }
    }

    fn challenge(&self) -> ChallengeRules {
        ChallengeRules {
            proof: self.proof().unwrap_or_default(),
            code: TimeDelta::minutes(self.code_minutes.into()),
            cooling: TimeDelta::hours(self.mobile_cooling_hours.into()),
            per_person: self.codes_per_person,
            per_number: self.codes_per_number,
            per_officer: self.codes_per_officer,
            from_network: self.tries_per_network,
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
    if !(1..=720).contains(&password.activation_hours) {
        faults.push(Fault::new("password.activation_hours", password.activation_hours.to_string(), "write a number from 1 to 720"));
    }
    if password.mobile_cooling_hours > 24 * 30 {
        faults.push(Fault::new("password.mobile_cooling_hours", password.mobile_cooling_hours.to_string(), "write at most 720"));
    }
    // Why a most: five tries each, and a hundred wrong codes in a row are too many for anybody (NIST SP 800-63B).
    let codes = [("codes_per_person", password.codes_per_person), ("codes_per_number", password.codes_per_number)];
    for (name, found) in codes.into_iter().filter(|(_, found)| !(1..=20).contains(found)) {
        faults.push(Fault::new(format!("password.{name}"), found.to_string(), "write a number from 1 to 20"));
    }
    let counts = [
        ("codes_per_officer", password.codes_per_officer),
        ("tries_per_address", password.tries_per_address),
        ("tries_per_network", password.tries_per_network),
        ("tries_in_all", password.tries_in_all),
    ];
    for (name, found) in counts.into_iter().filter(|(_, found)| *found == 0) {
        faults.push(Fault::new(format!("password.{name}"), found.to_string(), "write at least 1"));
    }
}
