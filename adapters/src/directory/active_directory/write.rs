//! Writing: each promise of the port as one LDAP operation where that can be, with what it expects to find in it.
//! Where an answer has two meanings, the directory is looked at; nothing is guessed after a lost answer.
use super::connection::Mods;
use super::entry::{self, ACCOUNTDISABLE, NORMAL_ACCOUNT, PASSWD_NOTREQD};
use super::membership::Deed;
use super::{Core, codes, filter};
use kimlik_domain::account::{AccountRef, Attribute, Change, Dn, NewAccount, Value};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{PortError, PortResult, Refusal};
use kimlik_domain::text;
use ldap3::{LdapResult, Mod};
use std::collections::HashSet;
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

/// rangeUpper of `cn`.
const CN_MAX: usize = 64;
/// More people of one name than that in one OU, and somebody should look.
const CN_TRIES: usize = 100;
/// userAccountControl is read, changed and written with what was read as precondition.
const FLAG_TRIES: usize = 4;
pub(super) const ANY: &str = "(objectClass=*)";

pub(super) fn by_guid(guid: AccountGuid) -> String {
    format!("<GUID={guid}>")
}

pub(super) fn octets(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

pub(super) fn one(value: Vec<u8>) -> HashSet<Vec<u8>> {
    HashSet::from([value])
}

/// Values as LDAP takes them. An account is named by its GUID ([MS-ADTS] 3.1.1.3.1.2.4), so nobody's move can get between.
fn values(value: &Value) -> HashSet<Vec<u8>> {
    match value {
        Value::Text(text) => one(octets(text)),
        Value::List(all) => all.iter().map(|v| octets(v)).collect(),
        Value::Account(guid) => one(by_guid(*guid).into_bytes()),
    }
}

/// `Mehmet Yılmaz`, `Mehmet Yılmaz 2`, … cut so that the number fits.
fn numbered(cn: &str, n: usize) -> String {
    let tail = if n == 1 { String::new() } else { format!(" {n}") };
    format!("{}{tail}", text::clip(cn, CN_MAX - tail.len()).trim_end())
}

/// Is `name` what `numbered` makes of `cn`?
fn is_numbered(name: &str, cn: &str) -> bool {
    let number = name.rsplit_once(' ').and_then(|(_, n)| n.parse::<usize>().ok()).filter(|n| *n > 1);
    name == numbered(cn, 1) || number.is_some_and(|n| name == numbered(cn, n))
}

/// Held by the account database beneath the directory (SAM). Samba takes a deletion and an addition of their values in one
/// request, as of any other; it is not documented that every Windows does.
const fn kept_by_sam(attribute: Attribute) -> bool {
    matches!(attribute, Attribute::Username | Attribute::DisplayName | Attribute::CountryCode)
}

fn unwilling(result: &LdapResult) -> bool {
    result.rc == 53 && codes::verdict(result.rc, &result.text) == codes::Verdict::Never(Refusal::Other)
}

/// What is expected is taken away and what is wanted added, so that the directory itself refuses where it holds another value.
/// `replace`: what SAM holds is replaced instead.
fn mods(changes: &[Change], replace: bool) -> Mods {
    let mut mods: Mods = Vec::with_capacity(changes.len() * 2);
    for change in changes {
        let name = || octets(change.attribute.ldap_name());
        let (from, to) = (change.from.as_ref().filter(|v| !v.is_empty()), change.to.as_ref().filter(|v| !v.is_empty()));
        if replace && kept_by_sam(change.attribute) {
            mods.push(Mod::Replace(name(), to.map(values).unwrap_or_default()));
            continue;
        }
        mods.extend(from.map(|v| Mod::Delete(name(), values(v))));
        mods.extend(to.map(|v| Mod::Add(name(), values(v))));
    }
    mods
}

/// userAccountControl is a signed number.
fn number(flags: u32) -> HashSet<Vec<u8>> {
    one(flags.cast_signed().to_string().into_bytes())
}

/// From these flags, and from no others, to those.
fn flags(now: u32, then: u32) -> Mods {
    let name = || octets("userAccountControl");
    vec![Mod::Delete(name(), number(now)), Mod::Add(name(), number(then))]
}

fn rdn(cn: &str) -> String {
    format!("CN={}", Dn::escape(cn))
}

impl Core {
    /// Why asked of ours first: under an account with too many rights the directory would not refuse it.
    pub(super) fn ours(&self, account: &AccountRef) -> PortResult<()> {
        if account.dn.is_within(&self.settings.base) {
            return Ok(());
        }
        Err(PortError::refused(Refusal::Rights, format!("{} is outside {}", account.dn, self.settings.base)))
    }

    async fn fits_schema(&self, mut attributes: impl Iterator<Item = Attribute>) -> PortResult<()> {
        match attributes.find(|a| a.needs_exchange()) {
            Some(attribute) if !self.has_exchange().await? => Err(PortError::refused(
                Refusal::Value,
                format!("{}: the directory has no Exchange schema extension", attribute.ldap_name()),
            )),
            _ => Ok(()),
        }
    }

    pub(super) async fn create(&self, new: &NewAccount) -> PortResult<AccountRef> {
        if !new.ou.is_within(&self.settings.base) {
            return Err(PortError::refused(Refusal::Rights, format!("{} is outside {}", new.ou, self.settings.base)));
        }
        self.fits_schema(new.attributes.iter().map(|(a, _)| a)).await?;
        let control = ACCOUNTDISABLE | NORMAL_ACCOUNT;
        let mut entry =
            vec![(octets("objectClass"), one(octets("user"))), (octets("userAccountControl"), one(control.to_string().into_bytes()))];
        entry.extend(new.attributes.iter().map(|(attribute, value)| (octets(attribute.ldap_name()), values(value))));
        for n in 1..=CN_TRIES {
            let dn = new.ou.below(&rdn(&numbered(&new.cn, n)));
            let result = self.connection.add(dn.as_str(), &entry).await?;
            match result.rc {
                0 => return self.created(dn).await,
                // Why looked at: the same answer stands for a taken common name and for a taken user name.
                68 if self.connection.read(dn.as_str(), ANY, &["objectGUID"]).await?.is_some() => {}
                _ => return Err(self.why_not_created(new, &result).await),
            }
        }
        Err(PortError::refused(Refusal::NameTaken, format!("{} of the name {:?} in {}", CN_TRIES, new.cn, new.ou)))
    }

    async fn created(&self, dn: Dn) -> PortResult<AccountRef> {
        let read = self.connection.read(dn.as_str(), ANY, &["objectGUID"]).await;
        let found = read.map_err(|e| PortError::InDoubt(format!("{dn} was created and could not be read back: {e}")))?;
        match found.map(|e| (e.guid("objectGUID"), e.dn())) {
            Some((Some(guid), place)) => Ok(AccountRef { guid: AccountGuid(guid), dn: place.dn }),
            _ => Err(PortError::InDoubt(format!("{dn} was created and is not shown: may the service account read there?"))),
        }
    }

    async fn why_not_created(&self, new: &NewAccount, result: &LdapResult) -> PortError {
        let taken = matches!(result.rc, 19 | 68) && self.is_taken(&new.attributes.iter().collect::<Vec<_>>(), None).await;
        if taken {
            return PortError::refused(Refusal::NameTaken, codes::said("create", result));
        }
        if result.rc == 32 || codes::windows_code(&result.text) == Some(0x2095) {
            return PortError::refused(Refusal::NotFound, format!("there is no {}", new.ou));
        }
        blamed(codes::of_write("create", result), new.attributes.iter().map(|(a, _)| a), &result.text)
    }

    /// Does somebody (else) hold the user name or UPN among these values?
    async fn is_taken(&self, attributes: &[(Attribute, &Value)], but_for: Option<AccountGuid>) -> bool {
        let terms: Vec<String> = attributes
            .iter()
            .filter(|(a, _)| matches!(a, Attribute::Username | Attribute::UserPrincipalName))
            .filter_map(|(a, v)| v.as_text().map(|text| filter::equals(a.ldap_name(), text)))
            .collect();
        let Ok(domain) = self.domain().await else { return false };
        let held = filter::any(&terms);
        let search = self.connection.search(&domain.root, ldap3::Scope::Subtree, &held, &["objectGUID"]);
        !terms.is_empty() && search.await.is_ok_and(|found| found.iter().any(|e| e.dn().guid != but_for))
    }

    pub(super) async fn set_password(&self, account: &AccountRef, password: &Zeroizing<String>) -> PortResult<()> {
        self.ours(account)?;
        // In quotes, UTF-16LE (Microsoft KB 269190).
        let mut secret: Vec<u8> = format!("\"{}\"", password.as_str()).encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut mods: Mods = vec![Mod::Replace(octets("unicodePwd"), one(secret.clone()))];
        let result = self.connection.modify(&by_guid(account.guid), &mods).await;
        secret.zeroize();
        for m in mods.drain(..) {
            if let Mod::Replace(_, values) = m {
                values.into_iter().for_each(|mut v| v.zeroize());
            }
        }
        let result = result?;
        // Why 53 and 19: Windows says "unwilling" to a reset that breaks the rules, Samba "constraint"; the code beside tells.
        done("password", &result)
    }

    pub(super) async fn modify(&self, account: &AccountRef, changes: &[Change]) -> PortResult<()> {
        if changes.is_empty() {
            return Ok(());
        }
        self.ours(account)?;
        self.fits_schema(changes.iter().map(|c| c.attribute)).await?;
        let mut wanted = changes.to_vec();
        for change in wanted.iter_mut().filter(|c| c.attribute == Attribute::CountryCode) {
            *change = self.country_code(account, change).await?;
        }
        let dn = by_guid(account.guid);
        let mut result = self.connection.modify(&dn, &mods(&wanted, false)).await?;
        if unwilling(&result) && wanted.iter().any(|c| kept_by_sam(c.attribute)) {
            self.holds_what_is_expected(account, &wanted).await?;
            result = self.connection.modify(&dn, &mods(&wanted, true)).await?;
        }
        match result.rc {
            0 => Ok(()),
            19 | 68 => {
                let names: Vec<_> = changes.iter().filter_map(|c| Some((c.attribute, c.to.as_ref()?))).collect();
                if self.is_taken(&names, Some(account.guid)).await {
                    return Err(PortError::refused(Refusal::NameTaken, codes::said("modify", &result)));
                }
                Err(blamed(codes::of_write("modify", &result), changes.iter().map(|c| c.attribute), &result.text))
            }
            32 => Err(self.what_is_missing(account, changes, &result).await),
            _ => Err(blamed(codes::of_write("modify", &result), changes.iter().map(|c| c.attribute), &result.text)),
        }
    }

    /// The precondition, asked for instead of sent: for attributes of which a controller takes nothing but a replacement.
    async fn holds_what_is_expected(&self, account: &AccountRef, changes: &[Change]) -> PortResult<()> {
        let kept = || changes.iter().filter(|c| kept_by_sam(c.attribute));
        let names: Vec<&str> = kept().map(|c| c.attribute.ldap_name()).collect();
        let entry = self.connection.read(&by_guid(account.guid), ANY, &names).await?;
        let held = |c: &Change| entry.as_ref().and_then(|e| e.text(c.attribute.ldap_name()));
        match kept().find(|c| held(c) != c.from.as_ref().and_then(Value::as_text)) {
            Some(other) => Err(PortError::refused(Refusal::Changed, format!("{} holds another value", other.attribute.ldap_name()))),
            None => Ok(()),
        }
    }

    /// "Not set" is 0 in this attribute, on accounts that were never given any; on others it is absent.
    async fn country_code(&self, account: &AccountRef, change: &Change) -> PortResult<Change> {
        let from = match &change.from {
            Some(from) => Some(from.clone()),
            None => {
                let entry = self.connection.read(&by_guid(account.guid), ANY, &["countryCode"]).await?;
                entry.and_then(|e| e.text("countryCode").map(Value::text)).filter(|v| v.as_text() == Some("0"))
            }
        };
        // Why 0: the directory does not let it go.
        let to = Some(change.to.clone().unwrap_or_else(|| Value::text("0")));
        Ok(Change { attribute: change.attribute, from, to })
    }

    /// "No such object": the account, or the one that a value names?
    async fn what_is_missing(&self, account: &AccountRef, changes: &[Change], result: &LdapResult) -> PortError {
        match self.connection.read(&by_guid(account.guid), ANY, &["objectGUID"]).await {
            Ok(Some(_)) => {
                let named = changes.iter().filter(|c| matches!(c.to, Some(Value::Account(_)))).map(|c| c.attribute);
                blamed(PortError::refused(Refusal::Value, codes::said("modify", result)), named, &result.text)
            }
            Ok(None) => PortError::refused(Refusal::NotFound, format!("there is no account {}", account.guid)),
            Err(error) => error,
        }
    }

    pub(super) async fn set_enabled(&self, account: &AccountRef, enabled: bool) -> PortResult<()> {
        self.ours(account)?;
        let dn = by_guid(account.guid);
        // Why tried before anything is read: nearly all accounts hold nothing but these flags, and where one holds others the
        // directory itself refuses, since what is taken away is not there.
        let usual = if enabled { NORMAL_ACCOUNT | ACCOUNTDISABLE } else { NORMAL_ACCOUNT };
        if self.connection.modify(&dn, &flags(usual, usual ^ ACCOUNTDISABLE)).await?.rc == 0 {
            return Ok(());
        }
        let mut last = PortError::refused(Refusal::Changed, "userAccountControl");
        for _ in 0..FLAG_TRIES {
            let Some(found) = self.connection.read(&dn, ANY, &["userAccountControl"]).await? else {
                return Err(PortError::refused(Refusal::NotFound, format!("there is no account {}", account.guid)));
            };
            let Some(now) = found.control() else {
                return Err(PortError::refused(Refusal::Rights, "userAccountControl is not shown"));
            };
            // Why the second flag: an account that needs no password must not be one that can log on.
            let then = if enabled { now & !(ACCOUNTDISABLE | PASSWD_NOTREQD) } else { now | ACCOUNTDISABLE };
            if then == now {
                return Ok(());
            }
            let mut result = self.connection.modify(&dn, &flags(now, then)).await?;
            // Why then without it: see `kept_by_sam`; what was read is a moment old.
            if unwilling(&result) {
                result = self.connection.modify(&dn, &vec![Mod::Replace(octets("userAccountControl"), number(then))]).await?;
            }
            match done("userAccountControl", &result) {
                Err(error) if error.refusal() == Some(Refusal::Changed) => last = error,
                other => return other,
            }
        }
        Err(last)
    }

    pub(super) async fn join_group(self: &Arc<Core>, account: &AccountRef, group: &Dn) -> PortResult<()> {
        self.ours(account)?;
        self.change_membership(account.guid, group, Deed::Join).await
    }

    pub(super) async fn leave_group(self: &Arc<Core>, account: &AccountRef, group: &Dn) -> PortResult<()> {
        self.ours(account)?;
        self.change_membership(account.guid, group, Deed::Leave).await
    }

    pub(super) async fn move_to(&self, account: &AccountRef, ou: &Dn, cn: &str) -> PortResult<Dn> {
        self.ours(account)?;
        if !ou.is_within(&self.settings.base) {
            return Err(PortError::refused(Refusal::Rights, format!("{ou} is outside {}", self.settings.base)));
        }
        let dn = by_guid(account.guid);
        let Some(place) = self.place(account).await? else {
            return Err(PortError::refused(Refusal::NotFound, format!("there is no account {}", account.guid)));
        };
        if place.parent().as_ref() == Some(ou) && is_numbered(&place.name(), cn) {
            return Ok(place);
        }
        for n in 1..=CN_TRIES {
            let name = rdn(&numbered(cn, n));
            let result = self.connection.rename(&dn, &name, ou.as_str()).await?;
            match result.rc {
                0 => {
                    let read = self.place(account).await;
                    let read = read.map_err(|e| PortError::InDoubt(format!("moved to {ou} and could not be read back: {e}")))?;
                    return Ok(read.unwrap_or_else(|| ou.below(&name)));
                }
                68 => {}
                50 => {
                    let hint = "a missing right, or the account is protected from accidental deletion";
                    return Err(PortError::refused(Refusal::Rights, format!("{} ({hint})", codes::said("move", &result))));
                }
                _ => return Err(self.why_not_moved(ou, &result).await),
            }
        }
        Err(PortError::refused(Refusal::NameTaken, format!("{CN_TRIES} of the name {cn:?} in {ou}")))
    }

    async fn place(&self, account: &AccountRef) -> PortResult<Option<Dn>> {
        Ok(self.connection.read(&by_guid(account.guid), ANY, &["objectGUID"]).await?.map(|e: entry::Entry| e.dn().dn))
    }

    /// Samba answers "other" where the container is missing, which by itself would mean "perhaps".
    async fn why_not_moved(&self, ou: &Dn, result: &LdapResult) -> PortError {
        match self.connection.read(ou.as_str(), ANY, &["objectGUID"]).await {
            Ok(None) => PortError::refused(Refusal::NotFound, format!("there is no {ou}")),
            Ok(Some(_)) => codes::of_write("move", result),
            Err(_) => PortError::InDoubt(codes::said("move", result)),
        }
    }
}

fn done(what: &str, result: &LdapResult) -> PortResult<()> {
    if result.rc == 0 { Ok(()) } else { Err(codes::of_write(what, result)) }
}

/// Puts the attributes that a refused value may belong to before the text: the one that the text names, or all.
fn blamed(error: PortError, attributes: impl Iterator<Item = Attribute>, text: &str) -> PortError {
    let PortError::Refused { refusal: refusal @ (Refusal::Value | Refusal::Changed), reason } = error else { return error };
    let all: Vec<&str> = attributes.map(Attribute::ldap_name).collect();
    // Why a whole word: `c`, `l` and `st` are attributes too.
    let words: HashSet<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let named: Vec<&str> = all.iter().copied().filter(|a| words.contains(a)).collect();
    let blamed = if named.is_empty() { all } else { named };
    PortError::refused(refusal, format!("{}: {reason}", blamed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_behind_a_name_that_may_have_to_be_cut() {
        assert_eq!(numbered("Ayşe Yılmaz", 1), "Ayşe Yılmaz");
        assert_eq!(numbered("Ayşe Yılmaz", 12), "Ayşe Yılmaz 12");
        let long = "ş".repeat(70);
        assert_eq!(numbered(&long, 1).chars().count(), 64);
        assert_eq!(numbered(&long, 12).chars().count(), 64);
        assert!(is_numbered("Ayşe Yılmaz 2", "Ayşe Yılmaz") && is_numbered("Ayşe Yılmaz", "Ayşe Yılmaz"));
        assert!(!is_numbered("Ayşe Yılmaz 1", "Ayşe Yılmaz") && !is_numbered("Ayşe Yılmaz B", "Ayşe Yılmaz"));
        assert!(is_numbered("Kat 2", "Kat 2"));
    }

    #[test]
    fn a_replacement_is_asked_for_only_of_what_sam_holds() {
        let change = |attribute| Change { attribute, from: Some(Value::text("a")), to: Some(Value::text("b")) };
        let changes = [change(Attribute::Title), change(Attribute::DisplayName)];
        let kinds = |replace| -> Vec<&str> {
            let kind = |m: &Mod<Vec<u8>>| match m {
                Mod::Delete(..) => "delete",
                Mod::Add(..) => "add",
                Mod::Replace(..) => "replace",
                Mod::Increment(..) => "increment",
            };
            mods(&changes, replace).iter().map(kind).collect()
        };
        assert_eq!(kinds(false), ["delete", "add", "delete", "add"]);
        assert_eq!(kinds(true), ["delete", "add", "replace"]);
    }

    #[test]
    fn a_refused_value_is_laid_to_the_attribute_that_the_text_names() {
        let refuse = || PortError::refused(Refusal::Value, "too long");
        let both = || [Attribute::Title, Attribute::City].into_iter();
        assert_eq!(blamed(refuse(), both(), "attribute 'title' on entry").to_string(), "refused: title: too long");
        assert_eq!(blamed(refuse(), both(), "").to_string(), "refused: title, l: too long");
    }
}
