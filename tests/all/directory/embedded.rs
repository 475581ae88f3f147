//! The directory in a file keeps the same promises.
use super::contract::Fixture;
use async_trait::async_trait;
use kimlik_adapters::directory::embedded::EmbeddedDirectory;
use kimlik_domain::account::{Attribute, Dn, Value};
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::{Directory, Photos};

struct File {
    _folder: tempfile::TempDir,
    directory: EmbeddedDirectory,
}

fn base() -> Dn {
    Dn::new("OU=CSB,DC=csb,DC=test")
}

async fn file() -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.db");
    let directory = EmbeddedDirectory::open(&path, base(), "csb.test", Some("employeeNumber".into())).await.unwrap();
    let ous = ["Merkez", "Tasra", "Ayrilanlar", "Gruplar"].map(|ou| base().below(&format!("OU={ou}")));
    directory.ensure_containers(&ous).await.unwrap();
    File { _folder: folder, directory }
}

#[async_trait]
impl Fixture for File {
    fn directory(&self) -> &dyn Directory {
        &self.directory
    }
    fn photos(&self) -> &dyn Photos {
        &self.directory
    }
    async fn photo_by_hand(&self, account: AccountGuid, octets: Option<&[u8]>) {
        self.directory.hand_photo(account, octets).await.unwrap();
    }
    fn base(&self) -> Dn {
        base()
    }
    async fn raw(&self, account: AccountGuid, attribute: &str) -> Vec<String> {
        let everybody = self.directory.everybody().await.unwrap();
        let found = everybody.into_iter().find(|a| a.guid == account).unwrap();
        match found.attributes.get(Attribute::from_ldap(attribute).unwrap()) {
            Some(Value::List(all)) => all.iter().map(ToString::to_string).collect(),
            other => other.iter().map(ToString::to_string).collect(),
        }
    }
    async fn by_hand(&self, account: AccountGuid, attribute: &str, value: &str) {
        let attribute = Attribute::from_ldap(attribute).unwrap();
        self.directory.hand_edit(account, attribute, Some(Value::text(value))).await.unwrap();
    }
    async fn foreign_address(&self, _: AccountGuid, _: &str) -> bool {
        false
    }
    async fn group(&self, cn: &str) -> Dn {
        let dn = base().below(&format!("CN={},OU=Gruplar", Dn::escape(cn)));
        self.directory.ensure_groups(std::slice::from_ref(&dn)).await.unwrap();
        dn
    }
    async fn logs_on(&self, username: &str, password: &str) -> Option<bool> {
        Some(self.directory.check_password(username, &password.to_owned().into()).await.unwrap().is_some())
    }
}

crate::contract_tests!(file().await);
