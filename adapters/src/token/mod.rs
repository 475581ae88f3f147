//! Access tokens of our own: EdDSA, with keys that follow each other by the calendar and are the same on every replica,
//! because all are derived from the encryption key. Nobody has to rotate anything; `epoch` voids all tokens at once.
mod foreign;

pub use foreign::{Foreign, ForeignClaim, ForeignSettings, IssuerFault, Strength};

use aws_lc_rs::hkdf;
use aws_lc_rs::signature::Ed25519KeyPair;
use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use kimlik_domain::access::session::Access;
use kimlik_domain::id::{AccountGuid, SessionId};
use kimlik_domain::ports::{PortError, PortResult, Refusal, Tokens};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use uuid::Uuid;
use zeroize::Zeroizing;

const AUDIENCE: &str = "kimlik";
/// A key signs for so many seconds; the one before and the one after are published beside it.
const PERIOD: i64 = 30 * 86_400;
/// Longer than any token that we make, and short enough to refuse unread.
const LONGEST: usize = 2_048;

/// A root of all signing keys: whoever holds it holds them all.
pub struct OwnTokens {
    root: hkdf::Prk,
    issuer: String,
    epoch: u32,
    keys: Mutex<BTreeMap<i64, Arc<Key>>>,
}

struct Key {
    signing: EncodingKey,
    checking: DecodingKey,
    public: Jwk,
    id: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    sid: Uuid,
    iat: i64,
    exp: i64,
}

impl OwnTokens {
    /// `issuer`: the address under which the keys are published. Tokens of another `epoch` are not ours.
    pub fn new(encryption: &[u8; 32], issuer: &str, epoch: u32) -> PortResult<OwnTokens> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"kimlik access tokens").extract(encryption);
        let tokens = OwnTokens { root, issuer: issuer.trim_end_matches('/').to_owned(), epoch, keys: Mutex::default() };
        // Why now: a machine without Ed25519 is told at the start, not at the first sign-in.
        tokens.make(0)?;
        Ok(tokens)
    }

    fn make(&self, period: i64) -> PortResult<Key> {
        let fault = |what: &str| PortError::refused(Refusal::Other, format!("the key for access tokens cannot be made: {what}"));
        let info = format!("epoch {} period {period}", self.epoch);
        let mut seed = Zeroizing::new([0_u8; 32]);
        let info = [info.as_bytes()];
        let derived = self.root.expand(&info, hkdf::HKDF_SHA256).map_err(|_| fault("expanding"))?;
        derived.fill(seed.as_mut_slice()).map_err(|_| fault("deriving"))?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|_| fault("Ed25519"))?;
        let document = pair.to_pkcs8v1().map_err(|_| fault("PKCS#8"))?;
        let signing = EncodingKey::from_ed_der(document.as_ref());
        let mut public = Jwk::from_encoding_key(&signing, Algorithm::EdDSA).map_err(|e| fault(&e.to_string()))?;
        let id = public.thumbprint(ThumbprintHash::SHA256).map_err(|e| fault(&e.to_string()))?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let checking = DecodingKey::from_jwk(&public).map_err(|e| fault(&e.to_string()))?;
        Ok(Key { signing, checking, public, id })
    }

    fn key(&self, period: i64) -> Option<Arc<Key>> {
        if let Some(key) = self.keys.lock().ok()?.get(&period) {
            return Some(key.clone());
        }
        let key = Arc::new(self.make(period).ok()?);
        let mut keys = self.keys.lock().ok()?;
        keys.retain(|held, _| (held - period).abs() <= 3);
        keys.insert(period, key.clone());
        Some(key)
    }

    /// The keys whose tokens may still be out, and the next one: replicas' clocks differ a little.
    fn around(&self, now: DateTime<Utc>) -> Vec<Arc<Key>> {
        let period = now.timestamp().div_euclid(PERIOD);
        [period, period - 1, period + 1].into_iter().filter_map(|p| self.key(p)).collect()
    }
}

impl Tokens for OwnTokens {
    fn issue(&self, access: &Access) -> String {
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: access.account.0,
            sid: access.session.0,
            iat: access.issued_at.timestamp(),
            exp: access.expires_at.timestamp(),
        };
        // Why an empty text and no panic: it is nobody's token, and the key was tried at the start.
        let Some(key) = self.key(access.issued_at.timestamp().div_euclid(PERIOD)) else { return String::new() };
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &key.signing).unwrap_or_default()
    }

    fn read(&self, token: &str, now: DateTime<Utc>) -> Option<Access> {
        if token.len() > LONGEST || token.bytes().filter(|b| *b == b'.').count() != 2 {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        let id = header.kid.filter(|_| header.alg == Algorithm::EdDSA)?;
        let key = self.around(now).into_iter().find(|key| key.id == id)?;
        let mut wanted = Validation::new(Algorithm::EdDSA);
        wanted.set_audience(&[AUDIENCE]);
        wanted.set_issuer(&[&self.issuer]);
        wanted.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Why not the library's: it reads the machine's clock.
        wanted.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.checking, &wanted).ok()?.claims;
        let time = |seconds| DateTime::from_timestamp(seconds, 0);
        let access = Access {
            session: SessionId(claims.sid),
            account: AccountGuid(claims.sub),
            issued_at: time(claims.iat)?,
            expires_at: time(claims.exp)?,
        };
        (now < access.expires_at).then_some(access)
    }

    fn published(&self, now: DateTime<Utc>) -> serde_json::Value {
        let keys: Vec<Jwk> = self.around(now).iter().map(|key| key.public.clone()).collect();
        serde_json::json!({ "keys": keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn tokens(key: u8, epoch: u32) -> OwnTokens {
        OwnTokens::new(&[key; 32], "https://kimlik.csb.test/", epoch).unwrap()
    }
    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000, 0).unwrap()
    }
    fn access() -> Access {
        let (session, account) = (SessionId(Uuid::from_u128(1)), AccountGuid(Uuid::from_u128(2)));
        Access { session, account, issued_at: now(), expires_at: now() + TimeDelta::minutes(10) }
    }

    #[test]
    fn a_token_comes_back_until_it_expires_on_every_replica() {
        let token = tokens(1, 0).issue(&access());
        assert_eq!(tokens(1, 0).read(&token, now()), Some(access()));
        assert_eq!(tokens(1, 0).read(&token, now() + TimeDelta::minutes(10)), None);
        assert_eq!(tokens(2, 0).read(&token, now()), None, "another key");
        assert_eq!(tokens(1, 1).read(&token, now()), None, "another epoch");
        let elsewhere = OwnTokens::new(&[1; 32], "https://other.test", 0).unwrap();
        assert_eq!(elsewhere.read(&token, now()), None, "another issuer");
    }

    #[test]
    fn keys_follow_each_other_without_a_gap() {
        let tokens = tokens(1, 0);
        let token = tokens.issue(&Access { expires_at: now() + TimeDelta::days(40), ..access() });
        assert!(tokens.read(&token, now() + TimeDelta::days(30)).is_some());
        let ids = |at| tokens.published(at)["keys"].as_array().unwrap().iter().map(|k| k["kid"].to_string()).collect::<Vec<_>>();
        let (before, after) = (ids(now()), ids(now() + TimeDelta::days(30)));
        assert_eq!(before.iter().filter(|id| after.contains(id)).count(), 2, "{before:?} {after:?}");
        assert_eq!(tokens.published(now())["keys"][0]["kty"], "OKP");
        assert!(!tokens.published(now()).to_string().contains("\"d\""), "a private key is published");
    }

    #[test]
    fn tampered_and_strange_tokens_are_nobody_s() {
        let tokens = tokens(1, 0);
        let token = tokens.issue(&access());
        let parts: Vec<&str> = token.split('.').collect();
        // {"alg":"none"} and {"alg":"HS256"}, with the right kid left out and in
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
        for forged in [
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}.{}", parts[0], &parts[1][..parts[1].len() - 2], parts[2]),
            format!("{token}x"),
            String::new(),
            "a.b.c".to_owned(),
            "ü.ü.ü".to_owned(),
            "x".repeat(1_000_000),
        ] {
            assert_eq!(tokens.read(&forged, now()), None, "{}", &forged.chars().take(40).collect::<String>());
        }
        let hmac = EncodingKey::from_secret(tokens.around(now())[0].id.as_bytes());
        let header = Header { kid: Some(tokens.around(now())[0].id.clone()), ..Header::new(Algorithm::HS256) };
        let claims = serde_json::json!({ "iss": "https://kimlik.csb.test", "aud": "kimlik", "sub": Uuid::nil(), "sid": Uuid::nil(),
            "iat": 0, "exp": 4_000_000_000_i64 });
        assert_eq!(tokens.read(&jsonwebtoken::encode(&header, &claims, &hmac).unwrap(), now()), None, "another algorithm");
    }
}
