//! Encrypting what must not be read in the file, and keyed hashes for what must only be found or compared.
use super::fault::unreadable;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use kimlik_domain::ports::{Mark, PortError, PortResult, Refusal};
use kimlik_domain::staff::NationalId;
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

/// The store's two secrets. Losing `encryption` loses national ids and message texts; losing `pepper` loses finding people
/// by national id and every activation code that is still out.
pub struct StoreKeys {
    pub encryption: [u8; 32],
    pub pepper: [u8; 32],
}

impl Drop for StoreKeys {
    fn drop(&mut self) {
        self.encryption.zeroize();
        self.pepper.zeroize();
    }
}

/// The layout of a sealed column: this octet, 12 of nonce, the cipher text with its tag.
const LAYOUT: u8 = 1;
const NONCE: usize = 12;

pub(super) struct Vault {
    aead: RandomizedNonceKey,
    pepper: hmac::Key,
}

impl Vault {
    pub(super) fn new(keys: &StoreKeys) -> PortResult<Vault> {
        let aead = RandomizedNonceKey::new(&AES_256_GCM, &keys.encryption)
            .map_err(|_| PortError::refused(Refusal::Other, "the encryption key cannot be used"))?;
        Ok(Vault { aead, pepper: hmac::Key::new(hmac::HMAC_SHA256, &keys.pepper) })
    }

    /// Bound to its place: moved to another row or column it does not open.
    pub(super) fn seal(&self, column: &'static str, row: Uuid, text: &str) -> PortResult<Vec<u8>> {
        let mut sealed = text.as_bytes().to_vec();
        let nonce = self
            .aead
            .seal_in_place_append_tag(Aad::from(place(column, row)), &mut sealed)
            .map_err(|_| PortError::refused(Refusal::Other, "encrypting failed"))?;
        let mut out = Vec::with_capacity(1 + NONCE + sealed.len());
        out.push(LAYOUT);
        out.extend_from_slice(nonce.as_ref());
        out.append(&mut sealed);
        Ok(out)
    }

    pub(super) fn open(&self, column: &'static str, row: Uuid, sealed: &[u8]) -> PortResult<Zeroizing<String>> {
        let wrong = || unreadable(column, "it does not open with this encryption key");
        let (head, body) = sealed.split_at_checked(1 + NONCE).ok_or_else(wrong)?;
        if head[0] != LAYOUT {
            return Err(unreadable(column, "unknown layout"));
        }
        let nonce = Nonce::try_assume_unique_for_key(&head[1..]).map_err(|_| wrong())?;
        let mut body = Zeroizing::new(body.to_vec());
        let clear = self.aead.open_in_place(nonce, Aad::from(place(column, row)), &mut body).map_err(|_| wrong())?;
        std::str::from_utf8(clear).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| wrong())
    }

    pub(super) fn mark(&self, id: &NationalId) -> Mark {
        Mark(self.hash(&[id.expose().as_bytes()]))
    }

    /// Bound to its message, so that equal codes do not look equal.
    pub(super) fn code_mark(&self, message: Uuid, code: &str) -> [u8; 32] {
        self.hash(&[b"code", message.as_bytes(), code.as_bytes()])
    }

    /// What a PIN is before it is hashed slowly: of no use to whoever lacks the pepper.
    pub(super) fn pin_key(&self, person: Uuid, pin: &str) -> [u8; 32] {
        self.hash(&[b"pin", person.as_bytes(), pin.as_bytes()])
    }

    /// A secret that is only compared, or a name that is only counted; `kind` keeps the kinds apart.
    pub(super) fn secret_mark(&self, kind: &str, text: &str) -> Vec<u8> {
        self.hash(&[kind.as_bytes(), &[0], text.as_bytes()]).to_vec()
    }

    fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.pepper);
        for part in parts {
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }
}

fn place(column: &'static str, row: Uuid) -> Vec<u8> {
    let mut place = column.as_bytes().to_vec();
    place.push(0);
    place.extend_from_slice(row.as_bytes());
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(encryption: u8) -> Vault {
        Vault::new(&StoreKeys { encryption: [encryption; 32], pepper: [7; 32] }).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_only_in_its_place_and_with_its_key() {
        let (row, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = vault(1).seal("message.sealed", row, "Şifre").unwrap();
        assert_eq!(vault(1).open("message.sealed", row, &sealed).unwrap().as_str(), "Şifre");
        assert!(vault(1).open("message.sealed", other, &sealed).is_err());
        assert!(vault(1).open("national_id.sealed", row, &sealed).is_err());
        assert!(vault(2).open("message.sealed", row, &sealed).is_err());
        assert!(vault(1).open("message.sealed", row, &sealed[..9]).is_err());
        assert_ne!(sealed, vault(1).seal("message.sealed", row, "Şifre").unwrap(), "a nonce is never used twice");
    }

    #[test]
    fn equal_codes_of_two_messages_have_different_marks() {
        let vault = vault(1);
        assert_ne!(vault.code_mark(Uuid::from_u128(1), "12345678"), vault.code_mark(Uuid::from_u128(2), "12345678"));
        assert_eq!(vault.code_mark(Uuid::from_u128(1), "12345678"), vault.code_mark(Uuid::from_u128(1), "12345678"));
    }
}
