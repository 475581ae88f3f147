//! The feed as it comes: rows of text with a place to point at. What the columns mean is decided in [`super::roster`].
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

macro_rules! fields {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// A column of the feed contract, for units and for staff.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Field { $($variant),* }
        impl Field {
            pub const ALL: &'static [Field] = &[$(Field::$variant),*];
            /// The name in the contract (docs/integrators/hr-feed.md).
            pub const fn name(self) -> &'static str { match self { $(Field::$variant => $name),* } }
        }
    };
}
fields! {
    // units
    Code = "code", ParentCode = "parent_code", Name = "name", ShortName = "short_name", Kind = "kind", Province = "province",
    PersonnelUnitCode = "personnel_unit_code", HeadRegistryNo = "head_registry_no", Phone = "phone", Fax = "fax",
    Address = "address", City = "city", PostalCode = "postal_code", ValidFrom = "valid_from", ValidTo = "valid_to",
    ReplacedBy = "replaced_by",
    // staff
    RegistryNo = "registry_no", NationalId = "national_id", GivenName = "given_name", FamilyName = "family_name",
    Status = "status", ReasonCode = "reason_code", EmploymentStart = "employment_start", EmploymentEnd = "employment_end",
    PostingKind = "posting_kind", UnitCode = "unit_code", TitlePost = "title_post", TitleDuty = "title_duty",
    PostingStart = "posting_start", PostingEnd = "posting_end", Mobile = "mobile", WorkPhone = "work_phone",
    Extension = "extension", Office = "office", MobilePublic = "mobile_public", Photo = "photo",
    ManagerRegistryNo = "manager_registry_no", UpdatedAt = "updated_at",
    Attr1 = "attr_1", Attr2 = "attr_2", Attr3 = "attr_3", Attr4 = "attr_4", Attr5 = "attr_5", Attr6 = "attr_6",
    Attr7 = "attr_7", Attr8 = "attr_8", Attr9 = "attr_9", Attr10 = "attr_10", Attr11 = "attr_11", Attr12 = "attr_12",
    Attr13 = "attr_13", Attr14 = "attr_14", Attr15 = "attr_15",
}

impl Field {
    pub const ATTRS: [Field; 15] = [
        Field::Attr1,
        Field::Attr2,
        Field::Attr3,
        Field::Attr4,
        Field::Attr5,
        Field::Attr6,
        Field::Attr7,
        Field::Attr8,
        Field::Attr9,
        Field::Attr10,
        Field::Attr11,
        Field::Attr12,
        Field::Attr13,
        Field::Attr14,
        Field::Attr15,
    ];

    pub fn parse(name: &str) -> Option<Field> {
        let name = name.trim().trim_start_matches('\u{feff}');
        Field::ALL.iter().copied().find(|f| f.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which cell holds which field; one per file or page, shared by its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(Box<[Option<u16>]>);

impl Columns {
    /// From the fields in the order of the cells; `None` is a column that Kimlik does not read.
    pub fn new(cells: &[Option<Field>]) -> Arc<Columns> {
        let mut at = vec![None; Field::ALL.len()];
        for (cell, field) in cells.iter().enumerate() {
            if let (Some(field), Ok(cell)) = (field, u16::try_from(cell)) {
                at[*field as usize].get_or_insert(cell);
            }
        }
        Arc::new(Columns(at.into()))
    }

    pub fn has(&self, field: Field) -> bool {
        self.0[field as usize].is_some()
    }
}

/// One row: a unit, or a posting of a person. One allocation for the text of all cells: a snapshot holds 100,000.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it stands: a line of the file (1 = the header), or the number of the item.
    pub line: u32,
    columns: Arc<Columns>,
    text: Box<str>,
    ends: Box<[u32]>,
}

impl Row {
    pub fn new<'a>(line: u32, columns: &Arc<Columns>, cells: impl IntoIterator<Item = &'a str>) -> Row {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for cell in cells {
            text.push_str(cell.trim());
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Row { line, columns: columns.clone(), text: text.into(), ends: ends.into() }
    }

    /// `None`: the column is absent and says nothing. `Some("")`: the feed says "none".
    pub fn get(&self, field: Field) -> Option<&str> {
        let cell = usize::from(self.columns.0[field as usize]?);
        let end = *self.ends.get(cell)? as usize;
        let start = if cell == 0 { 0 } else { self.ends[cell - 1] as usize };
        self.text.get(start..end)
    }

    /// As [`Row::get`], an empty cell being `None` too.
    pub fn text(&self, field: Field) -> Option<&str> {
        self.get(field).filter(|t| !t.is_empty())
    }
}

impl fmt::Debug for Row {
    /// Without the cells: they hold national ids and phone numbers, and debug output ends in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row(line {})", self.line)
    }
}

/// What a delivery is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Units(Vec<Row>),
    /// Everybody.
    Snapshot(Vec<Row>),
    /// All rows of each person named; says nothing of anybody else.
    Delta(Vec<Row>),
}

/// A row that could not even be split into cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRow {
    pub line: u32,
    pub reason: String,
}

/// One file or one complete set of pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What people call it: the file's name, the address.
    pub name: String,
    /// What the source wants to see again in `poll` once this delivery is taken in: a stamp, a cursor, a step.
    pub position: String,
    pub content: Content,
    pub broken: Vec<BrokenRow>,
}
