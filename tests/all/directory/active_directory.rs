//! A real domain under the printed delegation: the contract, and what only a real domain has.
use super::contract::{self, Fixture, all_pages, change, create, new, ou, refusal, see};
use async_trait::async_trait;
use kimlik_adapters::directory::active_directory::ActiveDirectory;
use kimlik_adapters::system::SystemClock;
use kimlik_domain::account::{AccountRef, Attribute, Dn};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{Directory, FindBy, Refusal};
use kimlik_tests::lab::Samba;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

pub struct Domain {
    pub samba: Samba,
    pub directory: ActiveDirectory,
}

pub fn domain() -> Domain {
    let samba = Samba::start();
    let directory = ActiveDirectory::new(samba.settings(), Arc::new(SystemClock)).unwrap();
    Domain { samba, directory }
}

fn by_guid(guid: AccountGuid) -> String {
    let octets: String = guid.0.to_bytes_le().iter().map(|o| format!("\\{o:02x}")).collect();
    format!("(objectGUID={octets})")
}

#[async_trait]
impl Fixture for Domain {
    fn directory(&self) -> &dyn Directory {
        &self.directory
    }
    fn base(&self) -> Dn {
        self.samba.settings().base
    }
    async fn raw(&self, account: AccountGuid, attribute: &str) -> Vec<String> {
        self.samba.values(&by_guid(account), attribute)
    }
    async fn by_hand(&self, account: AccountGuid, attribute: &str, value: &str) {
        let (kind, attribute) = attribute.strip_prefix('+').map_or(("replace", attribute), |a| ("add", a));
        self.samba.admin_modify(&format!("dn: <GUID={account}>\nchangetype: modify\n{kind}: {attribute}\n{attribute}: {value}\n"));
    }
    async fn group(&self, cn: &str) -> Dn {
        let dn = self.base().below(&format!("CN={},OU=Gruplar", Dn::escape(cn)));
        let name = kimlik_domain::text::to_ascii(cn).replace(',', "");
        self.samba.admin_modify(&format!("dn: {dn}\nchangetype: add\nobjectClass: group\nsAMAccountName: {name}\n"));
        dn
    }
    async fn logs_on(&self, username: &str, password: &str) -> Option<bool> {
        let kinit = self.samba.kinit(username, password);
        if let Err(said) = &kinit {
            eprintln!("{said}");
        }
        Some(kinit.is_ok())
    }
}

crate::contract_tests!(domain());
