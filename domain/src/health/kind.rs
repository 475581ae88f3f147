//! What can be found, as one table: its code, how bad it is, and in English and Turkish what was found and what to do. `{0}`, `{1}`, … are
//! the finding's values; what a neighbour said itself comes in them, and stays as it was said.
use super::Health;
use crate::message::Language;

macro_rules! kinds {
    ($($kind:ident = $name:literal $health:ident {
        $en:literal $(, $mend_en:literal)?;
        $tr:literal $(, $mend_tr:literal)?
    })*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($kind),* }
        impl Kind {
            pub const ALL: &'static [Kind] = &[$(Kind::$kind),*];
            /// Stable: for whoever watches by program, and what is remembered is kept by it.
            pub const fn name(self) -> &'static str { match self { $(Kind::$kind => $name),* } }
            pub const fn health(self) -> Health { match self { $(Kind::$kind => Health::$health),* } }
            pub(super) const fn found(self, language: Language) -> &'static str {
                match (self, language) { $((Kind::$kind, Language::En) => $en, (Kind::$kind, Language::Tr) => $tr),* }
            }
            /// Empty where all is well.
            pub(super) const fn mend(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Kind::$kind, Language::En) => concat!($($mend_en)?), (Kind::$kind, Language::Tr) => concat!($($mend_tr)?)),*
                }
            }
        }
    };
}

kinds! {
    // --- settings and files
    SettingsUsable = "SETTINGS_USABLE" Good { "can be used"; "kullanılabilir" }
    // Why the same in both: settings are written and told of in English (see the file's own comments).
    SettingUnusable = "SETTING_UNUSABLE" Broken { "{0}", "{1}"; "{0}", "{1}" }
    PublicAddressLocal = "PUBLIC_ADDRESS_LOCAL" Doubtful {
        "{0}: newcomers are told this address, and it works on this machine only",
        "write the address that people use, with https:// before it";
        "{0}: yeni başlayanlara bu adres bildirilir, ama yalnızca bu makinede çalışır",
        "kullanıcıların kullandığı adresi başında https:// ile yazın"
    }
    SecretExposed = "SECRET_EXPOSED" Doubtful {
        "{0} can be read by others on this machine", "chmod 600 {0}";
        "{0} bu makinedeki başka kullanıcılarca okunabiliyor", "chmod 600 {0}"
    }
    FileUnwritable = "FILE_UNWRITABLE" Broken {
        "{0}", "see that the file can be written";
        "{0}", "dosyanın yazılabilir olduğunu denetleyin"
    }
    CryptographyFails = "CRYPTOGRAPHY_FAILS" Broken {
        "{0}", "this machine's cryptography does not work as it should; say so to whoever built Kimlik";
        "{0}", "bu makinenin şifreleme altyapısı gerektiği gibi çalışmıyor; Kimlik'i geliştirenlere bildirin"
    }
    // --- the database
    DatabaseGood = "DATABASE_GOOD" Good { "reachable, schema up to date"; "ulaşılabiliyor, şeması güncel" }
    DatabaseAddress = "DATABASE_ADDRESS" Broken {
        "{0}", "see that the database runs and that the address, user and password are right";
        "{0}", "veritabanının çalıştığını; adresin, kullanıcının ve parolanın doğru olduğunu denetleyin"
    }
    DatabaseRefuses = "DATABASE_REFUSES" Broken {
        "{0}", "check [database] url, the user's rights and the version of Kimlik";
        "{0}", "[database] url değerini, kullanıcının yetkilerini ve Kimlik'in sürümünü denetleyin"
    }
    DatabaseUnreachable = "DATABASE_UNREACHABLE" Broken {
        "{0}", "check that it runs and that [database] url names it";
        "ulaşılamıyor: {0}", "çalıştığını ve [database] url değerinin onu gösterdiğini denetleyin"
    }
    MigrationsMissing = "MIGRATIONS_MISSING" Broken {
        "{0} migrations are missing", "run `kimlik migrate`";
        "{0} şema güncellemesi eksik", "`kimlik migrate` çalıştırın"
    }
    TablesMissing = "TABLES_MISSING" Broken {
        "tables of {0} versions are missing: {1}", "kimlik migrate";
        "{0} sürümün tabloları eksik: {1}", "kimlik migrate"
    }
    TablesUnwritable = "TABLES_UNWRITABLE" Broken {
        "{0}", "see that the database can be written";
        "{0}", "veritabanına yazılabildiğini denetleyin"
    }
    DatabaseFileGood = "DATABASE_FILE_GOOD" Good { "can be written"; "yazılabiliyor" }
    DatabaseFileUnwritable = "DATABASE_FILE_UNWRITABLE" Broken {
        "{0}", "give the user that runs Kimlik the file and its folder";
        "{0}", "dosyayı ve klasörünü Kimlik'i çalıştıran kullanıcıya verin"
    }
    FolderClosed = "FOLDER_CLOSED" Good { "closed to others"; "başkalarına kapalı" }
    FolderOpen = "FOLDER_OPEN" Doubtful {
        "mode {0}: others can read or write it", "run `chmod 700` on it";
        "izinleri {0}: başkaları okuyabiliyor ya da yazabiliyor", "klasöre `chmod 700` uygulayın"
    }
    FolderMissing = "FOLDER_MISSING" Broken { "cannot be looked at ({0})", "make it"; "bakılamıyor ({0})", "klasörü oluşturun" }
    FolderUnasked = "FOLDER_UNASKED" Good { "rights are not looked at on this system"; "bu sistemde izinlere bakılmıyor" }
    // --- the embedded directory
    EmbeddedGood = "EMBEDDED_GOOD" Good { "its file is sound"; "dosyası sağlam" }
    EmbeddedDamaged = "EMBEDDED_DAMAGED" Broken {
        "{0}", "stop Kimlik and put {1} back from a copy, or remove it to begin anew";
        "{0}", "Kimlik'i durdurup {1} dosyasını yedeğinden geri koyun ya da baştan başlamak için silin"
    }
    // --- domain controllers
    ControllerGood = "CONTROLLER_GOOD" Good { "reachable, bound as {0}"; "ulaşılabiliyor, {0} olarak oturum açıldı" }
    ControllerUnreachable = "CONTROLLER_UNREACHABLE" Broken {
        "not reachable: {0}", "check the name in urls, that the controller runs, and that the firewall lets port 636 through";
        "ulaşılamıyor: {0}", "urls içindeki adı, denetleyicinin çalıştığını ve güvenlik duvarının 636 numaralı kapıya izin verdiğini denetleyin"
    }
    ControllerUnwell = "CONTROLLER_UNWELL" Broken { "{0}", "look at the controller's log"; "{0}", "denetleyicinin günlüğüne bakın" }
    BindPassword = "BIND_PASSWORD" Broken {
        "bind as {0} refused: unknown account or wrong password", "check bind_dn and the file that bind_password_file names";
        "{0} olarak oturum açılamadı: hesap bilinmiyor ya da parola yanlış", "bind_dn değerini ve bind_password_file ile gösterilen dosyayı denetleyin"
    }
    BindHour = "BIND_HOUR" Broken {
        "bind as {0} refused: the account may not log on at this hour", "allow the service account all logon hours";
        "{0} olarak oturum açılamadı: hesap bu saatte oturum açamıyor", "hizmet hesabına bütün oturum açma saatlerinde izin verin"
    }
    BindMachine = "BIND_MACHINE" Broken {
        "bind as {0} refused: the account may not log on from here", "take the workstation restriction from the service account";
        "{0} olarak oturum açılamadı: hesap buradan oturum açamıyor", "hizmet hesabındaki iş istasyonu kısıtlamasını kaldırın"
    }
    BindPasswordExpired = "BIND_PASSWORD_EXPIRED" Broken {
        "bind as {0} refused: its password has expired", "give the service account a new password and the flag 'password never expires'";
        "{0} olarak oturum açılamadı: parolasının süresi dolmuş", "hizmet hesabına yeni bir parola ve 'parola süresi dolmaz' seçeneğini verin"
    }
    BindDisabled = "BIND_DISABLED" Broken {
        "bind as {0} refused: the account is disabled", "enable the service account";
        "{0} olarak oturum açılamadı: hesap devre dışı", "hizmet hesabını etkinleştirin"
    }
    BindAccountExpired = "BIND_ACCOUNT_EXPIRED" Broken {
        "bind as {0} refused: the account has expired", "clear the expiry date of the service account";
        "{0} olarak oturum açılamadı: hesabın süresi dolmuş", "hizmet hesabının bitiş tarihini kaldırın"
    }
    BindMustChange = "BIND_MUST_CHANGE" Broken {
        "bind as {0} refused: its password must be changed first",
        "clear 'must change password at next logon' of the service account";
        "{0} olarak oturum açılamadı: önce parolasının değiştirilmesi gerekiyor",
        "hizmet hesabında 'sonraki oturumda parolayı değiştirmeli' seçeneğini kaldırın"
    }
    BindLocked = "BIND_LOCKED" Broken {
        "bind as {0} refused: the account is locked out", "unlock the service account and see who tries its password";
        "{0} olarak oturum açılamadı: hesap kilitli", "hizmet hesabının kilidini açın ve parolasını kimin denediğine bakın"
    }
    BindRefused = "BIND_REFUSED" Broken {
        "bind as {0} refused: the controller refused the bind", "look at the controller's log";
        "{0} olarak oturum açılamadı: denetleyici reddetti", "denetleyicinin günlüğüne bakın"
    }
    AuthoritiesUnusable = "AUTHORITIES_UNUSABLE" Broken {
        "{0}", "give other certificates in ca_file";
        "{0}", "ca_file içine başka sertifikalar koyun"
    }
    TlsFails = "TLS_FAILS" Broken {
        "TLS fails: {0}", "enable TLS 1.2 or 1.3 with current ciphers on the controller";
        "TLS kurulamıyor: {0}", "denetleyicide güncel şifrelerle TLS 1.2 ya da 1.3'ü etkinleştirin"
    }
    CertificateGood = "CERTIFICATE_GOOD" Good { "trusted, valid until {0}"; "güveniliyor, {0} tarihine kadar geçerli" }
    CertificateEnds = "CERTIFICATE_ENDS" Doubtful {
        "ends on {0}", "renew it in time: nothing can be written when it has ended";
        "{0} tarihinde sona eriyor", "zamanında yenileyin: süresi dolunca hiçbir şey yazılamaz"
    }
    CertificateUndated = "CERTIFICATE_UNDATED" Doubtful {
        "trusted, and its dates cannot be read", "look at the certificate";
        "güveniliyor, ama tarihleri okunamıyor", "sertifikaya bakın"
    }
    CertificateExpired = "CERTIFICATE_EXPIRED" Broken {
        "it expired on {0}", "give the controller a new certificate";
        "süresi {0} tarihinde dolmuş", "denetleyiciye yeni bir sertifika verin"
    }
    CertificateEarly = "CERTIFICATE_EARLY" Broken {
        "it is not valid yet", "compare the clocks of this machine and of the certificate authority";
        "henüz geçerli değil", "bu makinenin saatiyle sertifika makamının saatini karşılaştırın"
    }
    CertificateName = "CERTIFICATE_NAME" Broken {
        "it is for another name: {0}", "use in urls the name that the certificate holds, or give the controller one for this name";
        "başka bir ad için verilmiş: {0}", "urls içinde sertifikadaki adı kullanın ya da denetleyiciye bu ada bir sertifika verin"
    }
    CertificateAuthority = "CERTIFICATE_AUTHORITY" Broken {
        "no authority in ca_file has signed it; issuer: {0}", "put the authority that signed it into ca_file (PEM)";
        "ca_file içindeki hiçbir makam imzalamamış; veren: {0}", "imzalayan makamı ca_file içine koyun (PEM)"
    }
    CertificateUnusable = "CERTIFICATE_UNUSABLE" Broken {
        "it cannot be used: {0}", "give the controller a certificate for server authentication";
        "kullanılamıyor: {0}", "denetleyiciye sunucu kimlik doğrulaması için bir sertifika verin"
    }
    ClockRight = "CLOCK_RIGHT" Good { "{0} s apart from this machine"; "bu makineden {0} sn farklı" }
    ClockApart = "CLOCK_APART" Doubtful {
        "{0} s apart from this machine", "let this machine and the controllers take the time from the same source (NTP)";
        "bu makineden {0} sn farklı", "bu makine ve denetleyiciler saati aynı kaynaktan (NTP) alsın"
    }
    ClockWrong = "CLOCK_WRONG" Broken {
        "{0} s apart from this machine", "let this machine and the controllers take the time from the same source (NTP)";
        "bu makineden {0} sn farklı", "bu makine ve denetleyiciler saati aynı kaynaktan (NTP) alsın"
    }
    ClockSilent = "CLOCK_SILENT" Doubtful {
        "it does not say what time it is", "look at the controller's log";
        "saatin kaç olduğunu söylemiyor", "denetleyicinin günlüğüne bakın"
    }
    // --- the domain
    DirectoryUnread = "DIRECTORY_UNREAD" Broken {
        "{0}", "mend what is broken above, and ask again";
        "{0}", "yukarıda bozuk olanları düzeltip yeniden bakın"
    }
    OuGood = "OU_GOOD" Good { "{0}: accounts may be created there"; "{0}: içinde hesap oluşturulabiliyor" }
    OuMissing = "OU_MISSING" Broken {
        "there is no {0}, or it may not be read", "create the OU or correct the setting; give the right to read";
        "{0} yok ya da okunamıyor", "OU'yu oluşturun ya da ayarı düzeltin; okuma yetkisi verin"
    }
    OuClosed = "OU_CLOSED" Broken {
        "{0}: accounts may not be created there", "give the rights that `kimlik doctor --print-delegation` prints";
        "{0}: içinde hesap oluşturulamıyor", "`kimlik doctor --print-delegation` ile yazılan yetkileri verin"
    }
    OuWide = "OU_WIDE" Doubtful {
        "{0}: the service account may create more than accounts there",
        "take the rights away that `kimlik doctor --print-delegation` does not print";
        "{0}: hizmet hesabı içinde hesaptan başka nesneler de oluşturabiliyor",
        "`kimlik doctor --print-delegation` ile yazılanların dışındaki yetkileri geri alın"
    }
    SchemaLacks = "SCHEMA_LACKS" Broken {
        "lacks {0}", "let the service account read the schema; a directory without these attributes is not taken";
        "şunlar eksik: {0}", "hizmet hesabına şemayı okutun; bu öznitelikleri olmayan bir dizin kullanılamaz"
    }
    SchemaExchange = "SCHEMA_EXCHANGE" Good { "with the Exchange extension"; "Exchange genişletmesiyle" }
    SchemaPlain = "SCHEMA_PLAIN" Good {
        "without the Exchange extension ({0}): address book attributes are left out";
        "Exchange genişletmesi yok ({0}): adres defteri öznitelikleri yazılmıyor"
    }
    AttributeMissing = "ATTRIBUTE_MISSING" Broken {
        "the schema has no such attribute", "take the rule out, or let the service account read the schema";
        "şemada böyle bir öznitelik yok", "kuralı çıkarın ya da hizmet hesabına şemayı okutun"
    }
    AttributeLeftOut = "ATTRIBUTE_LEFT_OUT" Doubtful {
        "the schema has no such attribute: the rule is left out", "extend the schema for Exchange, or take the rule out";
        "şemada böyle bir öznitelik yok: kural uygulanmıyor", "şemayı Exchange için genişletin ya da kuralı çıkarın"
    }
    AttributeSyntax = "ATTRIBUTE_SYNTAX" Broken {
        "is of syntax {0} in this directory, not of {1}",
        "no value of Kimlik's fits: give the attribute an empty rule, or mend the schema";
        "bu dizindeki sözdizimi {0}, beklenen {1}",
        "Kimlik'in hiçbir değeri uymuyor: özniteliğe boş kural verin ya da şemayı düzeltin"
    }
    AttributeSingle = "ATTRIBUTE_SINGLE" Broken {
        "takes one value only in this directory, and addresses are several",
        "mend the schema: no account with an alias can be written";
        "bu dizinde tek değer alıyor, adresler ise birden çok",
        "şemayı düzeltin: takma adresi olan hiçbir hesap yazılamaz"
    }
    AttributeSeveral = "ATTRIBUTE_SEVERAL" Doubtful {
        "takes several values in this directory; Kimlik keeps one of them right and leaves the others",
        "give the attribute an empty rule, or see to it that nobody adds further values";
        "bu dizinde birden çok değer alıyor; Kimlik bir tanesini doğru tutar, ötekilere dokunmaz",
        "özniteliğe boş kural verin ya da kimsenin başka değer eklememesini sağlayın"
    }
    AttributeShort = "ATTRIBUTE_SHORT" Doubtful {
        "takes {0} characters in this directory, and up to {1} are written",
        "longer values will be refused; choose a shorter source, or extend the schema";
        "bu dizinde {0} karakter alıyor, en çok {1} karakter yazılıyor",
        "daha uzun değerler reddedilir; daha kısa bir kaynak seçin ya da şemayı genişletin"
    }
    AttributesGood = "ATTRIBUTES_GOOD" Good {
        "{0} attributes are in the schema, of their syntax, and long enough for what the rules give";
        "{0} öznitelik şemada var, sözdizimleri doğru ve kuralların verdiği değerler için yeterince uzun"
    }
    RightsGood = "RIGHTS_GOOD" Good {
        "every owned attribute may be written (asked of one account); resetting passwords and taking accounts out of an OU cannot be asked for, and show at the first attempt";
        "sahip olunan bütün öznitelikler yazılabiliyor (bir hesapta bakıldı); parola sıfırlama ve OU'dan çıkarma yetkileri sorulamaz, ilk denemede belli olur"
    }
    RightsUnasked = "RIGHTS_UNASKED" Doubtful {
        "there is no account below the base yet to ask about", "ask again when there is one";
        "tabanın altında bakılacak bir hesap henüz yok", "bir hesap olduğunda yeniden bakın"
    }
    RightsMissing = "RIGHTS_MISSING" Broken {
        "may not be written: {0}", "give the rights that `kimlik doctor --print-delegation` prints";
        "yazılamıyor: {0}", "`kimlik doctor --print-delegation` ile yazılan yetkileri verin"
    }
    GroupGood = "GROUP_GOOD" Good { "members may be added and taken away"; "üye eklenip çıkarılabiliyor" }
    GroupMissing = "GROUP_MISSING" Broken {
        "there is no such group, or it may not be read", "create it, or correct the rule in [[groups]]";
        "böyle bir grup yok ya da okunamıyor", "grubu oluşturun ya da [[groups]] içindeki kuralı düzeltin"
    }
    GroupClosed = "GROUP_CLOSED" Broken {
        "its members may not be written", "give the rights that `kimlik doctor --print-delegation` prints";
        "üyeleri yazılamıyor", "`kimlik doctor --print-delegation` ile yazılan yetkileri verin"
    }
    GroupOutside = "GROUP_OUTSIDE" Broken {
        "its members may not be written: it is outside base_dn", "move it below base_dn, or delegate 'write member' on it";
        "üyeleri yazılamıyor: base_dn dışında", "grubu base_dn altına taşıyın ya da üzerinde 'write member' yetkisi verin"
    }
    PlacesUnread = "PLACES_UNREAD" Broken {
        "{0}", "mend what is marked above, and look again";
        "{0}", "yukarıda işaretlenenleri düzeltip yeniden bakın"
    }
    PlacesMissing = "PLACES_MISSING" Doubtful {
        "{0} OUs are not there, whose people stand in default_ou meanwhile: {1}", "create them, or correct the rules";
        "{0} OU yok; kişileri bu arada default_ou içinde duruyor: {1}", "OU'ları oluşturun ya da kuralları düzeltin"
    }
    FullLookDone = "FULL_LOOK_DONE" Good { "everybody was looked at in the directory"; "dizinde herkese bakıldı" }
    FullLookAwaited = "FULL_LOOK_AWAITED" Good {
        "nobody has looked at everybody yet: it is done at the first start, and each night";
        "henüz herkese bakılmadı: ilk açılışta ve her gece bakılır"
    }
    FullLookLate = "FULL_LOOK_LATE" Doubtful {
        "nobody has looked at everybody for more than a day", "see in the runs why those of the night do not come to their end";
        "bir günden uzun süredir herkese bakılmadı", "gece çalışmalarının neden tamamlanmadığına çalışmalardan bakın"
    }
    QueueGood = "QUEUE_GOOD" Good { "{0} are to be looked at now"; "şu anda bakılacak {0} kişi var" }
    QueueLate = "QUEUE_LATE" Doubtful {
        "{0} are to be looked at now, the first of them for more than five minutes",
        "see which neighbour is away; nobody is forgotten";
        "şu anda bakılacak {0} kişi var, ilki beş dakikadan uzun süredir bekliyor",
        "hangi sistemin yanıt vermediğine bakın; kimse unutulmaz"
    }
    // --- roles
    AdministratorsByGroup = "ADMINISTRATORS_BY_GROUP" Good {
        "a group of the directory gives administrators";
        "yöneticiler dizindeki bir gruptan geliyor"
    }
    AdministratorsByGrant = "ADMINISTRATORS_BY_GRANT" Good {
        "an administrator was granted for a time";
        "süreli olarak atanmış bir yönetici var"
    }
    AdministratorsNone = "ADMINISTRATORS_NONE" Doubtful {
        "nobody is an administrator: there is no group and no grant",
        "name a group in roles.administrator, or kimlik grant administrator --person NO";
        "hiç yönetici yok: ne grup ne de atama var",
        "roles.administrator içine bir grup yazın ya da kimlik grant administrator --person NO çalıştırın"
    }
    RoleGroupMissing = "ROLE_GROUP_MISSING" Doubtful {
        "there is no group {0}", "make the group, or name another one in [roles]";
        "{0} grubu yok", "grubu oluşturun ya da [roles] içine başka bir grup yazın"
    }
    // --- messages
    NetgsmGood = "NETGSM_GOOD" Good {
        "it answers, and the header is registered; left: {0}";
        "yanıt veriyor, başlık kayıtlı; kalan: {0}"
    }
    NetgsmSilent = "NETGSM_SILENT" Good {
        "it answers, and the header is registered; it does not say what is left";
        "yanıt veriyor, başlık kayıtlı; ne kadar kaldığını söylemiyor"
    }
    NetgsmEmpty = "NETGSM_EMPTY" Broken {
        "nothing is left to pay with; left: {0}", "load credit at Netgsm";
        "bakiye bitti; kalan: {0}", "Netgsm'e bakiye yükleyin"
    }
    NetgsmHeader = "NETGSM_HEADER" Doubtful {
        "it answers, and does not name the header", "write a registered header in sms.netgsm.header";
        "yanıt veriyor, ama başlığı saymıyor", "sms.netgsm.header içine kayıtlı bir başlık yazın"
    }
    NetgsmBroken = "NETGSM_BROKEN" Broken {
        "{0}", "see that it is reachable and that [sms.netgsm] is right";
        "{0}", "ulaşılabildiğini ve [sms.netgsm] ayarlarının doğru olduğunu denetleyin"
    }
    KannelGood = "KANNEL_GOOD" Good { "it answers, and takes the password"; "yanıt veriyor ve parolayı kabul ediyor" }
    KannelPassword = "KANNEL_PASSWORD" Broken {
        "it does not take the user name and password", "correct sms.kannel.user and password_file";
        "kullanıcı adını ve parolayı kabul etmiyor", "sms.kannel.user ve password_file ayarlarını düzeltin"
    }
    KannelOdd = "KANNEL_ODD" Doubtful {
        "it answered {0}", "see that sms.kannel.url is smsbox's";
        "{0} yanıtını verdi", "sms.kannel.url değerinin smsbox'ı gösterdiğini denetleyin"
    }
    KannelBroken = "KANNEL_BROKEN" Broken {
        "{0}", "see that smsbox runs and that sms.kannel.url is right";
        "{0}", "smsbox'ın çalıştığını ve sms.kannel.url değerinin doğru olduğunu denetleyin"
    }
    SmtpPlain = "SMTP_PLAIN" Good {
        "it answers (on loopback, without TLS and password)";
        "yanıt veriyor (aynı makinede, TLS ve parola olmadan)"
    }
    SmtpPlainPassword = "SMTP_PLAIN_PASSWORD" Good {
        "it answers on loopback without TLS, and takes the password";
        "aynı makinede TLS olmadan yanıt veriyor ve parolayı kabul ediyor"
    }
    SmtpOpen = "SMTP_OPEN" Good { "it answers over TLS, and asks for no password"; "TLS üzerinden yanıt veriyor, parola istemiyor" }
    SmtpGood = "SMTP_GOOD" Good { "it answers over TLS, and takes the password"; "TLS üzerinden yanıt veriyor ve parolayı kabul ediyor" }
    SmtpMute = "SMTP_MUTE" Doubtful {
        "it signs us in and then says no more", "see whether it is overloaded";
        "oturum açtırıyor, sonra yanıt vermiyor", "aşırı yüklenmiş olup olmadığına bakın"
    }
    SmtpRights = "SMTP_RIGHTS" Broken {
        "{0}", "correct mail.smtp.user and password_file, or what the server offers";
        "{0}", "mail.smtp.user ve password_file ayarlarını ya da sunucunun sunduklarını düzeltin"
    }
    SmtpBroken = "SMTP_BROKEN" Broken {
        "{0}", "see that it runs, and that mail.smtp.host, port, security and ca_file are right";
        "{0}", "çalıştığını ve mail.smtp.host, port, security, ca_file ayarlarının doğru olduğunu denetleyin"
    }
    OutboxReadable = "OUTBOX_READABLE" Good {
        "texts stay in the database, readable for administrators";
        "metinler veritabanında kalıyor, yöneticiler okuyabiliyor"
    }
    OutboxSms = "OUTBOX_SMS" Doubtful {
        "texts are not sent to anybody, and nobody can read them", "name a gateway in sms.gateways before people need codes";
        "metinler kimseye gönderilmiyor ve kimse okuyamıyor", "kişilerin kod gereksinimi doğmadan sms.gateways içine bir ağ geçidi yazın"
    }
    OutboxMail = "OUTBOX_MAIL" Doubtful {
        "texts are not sent to anybody, and nobody can read them",
        "write mail.gateway = \"smtp\", or \"none\" where no e-mail is wanted";
        "metinler kimseye gönderilmiyor ve kimse okuyamıyor",
        "mail.gateway = \"smtp\" ya da e-posta istenmiyorsa \"none\" yazın"
    }
    MessagesGood = "MESSAGES_GOOD" Good {
        "{0} wait, {1} of at most {2} were sent within a day, {3} did not arrive";
        "{0} bekliyor, bir günde en çok {2} gönderinin {1} tanesi yapıldı, {3} ulaşmadı"
    }
    MessagesLate = "MESSAGES_LATE" Doubtful {
        "{0} wait, {1} of at most {2} were sent within a day, {3} did not arrive", "look at those that wait, and at the gateways";
        "{0} bekliyor, bir günde en çok {2} gönderinin {1} tanesi yapıldı, {3} ulaşmadı", "bekleyenlere ve ağ geçitlerine bakın"
    }
    SmsNearLimit = "SMS_NEAR_LIMIT" Doubtful {
        "{0} wait, {1} of at most {2} were sent within a day, {3} did not arrive",
        "see who asks for so many codes, before the daily limit stops all; reminders are not sent any more";
        "{0} bekliyor, bir günde en çok {2} gönderinin {1} tanesi yapıldı, {3} ulaşmadı",
        "günlük sınır hepsini durdurmadan bu kadar çok kodu kimin istediğine bakın; hatırlatmalar artık gönderilmiyor"
    }
    SmsLimit = "SMS_LIMIT" Broken {
        "{0} wait, {1} of at most {2} were sent within a day, {3} did not arrive",
        "see who asks for so many codes; raise sms.daily_limit if it is right";
        "{0} bekliyor, bir günde en çok {2} gönderinin {1} tanesi yapıldı, {3} ulaşmadı",
        "bu kadar çok kodu kimin istediğine bakın; doğruysa sms.daily_limit değerini yükseltin"
    }
    MailNearLimit = "MAIL_NEAR_LIMIT" Doubtful {
        "{0} wait, {1} of at most {2} were sent within a day, {3} did not arrive",
        "see what so many people are told, before the daily limit stops all; reminders are not sent any more";
        "{0} bekliyor, bir günde en çok {2} gönderinin {1} tanesi yapıldı, {3} ulaşmadı",
        "günlük sınır hepsini durdurmadan bu kadar çok kişiye neyin yazıldığına bakın; hatırlatmalar artık gönderilmiyor"
    }
    MailLimit = "MAIL_LIMIT" Broken {
        "{0} wait, {1} of at most {2} were sent within a day, {3} did not arrive",
        "see what so many people are told; raise mail.daily_limit if it is right";
        "{0} bekliyor, bir günde en çok {2} gönderinin {1} tanesi yapıldı, {3} ulaşmadı",
        "bu kadar çok kişiye neyin yazıldığına bakın; doğruysa mail.daily_limit değerini yükseltin"
    }
    // --- mailboxes
    MailboxesGood = "MAILBOXES_GOOD" Good {
        "{0} wait for something, {1} were not looked at yet";
        "{0} posta kutusu bir şey bekliyor, {1} tanesine henüz bakılmadı"
    }
    ProgramGood = "PROGRAM_GOOD" Good {
        "answers; of an account that there is not it says: {0}";
        "yanıt veriyor; olmayan bir hesap için söylediği: {0}"
    }
    ProgramOdd = "PROGRAM_ODD" Doubtful {
        "answers; of an account that there is not it says: {0}", "let it answer NONE where there is no such account";
        "yanıt veriyor; olmayan bir hesap için söylediği: {0}", "böyle bir hesap yoksa NONE yanıtı versin"
    }
    ProgramMissing = "PROGRAM_MISSING" Broken {
        "{0}: {1}", "name the program, with its whole path";
        "{0}: {1}", "programı tam yoluyla yazın"
    }
    ProgramNoFile = "PROGRAM_NO_FILE" Broken { "{0} is no file", "name the program itself"; "{0} bir dosya değil", "programın kendisini yazın" }
    ProgramNotExecutable = "PROGRAM_NOT_EXECUTABLE" Broken {
        "{0} may not be executed", "chmod +x, or name the interpreter and give the script as its argument";
        "{0} çalıştırılamıyor", "chmod +x uygulayın ya da yorumlayıcıyı yazıp betiği argüman olarak verin"
    }
    ProgramBroken = "PROGRAM_BROKEN" Broken {
        "{0}", "start it by hand with a status request; docs/operators/exchange.md has one";
        "{0}", "bir durum isteğiyle elle çalıştırın; örneği docs/operators/exchange.md içinde"
    }
    // --- other systems
    WebhookTold = "WEBHOOK_TOLD" Good { "it was told everything"; "bütün olaylar bildirildi" }
    WebhookBehind = "WEBHOOK_BEHIND" Good { "it takes what it is told; {0} events are still to come"; "bildirilenleri alıyor; {0} olay daha bildirilecek" }
    WebhookFailing = "WEBHOOK_FAILING" Doubtful {
        "it has taken nothing since {0}, in {1} attempts: {2}",
        "see that {3} answers with 2xx; nothing is lost, Kimlik goes on trying. Made by {4}";
        "{0} tarihinden beri hiçbir şey almadı, {1} deneme yapıldı: {2}",
        "{3} adresinin 2xx yanıtı verdiğini denetleyin; hiçbir şey kaybolmaz, Kimlik denemeyi sürdürür. Oluşturan: {4}"
    }
    FeedQuiet = "FEED_QUIET" Good { "it answers; nothing new"; "yanıt veriyor; yeni bir şey yok" }
    FeedWaiting = "FEED_WAITING" Good { "it answers; {0} waits to be taken in"; "yanıt veriyor; {0} alınmayı bekliyor" }
    FeedTaken = "FEED_TAKEN" Good { "it answers; {0} was taken in last"; "yanıt veriyor; en son {0} alındı" }
    FeedUnasked = "FEED_UNASKED" Good { "it was not asked yet"; "henüz sorulmadı" }
    FeedRefused = "FEED_REFUSED" Doubtful {
        "{0} was refused whole: {1}", "let HR deliver it anew, and right; nobody's account is touched meanwhile";
        "{0} tümüyle reddedildi: {1}", "İK'nın bunu doğru biçimde yeniden vermesini sağlayın; bu arada kimsenin hesabına dokunulmaz"
    }
    FeedBroken = "FEED_BROKEN" Broken {
        "{0}", "see that it is there and that setting {1} is right";
        "{0}", "yerinde olduğunu ve {1} ayarının doğru olduğunu denetleyin"
    }
    HandedInGood = "HANDED_IN_GOOD" Good { "{0} submissions wait to be taken in"; "{0} teslimat işlenmeyi bekliyor" }
    HandedInLate = "HANDED_IN_LATE" Doubtful {
        "{0} submissions wait to be taken in, the first of them for more than an hour",
        "see in the log what keeps Kimlik from it; nothing is lost, and what was handed in need not be handed in again";
        "{0} teslimat işlenmeyi bekliyor, ilki bir saatten uzun süredir",
        "Kimlik'i neyin alıkoyduğuna günlükten bakın; hiçbir şey kaybolmaz, teslim edilenlerin yeniden gönderilmesi gerekmez"
    }
    WriteBackGood = "WRITE_BACK_GOOD" Good { "{0} changes wait for HR"; "{0} değişiklik İK'yı bekliyor" }
    WriteBackLate = "WRITE_BACK_LATE" Doubtful {
        "{0} changes wait for HR, the first of them for more than an hour",
        "see that HR's system takes changes; nothing is lost, Kimlik goes on trying";
        "{0} değişiklik İK'yı bekliyor, ilki bir saatten uzun süredir",
        "İK sisteminin değişiklikleri aldığını denetleyin; hiçbir şey kaybolmaz, Kimlik denemeyi sürdürür"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeSet, HashSet};

    fn holes(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn every_kind_says_in_both_languages_what_was_found_and_what_to_do_where_it_is_not_well() {
        for kind in Kind::ALL {
            for language in Language::ALL {
                assert!(!kind.found(language).is_empty(), "{kind:?}");
                assert_eq!(kind.mend(language).is_empty(), kind.health() == Health::Good, "{kind:?}");
            }
            for of in [Kind::found, Kind::mend] {
                assert_eq!(holes(of(*kind, Language::En)), holes(of(*kind, Language::Tr)), "{kind:?} says the same values in both");
            }
        }
    }

    #[test]
    fn codes_are_their_kind_s_own() {
        let names: HashSet<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert_eq!(kind.name().replace('_', "").to_ascii_lowercase(), format!("{kind:?}").to_ascii_lowercase());
        }
    }
}
