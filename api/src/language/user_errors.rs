//! What `userErrors` say: refusals that a caller can mend. As in the table of [`super`], what is narrower stands first.
use super::Phrase;

pub const PHRASES: &[Phrase] = &[
    // --- of sessions and passwords
    ("Too many attempts. Wait a quarter of an hour.", "", "Çok fazla deneme yapıldı. On beş dakika bekleyin."),
    ("The password has expired. Change it first.", "", "Parolanın süresi doldu. Önce değiştirin."),
    ("The password must be changed first.", "", "Önce parolanın değiştirilmesi gerekiyor."),
    ("The password is wrong.", "", "Parola yanlış."),
    (
        "User name or password is wrong, or the account is locked or closed.",
        "",
        "Kullanıcı adı veya parola yanlış ya da hesap kilitli veya kapalı.",
    ),
    ("This account has nothing to do here, or not now.", "", "Bu hesabın burada şu an yetkisi yok."),
    ("The session has ended. Sign in again.", "", "Oturum sona erdi. Yeniden giriş yapın."),
    (
        "User name or code is wrong, or the code was used, has expired or was tried too often. Your personnel unit can have a new one sent.",
        "",
        "Kullanıcı adı veya kod yanlış; ya da kod kullanılmış, süresi dolmuş veya çok kez denenmiş. Personel biriminiz yenisini gönderebilir.",
    ),
    (
        "The code is wrong, or was used, has expired or was tried too often. Begin again to get a new one.",
        "",
        "Kod yanlış; ya da kullanılmış, süresi dolmuş veya çok kez denenmiş. Yeni bir kod için baştan başlayın.",
    ),
    (
        "This took too long, or was begun in another window. Begin again.",
        "",
        "Süre doldu ya da işlem başka bir pencerede başlatıldı. Baştan başlayın.",
    ),
    ("Write the user name as you sign in with it.", "", "Kullanıcı adınızı oturum açarken yazdığınız gibi yazın."),
    ("Write the eleven digits of your national id.", "", "T.C. kimlik numaranızın on bir rakamını yazın."),
    ("At least {} characters.", "", "En az {0} karakter olmalı."),
    ("At most 256 characters.", "", "En fazla 256 karakter olabilir."),
    (
        "Three kinds out of four: capitals, small letters, digits, signs.",
        "",
        "Şu dört türden en az üçü bulunmalı: büyük harf, küçük harf, rakam, işaret.",
    ),
    ("Without your name or user name.", "", "Adınızı, soyadınızı veya kullanıcı adınızı içermemeli."),
    ("Not one that is easily guessed.", "", "Kolay tahmin edilen bir parola olmamalı."),
    ("Not one of the last {} passwords.", "", "Daha önce kullanılan son {0} paroladan biri olmamalı."),
    (
        "The password was changed a short while ago; it cannot be changed again within {} days.",
        "",
        "Parola kısa süre önce değiştirildi; {0} gün geçmeden yeniden değiştirilemez.",
    ),
    // --- of phones
    (
        "Too many codes were asked for. Wait a minute, or an hour where that does not help.",
        "",
        "Çok fazla kod istendi. Bir dakika, yetmezse bir saat bekleyin.",
    ),
    ("This is the number already.", "", "Numara zaten bu."),
    (
        "The code is wrong, was used, has expired or was tried too often. Ask for a new one.",
        "",
        "Kod yanlış; ya da kullanılmış, süresi dolmuş veya çok kez denenmiş. Yeni bir kod isteyin.",
    ),
    ("There is no such person, or no account.", "", "Böyle bir kişi ya da hesabı yok."),
    ("One's own phones are changed with password and code.", "", "Kendi telefonunuzu parolanız ve kodla değiştirin."),
    ("This is not a mobile number.", "", "Bu bir cep telefonu numarası değil."),
    ("This is a landline, not a mobile number.", "", "Bu sabit hat, cep telefonu numarası değil."),
    ("The number has too few or too many digits.", "", "Numaranın rakamları eksik ya da fazla."),
    ("This is not a phone number.", "", "Bu bir telefon numarası değil."),
    ("An extension is at most 16 digits.", "", "Dahili numara en çok 16 rakamdır."),
    ("Say why, in 5 to 300 characters.", "", "Gerekçeyi 5-300 karakterle yazın."),
    // --- of roles and service accounts
    ("This is not the id of a card.", "", "Bu bir kimlik kartının kimliği (id) değil."),
    ("This is not the id of a grant.", "", "Bu bir rol atamasının kimliği (id) değil."),
    ("This is not the id of a service account.", "", "Bu bir hizmet hesabının kimliği (id) değil."),
    ("There is no such person.", "", "Böyle bir kişi yok."),
    ("There is no unit {}.", "", "{0} kodlu bir birim yok."),
    (
        "this role comes of itself; auditor, administrator and personnel_officer can be granted",
        "This role comes of itself: AUDITOR, ADMINISTRATOR and PERSONNEL_OFFICER can be granted.",
        "Bu rol kendiliğinden gelir; atanabilenler: AUDITOR, ADMINISTRATOR ve PERSONNEL_OFFICER.",
    ),
    ("name the units of a personnel officer", "Name the units of a personnel officer.", "Personel yetkilisinin birimlerini yazın."),
    (
        "only a personnel officer is granted for units",
        "Only a personnel officer is granted for units.",
        "Birimler yalnızca personel yetkilisi rolünde yazılır.",
    ),
    (
        "it must end after it begins, after now, and within 366 days",
        "It must end after it begins, after now, and within 366 days.",
        "Bitiş, başlangıçtan ve şu andan sonra, en çok 366 gün içinde olmalı.",
    ),
    ("say why, in at most 500 characters", "Say why, in at most 500 characters.", "Gerekçeyi en çok 500 karakterle yazın."),
    (
        "3 to 64 small letters, digits and hyphens, the first a letter",
        "3 to 64 small letters, digits and hyphens, the first a letter.",
        "3-64 küçük harf, rakam ve kısa çizgi; ilki harf olmalı.",
    ),
    ("name at least one scope", "Name at least one scope.", "En az bir yetki (scope) yazın."),
    (
        "say who answers for it, in at most 200 characters",
        "Say who answers for it, in at most 200 characters.",
        "Hesaptan kimin sorumlu olduğunu en çok 200 karakterle yazın.",
    ),
    (
        "it must end after now, and within 366 days",
        "It must end after now, and within 366 days.",
        "Bitiş şu andan sonra, en çok 366 gün içinde olmalı.",
    ),
    ("A number from 0 to 168.", "", "0 ile 168 arasında bir sayı olmalı."),
    ("there is no grant {}", "There is no such grant.", "Böyle bir rol ataması yok."),
    ("grant {} was revoked before", "The grant was taken back before.", "Rol ataması daha önce geri alınmış."),
    ("there is no service account {}", "There is no such service account.", "Böyle bir hizmet hesabı yok."),
    (
        "there is, or was, a service account {}",
        "There is, or was, a service account {0}. Take another name.",
        "{0} adlı bir hizmet hesabı var ya da vardı. Başka bir ad seçin.",
    ),
    (
        "{} was revoked or has expired",
        "The service account {0} was revoked or has expired.",
        "{0} hizmet hesabı iptal edilmiş ya da süresi dolmuş.",
    ),
    // --- of holds and issues
    ("This is not the id of a hold.", "", "Bu, bekletilen bir değişiklik grubunun (hold) kimliği değil."),
    ("One of these is not the id of a card.", "", "Bunlardan biri bir kimlik kartının kimliği (id) değil."),
    ("Name at least one, or leave it out to decide for all.", "", "En az bir kişi yazın ya da herkes için karar vermek üzere boş bırakın."),
    ("At most 1,000 characters.", "", "En çok 1.000 karakter."),
    ("there is no hold {}", "There is no such hold.", "Böyle bir bekletilen değişiklik grubu (hold) yok."),
    (
        "hold {} is no longer open: it is approved",
        "The hold is no longer open: it was approved.",
        "Bekletilen değişiklik grubu (hold) artık açık değil: onaylanmış.",
    ),
    (
        "hold {} is no longer open: it is rejected",
        "The hold is no longer open: it was rejected.",
        "Bekletilen değişiklik grubu (hold) artık açık değil: reddedilmiş.",
    ),
    (
        "hold {} is no longer open: it is {}",
        "The hold is no longer open: another took its place.",
        "Bekletilen değişiklik grubu (hold) artık açık değil: yerini bir başkası almış.",
    ),
    (
        "hold {} has changed since it was looked at; it now holds {} people: look at it again",
        "The hold has changed since it was looked at; it now holds {1} people: look at it again.",
        "Bekletilen değişiklik grubu (hold) siz baktıktan sonra değişti; şimdi {1} kişi var: yeniden bakın.",
    ),
    ("there is no such issue", "There is no such issue.", "Böyle bir veri sorunu yok."),
    (
        "HR's row was refused, and accepting that would only hide it: HR has to mend it",
        "HR's row was refused, and accepting that would only hide it: HR has to mend it.",
        "Personel sisteminin satırı reddedildi; bunu kabul etmek sorunu yalnızca gizler. Personel sisteminde düzeltilmeli.",
    ),
    (
        "the issue is resolved: there is nothing left to accept",
        "The issue is resolved: there is nothing left to accept.",
        "Sorun çözülmüş; kabul edilecek bir şey kalmadı.",
    ),
    // --- of the store
    ("the database, {}", "Kimlik could not do this. The log says why.", "Kimlik bunu yapamadı. Nedeni günlükte."),
];
