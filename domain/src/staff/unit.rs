//! Units and their tree. The key is the DETSİS number: names change, numbers do not.
use super::person::RegistryNo;
use crate::day::Day;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// DETSİS number, 8 digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitCode(u32);

impl UnitCode {
    pub fn parse(text: &str) -> Option<UnitCode> {
        let text = text.trim();
        (text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok().map(UnitCode)).flatten()
    }
}
impl fmt::Display for UnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}
impl fmt::Debug for UnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}
impl TryFrom<String> for UnitCode {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        UnitCode::parse(&text).ok_or("not an 8-digit unit code")
    }
}
impl From<UnitCode> for String {
    fn from(code: UnitCode) -> String {
        code.to_string()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UnitKind {
    /// Merkez.
    Central,
    /// Taşra.
    Provincial,
}

/// Plate number, 1 to 81.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Province(u8);

impl Province {
    pub fn new(plate: u8) -> Option<Province> {
        (1..=81).contains(&plate).then_some(Province(plate))
    }
    pub fn parse(text: &str) -> Option<Province> {
        text.trim().parse().ok().and_then(Province::new)
    }
    pub fn plate(self) -> u8 {
        self.0
    }
    pub fn name(self) -> &'static str {
        PROVINCES[usize::from(self.0) - 1]
    }
    /// One allocation for all the cards of a province.
    pub fn shared_name(self) -> &'static Arc<str> {
        static NAMES: LazyLock<Vec<Arc<str>>> = LazyLock::new(|| PROVINCES.map(Arc::from).into());
        &NAMES[usize::from(self.0) - 1]
    }
    pub fn all() -> impl Iterator<Item = Province> {
        (1..=81).map(Province)
    }
}
impl fmt::Display for Province {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

const PROVINCES: [&str; 81] = [
    "Adana",
    "Adıyaman",
    "Afyonkarahisar",
    "Ağrı",
    "Amasya",
    "Ankara",
    "Antalya",
    "Artvin",
    "Aydın",
    "Balıkesir",
    "Bilecik",
    "Bingöl",
    "Bitlis",
    "Bolu",
    "Burdur",
    "Bursa",
    "Çanakkale",
    "Çankırı",
    "Çorum",
    "Denizli",
    "Diyarbakır",
    "Edirne",
    "Elazığ",
    "Erzincan",
    "Erzurum",
    "Eskişehir",
    "Gaziantep",
    "Giresun",
    "Gümüşhane",
    "Hakkâri",
    "Hatay",
    "Isparta",
    "Mersin",
    "İstanbul",
    "İzmir",
    "Kars",
    "Kastamonu",
    "Kayseri",
    "Kırklareli",
    "Kırşehir",
    "Kocaeli",
    "Konya",
    "Kütahya",
    "Malatya",
    "Manisa",
    "Kahramanmaraş",
    "Mardin",
    "Muğla",
    "Muş",
    "Nevşehir",
    "Niğde",
    "Ordu",
    "Rize",
    "Sakarya",
    "Samsun",
    "Siirt",
    "Sinop",
    "Sivas",
    "Tekirdağ",
    "Tokat",
    "Trabzon",
    "Tunceli",
    "Şanlıurfa",
    "Uşak",
    "Van",
    "Yozgat",
    "Zonguldak",
    "Aksaray",
    "Bayburt",
    "Karaman",
    "Kırıkkale",
    "Batman",
    "Şırnak",
    "Bartın",
    "Ardahan",
    "Iğdır",
    "Yalova",
    "Karabük",
    "Kilis",
    "Osmaniye",
    "Düzce",
];

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub code: UnitCode,
    pub parent: Option<UnitCode>,
    pub name: Arc<str>,
    /// At most 64 UTF-16 units: what the address book holds.
    pub short_name: Arc<str>,
    pub kind: UnitKind,
    pub province: Option<Province>,
    pub personnel_unit: Option<UnitCode>,
    pub head: Option<RegistryNo>,
    pub phone: Option<Arc<str>>,
    pub fax: Option<Arc<str>>,
    pub address: Option<Arc<str>>,
    pub city: Option<Arc<str>>,
    pub postal_code: Option<Arc<str>>,
    pub valid_from: Option<Day>,
    pub valid_to: Option<Day>,
    pub replaced_by: Option<UnitCode>,
}

/// All units, with the questions that rules ask of the tree. Total: circles and orphans end a walk, they do not hang it.
#[derive(Clone, Debug, Default)]
pub struct Units {
    by_code: HashMap<UnitCode, Arc<Unit>>,
}

/// Deeper than any real tree; ends a walk through a circle.
const DEEPEST: usize = 32;

impl Units {
    pub fn new(units: impl IntoIterator<Item = Unit>) -> Units {
        Units { by_code: units.into_iter().map(|u| (u.code, Arc::new(u))).collect() }
    }
    pub fn get(&self, code: UnitCode) -> Option<&Arc<Unit>> {
        self.by_code.get(&code)
    }
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Unit>> {
        self.by_code.values()
    }
    pub fn len(&self) -> usize {
        self.by_code.len()
    }
    pub fn is_empty(&self) -> bool {
        self.by_code.is_empty()
    }

    /// The unit that stands for `code` on `day`: itself, or what has replaced it (in as many steps as it takes).
    pub fn standing(&self, code: UnitCode, day: Day) -> Option<&Arc<Unit>> {
        let mut unit = self.get(code)?;
        for _ in 0..DEEPEST {
            match unit.replaced_by.and_then(|c| self.get(c)) {
                Some(next) if unit.valid_to.is_none_or(|last| last < day) && next.valid_from.is_none_or(|f| f <= day) => unit = next,
                _ => break,
            }
        }
        Some(unit)
    }

    /// From the unit up to the ministry.
    pub fn upward(&self, code: UnitCode) -> impl Iterator<Item = &Arc<Unit>> {
        std::iter::successors(self.get(code), |u| u.parent.and_then(|p| self.get(p))).take(DEEPEST)
    }

    /// The unit below the ministry that `code` belongs to: a general directorate, a provincial directorate.
    pub fn top(&self, code: UnitCode) -> Option<&Arc<Unit>> {
        let path: Vec<_> = self.upward(code).collect();
        match path.len() {
            0 => None,
            1 => path.first().copied(),
            n => path.get(n - 2).copied(),
        }
    }

    /// Who keeps the HR records of the people of `code`: the nearest naming upward.
    pub fn personnel_unit(&self, code: UnitCode) -> Option<UnitCode> {
        self.upward(code).find_map(|u| u.personnel_unit)
    }

    /// The nearest head upward who is not `person` themselves.
    pub fn head_above<'a>(&'a self, code: UnitCode, person: &'a RegistryNo) -> Option<&'a RegistryNo> {
        self.upward(code).filter_map(|u| u.head.as_ref()).find(|head| *head != person)
    }

    pub fn province(&self, code: UnitCode) -> Option<Province> {
        self.upward(code).find_map(|u| u.province)
    }

    /// A value that the unit has, or the nearest above it of its own kind: a province does not answer head office's phone.
    pub fn inherited<'a, T>(&'a self, code: UnitCode, of: impl Fn(&'a Unit) -> Option<T>) -> Option<T> {
        let kind = self.get(code)?.kind;
        self.upward(code).take_while(|u| u.kind == kind).find_map(|u| of(u))
    }

    /// Is `code` the unit `root` or below it?
    pub fn is_within(&self, code: UnitCode, root: UnitCode) -> bool {
        self.upward(code).any(|u| u.code == root)
    }

    pub fn put(&mut self, unit: Unit) {
        self.by_code.insert(unit.code, Arc::new(unit));
    }
}
