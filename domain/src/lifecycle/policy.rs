//! The ministry's settings that rules ask. Made once from the configuration; no rule reads a setting elsewhere.
use super::limits::Limits;
use crate::account::{Dn, GroupRule, Mapping, Mode, NamePolicy, PlacementRule};
use crate::mailbox::Mailboxes;
use crate::message::Templates;
use crate::staff::{Reasons, Unit, UnitCode, Units};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Policy {
    pub reasons: Reasons,
    pub names: NamePolicy,
    /// Everything outside is left alone.
    pub base: Dn,
    pub closed_ou: Dn,
    pub default_ou: Dn,
    pub placement: Vec<PlacementRule>,
    pub groups: Vec<GroupRule>,
    pub mode: Mode,
    /// The most specific unit wins.
    pub unit_modes: Vec<(UnitCode, Mode)>,
    pub limits: Limits,
    /// An account that existed before Kimlik is taken over only after an administrator has approved it.
    pub adoption_held: bool,
    /// The attribute that correlates an existing account with HR, beside employeeID; its value is the registry number.
    pub correlation: bool,
    /// The Exchange schema is there: mail attributes beyond base AD are written.
    pub exchange: bool,
    /// What fills the card.
    pub mapping: Mapping,
    /// HR's photos are written.
    pub photos: bool,
    pub mailboxes: Mailboxes,
    /// How long a leaver's mailbox goes on taking mail.
    pub mailbox_retention_days: u32,
    pub upn_suffix: String,
    /// Shown as `company`: the ministry itself for head office.
    pub family_name_in_capitals: bool,
    /// What messages say.
    pub texts: Arc<Templates>,
}

impl Policy {
    /// Mailboxes are attributes of the account, so they are planned as the account is.
    pub fn marks_mailboxes(&self) -> bool {
        self.exchange && matches!(self.mailboxes, Mailboxes::Remote { .. })
    }

    /// Does Kimlik end the mail of leavers, one way or the other?
    pub fn closes_mailboxes(&self) -> bool {
        self.marks_mailboxes() || self.mailboxes == Mailboxes::Command
    }

    /// Managed or only observed: the nearest setting upward from the unit, else the general one.
    pub fn mode_of(&self, unit: Option<UnitCode>, units: &Units) -> Mode {
        unit.and_then(|code| {
            units.upward(code).find_map(|u: &Arc<Unit>| self.unit_modes.iter().find(|(c, _)| *c == u.code).map(|(_, m)| *m))
        })
        .unwrap_or(self.mode)
    }
}
