//! Result codes and Windows error codes, sorted by what the caller may do next. The one table of refusals.
use kimlik_domain::health::Kind;
use kimlik_domain::ports::{PortError, Refusal};
use ldap3::LdapResult;

/// What is true after an answer that is not success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing happened; later it may.
    Later,
    /// Perhaps it happened.
    Perhaps,
    /// It did not happen and will not.
    Never(Refusal),
}
use Refusal::*;
use Verdict::*;

/// ERROR_NOT_AUTHENTICATED: the controller has forgotten the bind of this connection.
pub(super) const NOT_BOUND: u32 = 0x0000_04DC;

/// The Windows error (eight hexadecimal digits) that Active Directory and Samba put before the text of a refusal; it
/// says more than the result code. Names and numbers: [MS-ERREF] 2.2.
const WINDOWS: &[(u32, Verdict)] = &[
    (NOT_BOUND, Later),
    (0x0000_0005, Never(Rights)),        // ERROR_ACCESS_DENIED
    (0x0000_0056, Never(WrongPassword)), // ERROR_INVALID_PASSWORD: the old one, in a change
    (0x0000_0524, Never(NameTaken)),     // ERROR_USER_EXISTS: sAMAccountName
    (0x0000_0525, Never(NotFound)),      // ERROR_NO_SUCH_USER: also a member that is none
    (0x0000_0528, Never(Changed)),       // ERROR_MEMBER_IN_GROUP
    (0x0000_0529, Never(Changed)),       // ERROR_MEMBER_NOT_IN_GROUP
    (0x0000_052D, Never(Password)),      // ERROR_PASSWORD_RESTRICTION
    (0x0000_0561, Never(Changed)),       // ERROR_MEMBER_NOT_IN_ALIAS
    (0x0000_0562, Never(Changed)),       // ERROR_MEMBER_IN_ALIAS
    (0x0000_200D, Never(Changed)),       // ERROR_DS_ATTRIBUTE_OR_VALUE_EXISTS
    (0x0000_200E, Later),                // ERROR_DS_BUSY
    (0x0000_200F, Later),                // ERROR_DS_UNAVAILABLE
    (0x0000_2030, Never(NotFound)),      // ERROR_DS_NO_SUCH_OBJECT
    (0x0000_2082, Never(Value)),         // ERROR_DS_RANGE_CONSTRAINT
    (0x0000_208D, Never(NotFound)),      // ERROR_DS_OBJ_NOT_FOUND
    (0x0000_2098, Never(Rights)),        // ERROR_DS_INSUFF_ACCESS_RIGHTS
    (0x0000_20B5, Never(Value)),         // ERROR_DS_NAME_REFERENCE_INVALID: a manager that is not there
    (0x0000_21C7, Never(NameTaken)),     // ERROR_DS_SPN_VALUE_NOT_UNIQUE_IN_FOREST
    (0x0000_21C8, Never(NameTaken)),     // ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST
];

/// LDAP result codes (RFC 4511 appendix A; the reactions of Active Directory: [MS-ADTS] 3.1.1.3.1.9).
const LDAP: &[(u32, Verdict)] = &[
    (1, Perhaps),           // operationsError: "should not be used for an outcome that is known"
    (2, Never(Other)),      // protocolError: a fault of ours
    (3, Perhaps),           // timeLimitExceeded
    (4, Later),             // sizeLimitExceeded: searches only
    (8, Never(Other)),      // strongerAuthRequired
    (10, Never(Other)),     // referral: the object belongs to another domain
    (11, Perhaps),          // adminLimitExceeded
    (12, Never(Other)),     // unavailableCriticalExtension
    (13, Never(Other)),     // confidentialityRequired
    (16, Never(Changed)),   // noSuchAttribute: the value that was to be taken away is not there
    (17, Never(Value)),     // undefinedAttributeType
    (19, Never(Value)),     // constraintViolation
    (20, Never(Changed)),   // attributeOrValueExists
    (21, Never(Value)),     // invalidAttributeSyntax
    (32, Never(NotFound)),  // noSuchObject
    (34, Never(Value)),     // invalidDNSyntax
    (48, Never(Rights)),    // inappropriateAuthentication
    (49, Never(Rights)),    // invalidCredentials
    (50, Never(Rights)),    // insufficientAccessRights
    (51, Later),            // busy: refused before it was begun
    (52, Later),            // unavailable: shutting down
    (53, Never(Other)),     // unwillingToPerform
    (64, Never(Value)),     // namingViolation
    (65, Never(Value)),     // objectClassViolation
    (66, Never(Other)),     // notAllowedOnNonLeaf
    (67, Never(Other)),     // notAllowedOnRDN
    (68, Never(NameTaken)), // entryAlreadyExists
    (69, Never(Other)),     // objectClassModsProhibited
    (71, Never(Other)),     // affectsMultipleDSAs: a move to another domain
    (80, Perhaps),          // other: "an internal error"; nothing is known of how far it came
    (88, Perhaps),          // canceled
];

/// The eight hexadecimal digits at the beginning of the text.
pub(super) fn windows_code(text: &str) -> Option<u32> {
    let digits = text.get(..8)?;
    let ended = text[8..].chars().next().is_none_or(|c| !c.is_ascii_alphanumeric());
    (ended && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

pub(super) fn verdict(rc: u32, text: &str) -> Verdict {
    let windows = windows_code(text).and_then(|code| WINDOWS.iter().find(|(c, _)| *c == code)).map(|(_, v)| *v);
    let ldap = LDAP.iter().find(|(c, _)| *c == rc).map_or(Perhaps, |(_, v)| *v);
    match (rc, windows) {
        // Why not: 68 and 20 say it better than the code beside them.
        (20 | 50 | 51 | 52, _) | (_, None) => ldap,
        (_, Some(windows)) => windows,
    }
}

/// An answer other than success to a write.
pub(super) fn of_write(what: &str, result: &LdapResult) -> PortError {
    let said = said(what, result);
    match verdict(result.rc, &result.text) {
        Later => PortError::Unavailable(said),
        Perhaps => PortError::InDoubt(said),
        Never(refusal) => PortError::refused(refusal, said),
    }
}

/// An answer other than success to a read: nothing can be in doubt.
pub(super) fn of_read(what: &str, result: &LdapResult) -> PortError {
    let said = said(what, result);
    match verdict(result.rc, &result.text) {
        Later | Perhaps => PortError::Unavailable(said),
        Never(refusal) => PortError::refused(refusal, said),
    }
}

pub(super) fn said(what: &str, result: &LdapResult) -> String {
    let text = result.text.trim().trim_end_matches('\0');
    if text.is_empty() { format!("{what}: result {}", result.rc) } else { format!("{what}: result {}, {text}", result.rc) }
}

/// The sub code in "AcceptSecurityContext error, data 52e" (same text from Samba); empty where there is none.
pub(super) fn sub_code(text: &str) -> &str {
    text.split("data ").nth(1).map_or("", |rest| rest.trim_start().split([',', ' ']).next().unwrap_or(""))
}

/// Why a bind was refused: the sub code in "AcceptSecurityContext error, data 52e" (same text from Samba).
pub(super) fn bind_refusal(text: &str) -> Kind {
    match sub_code(text) {
        "525" | "52e" => Kind::BindPassword,
        "530" => Kind::BindHour,
        "531" => Kind::BindMachine,
        "532" => Kind::BindPasswordExpired,
        "533" => Kind::BindDisabled,
        "701" => Kind::BindAccountExpired,
        "773" => Kind::BindMustChange,
        "775" => Kind::BindLocked,
        _ => Kind::BindRefused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_windows_code_tells_what_the_result_code_does_not() {
        assert_eq!(verdict(53, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0"), Never(Password));
        assert_eq!(verdict(19, "000021C8: AtrErr: DSID-03200BBA, #1"), Never(NameTaken));
        assert_eq!(verdict(53, "00002035: setting unicodePwd"), Never(Other));
        assert_eq!(verdict(80, "00002030: no such parent"), Never(NotFound));
        assert_eq!(verdict(80, ""), Perhaps);
        assert_eq!(verdict(50, "00002098: SecErr"), Never(Rights));
        assert_eq!(verdict(1, "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind"), Later);
        assert_eq!(verdict(9999, "never heard of"), Perhaps);
        assert_eq!(windows_code("00002071: samldb"), Some(0x2071));
        assert_eq!(windows_code("deadbeefs and more"), None);
        assert_eq!(windows_code("short"), None);
    }

    #[test]
    fn a_refused_bind_says_why_and_what_to_do() {
        let text = |sub| format!("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {sub}, v1db1");
        assert_eq!(bind_refusal(&text("52e")), Kind::BindPassword);
        assert_eq!(bind_refusal(&text("775")), Kind::BindLocked);
        assert_eq!(bind_refusal(""), Kind::BindRefused);
    }
}
