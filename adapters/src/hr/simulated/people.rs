//! A member of the simulated staff, and the rows that HR delivers of them.
use super::dice::Dice;
use super::names::{FAMILIES, MEN, TITLES, WOMEN};
use super::units::{Place, SimUnit};
use encoding_rs::WINDOWS_1254;
use kimlik_domain::day::Day;
use kimlik_domain::phone::write_back::ForHr;
use kimlik_domain::staff::feed::{Columns, Field, Row};
use kimlik_domain::text;
use std::fmt;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Serving,
    /// Left one unit, not yet arrived at the other.
    Between,
    OnLeave,
    Suspended,
    /// Has a last day in service, to come or past.
    Leaving,
    /// The hire was taken back.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A wrong check digit.
    NationalId,
    NoMobile,
    /// UTF-8 read as windows-1254.
    Mojibake,
}

#[derive(Clone, Copy)]
pub struct Overlay {
    pub kind: &'static str,
    pub unit: usize,
    pub start: Day,
    pub end: Day,
}

/// Phones as Kimlik wrote them back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Empty: none.
    Mobile(String),
    /// Number and extension.
    Work(String, String),
}

impl Written {
    pub fn of(numbers: &ForHr) -> Written {
        match numbers {
            ForHr::Mobile(mobile) => Written::Mobile(mobile.as_ref().map(|m| m.e164().to_owned()).unwrap_or_default()),
            ForHr::Work(work) => {
                let number = work.number.as_ref().map(|n| n.e164().to_owned()).unwrap_or_default();
                // Why without blanks: the position is words.
                let extension = work.extension.as_deref().unwrap_or_default().replace([' ', '='], "");
                Written::Work(number, extension)
            }
        }
    }
    pub fn parse(text: &str) -> Option<Written> {
        if let Some(mobile) = text.strip_prefix('m') {
            return Some(Written::Mobile(mobile.to_owned()));
        }
        let (number, extension) = text.strip_prefix('w')?.split_once('/')?;
        Some(Written::Work(number.to_owned(), extension.to_owned()))
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Written::Mobile(mobile) => write!(f, "m{mobile}"),
            Written::Work(number, extension) => write!(f, "w{number}/{extension}"),
        }
    }
}

pub struct SimPerson {
    /// The number behind the S of the registry number.
    pub registry: u32,
    /// The first nine digits of the national id.
    id: u32,
    pub woman: bool,
    pub given: (&'static str, Option<&'static str>),
    pub family: (&'static str, Option<&'static str>),
    /// HR keeps this name in capitals.
    capitals: bool,
    pub unit: usize,
    pub title: &'static str,
    pub start: Day,
    pub end: Option<Day>,
    pub reason: &'static str,
    pub posted: Day,
    pub state: State,
    pub overlay: Option<Overlay>,
    pub mobile: u32,
    style: u8,
    public: bool,
    extension: u16,
    pub fault: Option<Fault>,
    pub head: bool,
    named_manager: bool,
    own_mobile: Option<String>,
    own_work: Option<(String, String)>,
}

/// The number of the person's registry and national id: 1 for the first.
pub fn born(dice: &mut Dice, number: u32, unit: usize, start: Day, reason: &'static str) -> SimPerson {
    let woman = dice.permille(430);
    let names = if woman { WOMEN } else { MEN };
    let first = dice.common(names);
    let second = Some(dice.common(names)).filter(|second| dice.permille(220) && *second != first);
    let style = match dice.below(1_000) {
        0..8 => MISSING,
        8..13 => LANDLINE,
        n => u8::try_from(n % 4).unwrap_or(0),
    };
    SimPerson {
        registry: number,
        // Synthetic: ids of this range belong to nobody; those with 99 in front are foreigners'.
        id: if number % 331 == 7 { 990_000_000 } else { 100_000_000 } + number,
        woman,
        given: (first, second),
        family: (dice.common(FAMILIES), None),
        capitals: dice.permille(350),
        unit,
        title: dice.common(TITLES),
        start,
        end: None,
        reason,
        posted: start,
        state: State::Serving,
        overlay: None,
        mobile: number,
        style,
        public: dice.permille(150),
        extension: u16::try_from(1_000 + dice.below(8_999)).unwrap_or(0),
        fault: None,
        head: false,
        named_manager: dice.permille(20),
        own_mobile: None,
        own_work: None,
    }
}

const MISSING: u8 = 4;
const LANDLINE: u8 = 5;

impl SimPerson {
    pub fn full_name(&self) -> String {
        let (given, family) = self.written();
        format!("{given} {family}")
    }

    pub fn registry_no(&self) -> String {
        format!("S{:06}", self.registry)
    }

    /// As narration has it: "Ayşe Şahin (S000123)".
    pub fn said(&self) -> String {
        format!("{} ({})", self.full_name(), self.registry_no())
    }

    /// May something new happen to this person on `day`?
    pub fn is_serving(&self, day: Day) -> bool {
        self.state == State::Serving && self.start <= day && self.fault.is_none()
    }

    /// A fresh number, unlike anybody's: those of newcomers count up from below, these down from above.
    pub fn change_mobile(&mut self, number: u32) {
        self.mobile = 999_999 - number % 400_000;
        self.own_mobile = None;
        self.style %= 4;
    }

    pub fn write(&mut self, numbers: Written) {
        match numbers {
            Written::Mobile(mobile) => self.own_mobile = Some(mobile),
            Written::Work(number, extension) => self.own_work = Some((number, extension)),
        }
    }

    pub fn written_phones(&self) -> Vec<Written> {
        let mobile = self.own_mobile.clone().map(Written::Mobile);
        let work = self.own_work.clone().map(|(number, extension)| Written::Work(number, extension));
        mobile.into_iter().chain(work).collect()
    }

    pub fn has_turkish_letters(&self) -> bool {
        !self.full_name().is_ascii()
    }

    fn written(&self) -> (String, String) {
        let join = |(first, second): (&str, Option<&str>)| second.map_or_else(|| first.to_owned(), |second| format!("{first} {second}"));
        (join(self.given), join(self.family))
    }

    fn national_id(&self) -> String {
        let digits: Vec<i64> = format!("{:09}", self.id).bytes().map(|b| i64::from(b - b'0')).collect();
        let odd: i64 = digits.iter().step_by(2).sum();
        let even: i64 = digits.iter().skip(1).step_by(2).sum();
        let tenth = (7 * odd - even).rem_euclid(10);
        let mut eleventh = (odd + even + tenth) % 10;
        if self.fault == Some(Fault::NationalId) {
            eleventh = (eleventh + 1) % 10;
        }
        format!("{:09}{tenth}{eleventh}", self.id)
    }

    fn mobile_text(&self) -> String {
        if let Some(own) = &self.own_mobile {
            return own.clone();
        }
        let (high, middle, low) = (self.mobile / 10_000 % 100, self.mobile / 100 % 100, self.mobile % 100);
        // Synthetic: the block 0555 0xx xx xx.
        match self.style {
            _ if self.fault == Some(Fault::NoMobile) => String::new(),
            0 => format!("0555 0{high:02} {middle:02} {low:02}"),
            1 => format!("+905550{high:02}{middle:02}{low:02}"),
            2 => format!("5550{high:02}{middle:02}{low:02}"),
            3 => format!("(0555) 0{high:02} {middle:02}-{low:02}"),
            LANDLINE => format!("0312 000 {middle:02} {low:02}"),
            _ => String::new(),
        }
    }

    fn status(&self, day: Day) -> &'static str {
        match self.state {
            State::Serving | State::Between => "ACTIVE",
            State::OnLeave => "ON_LEAVE",
            State::Suspended => "SUSPENDED",
            State::Leaving if self.end.is_some_and(|end| end > day) => "ACTIVE",
            State::Leaving | State::Never => "TERMINATED",
        }
    }

    /// One row for the permanent posting and one for what lies over it; all rows of the person, as a delta must have them.
    pub fn rows(&self, columns: &Arc<Columns>, line: u32, units: &[SimUnit], manager: &str, day: Day, to: &mut Vec<Row>) {
        let (mut given, mut family) = self.written();
        if self.capitals {
            (given, family) = (text::upper(&given), text::upper(&family));
        }
        if self.fault == Some(Fault::Mojibake) {
            given = WINDOWS_1254.decode_without_bom_handling(given.as_bytes()).0.into_owned();
            family = WINDOWS_1254.decode_without_bom_handling(family.as_bytes()).0.into_owned();
        }
        let date = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
        let permanent = ("PERMANENT", self.unit, self.posted, Some(day).filter(|_| self.state == State::Between));
        let over = self.overlay.map(|over| (over.kind, over.unit, over.start, Some(over.end)));
        let top = &units[units[self.unit].parent.filter(|at| *at != 0).unwrap_or(self.unit)];
        let switchboard = || {
            let of_province = top.province.map(|p| format!("0{} 000 10 00", 200 + u32::from(p.plate()) * 3));
            (of_province.unwrap_or_else(|| "0312 000 10 00".to_owned()), self.extension.to_string())
        };
        let work = self.own_work.clone().unwrap_or_else(switchboard);
        for (kind, unit, start, end) in [Some(permanent), over].into_iter().flatten() {
            let duty = if kind == "ACTING" { acting_title(&units[unit]) } else { String::new() };
            let cells = [
                self.registry_no(),
                self.national_id(),
                given.clone(),
                family.clone(),
                self.status(day).to_owned(),
                self.reason.to_owned(),
                self.start.to_string(),
                date(self.end),
                kind.to_owned(),
                format!("{:08}", units[unit].code),
                self.title.to_owned(),
                duty,
                start.to_string(),
                date(end),
                self.mobile_text(),
                work.0.clone(),
                work.1.clone(),
                if self.public { "yes" } else { "no" }.to_owned(),
                if self.named_manager && !self.head { manager.to_owned() } else { String::new() },
            ];
            to.push(Row::new(line, columns, cells.iter().map(String::as_str)));
        }
    }
}

fn acting_title(unit: &SimUnit) -> String {
    format!("{} V.", head_title(unit))
}

pub fn head_title(unit: &SimUnit) -> &'static str {
    match (unit.place, unit.province) {
        (Place::Ministry, _) => "Bakan Yardımcısı",
        (Place::Top, Some(_)) => "İl Müdürü",
        (Place::Below, Some(_)) => "Şube Müdürü",
        (Place::Below, None) => "Daire Başkanı",
        (Place::Top, None) if unit.name.contains("Genel Müdürlüğü") => "Genel Müdür",
        (Place::Top, None) => "Başkan",
    }
}

pub fn columns() -> Arc<Columns> {
    use Field::*;
    Columns::new(
        &[
            RegistryNo,
            NationalId,
            GivenName,
            FamilyName,
            Status,
            ReasonCode,
            EmploymentStart,
            EmploymentEnd,
            PostingKind,
            UnitCode,
            TitlePost,
            TitleDuty,
            PostingStart,
            PostingEnd,
            Mobile,
            WorkPhone,
            Extension,
            MobilePublic,
            ManagerRegistryNo,
        ]
        .map(Some),
    )
}
