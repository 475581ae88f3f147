//! What can be looked at.
use crate::message::Language;

macro_rules! subjects {
    ($($(#[$doc:meta])* $subject:ident = $name:literal, $en:literal, $tr:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Subject { $($(#[$doc])* $subject),* }
        impl Subject {
            pub const ALL: &'static [Subject] = &[$(Subject::$subject),*];
            /// Stable: what is remembered is kept under it.
            pub const fn name(self) -> &'static str { match self { $(Subject::$subject => $name),* } }
            /// `{0}`: which of them.
            pub(super) const fn words(self, language: Language) -> &'static str {
                match (self, language) { $((Subject::$subject, Language::En) => $en, (Subject::$subject, Language::Tr) => $tr),* }
            }
        }
    };
}

subjects! {
    Settings = "SETTINGS", "settings", "ayarlar";
    Setting = "SETTING", "setting {0}", "{0} ayarı";
    Database = "DATABASE", "database", "veritabanı";
    DatabaseSchema = "DATABASE_SCHEMA", "database schema", "veritabanı şeması";
    DatabaseTables = "DATABASE_TABLES", "tables of the database", "veritabanı tabloları";
    DatabaseFile = "DATABASE_FILE", "database file {0}", "veritabanı dosyası {0}";
    DatabaseFolder = "DATABASE_FOLDER", "database folder {0}", "veritabanı klasörü {0}";
    AccessTokens = "ACCESS_TOKENS", "access tokens", "erişim belirteçleri";
    EmbeddedDirectory = "EMBEDDED_DIRECTORY", "embedded directory {0}", "gömülü dizin {0}";
    Directory = "DIRECTORY", "directory", "dizin";
    Controller = "CONTROLLER", "domain controller {0}", "etki alanı denetleyicisi {0}";
    Certificate = "CERTIFICATE", "certificate of {0}", "{0} sertifikası";
    Clock = "CLOCK", "clock of {0}", "{0} saati";
    Schema = "SCHEMA", "schema", "dizin şeması";
    SchemaAttribute = "SCHEMA_ATTRIBUTE", "schema: {0}", "dizin şeması: {0}";
    CardAttributes = "CARD_ATTRIBUTES", "attributes of the card", "kartın öznitelikleri";
    AccountRights = "ACCOUNT_RIGHTS", "rights on accounts", "hesaplar üzerindeki yetkiler";
    Group = "GROUP", "group {0}", "{0} grubu";
    Roles = "ROLES", "roles", "roller";
    /// Whether everybody was looked at lately.
    FullLook = "FULL_LOOK", "look at everybody", "herkese bakış";
    /// Who is to be looked at.
    Queue = "QUEUE", "people to be looked at", "bakılacak kişiler";
    SmsGateways = "SMS_GATEWAYS", "SMS gateways", "SMS ağ geçitleri";
    SmsGateway = "SMS_GATEWAY", "SMS gateway {0}", "SMS ağ geçidi {0}";
    MailGateway = "MAIL_GATEWAY", "e-mail gateway {0}", "e-posta ağ geçidi {0}";
    Messages = "MESSAGES", "messages", "kısa mesajlar";
    Emails = "EMAILS", "e-mails", "e-postalar";
    Mailboxes = "MAILBOXES", "mailboxes", "posta kutuları";
    Webhook = "WEBHOOK", "webhook {0}", "webhook {0}";
    HrFeed = "HR_FEED", "HR feed {0}", "İK akışı {0}";
    /// What programs hand in of HR's records.
    HandedIn = "HANDED_IN", "HR records that were handed in", "teslim edilen İK kayıtları";
    /// What was changed here and HR has not got yet.
    HrWriteBack = "HR_WRITE_BACK", "phones for HR", "İK'ya bildirilecek telefonlar";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_is_named_in_both_languages_and_names_are_its_own() {
        for subject in Subject::ALL {
            let (en, tr) = (subject.words(Language::En), subject.words(Language::Tr));
            assert!(!en.is_empty() && !tr.is_empty(), "{subject:?}");
            assert_eq!(en.contains("{0}"), tr.contains("{0}"), "{subject:?}");
        }
        let names: std::collections::HashSet<_> = Subject::ALL.iter().map(|s| s.name()).collect();
        assert_eq!(names.len(), Subject::ALL.len());
    }
}
