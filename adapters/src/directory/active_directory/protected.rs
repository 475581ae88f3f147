//! Which groups make an account untouchable: the privileged ones by their well-known SIDs, and all groups within them.
use super::connection::Connection;
use super::entry::{Decorated, Entry, rid};
use super::filter;
use kimlik_domain::id::AccountGuid;
use kimlik_domain::ports::PortResult;
use ldap3::Scope;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Operators of the whole domain (Microsoft, "Protected Accounts and Groups in Active Directory", appendix C).
const BUILTIN: &[u32] = &[544, 548, 549, 550, 551, 552];
/// Domain Admins, Domain Controllers, Schema Admins, Enterprise Admins, Read-only Domain Controllers, Key Admins.
const OF_DOMAIN: &[u32] = &[512, 516, 518, 519, 521, 526, 527];
const FRESH: Duration = Duration::from_secs(180);

/// Groups by GUID, and for primary groups by the last part of the SID; each with the name of the group above.
#[derive(Default)]
pub(super) struct Privileged {
    by_guid: HashMap<AccountGuid, Arc<str>>,
    by_rid: HashMap<u32, Arc<str>>,
}

impl Privileged {
    pub(super) fn reason(&self, entry: &Entry, groups: &[Decorated]) -> Option<Arc<str>> {
        let primary = entry.number::<u32>("primaryGroupID").and_then(|rid| self.by_rid.get(&rid));
        let member = || groups.iter().find_map(|g| self.by_guid.get(&g.guid?));
        primary.or_else(member).map(|root| format!("member of {root}").into())
    }
}

#[derive(Default)]
pub(super) struct Watch {
    known: Mutex<Option<(Instant, Arc<Privileged>)>>,
}

impl Watch {
    /// `anew`: read again even if it is fresh (a scan must not trust what is minutes old).
    pub(super) async fn privileged(&self, connection: &Connection, domain: &str, anew: bool) -> PortResult<Arc<Privileged>> {
        let mut known = self.known.lock().await;
        if let Some((at, privileged)) = &*known
            && !anew
            && at.elapsed() < FRESH
        {
            return Ok(privileged.clone());
        }
        let privileged = Arc::new(read(connection, domain).await?);
        *known = Some((Instant::now(), privileged.clone()));
        Ok(privileged)
    }
}

async fn read(connection: &Connection, domain: &str) -> PortResult<Privileged> {
    let mut sids: Vec<String> = BUILTIN.iter().map(|rid| format!("S-1-5-32-{rid}")).collect();
    // Why asked for: the domain's own SID is in the decorations of its DN.
    let own = connection.read(domain, "(objectClass=*)", &["objectGUID"]).await?.and_then(|e| e.dn().sid);
    sids.extend(own.iter().flat_map(|sid| OF_DOMAIN.iter().map(move |rid| format!("{sid}-{rid}"))));
    let terms: Vec<String> = sids.iter().map(|sid| format!("(objectSid={sid})")).collect();
    let mut found = Privileged::default();
    let mut edge = Vec::new();
    for group in connection.search(domain, Scope::Subtree, &filter::any(&terms), &["objectGUID"]).await? {
        let place = group.dn();
        let name: Arc<str> = place.dn.name().into();
        edge.extend(found.take(place, name));
    }
    while !edge.is_empty() {
        let mut next = Vec::new();
        for batch in edge.chunks(filter::TERMS / 2) {
            let within: Vec<String> = batch.iter().map(|(dn, _): &(String, Arc<str>)| filter::equals("memberOf", dn)).collect();
            let groups = format!("(&(objectClass=group){})", filter::any(&within));
            for group in connection.search(domain, Scope::Subtree, &groups, &["memberOf"]).await? {
                let above = group.texts("memberOf").iter().find_map(|m| found.by_guid.get(&super::entry::decorated(m).guid?).cloned());
                let root = above.unwrap_or_else(|| batch[0].1.clone());
                next.extend(found.take(group.dn(), root));
            }
        }
        edge = next;
    }
    Ok(found)
}

impl Privileged {
    /// Notes a group; answers it if it is new.
    fn take(&mut self, group: Decorated, root: Arc<str>) -> Option<(String, Arc<str>)> {
        let guid = group.guid?;
        // Why not the built-in ones: 544 is a number of another authority, and nobody's primary group.
        if let Some(sid) = group.sid.as_deref().filter(|sid| sid.starts_with("S-1-5-21-"))
            && let Some(rid) = rid(sid)
        {
            self.by_rid.entry(rid).or_insert_with(|| root.clone());
        }
        self.by_guid.insert(guid, root.clone()).is_none().then(|| (group.dn.as_str().to_owned(), root))
    }
}
