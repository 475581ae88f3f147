//! The contract, on the directory in one file.
use super::contract::Fixture;
use async_trait::async_trait;
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_domain::account::{Attribute, Dn, Value};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::Directory;
use std::sync::Arc;

struct InOneFile {
    directory: EmbeddedDirectory,
    _folder: tempfile::TempDir,
}

async fn in_one_file() -> InOneFile {
    let folder = tempfile::tempdir().unwrap();
    let base = Dn::new("OU=CSB,DC=csb,DC=test");
    let directory = EmbeddedDirectory::open(&folder.path().join("directory.db"), base.clone(), "csb.test", None).await.unwrap();
    let ous = ["Merkez", "Tasra", "Ayrilanlar", "Gruplar"].map(|name| base.below(&format!("OU={name}")));
    directory.ensure_containers(&ous).await.unwrap();
    InOneFile { directory, _folder: folder }
}

#[async_trait]
impl Fixture for InOneFile {
    fn directory(&self) -> &dyn Directory {
        &self.directory
    }
    fn base(&self) -> Dn {
        Dn::new("OU=CSB,DC=csb,DC=test")
    }
    async fn raw(&self, account: AccountGuid, attribute: &str) -> Vec<String> {
        self.directory.raw(account, Attribute::from_ldap(attribute).unwrap()).await.unwrap()
    }
    async fn by_hand(&self, account: AccountGuid, attribute: &str, value: &str) {
        let (added, name) = attribute.strip_prefix('+').map_or((false, attribute), |name| (true, name));
        let attribute = Attribute::from_ldap(name).unwrap();
        let value = if added {
            let held = self.raw(account, name).await.into_iter().chain([value.to_owned()]);
            Value::list(held.map(Arc::from).collect())
        } else {
            Value::text(value)
        };
        self.directory.hand_edit(account, attribute, Some(value)).await.unwrap();
    }
    async fn group(&self, cn: &str) -> Dn {
        let dn = self.base().below(&format!("CN={},OU=Gruplar", Dn::escape(cn)));
        self.directory.ensure_groups(std::slice::from_ref(&dn)).await.unwrap();
        dn
    }
    async fn logs_on(&self, username: &str, password: &str) -> Option<bool> {
        Some(self.directory.check_password(username, &password.to_owned().into()).await.unwrap().is_some())
    }
}

crate::contract_tests!(in_one_file().await);
