//! The simulated ministry's units: head office with its departments, 81 provincial directorates with their branches.
use super::dice::Dice;
use super::names::{BRANCHES, CENTRAL, LARGE, RENAMED};
use kimlik_domain::staff::feed::{Columns, Field, Row};
use kimlik_domain::staff::unit::Province;
use kimlik_domain::text;
use std::sync::Arc;

pub struct SimUnit {
    pub code: u32,
    pub parent: Option<usize>,
    pub name: String,
    pub short_name: String,
    pub province: Option<Province>,
    /// Who keeps the HR records of this unit and those below it.
    pub personnel: Option<usize>,
    /// Its people, as shares of everybody.
    pub share: u32,
    pub head: Option<usize>,
    pub place: Place,
    renamed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Ministry,
    /// A general directorate or a provincial directorate.
    Top,
    Below,
}

const ADDRESS_BOOK: usize = 64;
/// Synthetic: above every number that is in use.
const FIRST_CODE: u32 = 98_000_000;

impl SimUnit {
    fn new(code: u32, parent: usize, name: String, place: Place) -> SimUnit {
        let short_name = shortened(&name);
        let parent = Some(parent);
        SimUnit { code, parent, name, short_name, province: None, personnel: None, share: 1, head: None, place, renamed: false }
    }
    /// What people say of a place: the province, else the unit.
    pub fn said(&self) -> String {
        self.province.map_or_else(|| self.short_name.clone(), |province| province.name().to_owned())
    }
    /// The unit itself, and where it is.
    pub fn in_full(&self) -> String {
        match self.province {
            Some(province) if self.place == Place::Below => format!("{} in {}", self.short_name, province.name()),
            _ => self.short_name.clone(),
        }
    }
    /// Gives it another name, or the old one back. Answers the old name.
    pub fn rename(&mut self) -> String {
        let name = if self.renamed { self.name.replacen(RENAMED, "", 1) } else { with_tail(&self.name) };
        self.renamed = !self.renamed;
        self.short_name = shortened(&name);
        std::mem::replace(&mut self.name, name)
    }
}

fn with_tail(name: &str) -> String {
    let at = [" Dairesi", " Şube"].iter().find_map(|word| name.rfind(word)).unwrap_or(name.len());
    format!("{}{RENAMED}{}", &name[..at], &name[at..])
}

/// What fits the address book: the words that everybody shortens, shortened in turn until it does.
fn shortened(name: &str) -> String {
    let steps = [("Değişikliği", "Değ."), ("Müdürlüğü", "Müd."), ("Genel", "Gn."), ("Değerlendirmesi", "Değ."), ("Şehircilik", "Şehir.")];
    let mut short = name.to_owned();
    for (long, brief) in steps {
        if text::utf16_len(&short) <= ADDRESS_BOOK {
            break;
        }
        short = short.replace(long, brief);
    }
    text::clip(&short, ADDRESS_BOOK).to_owned()
}

pub fn ministry(seed: u64) -> Vec<SimUnit> {
    let mut units = vec![SimUnit::new(FIRST_CODE, 0, "Çevre, Şehircilik ve İklim Değişikliği Bakanlığı".to_owned(), Place::Ministry)];
    units[0].parent = None;
    units[0].share = 0;
    let add = |units: &mut Vec<SimUnit>, parent: usize, name: String, place: Place| {
        let code = FIRST_CODE + u32::try_from(units.len()).unwrap_or(0) * 7;
        units.push(SimUnit::new(code, parent, name, place));
        units.len() - 1
    };
    for (name, departments) in CENTRAL {
        let top = add(&mut units, 0, (*name).to_owned(), Place::Top);
        units[top].share = 2;
        for department in *departments {
            let at = add(&mut units, top, format!("{department} Dairesi Başkanlığı"), Place::Below);
            units[at].share = 9;
        }
    }
    // Personel Genel Müdürlüğü: for head office.
    units[0].personnel = Some(1);
    for province in Province::all() {
        let shares = LARGE.iter().find(|(plate, _)| *plate == province.plate()).map_or(1, |(_, shares)| *shares);
        let name = format!("{} Çevre, Şehircilik ve İklim Değişikliği İl Müdürlüğü", province.name());
        let top = add(&mut units, 0, name, Place::Top);
        units[top].province = Some(province);
        let branches = (4 + usize::try_from(shares).unwrap_or(0)).min(BRANCHES.len());
        for (at, branch) in BRANCHES[..branches].iter().enumerate() {
            let below = add(&mut units, top, (*branch).to_owned(), Place::Below);
            units[below].province = Some(province);
            units[below].share = shares * 2;
            if at == 0 {
                units[top].personnel = Some(below);
            }
        }
    }
    // Why from the seed: two ministries side by side in one test shall not have the same numbers everywhere.
    let shift = u32::try_from(Dice::new(seed, 0).below(100)).unwrap_or(0) * 10_000;
    units.iter_mut().for_each(|unit| unit.code += shift);
    units
}

const FIELDS: [Field; 13] = [
    Field::Code,
    Field::ParentCode,
    Field::Name,
    Field::ShortName,
    Field::Kind,
    Field::Province,
    Field::PersonnelUnitCode,
    Field::HeadRegistryNo,
    Field::Phone,
    Field::Fax,
    Field::Address,
    Field::City,
    Field::PostalCode,
];

pub fn rows(units: &[SimUnit], registry_no: impl Fn(usize) -> String) -> Vec<Row> {
    let columns: Arc<Columns> = Columns::new(&FIELDS.map(Some));
    let code = |at: Option<usize>| at.map(|at| format!("{:08}", units[at].code)).unwrap_or_default();
    let row = |(at, unit): (usize, &SimUnit)| {
        let top = unit.place == Place::Top;
        let plate = unit.province.map(Province::plate);
        let number = at % 90 + 10;
        // Synthetic numbers of the area codes' unused 000 block.
        let area = plate.map_or(312, |plate| 200 + u32::from(plate) * 3);
        let city = unit.province.map_or("Ankara", Province::name);
        let cells = [
            format!("{:08}", unit.code),
            code(unit.parent),
            unit.name.clone(),
            if unit.short_name == unit.name { String::new() } else { unit.short_name.clone() },
            if plate.is_some() { "PROVINCIAL" } else { "CENTRAL" }.to_owned(),
            plate.map(|plate| format!("{plate:02}")).unwrap_or_default(),
            code(unit.personnel),
            unit.head.map(&registry_no).unwrap_or_default(),
            if unit.place == Place::Below { String::new() } else { format!("0{area} 000 {number} 00") },
            if unit.place == Place::Below { String::new() } else { format!("0{area} 000 {number} 99") },
            if top && plate.is_some() { format!("Cumhuriyet Mah. Atatürk Bulvarı No: {number}") } else { String::new() },
            if top || at == 0 { city.to_owned() } else { String::new() },
            if top || at == 0 { format!("{:02}010", plate.unwrap_or(6)) } else { String::new() },
        ];
        Row::new(u32::try_from(at + 2).unwrap_or(u32::MAX), &columns, cells.iter().map(String::as_str))
    };
    units.iter().enumerate().map(row).collect()
}
