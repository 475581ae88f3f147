//! A real Active Directory domain (Samba AD DC) for one test: a clone of a template that is provisioned once.
//! It has the delegation that the program prints, and the tests run under it. Needs root.
use kimlik_adapters::directory::active_directory::{AdSettings, Written, delegation_sddl};
use kimlik_domain::account::{Dn, Mapping};
use std::fs::{self, File, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

pub const BASE: &str = "OU=CSB,DC=csb,DC=test";
pub const SERVICE_PASSWORD: &str = "Svc-Passw0rd-1!";
/// User name and password: the domain's own administrator, for judges and floors.
pub const ADMINISTRATION: (&str, &str) = (ADMINISTRATOR, ADMINISTRATOR_PASSWORD);
const ADMINISTRATOR: &str = "administrator@csb.test";
const ADMINISTRATOR_PASSWORD: &str = "Adm1n-Passw0rd!";
const PACKAGES: &str = "samba samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind ldb-tools ldap-utils krb5-user openssl gcc";

const SCRIPT: &str = include_str!("samba.sh");
const FAST_PBKDF2: &str = include_str!("fastpbkdf2.c");
const SCHEMA: [(&str, &str); 3] = [
    ("exchange-schema.ldif", include_str!("exchange-schema.ldif")),
    ("exchange-schema-2-class.ldif", include_str!("exchange-schema-2-class.ldif")),
    ("exchange-schema-3-attach.ldif", include_str!("exchange-schema-3-attach.ldif")),
];

/// A domain controller of its own. Stopped and taken away when dropped.
pub struct Samba {
    dir: PathBuf,
    lab: PathBuf,
    address: String,
    /// Held as long as the address is used.
    _lock: File,
}

/// A certificate that a controller might wrongly have.
#[derive(Clone, Copy, Debug)]
pub enum Certificate {
    Expired,
    /// Valid for another name.
    WrongName,
    /// Of an authority that nobody trusts.
    OtherAuthority,
    /// Ends within days.
    EndsSoon,
}

impl Samba {
    /// A domain with the Exchange schema, the OUs of the ministry, and no people.
    pub fn start() -> Samba {
        let lab = lab();
        let template = template(&lab);
        let (address, lock) = address();
        let dir = ground().join(&address);
        let samba = Samba { dir, lab, address, _lock: lock };
        samba.script(&["clone", &text(&template), &text(&samba.dir), &samba.address]);
        samba.restart();
        samba
    }

    pub fn address(&self) -> &str {
        &self.address
    }
    pub fn url(&self) -> String {
        format!("ldaps://{}:636", self.address)
    }
    pub fn ca_pem(&self) -> Vec<u8> {
        fs::read(self.dir.join("private/tls/ca.pem")).unwrap()
    }

    /// For the delegated service account.
    pub fn settings(&self) -> AdSettings {
        AdSettings {
            urls: vec![self.url()],
            ca_pem: self.ca_pem(),
            bind_dn: "svc-idm@csb.test".into(),
            bind_password: SERVICE_PASSWORD.to_owned().into(),
            base: Dn::new(BASE),
            closed_ou: Dn::new(BASE).below("OU=Ayrilanlar"),
            default_ou: Dn::new(BASE).below("OU=Yerlesmemis"),
            upn_suffix: "csb.test".into(),
            correlation: Some("employeeNumber".into()),
            extra_groups: Vec::new(),
            mapping: Mapping::default(),
            photos: true,
            timeout: AdSettings::TIMEOUT,
            in_flight: AdSettings::IN_FLIGHT,
            replication: AdSettings::REPLICATION,
        }
    }

    fn client(&self, program: &str, user: &str, password: &str) -> Command {
        let mut command = Command::new(program);
        command.env("LDAPTLS_REQCERT", "never");
        command.args(["-x", "-o", "nettimeout=5", "-H", &self.url(), "-D", user, "-w", password]);
        command
    }

    /// What the real ldapsearch prints, as administrator: LDIF without comments and wrapping.
    pub fn ldapsearch(&self, base: &str, filter: &str, attributes: &[&str]) -> String {
        let mut command = self.client("ldapsearch", ADMINISTRATOR, ADMINISTRATOR_PASSWORD);
        command.args(["-LLL", "-o", "ldif-wrap=no", "-b", base, filter]).args(attributes);
        output(command, None).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The first value of an attribute of the object that the filter names, decoded.
    pub fn value(&self, filter: &str, attribute: &str) -> Option<String> {
        self.values(filter, attribute).into_iter().next()
    }

    pub fn values(&self, filter: &str, attribute: &str) -> Vec<String> {
        let ldif = self.ldapsearch("DC=csb,DC=test", filter, &[attribute]);
        let lines = ldif.lines().filter_map(|line| line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case(attribute)));
        lines.map(|(_, value)| value.strip_prefix(':').map_or_else(|| value.trim_start().to_owned(), |b| base64(b.trim()))).collect()
    }

    /// Changes made by hand, as administrator.
    pub fn admin_modify(&self, ldif: &str) {
        let command = self.client("ldapmodify", ADMINISTRATOR, ADMINISTRATOR_PASSWORD);
        output(command, Some(ldif)).unwrap_or_else(|e| panic!("{e}\n{ldif}"));
    }

    /// The same as the delegated service account. `Err`: what the client says.
    pub fn service_modify(&self, ldif: &str) -> Result<(), String> {
        output(self.client("ldapmodify", "svc-idm@csb.test", SERVICE_PASSWORD), Some(ldif)).map(drop)
    }

    /// The same, written into the database without the server (stopped meanwhile): for very many objects.
    pub fn bulk_modify(&self, ldif: &str) {
        self.stop();
        let mut command = Command::new("ldbmodify");
        command.env("SMB_CONF_PATH", self.dir.join("smb.conf")).arg("-H").arg(self.dir.join("private/sam.ldb"));
        output(command, Some(ldif)).unwrap_or_else(|e| panic!("{e}"));
        self.restart();
    }

    /// What an operator does at the controller itself, in a shell; the server is stopped meanwhile.
    pub fn on_the_controller(&self, commands: &str) {
        self.stop();
        let mut command = Command::new("bash");
        command.env("SMB_CONF_PATH", self.dir.join("smb.conf")).args(["-euo", "pipefail", "-c", commands]);
        output(command, None).unwrap_or_else(|e| panic!("{e}"));
        self.restart();
    }

    /// On one object the delegation no longer holds, as after "disable inheritance": the service account may read and no more.
    pub fn deny_writing(&self, dn: &str) {
        let mut command = Command::new("bash");
        let deny = "DB=$1; SID=$(ldbsearch -H $DB sAMAccountName=svc-idm objectSid 2>/dev/null | awk '/^objectSid/{print $2}'); \
                    samba-tool dsacl set -H $DB --objectdn=\"$2\" --sddl=\"(D;;WPCRSD;;;$SID)\"";
        command.env("SMB_CONF_PATH", self.dir.join("smb.conf"));
        command.args(["-c", deny, "deny", &text(&self.dir.join("private/sam.ldb")), dn]);
        output(command, None).unwrap_or_else(|e| panic!("{e}"));
    }

    /// As if the password had been set so many days earlier. Why not over LDAP: there pwdLastSet takes 0 and -1 only, and a maximum
    /// age below a day counts as none.
    pub fn age_password(&self, user: &str, days: u32) {
        let mut command = Command::new("/usr/bin/python3");
        command.env("SMB_CONF_PATH", self.dir.join("smb.conf"));
        command.args(["-c", AGE_PASSWORD, &text(&self.dir.join("private/sam.ldb")), user, &days.to_string()]);
        output(command, None).unwrap_or_else(|e| panic!("{e}"));
    }

    /// Logs on as a person does, with Kerberos. `Err`: what kinit says.
    pub fn kinit(&self, user: &str, password: &str) -> Result<(), String> {
        let realm = "[libdefaults]\n default_realm = CSB.TEST\n dns_lookup_kdc = false\n dns_lookup_realm = false\n rdns = false\n[realms]\n CSB.TEST = {\n";
        let conf = self.dir.join("krb5.conf");
        fs::write(&conf, format!("{realm}  kdc = {}:88\n }}\n", self.address)).unwrap();
        let mut command = Command::new("kinit");
        let cache = format!("FILE:{}", text(&self.dir.join("krb5cc")));
        command.env("KRB5_CONFIG", &conf).env("KRB5CCNAME", cache).env("LC_ALL", "C").arg(format!("{user}@CSB.TEST"));
        output(command, Some(&format!("{password}\n"))).map(drop)
    }

    /// Stops it; connections are refused from here on.
    pub fn stop(&self) {
        self.script(&["stop", &text(&self.dir)]);
    }
    pub fn restart(&self) {
        self.script(&["stop", &text(&self.dir)]);
        self.script(&["up", &text(&self.dir), &self.address]);
    }
    /// Connections are taken and nothing is answered.
    pub fn freeze(&self) {
        self.signal("STOP");
    }
    pub fn thaw(&self) {
        self.signal("CONT");
    }
    /// Ends it at once, as a power cut does.
    pub fn kill(&self) {
        self.signal("KILL");
    }
    fn signal(&self, name: &str) {
        let pid = fs::read_to_string(self.dir.join("samba.pid")).unwrap();
        assert!(Command::new("kill").args([&format!("-{name}"), pid.trim()]).status().unwrap().success());
    }

    /// Gives it another certificate and starts it again.
    pub fn give_certificate(&self, kind: Certificate) {
        let tls = self.dir.join("private/tls");
        fs::write(tls.join("try.sh"), CERTIFICATES).unwrap();
        let mut command = Command::new("bash");
        command.arg(tls.join("try.sh")).args([&text(&tls), &self.address, &format!("{kind:?}")]);
        output(command, None).unwrap_or_else(|e| panic!("{e}"));
        self.restart();
    }

    fn script(&self, arguments: &[&str]) {
        run_script(&self.lab, arguments, &[("AD_PRELOAD", text(&self.lab.join("fastpbkdf2.so")))]);
    }
}

impl Drop for Samba {
    fn drop(&mut self) {
        kill_and_remove(&self.dir);
    }
}

const AGE_PASSWORD: &str = r#"import ldb, os, sys
from samba import dsdb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
lp = LoadParm()
lp.load(os.environ["SMB_CONF_PATH"])
db = SamDB(url=sys.argv[1], session_info=system_session(), lp=lp)
(found,) = db.search(base=db.domain_dn(), scope=ldb.SCOPE_SUBTREE, expression="(sAMAccountName=%s)" % sys.argv[2], attrs=["pwdLastSet"])
since = int(str(found["pwdLastSet"])) - int(sys.argv[3]) * 864000000000
change = ldb.Message(found.dn)
change["pwdLastSet"] = ldb.MessageElement(str(since), ldb.FLAG_MOD_REPLACE, "pwdLastSet")
db.modify(change, controls=["local_oid:%s:0" % dsdb.DSDB_CONTROL_BYPASS_PASSWORD_HASH_OID])
"#;

/// `openssl x509` cannot date a certificate back; `openssl ca` can.
const CERTIFICATES: &str = r#"set -eu
cd "$1"; IP=$2 KIND=$3 NAME="DNS:dc1.csb.test,IP:$2" CA=ca FROM=20200101000000Z TO=20491231235959Z
case $KIND in
Expired) TO=20200201000000Z ;;
WrongName) NAME=DNS:other.csb.test ;;
EndsSoon) TO=$(date -u -d '+10 days' +%Y%m%d%H%M%SZ) ;;
OtherAuthority) CA=other; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout other.key -out other.pem -days 30 -subj "/CN=Another CA" 2>/dev/null ;;
esac
rm -rf db; mkdir db; : >db/index; openssl rand -hex 8 >db/serial
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=db/index\nserial=db/serial\nnew_certs_dir=db\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=%s\n' "$NAME" >db/conf
openssl ca -batch -notext -config db/conf -cert $CA.pem -keyfile $CA.key -in req.pem -out cert.pem -startdate $FROM -enddate $TO 2>db/log || { cat db/log >&2; exit 1; }
"#;

/// `target/lab`: what is made once and kept between runs. The test program is `target/PROFILE/deps/NAME`.
fn lab() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let target =
        here.ancestors().find(|p| p.ends_with("deps")).and_then(|deps| deps.ancestors().nth(2)).expect("tests run from a target folder");
    let lab = target.join("lab");
    fs::create_dir_all(&lab).unwrap();
    lab
}

/// Where the clones run. Why not below `target`: the paths of unix sockets have 107 octets.
fn ground() -> PathBuf {
    let ground = std::env::temp_dir().join("kimlik-lab");
    fs::create_dir_all(&ground).unwrap();
    ground
}

fn template(lab: &Path) -> PathBuf {
    let version = output(
        {
            let mut c = Command::new("samba");
            c.arg("-V");
            c
        },
        None,
    )
    .unwrap_or_else(|e| panic!("These tests need a real Samba AD DC, as root. Install: {PACKAGES}. ({e})"));
    let sddl = delegation_sddl("@SID@", Written { exchange: true, photos: true });
    let mut hasher = DefaultHasher::new();
    (SCRIPT, FAST_PBKDF2, SCHEMA, &version, &sddl).hash(&mut hasher);
    let template = lab.join(format!("samba-template-{:016x}", hasher.finish()));
    let lock = File::create(lab.join("samba-template.lock")).unwrap();
    lock.lock().unwrap();
    if !template.join("complete").exists() {
        remove_others(lab, &template);
        for (name, content) in SCHEMA {
            fs::write(lab.join(name), content).unwrap();
        }
        fs::write(lab.join("samba.sh"), SCRIPT).unwrap();
        fs::write(lab.join("fastpbkdf2.c"), FAST_PBKDF2).unwrap();
        let (source, library) = (text(&lab.join("fastpbkdf2.c")), text(&lab.join("fastpbkdf2.so")));
        output(
            {
                let mut c = Command::new("cc");
                c.args(["-O2", "-shared", "-fPIC", "-o", &library, &source, "-ldl"]);
                c
            },
            None,
        )
        .unwrap_or_else(|e| panic!("{e}"));
        run_script(lab, &["build", &text(&template)], &[("AD_SDDL", sddl)]);
        fs::write(template.join("complete"), "").unwrap();
    }
    template
}

/// Templates of earlier versions.
fn remove_others(lab: &Path, template: &Path) {
    let others = fs::read_dir(lab).into_iter().flatten().flatten().map(|entry| entry.path());
    let template_of_old = |path: &PathBuf| path.is_dir() && text(path).contains("/samba-template-") && path != template;
    others.filter(template_of_old).for_each(|path| drop(fs::remove_dir_all(path)));
}

/// An address of 127.88.0.0/16 that no other test uses, and the lock that keeps it.
fn address() -> (String, File) {
    for last in 10..=250u8 {
        let address = format!("127.88.0.{last}");
        let lock = File::create(ground().join(format!("{address}.lock"))).unwrap();
        match lock.try_lock() {
            Ok(()) => {
                // Why: its test was killed, and could not clear up.
                kill_and_remove(&ground().join(&address));
                return (address, lock);
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => panic!("{error}"),
        }
    }
    panic!("240 tests use a domain at once");
}

/// Ends the server of this folder and no other process: its number is believed only if it has files of the folder open.
fn kill_and_remove(dir: &Path) {
    if let Ok(pid) = fs::read_to_string(dir.join("samba.pid")) {
        let pid = pid.trim();
        let ours = || {
            let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            files.filter_map(|f| fs::read_link(f.path()).ok()).any(|file| file.starts_with(dir))
        };
        for _ in 0..200 {
            if !ours() {
                break;
            }
            let _ = Command::new("kill").args(["-KILL", pid]).status();
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    // Why tried again: what the server was writing when it ended can still appear.
    for _ in 0..100 {
        if fs::remove_dir_all(dir).is_ok() || !dir.exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn run_script(lab: &Path, arguments: &[&str], environment: &[(&str, String)]) {
    let mut command = Command::new("bash");
    command.arg(lab.join("samba.sh")).args(arguments).envs(environment.iter().map(|(k, v)| (k, v)));
    output(command, None).unwrap_or_else(|e| panic!("{e}"));
}

fn output(mut command: Command, input: Option<&str>) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    let spawned = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|e| format!("{name}: {e}"))?;
    let writer = child.stdin.take().zip(input.map(str::to_owned));
    let writer = writer.map(|(mut pipe, input)| std::thread::spawn(move || drop(pipe.write_all(input.as_bytes()))));
    let output = child.wait_with_output().map_err(|e| format!("{name}: {e}"))?;
    writer.into_iter().for_each(|w| drop(w.join()));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(said),
        false => Err(format!("{name}: {}{}", said.lines().last().unwrap_or_default(), String::from_utf8_lossy(&output.stderr))),
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn base64(text: &str) -> String {
    let mut command = Command::new("base64");
    command.arg("-d");
    output(command, Some(text)).unwrap()
}
