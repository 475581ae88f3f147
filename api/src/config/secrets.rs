//! Secrets: only ever from files. Made on the first start with SQLite; with PostgreSQL a missing one is a fault, because
//! several replicas would each make their own.
use super::check::plain;
use super::{Config, Fault, Faults};
use kimlik_domain::ports::Entropy;
use std::io::Write;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What the store needs: national ids are kept under the first and found by the second.
pub struct Keys {
    pub encryption: Zeroizing<[u8; 32]>,
    pub pepper: Zeroizing<[u8; 32]>,
}

const ENCRYPTION: &str = "encryption.key";
const PEPPER: &str = "pepper.key";
/// Of the embedded directory's administrator.
const FIRST_PASSWORD: &str = "administrator.password";

pub fn first_password_file(config: &Config) -> std::path::PathBuf {
    config.secrets.dir.join(FIRST_PASSWORD)
}

/// Made at the first start, and kept where only the server's administrator reads it.
pub fn first_password(config: &Config, entropy: &dyn Entropy) -> Result<Zeroizing<String>, Faults> {
    // Why these: none can be taken for another when it is read from a terminal and typed.
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567899";
    let path = first_password_file(config);
    let one = |fault: Fault| Faults(vec![fault]);
    if !path.exists() {
        let mut random = Zeroizing::new([0_u8; 20]);
        entropy.fill(random.as_mut_slice());
        let mut text = Zeroizing::new(String::with_capacity(25));
        for (at, octet) in random.iter().enumerate() {
            if at > 0 && at % 5 == 0 {
                text.push('-');
            }
            text.push(char::from(LETTERS[usize::from(octet % 32)]));
        }
        text.push('\n');
        make_dir(&config.secrets.dir).map_err(one)?;
        write(&path, &text).map_err(one)?;
    }
    read(&path, "secrets.dir", "remove the empty file; a new password is made at the next start").map_err(one)
}

pub fn keys(config: &Config, entropy: &dyn Entropy) -> Result<Keys, Faults> {
    let dir = &config.secrets.dir;
    let missing = |name: &str| !dir.join(name).exists();
    if missing(ENCRYPTION) && missing(PEPPER) && config.database.is_sqlite() {
        let one = |fault: Fault| Faults(vec![fault]);
        if config.database.file().is_some_and(|f| f.exists()) {
            let found = format!("no key in {}, and a database that was written with one", dir.display());
            let mend = "put the files encryption.key and pepper.key of this database back; new ones could not read it";
            return Err(one(Fault::new("secrets.dir", found, mend)));
        }
        make_dir(dir).map_err(one)?;
        for name in [ENCRYPTION, PEPPER] {
            make(&dir.join(name), entropy).map_err(one)?;
        }
    }
    let (encryption, pepper) = (key(&dir.join(ENCRYPTION)), key(&dir.join(PEPPER)));
    match (encryption, pepper) {
        (Ok(encryption), Ok(pepper)) => Ok(Keys { encryption, pepper }),
        (one, other) => Err(Faults([one.err(), other.err()].into_iter().flatten().collect())),
    }
}

fn make_dir(dir: &Path) -> Result<(), Fault> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let fault =
        |e: std::io::Error| Fault::new("secrets.dir", format!("{}: {}", dir.display(), plain(&e)), "name a folder that Kimlik may make");
    builder.create(dir).map_err(fault)
}

fn make(path: &Path, entropy: &dyn Entropy) -> Result<(), Fault> {
    let mut random = Zeroizing::new([0_u8; 32]);
    entropy.fill(random.as_mut_slice());
    let text: Zeroizing<String> = Zeroizing::new(random.iter().map(|b| format!("{b:02x}")).collect::<String>() + "\n");
    write(path, &text)
}

fn write(path: &Path, text: &str) -> Result<(), Fault> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|e| {
        Fault::new("secrets.dir", format!("{}: {}", path.display(), plain(&e)), "let Kimlik write there, or put the file there")
    })
}

fn key(path: &Path) -> Result<Zeroizing<[u8; 32]>, Fault> {
    let text = read(path, "secrets.dir", "make it once (openssl rand -hex 32) and give every replica the same one")?;
    let wrong = || Fault::new("secrets.dir", format!("{} does not hold 64 hexadecimal digits", path.display()), "restore the file");
    let mut key = Zeroizing::new([0_u8; 32]);
    if text.len() != 64 || !text.is_ascii() {
        return Err(wrong());
    }
    for (octet, at) in key.iter_mut().zip((0..64).step_by(2)) {
        *octet = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| wrong())?;
    }
    Ok(key)
}

/// The file's text without the line's end.
pub fn read(path: &Path, setting: &str, mend: &str) -> Result<Zeroizing<String>, Fault> {
    let found = |e: std::io::Error| Fault::new(setting, format!("{}: {}", path.display(), plain(&e)), mend);
    let mut text = Zeroizing::new(std::fs::read_to_string(path).map_err(found)?);
    while text.ends_with(['\n', '\r']) {
        text.pop();
    }
    if text.is_empty() { Err(Fault::new(setting, format!("{} is empty", path.display()), mend)) } else { Ok(text) }
}

/// Compared without telling by the time taken where they differ.
pub fn same(own: &str, shown: &str) -> bool {
    let differing = own.bytes().zip(shown.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    own.len() == shown.len() && std::hint::black_box(differing) == 0
}

/// Files with secrets that others on the machine may read.
pub fn exposed(config: &Config) -> Vec<(&'static str, PathBuf)> {
    let ad = &config.directory.active_directory;
    let dir = &config.secrets.dir;
    let files = [
        ("secrets.dir", dir.join(ENCRYPTION)),
        ("secrets.dir", dir.join(PEPPER)),
        ("secrets.dir", dir.join(FIRST_PASSWORD)),
        ("directory.active_directory.bind_password_file", ad.bind_password_file.clone()),
        ("hr.rest.token_file", config.hr.rest.token_file.clone()),
        ("sms.netgsm.password_file", config.sms.netgsm.password_file.clone()),
        ("sms.kannel.password_file", config.sms.kannel.password_file.clone()),
        ("sms.kannel.report_token_file", config.sms.kannel.report_token_file.clone()),
    ];
    files.into_iter().filter(|(_, path)| !path.as_os_str().is_empty() && open_to_others(path)).collect()
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o077 != 0)
}
#[cfg(not(unix))]
fn open_to_others(_path: &Path) -> bool {
    false
}
