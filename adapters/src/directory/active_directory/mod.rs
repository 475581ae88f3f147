//! A real Active Directory over LDAPS.
