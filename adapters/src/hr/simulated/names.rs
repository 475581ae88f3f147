//! What the simulated ministry is made of: names of people, provinces' weights, units and titles. Data only.

pub const WOMEN: &[&str] = &[
    "Ayşe", "Fatma", "Emine", "Hatice", "Zeynep", "Elif", "Meryem", "Şerife", "Zehra", "Sultan", "Hanife", "Merve", "Havva", "Zeliha",
    "Esra", "Fadime", "Özlem", "Hacer", "Yasemin", "Hülya", "Melek", "Kübra", "Büşra", "Tuğba", "Songül", "Sevgi", "Aysel", "Gülsüm",
    "Derya", "Dilek", "Ebru", "Gamze", "Sibel", "Arzu", "Leyla", "Nurcan", "Sevim", "Türkan", "Filiz", "Rabia", "Pınar", "Gülay",
    "Gönül", "Ceren", "İpek", "İrem", "İlknur", "İclal", "Işıl", "Işın", "Ilgın", "Irmak", "Nagihan", "Necla", "Nilgün", "Nuray",
    "Oya", "Öykü", "Özge", "Perihan", "Reyhan", "Rukiye", "Saadet", "Safiye", "Seda", "Selin", "Semra", "Serap", "Sıdıka", "Sinem",
    "Şebnem", "Şeyma", "Şule", "Tülay", "Ümmühan", "Ümran", "Yıldız", "Yeşim", "Züleyha", "Çiğdem", "Çağla", "Defne", "Duygu", "Ece",
    "Eda", "Ezgi", "Feride", "Figen", "Füsun", "Gizem", "Gökçe", "Güler", "Gülşah", "Hande", "Hilal", "Jale", "Kader", "Lale",
    "Müge", "Müzeyyen", "Nazlı", "Neslihan", "Ayşegül", "Ayşenur", "Fatmanur", "Hayriye", "Mukaddes", "Muazzez", "Nurhayat", "Ülkü",
];

pub const MEN: &[&str] = &[
    "Mehmet", "Mustafa", "Ahmet", "Ali", "Hüseyin", "Hasan", "İbrahim", "İsmail", "Osman", "Yusuf", "Murat", "Ömer", "Ramazan", "Halil",
    "Süleyman", "Abdullah", "Mahmut", "Recep", "Salih", "Fatih", "Kadir", "Emre", "Hakan", "Adem", "Kemal", "Yaşar", "Bekir", "Musa",
    "Metin", "Bayram", "Orhan", "Serkan", "Serdar", "Furkan", "Gökhan", "Yakup", "İlhan", "İlker", "İsa", "İdris", "İhsan", "İrfan",
    "Işık", "Isa", "Cemal", "Cengiz", "Cihan", "Çağrı", "Çetin", "Deniz", "Doğan", "Doğukan", "Ekrem", "Enes", "Ercan", "Erdal",
    "Erdoğan", "Eren", "Erhan", "Ersin", "Faruk", "Ferhat", "Feridun", "Fikret", "Galip", "Gürkan", "Haluk", "Hamza", "Hayrettin",
    "Hikmet", "Kâmil", "Kazım", "Kenan", "Kerem", "Koray", "Levent", "Lütfi", "Mesut", "Muhammed", "Muhittin", "Muzaffer", "Nâzım",
    "Necati", "Nihat", "Nurettin", "Oğuz", "Oğuzhan", "Okan", "Onur", "Özgür", "Özkan", "Rıdvan", "Rıza", "Sabri", "Sadık", "Sefa",
    "Selçuk", "Selim", "Sıtkı", "Sinan", "Şaban", "Şahin", "Şükrü", "Tarık", "Tayfun", "Tuğrul", "Tuncay", "Turgut", "Uğur", "Ufuk",
    "Ümit", "Ünal", "Vedat", "Veysel", "Volkan", "Yasin", "Yavuz", "Yiğit", "Zafer", "Ziya", "Abdülkadir", "Abdurrahman", "Bünyamin",
];

pub const FAMILIES: &[&str] = &[
    "Yılmaz", "Kaya", "Demir", "Çelik", "Şahin", "Yıldız", "Yıldırım", "Öztürk", "Aydın", "Özdemir", "Arslan", "Doğan", "Kılıç",
    "Aslan", "Çetin", "Kara", "Koç", "Kurt", "Özkan", "Şimşek", "Polat", "Korkmaz", "Özcan", "Çakır", "Erdoğan", "Yavuz", "Can",
    "Acar", "Aktaş", "Güler", "Tekin", "Yalçın", "Güneş", "Bozkurt", "Bulut", "Keskin", "Ünal", "Gül", "Turan", "Özer", "Işık",
    "Kaplan", "Avcı", "Sarı", "Tunç", "Coşkun", "Köse", "Ateş", "Taş", "Erdem", "Çiftçi", "Uysal", "Duman", "Ay", "Güngör", "Kahraman",
    "Özkaya", "Bilgin", "Sönmez", "Yaman", "Şen", "Başaran", "Balcı", "Kocaman", "Karaca", "Karataş", "Karakaya", "Karadağ", "Akın",
    "Akbaş", "Akgül", "Akyol", "Aksoy", "Albayrak", "Alkan", "Altın", "Altuntaş", "Arıkan", "Ayhan", "Bakır", "Baş", "Bayrak", "Bektaş",
    "Biçer", "Boz", "Bozdağ", "Budak", "Büyük", "Candan", "Cengiz", "Ceylan", "Çağlar", "Çakmak", "Çalışkan", "Çam", "Çınar", "Çiçek",
    "Çolak", "Dağ", "Demirci", "Demirel", "Dinç", "Dinçer", "Doğru", "Durmaz", "Durmuş", "Eker", "Ekinci", "Elmas", "Er", "Eren",
    "Ergin", "Ergün", "Erkan", "Eroğlu", "Ersoy", "Esen", "Gedik", "Genç", "Gök", "Gökçe", "Gökmen", "Göktaş", "Gümüş", "Gündoğdu",
    "Gündüz", "Gürbüz", "Gürsoy", "Güven", "Hazar", "Ilgaz", "Irmak", "Işıklı", "İğneci", "İnan", "İnce", "İpek", "Kalkan", "Karabulut",
    "Karaman", "Karaosmanoğlu", "Karamustafapaşaoğlu", "Kartal", "Kayhan", "Kaymak", "Kızılkaya", "Kırmızı", "Kocabaş", "Kocaoğlu",
    "Küçük", "Küçükkurt", "Mert", "Mutlu", "Narin", "Oğuz", "Okur", "Oral", "Orhan", "Öcal", "Öğüt", "Ömeroğlu", "Önal", "Öncü",
    "Öz", "Özbek", "Özçelik", "Özdoğan", "Özel", "Özgür", "Özmen", "Özyurt", "Parlak", "Pehlivan", "Pektaş", "Sağlam", "Saka",
    "Sarıkaya", "Savaş", "Sever", "Sevim", "Sezer", "Sezgin", "Soylu", "Şanlı", "Şeker", "Şentürk", "Tan", "Taşçı", "Taşdemir",
    "Tatar", "Temel", "Tokgöz", "Topal", "Topçu", "Toprak", "Tosun", "Tuna", "Türk", "Türkmen", "Uçar", "Uçkun", "Ulusoy", "Uyar",
    "Uzun", "Uzunçarşılıoğlu", "Ülker", "Üstün", "Vural", "Yağcı", "Yaşar", "Yazıcı", "Yeşil", "Yiğit", "Yurt", "Yüce", "Yücel",
    "Yüksel", "Zengin", "Zorlu", "Büyükkaraosmanoğlu", "Hacıömeroğlu", "Mollaibrahimoğlu", "Değirmencioğlu", "Gümüşhaneoğlu",
];

/// Central units with their departments; the first is where HR's own records are kept.
pub const CENTRAL: &[(&str, &[&str])] = &[
    ("Personel Genel Müdürlüğü", &["Atama", "Kadro ve Özlük Hakları", "Eğitim", "Disiplin ve Sicil"]),
    ("Özel Kalem Müdürlüğü", &[]),
    ("Mekânsal Planlama Genel Müdürlüğü", &["Planlama", "Kıyı Yapıları", "Kentsel Tasarım", "Çevre Düzeni Planları"]),
    ("Çevre Yönetimi Genel Müdürlüğü", &["Su ve Toprak Yönetimi", "Hava Yönetimi", "Atık Yönetimi", "Deniz ve Kıyı Yönetimi"]),
    ("Çevresel Etki Değerlendirmesi, İzin ve Denetim Genel Müdürlüğü", &["ÇED İzleme", "Çevre Denetimi", "Çevre İzin ve Lisans"]),
    ("Yapı İşleri Genel Müdürlüğü", &["Yapım", "Proje", "Yapı Denetimi", "Enerji Verimliliği ve Tesisat", "İhale"]),
    ("Tabiat Varlıklarını Koruma Genel Müdürlüğü", &["Doğal Sit Alanları", "Özel Çevre Koruma", "Araştırma ve İzleme"]),
    ("Altyapı ve Kentsel Dönüşüm Hizmetleri Genel Müdürlüğü", &["Kentsel Dönüşüm", "Riskli Yapılar", "Altyapı", "Kamulaştırma"]),
    ("Mesleki Hizmetler Genel Müdürlüğü", &["Kooperatifler", "Yapı Malzemeleri", "Yetkilendirme"]),
    ("Yerel Yönetimler Genel Müdürlüğü", &["Belediyeler", "İl Özel İdareleri", "Mevzuat ve Denetim"]),
    ("Coğrafi Bilgi Sistemleri Genel Müdürlüğü", &["Coğrafi Veri", "Yazılım Geliştirme", "Akıllı Şehirler"]),
    ("Millî Emlak Genel Müdürlüğü", &["Satış", "Kira ve İrtifak", "Kamu Taşınmazları", "Tahsis"]),
    ("İklim Değişikliği Başkanlığı", &["Uyum", "Sera Gazı Azaltımı", "Karbon Piyasaları"]),
    ("Strateji Geliştirme Başkanlığı", &["Bütçe ve Performans", "Muhasebe", "İç Kontrol"]),
    ("Bilgi Teknolojileri Genel Müdürlüğü", &["Sistem ve Ağ", "Yazılım", "Siber Güvenlik", "Kullanıcı Destek"]),
    ("Hukuk Hizmetleri Genel Müdürlüğü", &["Davalar", "Mütalaa"]),
    ("Rehberlik ve Teftiş Başkanlığı", &[]),
    ("Destek Hizmetleri Dairesi Başkanlığı", &["Satın Alma", "Ulaştırma", "Sosyal Tesisler"]),
    ("Avrupa Birliği ve Dış İlişkiler Genel Müdürlüğü", &["Avrupa Birliği", "İkili İlişkiler"]),
    ("Basın ve Halkla İlişkiler Müşavirliği", &[]),
];

/// Branches of a provincial directorate, in the order in which small ones have them; the first keeps the HR records.
pub const BRANCHES: &[&str] = &[
    "Personel Şube Müdürlüğü",
    "İmar ve Planlama Şube Müdürlüğü",
    "Yapı Denetimi ve Yapı Malzemeleri Şube Müdürlüğü",
    "ÇED ve Çevre İzinleri Şube Müdürlüğü",
    "Altyapı ve Kentsel Dönüşüm Şube Müdürlüğü",
    "Millî Emlak Şube Müdürlüğü",
    "Çevre Yönetimi ve Denetimi Şube Müdürlüğü",
    "Tabiat Varlıklarını Koruma Şube Müdürlüğü",
];

pub const TITLES: &[&str] = &[
    "Memur", "Veri Hazırlama ve Kontrol İşletmeni", "Mühendis", "Mimar", "Şehir Plancısı", "Tekniker", "Teknisyen", "Şef", "Uzman",
    "Çevre ve Şehircilik Uzmanı", "Çevre ve Şehircilik Uzman Yardımcısı", "Avukat", "Programcı", "Çözümleyici", "İstatistikçi",
    "Kimyager", "Biyolog", "Millî Emlak Uzmanı", "Hizmetli", "Şoför",
];

/// Plate numbers of the provinces with many people, and how many shares each has where others have one.
pub const LARGE: &[(u8, u32)] = &[(6, 5), (34, 8), (35, 5), (1, 3), (7, 3), (16, 3), (27, 2), (31, 2), (38, 2), (41, 3), (42, 3), (55, 2), (63, 2), (46, 2)];

/// What a unit's name gets, and loses again, when somebody renames it.
pub const RENAMED: &str = " ve Koordinasyon";
