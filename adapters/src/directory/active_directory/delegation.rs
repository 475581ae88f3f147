//! The rights that the service account needs, exactly: what `kimlik doctor --print-delegation` prints and what the
//! lab's domain is given. Not full control: nothing here lets Kimlik touch an object of another class, delete a group,
//! or write an attribute that it does not own.
use super::settings::AdSettings;
use kimlik_domain::account::Attribute;
use std::fmt::Write;

const USER: &str = "bf967aba-0de6-11d0-a285-00aa003049e2";
const GROUP: &str = "bf967a9c-0de6-11d0-a285-00aa003049e2";
const MEMBER: &str = "bf9679c0-0de6-11d0-a285-00aa003049e2";
const RESET_PASSWORD: &str = "00299570-246d-11d0-a768-00aa006e0529";

/// Written besides the owned attributes: the flag, the password's age, the lock, and what a move rewrites.
const BESIDES: &[(&str, &str)] = &[
    ("userAccountControl", "bf967a68-0de6-11d0-a285-00aa003049e2"),
    ("pwdLastSet", "bf967a0a-0de6-11d0-a285-00aa003049e2"),
    ("lockoutTime", "28630ebf-41d5-11d1-a9c1-0000f80367c1"),
    ("cn", "bf96793f-0de6-11d0-a285-00aa003049e2"),
    ("name", "bf967a0e-0de6-11d0-a285-00aa003049e2"),
    ("distinguishedName", "bf9679e4-0de6-11d0-a285-00aa003049e2"),
];

/// schemaIDGUID: the same in every forest (Microsoft's published schema; those of mail of the Exchange schema).
const fn schema_guid(attribute: Attribute) -> &'static str {
    match attribute {
        Attribute::Username => "3e0abfd0-126a-11d0-a060-00aa006c33ed",
        Attribute::UserPrincipalName => "28630ebb-41d5-11d1-a9c1-0000f80367c1",
        Attribute::DisplayName => "bf967953-0de6-11d0-a285-00aa003049e2",
        Attribute::GivenName => "f0f8ff8e-1191-11d0-a060-00aa006c33ed",
        Attribute::FamilyName => "bf967a41-0de6-11d0-a285-00aa003049e2",
        Attribute::Initials => "f0f8ff90-1191-11d0-a060-00aa006c33ed",
        Attribute::EmployeeId => "bf967962-0de6-11d0-a285-00aa003049e2",
        Attribute::Title => "bf967a55-0de6-11d0-a285-00aa003049e2",
        Attribute::Department => "bf96794f-0de6-11d0-a285-00aa003049e2",
        Attribute::Company => "f0f8ff88-1191-11d0-a060-00aa006c33ed",
        Attribute::Office => "bf9679f7-0de6-11d0-a285-00aa003049e2",
        Attribute::WorkPhone => "bf967a49-0de6-11d0-a285-00aa003049e2",
        Attribute::Mobile => "f0f8ffa3-1191-11d0-a060-00aa006c33ed",
        Attribute::Fax => "bf967974-0de6-11d0-a285-00aa003049e2",
        Attribute::Manager => "bf9679b5-0de6-11d0-a285-00aa003049e2",
        Attribute::Street => "f0f8ff84-1191-11d0-a060-00aa006c33ed",
        Attribute::City => "bf9679a2-0de6-11d0-a285-00aa003049e2",
        Attribute::State => "bf967a39-0de6-11d0-a285-00aa003049e2",
        Attribute::PostalCode => "bf9679fd-0de6-11d0-a285-00aa003049e2",
        Attribute::Country => "bf967945-0de6-11d0-a285-00aa003049e2",
        Attribute::CountryName => "f0f8ffa7-1191-11d0-a060-00aa006c33ed",
        Attribute::CountryCode => "5fd42471-1262-11d0-a060-00aa006c33ed",
        Attribute::Mail => "bf967961-0de6-11d0-a285-00aa003049e2",
        Attribute::ProxyAddresses => "bf967a06-0de6-11d0-a285-00aa003049e2",
        Attribute::MailNickname => "bf9679b3-0de6-11d0-a285-00aa003049e2",
        Attribute::HideFromAddressLists => "a21c0b96-b093-11d2-aa06-00c04f8eedd8",
        Attribute::TargetAddress => "f0f8ff9f-1191-11d0-a060-00aa006c33ed",
        Attribute::RecipientDisplayType => "b893abb0-767e-4f20-915f-3857bbc96afe",
        Attribute::RecipientTypeDetails => "069ba1f8-540a-42a9-bf26-a7dd35475346",
        // Not in Microsoft's published schema: derived from the attribute's OID, as the test domain's. Windows goes by the name.
        Attribute::RemoteRecipientType => "502b003b-cafb-5f6a-a5d3-a7f87c934c5c",
        Attribute::Custom1 => "bf967967-0de6-11d0-a285-00aa003049e2",
        Attribute::Custom2 => "bf967969-0de6-11d0-a285-00aa003049e2",
        Attribute::Custom3 => "bf96796a-0de6-11d0-a285-00aa003049e2",
        Attribute::Custom4 => "bf96796b-0de6-11d0-a285-00aa003049e2",
        Attribute::Custom5 => "bf96796c-0de6-11d0-a285-00aa003049e2",
        Attribute::Custom6 => "bf96796d-0de6-11d0-a285-00aa003049e2",
        Attribute::Custom7 => "bf96796e-0de6-11d0-a285-00aa003049e2",
        Attribute::Custom8 => "bf96796f-0de6-11d0-a285-00aa003049e2",
        Attribute::Custom9 => "bf967970-0de6-11d0-a285-00aa003049e2",
        Attribute::Custom10 => "bf967968-0de6-11d0-a285-00aa003049e2",
        Attribute::Custom11 => "167757f6-47f3-11d1-a9c3-0000f80367c1",
        Attribute::Custom12 => "167757f7-47f3-11d1-a9c3-0000f80367c1",
        Attribute::Custom13 => "167757f8-47f3-11d1-a9c3-0000f80367c1",
        Attribute::Custom14 => "167757f9-47f3-11d1-a9c3-0000f80367c1",
        Attribute::Custom15 => "167757fa-47f3-11d1-a9c3-0000f80367c1",
        Attribute::Photo => "8d3bca50-1d7e-11d0-a081-00aa006c33ed",
    }
}

/// Which attributes are written besides those that every domain has.
#[derive(Clone, Copy)]
pub struct Written {
    /// The schema holds Exchange's attributes.
    pub exchange: bool,
    /// HR gives photos.
    pub photos: bool,
}

impl Written {
    fn owned(self) -> impl Iterator<Item = Attribute> {
        let everywhere = Attribute::ALL.iter().copied().filter(move |a| self.exchange || !a.needs_exchange());
        everywhere.chain(self.photos.then_some(Attribute::Photo))
    }

    /// What the service account must be shown to be allowed to write on an account of a person. Why not the last two of
    /// [`BESIDES`]: a controller writes them itself in a move, and never lists them.
    pub(super) fn shown(self) -> impl Iterator<Item = &'static str> {
        self.owned().map(Attribute::ldap_name).chain(BESIDES[..4].iter().map(|(name, _)| *name))
    }
}

/// The access control entries for the base OU, for the account of this SID.
pub fn delegation_sddl(sid: &str, written: Written) -> String {
    let guids = written.owned().map(schema_guid).chain(BESIDES.iter().map(|(_, guid)| *guid));
    // Read; create accounts, and take them out of a container (a move); reset the password; members of groups.
    let mut sddl = format!("(A;CI;RPLCLORC;;;{sid})(OA;CI;CCDC;{USER};;{sid})(OA;CIIO;CR;{RESET_PASSWORD};{USER};{sid})");
    sddl += &format!("(OA;CIIO;WP;{MEMBER};{GROUP};{sid})");
    guids.for_each(|guid| sddl += &format!("(OA;CIIO;WP;{guid};{USER};{sid})"));
    sddl
}

/// Commands for an administrator, to be run once: for Windows (dsacls) and for Samba (samba-tool).
/// `account`: the service account as `DOMAIN\name`, UPN or DN.
pub fn delegation_commands(settings: &AdSettings, account: &str, exchange: bool) -> String {
    let base = settings.base.as_str();
    let written = Written { exchange, photos: settings.photos };
    let mut out =
        format!("# The rights of {account} below {base}, and no others.\n\n# Windows: in a command prompt of a domain administrator\n");
    let mut dsacls = |inherit: &str, right: &str| {
        let _ = writeln!(out, "dsacls \"{base}\" /I:{inherit} /G \"{account}:{right}\"");
    };
    dsacls("T", "GR");
    dsacls("T", "CCDC;user");
    dsacls("S", "CA;Reset Password;user");
    dsacls("S", "WP;member;group");
    let names = written.owned().map(Attribute::ldap_name).chain(BESIDES.iter().map(|(name, _)| *name));
    names.for_each(|name| dsacls("S", &format!("WP;{name};user")));
    let name = super::filter::escape(account.rsplit('\\').next().unwrap_or(account));
    let matching = format!("(|(userPrincipalName={name})(sAMAccountName={name})(distinguishedName={name}))");
    let _ = write!(
        out,
        "\n# Samba: as root on the domain controller\n\
         SID=$(ldbsearch -H \"$(samba-tool testparm --suppress-prompt --parameter-name='private dir' 2>/dev/null)/sam.ldb\" {} objectSid | awk '/^objectSid/ {{print $2}}')\n\
         samba-tool dsacl set --objectdn={} --sddl=\"{}\"\n",
        quoted(&matching),
        quoted(base),
        delegation_sddl("$SID", written)
    );
    out
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
