//! Turkish and English: which of them a caller reads, and what is said in it. English is the key, as in gettext: whoever writes
//! a message writes it in English where it arises, and its Turkish here. A test reads the sources for messages without one.
mod user_errors;

use axum::http::{HeaderMap, header};
use kimlik_domain::message;
use kimlik_domain::text::phrase::{fill, holes};

/// As a message arises; in better English where it arises in worse (empty: it is good as it is); in Turkish.
type Phrase = (&'static str, &'static str, &'static str);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    Turkish,
    #[default]
    English,
}

impl From<Language> for message::Language {
    fn from(language: Language) -> message::Language {
        match language {
            Language::Turkish => message::Language::Tr,
            Language::English => message::Language::En,
        }
    }
}

impl Language {
    /// Of `Accept-Language`: the one of the two that is wanted more; English where neither is named.
    pub fn of(headers: &HeaderMap) -> Language {
        let text = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let mut best = (0.0_f32, Language::default());
        for part in text.split(',') {
            let mut pieces = part.split(';').map(str::trim);
            let tag = pieces.next().unwrap_or("").split('-').next().unwrap_or("");
            let language = match tag {
                t if t.eq_ignore_ascii_case("tr") => Language::Turkish,
                t if t.eq_ignore_ascii_case("en") => Language::English,
                _ => continue,
            };
            let weight = pieces.find_map(|p| p.strip_prefix("q=")).map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }

    /// `message` in this language; as it is where nobody has put it down.
    pub fn say(self, message: &str) -> String {
        let found = phrases().find_map(|phrase| holes(phrase.0, message).map(|values| (phrase, values)));
        match (found, self) {
            (Some(((_, _, turkish), values)), Language::Turkish) => fill(turkish, &values),
            (Some(((_, english, _), values)), Language::English) if !english.is_empty() => fill(english, &values),
            _ => message.to_owned(),
        }
    }
}

fn phrases() -> impl Iterator<Item = &'static Phrase> {
    PHRASES.iter().chain(user_errors::PHRASES)
}

/// What is narrower stands first.
const PHRASES: &[Phrase] = &[
    // --- of the transport
    ("Send the request with content-type: application/json.", "", "İsteği content-type: application/json ile gönderin."),
    (
        "Kimlik answers application/graphql-response+json, application/json or text/event-stream.",
        "",
        "Kimlik application/graphql-response+json, application/json veya text/event-stream ile yanıt verir.",
    ),
    (
        "Send one JSON object with `query`, and `variables` as an object. Batches are not answered.",
        "",
        "`query` ve nesne olarak `variables` içeren tek bir JSON nesnesi gönderin. Toplu istekler yanıtlanmaz.",
    ),
    ("This is not JSON (line {}, column {}).", "", "Bu JSON değil (satır {0}, sütun {1})."),
    ("GraphQL is asked with GET or POST.", "", "GraphQL'e GET veya POST ile sorulur."),
    ("What changes something is sent with POST.", "", "Değişiklik yapan istekler POST ile gönderilir."),
    ("The parameter {} is not the JSON of an object.", "", "{0} parametresi bir JSON nesnesi değil."),
    ("The parameter query is missing.", "", "query parametresi eksik."),
    ("The request is longer than {} octets.", "", "İstek {0} bayttan uzun."),
    ("The request could not be read to its end.", "", "İstek sonuna kadar okunamadı."),
    (
        "A subscription is answered over a WebSocket, or with accept: text/event-stream.",
        "",
        "Aboneliğe WebSocket üzerinden veya accept: text/event-stream ile yanıt verilir.",
    ),
    (
        "This took too long and was ended. Ask for less at once.",
        "",
        "İşlem çok uzun sürdü ve sonlandırıldı. Bir kerede daha azını isteyin.",
    ),
    ("Pages of another site may not open a WebSocket here.", "", "Başka bir sitenin sayfaları burada WebSocket açamaz."),
    ("Too many connections of this caller at once: at most {}.", "", "Bu kullanıcının aynı anda çok fazla bağlantısı var: en çok {0}."),
    ("Too many operations on this connection at once: at most {}.", "", "Bu bağlantıda aynı anda çok fazla işlem var: en çok {0}."),
    (
        "This token is not valid, or not any more. Sign in again.",
        "",
        "Bu belirteç geçerli değil ya da artık geçerli değil. Yeniden giriş yapın.",
    ),
    ("The token cannot be looked up now. Try again later.", "", "Belirteç şu anda doğrulanamıyor. Daha sonra yeniden deneyin."),
    // --- of the limits
    ("The query is longer than {} characters.", "", "Sorgu {0} karakterden uzun."),
    ("The query has more than {} words and signs.", "", "Sorguda {0} taneden fazla sözcük ve işaret var."),
    ("The query is nested more than {} deep.", "", "Sorgu {0} düzeyden derin."),
    ("Query is nested too deep.", "The query is nested more than 20 deep.", "Sorgu 20 düzeyden derin."),
    (
        "Query is too complex.",
        "The query asks for too much at once: take smaller pages, or fewer fields of each item.",
        "Sorgu bir kerede çok fazla şey istiyor: daha küçük sayfalar ya da öğe başına daha az alan isteyin.",
    ),
    (
        "The amount of aliases of the query cannot be greater than `{}`",
        "The query has more than {0} aliases.",
        "Sorguda {0} taneden fazla takma ad (alias) var.",
    ),
    (
        "The number of directives on the field `{}` cannot be greater than `{}`",
        "The field {0} has more than {1} directives.",
        "{0} alanında {1} taneden fazla yönerge (directive) var.",
    ),
    (
        "The recursion depth of the query cannot be greater than `{}`",
        "The query is nested more than {0} deep.",
        "Sorgu {0} düzeyden derin.",
    ),
    ("{}: U+0000 is not a character of any text.", "", "{0}: U+0000 hiçbir metnin karakteri değildir."),
    // --- of why a card differs
    ("{} changed by hand in the directory", "", "dizinde elle değiştirilmiş: {0}"),
    ("HR's record changed (HR reason {})", "", "İK kaydı değişti (İK neden kodu {0})"),
    ("HR's record changed", "", "İK kaydı değişti"),
    ("transfer to {} from {} (HR reason {})", "", "{1} biriminden {0} birimine nakil (İK neden kodu {2})"),
    ("transfer to {} from {}", "", "{1} biriminden {0} birimine nakil"),
    ("seconded to {} until {}", "", "geçici görev: {0}, {1} tarihine kadar"),
    ("seconded to {}", "", "geçici görev: {0}"),
    ("secondment over, back to {}", "", "geçici görev bitti, dönülen birim: {0}"),
    ("unit {} changed", "", "birim değişti: {0}"),
    ("new name, formerly {}", "", "yeni ad; eskisi: {0}"),
    ("the manager is another one", "", "amir değişti"),
    ("existing account found by {}", "", "var olan hesap, eşleştiren: {0}"),
    (
        "{} is {} characters long and was cut: the address book holds {}",
        "",
        "{0} {1} karakter uzunluğunda, kesildi: adres defteri {2} karakter alır",
    ),
    (
        "an e-mail address policy of Exchange writes {}: exclude this recipient from it, or let the policy make the same address",
        "",
        "Exchange'in bir e-posta adresi ilkesi yazıyor: {0}. Bu alıcıyı ilkenin dışında bırakın ya da ilke aynı adresi üretsin",
    ),
    ("the account is protected ({}): Kimlik does not write it", "", "hesap korumalı ({0}): Kimlik yazmaz"),
    // --- of arguments
    ("{}: at most {}, not {}.", "", "{0}: en çok {1} olabilir, {2} olamaz."),
    ("{}: a number from 0 to {}, not {}.", "", "{0}: 0 ile {1} arasında bir sayı olmalı, {2} olamaz."),
    (
        "{}: this cursor does not belong to this list. Take the endCursor of a page of identityCardChanges, or null.",
        "",
        "{0}: bu imleç bu listeye ait değil. identityCardChanges sayfasının endCursor değerini ya da null verin.",
    ),
    ("{}: this is not the id of a province; province_06 is Ankara's.", "", "{0}: bu bir il kimliği değil; Ankara için province_06."),
    ("first and last: one of them, not both.", "", "first ve last: ikisi birden değil, yalnızca biri."),
    (
        "last and before: those who have left are read from the beginning, with first and after.",
        "",
        "last ve before: ayrılanlar baştan okunur, first ve after kullanın.",
    ),
    ("days: a number from 1 to 366, not {}.", "", "days: 1 ile 366 arasında bir sayı olmalı, {0} olamaz."),
    ("asOf: a day from today to ten years from now.", "", "asOf: bugünden on yıl sonrasına kadar bir gün."),
    ("{}: People or a unit, not both.", "", "{0}: kişiler ya da bir birim, ikisi birden değil."),
    ("{}: Name 1 to 1000 people.", "", "{0}: 1 ile 1000 arasında kişi yazın."),
    ("{}: One of these is not the id of a card.", "", "{0}: bunlardan biri bir kart kimliği değil."),
    ("People or a unit, not both.", "", "Kişiler ya da bir birim, ikisi birden değil."),
    ("Name 1 to 1000 people.", "", "1 ile 1000 arasında kişi yazın."),
    ("One of these is not the id of a card.", "", "Bunlardan biri bir kart kimliği değil."),
    ("There is no such unit.", "", "Böyle bir birim yok."),
    ("One of these is nobody.", "", "Bunlardan biri kimseye ait değil."),
    (
        "A run over everybody is under way: syncRuns shows it. Try again when it has ended.",
        "",
        "Herkesi kapsayan bir çalışma sürüyor: syncRuns gösterir. Bitince yeniden deneyin.",
    ),
    // --- of operations
    ("There is no such operation.", "", "Böyle bir işlem yok."),
    ("This operation has not failed: there is nothing to try again.", "", "Bu işlem başarısız olmadı: yeniden denenecek bir şey yok."),
    // --- of data issues
    ("There is no such issue.", "", "Böyle bir veri sorunu yok."),
    ("Nobody decides about themselves.", "", "Kimse kendisi hakkında karar veremez."),
    (
        "HR's row was refused, and accepting that would only hide it: HR has to mend it.",
        "",
        "İK satırı reddedildi; kabul etmek sorunu yalnızca gizler. İK düzeltmeli.",
    ),
    ("This decision is not one of the issue's.", "", "Bu karar bu sorun için verilemez."),
    ("One line of at most 500 characters.", "", "En çok 500 karakterlik tek satır."),
    ("the issue is resolved: there is nothing left to accept", "", "Sorun çözülmüş: kabul edilecek bir şey kalmadı."),
    ("{}: at most {} values of a kind.", "", "{0}: aynı türden en fazla {1} değer."),
    (
        "{}: this cursor does not belong to this list. Take the endCursor of a page of the same list, or leave it out.",
        "",
        "{0}: bu imleç bu listeye ait değil. Aynı listenin bir sayfasındaki endCursor değerini verin ya da boş bırakın.",
    ),
    ("{}: this is not the id of a {}.", "", "{0}: bu bir {1} kimliği değil."),
    (
        "after: this cursor is of another feed (the database was made anew or restored). Start again with null.",
        "",
        "after: bu imleç başka bir akışa ait (veritabanı yeniden kurulmuş ya da yedekten dönülmüş). null ile yeniden başlayın.",
    ),
    ("{}: at most {} ids.", "", "{0}: en çok {1} kimlik (id)."),
    ("{}: this is not an id.", "", "{0}: bu bir kimlik değil."),
    ("{}: control characters are not part of a name.", "", "{0}: denetim karakterleri bir adın parçası olamaz."),
    ("{}: at most {} characters, of one line and without %.", "", "{0}: en çok {1} karakter, tek satır ve % işareti olmadan."),
    ("{}: at most {} characters.", "", "{0}: en çok {1} karakter."),
    // --- of the library
    (" --> {}:{}\n{}= {}", "The query cannot be read at line {0}, column {1}: {3}.", "Sorgu okunamadı, satır {0}, sütun {1}: {3}."),
    (
        "Failed to parse \"Int\": Only integers from {} to {} are accepted.{}",
        "A whole number from {0} to {1} is expected.",
        "{0} ile {1} arasında bir tam sayı bekleniyor.",
    ),
    (
        "Failed to parse \"Int\": Invalid number{}",
        "A whole number from -2147483648 to 2147483647 is expected.",
        "-2147483648 ile 2147483647 arasında bir tam sayı bekleniyor.",
    ),
    ("Failed to parse \"UnitCode\": a unit code is 8 digits{}", "A unit code is 8 digits.", "Birim kodu 8 rakamdan oluşur."),
    (
        "Failed to parse \"RegistryNumber\": a registry number is 1 to 16 letters, digits, -, / or .{}",
        "A registry number is 1 to 16 letters, digits, -, / or .",
        "Sicil numarası 1-16 harf, rakam, -, / veya . işaretinden oluşur.",
    ),
    ("Failed to parse \"{}\": {}", "", "\"{0}\" türünde bir değer olarak okunamadı: {1}"),
    ("Unknown field \"{}\" on type \"{}\".{}", "", "\"{1}\" türünde \"{0}\" alanı yok.{2}"),
    ("Unknown argument \"{}\" on field \"{}\" of type \"{}\".{}", "", "\"{2}\" türünün \"{1}\" alanında \"{0}\" argümanı yok.{3}"),
    ("Unknown argument \"{}\" on directive \"{}\".{}", "", "\"{1}\" yönergesinde \"{0}\" argümanı yok.{2}"),
    ("Unknown directive \"{}\"", "", "\"{0}\" yönergesi yok."),
    ("Unknown type \"{}\"", "", "\"{0}\" türü yok."),
    ("Unknown fragment: \"{}\"", "", "\"{0}\" parçası yok."),
    ("Unknown operation named \"{}\"", "", "\"{0}\" adlı işlem yok."),
    ("Operation name required in request.", "", "İstekte işlem adı gerekli."),
    (
        "Field \"{}\" argument \"{}\" of type \"{}\" is required but not provided",
        "",
        "\"{0}\" alanının \"{2}\" türündeki \"{1}\" argümanı gerekli, ama verilmedi.",
    ),
    (
        "Field \"{}\" must not have a selection since type \"{}\" has no subfields",
        "",
        "\"{0}\" alanından alt alan seçilemez: \"{1}\" türünün alt alanı yok.",
    ),
    (
        "Field \"{}\" of type \"{}\" must have a selection of subfields",
        "",
        "\"{1}\" türündeki \"{0}\" alanının hangi alt alanlarının istendiği yazılmalı.",
    ),
    ("Variable \"${}\" is not defined by operation \"{}\"", "", "\"{1}\" işlemi \"${0}\" değişkenini tanımlamıyor."),
    ("Variable \"${}\" is not defined", "", "\"${0}\" değişkeni tanımlı değil."),
    ("Variable \"${}\" is not used by operation \"{}\"", "", "\"{1}\" işlemi \"${0}\" değişkenini kullanmıyor."),
    ("Variable \"${}\" is not used", "", "\"${0}\" değişkeni kullanılmıyor."),
    (
        "Variable \"{}\" of type \"{}\" used in position expecting type \"{}\"",
        "",
        "\"{1}\" türündeki \"{0}\" değişkeni \"{2}\" türü beklenen yerde kullanıldı.",
    ),
    ("The variable ${} of type {} was not sent.", "", "{1} türündeki ${0} değişkeni gönderilmedi."),
    ("Invalid value for argument {}", "", "Argümanın değeri geçersiz: {0}"),
    ("Fragment \"{}\" is never used", "", "\"{0}\" parçası hiç kullanılmıyor."),
    ("Duplicate directive \"{}\"", "", "\"{0}\" yönergesi iki kez yazılmış."),
    ("There can only be one argument named \"{}\"", "", "\"{0}\" argümanı yalnızca bir kez yazılabilir."),
    // --- of webhooks
    (
        "This is not the address of a receiver: https://, a host, and a path.",
        "",
        "Bu bir alıcı adresi değil: https://, bir sunucu adı ve bir yol gerekir.",
    ),
    ("An address of at most 2000 characters.", "", "Adres en çok 2000 karakter olabilir."),
    ("Only https:// is taken.", "", "Yalnızca https:// kabul edilir."),
    ("An address holds no user name, password or fragment.", "", "Adreste kullanıcı adı, parola veya # sonrası bölüm bulunamaz."),
    (
        "Kimlik does not send to this address. An administrator can name the host under webhooks.private_hosts.",
        "",
        "Kimlik bu adrese göndermez. Bir yönetici sunucuyu webhooks.private_hosts altında tanımlayabilir.",
    ),
    ("Name at least one event, or leave it out for all.", "", "En az bir olay yazın ya da hepsi için boş bırakın."),
    ("This is not the id of a webhook.", "", "Bu bir webhook kimliği değil."),
    ("There is no such webhook.", "", "Böyle bir webhook yok."),
    ("There are {} webhooks already.", "", "Zaten {0} webhook var."),
    ("This is not the sequence of an event that is kept.", "", "Bu, saklanan bir olayın sıra numarası değil."),
    (
        "The database does not answer now. Nothing was decided; look again and try later.",
        "",
        "Veritabanı şu anda yanıt vermiyor. Hiçbir karar verilmedi; daha sonra yeniden bakıp deneyin.",
    ),
    // --- of records handed in
    ("At least one record.", "", "En az bir kayıt gerekli."),
    ("At most 5000 records at a time.", "", "Bir kerede en çok 5000 kayıt."),
    ("A key has 1 to 100 characters.", "", "Anahtar 1-100 karakter olmalı."),
    (
        "Only a snapshot has parts; a delta is whole by itself.",
        "",
        "Yalnızca tam liste (SNAPSHOT) parçalara bölünür; değişiklik listesi (DELTA) kendi başına tamdır.",
    ),
    ("Parts are numbered from 1 to 1000.", "", "Parçalar 1'den 1000'e kadar numaralanır."),
    ("This key was used for another input.", "", "Bu anahtar başka bir girdi için kullanıldı."),
    (
        "This part does not fit those that are there: it is there already, lies behind the last one, or is another last one.",
        "",
        "Bu parça var olanlarla uyuşmuyor: ya zaten var, ya son parçadan sonra, ya da ikinci bir son parça.",
    ),
    (
        "Nothing of it was taken: too many of its records cannot be right, so the whole is believed to be wrong.",
        "",
        "Hiçbir kayıt alınmadı: kayıtların çoğu doğru olamayacağı için listenin tümü hatalı sayıldı.",
    ),
    // --- of ours and the neighbours'
    (
        "Something that Kimlik needs for this does not answer now. Try again later.",
        "",
        "Kimlik'in bunun için ihtiyaç duyduğu bir sistem şu anda yanıt vermiyor. Daha sonra yeniden deneyin.",
    ),
    ("Kimlik could not do this. The log says why.", "", "Kimlik bunu yapamadı. Nedeni günlükte."),
    // --- of deeds on accounts
    ("Give a reason, in one line.", "", "Tek satırlık bir gerekçe yazın."),
    ("A reason has at most 500 characters.", "", "Gerekçe en çok 500 karakter olabilir."),
    ("There is no such member of staff.", "", "Böyle bir personel yok."),
    (
        "The directory does not answer now. Nothing was done; try again later.",
        "",
        "Dizin hizmeti şu anda yanıt vermiyor. Hiçbir işlem yapılmadı; daha sonra yeniden deneyin.",
    ),
    ("The unit is only observed: Kimlik does not write its accounts.", "", "Bu birim yalnızca gözlemleniyor: Kimlik hesaplarına yazmıyor."),
    (
        "The account is protected: Kimlik does not write it. Have the directory's administrators do it.",
        "",
        "Hesap korumalı: Kimlik bu hesaba yazmıyor. İşlemi dizin yöneticilerine yaptırın.",
    ),
    ("This key was used for another input. Take a new one.", "", "Bu anahtar başka bir istekte kullanılmış. Yeni bir anahtar seçin."),
    ("The account is suspended by order already.", "", "Hesap zaten talimatla askıya alınmış."),
    ("The account is not suspended by order.", "", "Hesap talimatla askıya alınmış değil."),
    (
        "You have ordered this for 20 accounts within a day, which is the limit.",
        "",
        "Bunu bir gün içinde 20 hesap için istediniz; sınıra ulaşıldı.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(text: &'static str) -> Language {
        Language::of(&HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(text))]))
    }

    #[test]
    fn the_language_that_is_wanted_more_is_spoken() {
        assert_eq!(of("tr-TR,tr;q=0.9,en;q=0.8"), Language::Turkish);
        assert_eq!(of("de,en;q=0.5,tr;q=0.7"), Language::Turkish);
        assert_eq!(of("en-GB, tr;q=0.9"), Language::English);
        assert_eq!(of("tr;q=0"), Language::English);
        assert_eq!(of("*"), Language::English);
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
    }

    #[test]
    fn values_stand_where_the_language_wants_them() {
        let said = Language::Turkish.say("first: at most 100, not 101.");
        assert_eq!(said, "first: en çok 100 olabilir, 101 olamaz.");
        let said = Language::Turkish.say("Unknown field \"nme\" on type \"Unit\". Did you mean \"name\"?");
        assert_eq!(said, "\"Unit\" türünde \"nme\" alanı yok. Did you mean \"name\"?");
        assert_eq!(Language::Turkish.say("nobody put this down"), "nobody put this down");
        assert_eq!(Language::English.say("Query is nested too deep."), "The query is nested more than 20 deep.");
    }

    #[test]
    fn every_pattern_finds_itself_and_every_turkish_text_uses_what_it_was_given() {
        for (pattern, english, turkish) in phrases() {
            let count = pattern.matches("{}").count();
            let example = (0..count).fold((*pattern).to_owned(), |text, n| text.replacen("{}", &format!("<{n}>"), 1));
            assert_eq!(holes(pattern, &example).unwrap().len(), count, "{pattern}");
            for text in [english, turkish] {
                assert!(text.matches('{').count() <= count && !text.contains("{}"), "{text}");
            }
            assert!(!fill(turkish, &vec!["x"; count]).contains('{'), "{turkish}");
        }
    }

    const ROOT: &str = env!("CARGO_MANIFEST_DIR");

    fn sources(folders: &[&str]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for folder in folders {
            for entry in std::fs::read_dir(format!("{ROOT}/{folder}")).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    let below = path.strip_prefix(ROOT).unwrap().display().to_string();
                    found.extend(sources(&[&below]));
                } else if path.extension().is_some_and(|x| x == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let tested = text.split("#[cfg(test)]").next().unwrap_or_default();
                    found.push((path.display().to_string(), tested.to_owned()));
                }
            }
        }
        assert!(!found.is_empty(), "no sources in {folders:?}");
        found
    }

    /// The first literal behind each `marker`, with a word for each of its holes: as somebody would be told.
    fn literals(text: &str, marker: &str) -> Vec<String> {
        let mut found = Vec::new();
        for after in text.split(marker).skip(1) {
            let mut parts = after.split('"');
            let (Some(before), Some(literal)) = (parts.next(), parts.next()) else { continue };
            if before.contains([';', ')']) {
                continue;
            }
            let mut told = literal.to_owned();
            while let (Some(from), Some(to)) = (told.find('{'), told.find('}')) {
                told.replace_range(from..=to, "x");
            }
            found.push(told);
        }
        found
    }

    fn untranslated(messages: impl IntoIterator<Item = String>) -> Vec<String> {
        messages.into_iter().filter(|message| Language::Turkish.say(message) == *message).collect()
    }

    #[test]
    fn every_message_of_a_mistake_is_in_both_languages() {
        let sources = sources(&["src/graphql", "src/http"]);
        let messages: Vec<String> =
            sources.iter().flat_map(|(_, text)| [literals(text, "bad_input("), literals(text, "Refused::new(")].concat()).collect();
        assert!(messages.len() >= 10, "the sources were not found: {messages:?}");
        assert_eq!(untranslated(messages), Vec::<String>::new(), "write their Turkish into PHRASES");
    }

    /// Whole sentences in the code of the graph are said to somebody; those that describe the schema are in English only.
    #[test]
    fn every_sentence_of_the_graph_is_in_both_languages() {
        let mut sentences = Vec::new();
        for (path, text) in sources(&["src/graphql"]).iter().filter(|(path, _)| !path.ends_with("fault_words.rs")) {
            let lines =
                text.lines().map(str::trim).filter(|l| !l.starts_with("//") && !l.contains("desc = ") && !l.contains("description"));
            for line in lines {
                let said = line
                    .split('"')
                    .skip(1)
                    .step_by(2)
                    .filter(|l| l.ends_with('.') && l.contains(' ') && l.starts_with(char::is_uppercase) && !l.contains('{'));
                sentences.extend(said.map(|sentence| (path.clone(), sentence.to_owned())));
            }
        }
        assert!(sentences.len() >= 50, "the sources were not found: {sentences:?}");
        let naked: Vec<_> = sentences.into_iter().filter(|(_, s)| Language::Turkish.say(s) == *s).collect();
        assert!(naked.is_empty(), "write their Turkish into PHRASES: {naked:#?}");
    }

    /// What the domain and the store say to those who decide, grant and make.
    #[test]
    fn every_refusal_that_is_told_is_in_both_languages() {
        let read = |path: &str| std::fs::read_to_string(format!("{ROOT}/../{path}")).unwrap();
        let mut messages = Vec::new();
        for file in ["domain/src/access/grant.rs", "domain/src/access/service.rs", "domain/src/webhook/address.rs"] {
            messages.extend(literals(&read(file), "#[error("));
        }
        for noun in ["grant", "hold", "issue", "service_account", "webhook"] {
            messages.extend(literals(&read(&format!("adapters/src/store/{noun}.rs")), "PortError::refused("));
        }
        assert!(messages.len() >= 20, "the sources were not found: {messages:?}");
        assert_eq!(untranslated(messages), Vec::<String>::new(), "write their Turkish into language/user_errors.rs");
    }
}
