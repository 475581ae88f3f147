//! What a stranger learns from the time that `passwordResetStart` takes: nine classes of accounts on a real directory, 1,000 answers of
//! each of the real program over HTTP, in an order of chance. Octets and headers have to be the same; times are compared with
//! those of a name that nobody has.
use kimlik_tests::lab::Samba;
use kimlik_tests::ministry::{BASE, STAFF_HEADER, UNITS, national_id, prepare_domain};
use kimlik_tests::scenario::Hr;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ANSWERS: usize = 1_000;
pub const PASSWORD: &str = "Yagmur-7-Tren-Limon";
/// User names; the first is compared with the others.
const CLASSES: [(&str, &str); 9] = [
    ("no such name", "nobody.at.all"),
    ("works", "ad.calisan"),
    ("no mobile", "ad.telsiz"),
    ("locked", "ad.kilitli"),
    ("closed", "ad.ayrilan"),
    ("protected", "ad.korumali"),
    ("disabled", "ad.kapali"),
    ("smart card", "ad.kartli"),
    ("cooling off", "ad.yeninumara"),
];
pub const START: &str = "mutation($input: PasswordResetStartInput!) { passwordResetStart(input: $input) { \
    challenge { id expiresAt resendAfter codeLength } userErrors { code path message } } }";

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kimlik-tested"));
    command.current_dir(folder).env_clear().env("USER", "officer").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

fn deliver(folder: &Path, name: &str, text: &str) {
    let part = folder.join("hr").join(format!(".{name}"));
    std::fs::write(&part, text).unwrap();
    // Last changed long ago: the file is complete.
    std::fs::File::options()
        .write(true)
        .open(&part)
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000))
        .unwrap();
    std::fs::rename(part, folder.join("hr").join(name)).unwrap();
}

fn sync(folder: &Path) {
    let out = command(folder).arg("sync").output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Everybody of [`CLASSES`] who exists, as the class says.
pub fn ministry(samba: &Samba, folder: &Path) {
    prepare_domain(samba);
    std::fs::create_dir_all(folder.join("hr")).unwrap();
    std::fs::write(folder.join("ca.pem"), samba.ca_pem()).unwrap();
    std::fs::write(folder.join("password"), samba.settings().bind_password.as_str()).unwrap();
    let settings = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[hr]\nsource = \"csv\"\n[hr.csv]\ndirectory = \"hr\"\n\
         [password]\nreset_proof = \"sms\"\ntries_per_address = 1000000\ntries_per_network = 1000000\ntries_in_all = 1000000\n\
         [directory]\nkind = \"active_directory\"\n[directory.active_directory]\nurls = [\"{}\"]\nca_file = \"ca.pem\"\n\
         bind_dn = \"svc-idm@csb.test\"\nbind_password_file = \"password\"\nbase_dn = \"{BASE}\"\nupn_suffix = \"csb.test\"\n",
        samba.url()
    );
    std::fs::write(folder.join("kimlik.toml"), settings).unwrap();
    deliver(folder, "units-20260101T0000.csv", UNITS);
    let mut hr = Hr::default();
    let mut rows = Vec::new();
    for (n, (_, name)) in CLASSES.iter().enumerate().skip(1) {
        let family = name.strip_prefix("ad.").unwrap();
        rows.extend(hr.says(&format!("S{n:03}: given=Ad; family={family}; unit=20000006; start=2020-01-01; reason=1")));
    }
    deliver(folder, "staff-delta-20260101T0001.csv", &format!("{STAFF_HEADER}\n{}\n", rows.join("\n")));
    sync(folder);
    let number = |name: &str| CLASSES.iter().position(|(_, n)| *n == name).unwrap();
    let modify = |name: &str, attribute: &str, value: &str| {
        let dn = samba.value(&format!("(employeeID=S{:03})", number(name)), "distinguishedName").unwrap();
        let dn = dn.strip_prefix("distinguishedName: ").unwrap_or(&dn).to_owned();
        samba.admin_modify(&format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}{value}\n"));
    };
    for (_, name) in &CLASSES[1..] {
        modify(name, "unicodePwd", &format!(":: {}", quoted()));
    }
    for _ in 0..4 {
        samba.kinit("ad.kilitli", "Yanlis-1-Parola").expect_err("it is wrong");
    }
    samba.kinit("ad.kilitli", PASSWORD).expect_err("it is locked");
    modify("ad.korumali", "adminCount", ": 1");
    modify("ad.kapali", "userAccountControl", ": 514");
    modify("ad.kartli", "userAccountControl", ": 262656");
    let mut changed = hr.says(&format!("S{:03}: mobile=", number("ad.telsiz")));
    changed.extend(hr.says(&format!("S{:03}: reason=96; end=2021-01-01", number("ad.ayrilan"))));
    changed.extend(hr.says(&format!("S{:03}: mobile=05321119999", number("ad.yeninumara"))));
    deliver(folder, "staff-delta-20260101T0002.csv", &format!("{STAFF_HEADER}\n{}\n", changed.join("\n")));
    sync(folder);
    sync(folder);
    samba.kinit("ad.calisan", PASSWORD).unwrap();
}

/// So many more who are at work, with the password of all; their user names.
pub fn colleagues(samba: &Samba, folder: &Path, count: usize) -> Vec<String> {
    let mut hr = Hr::default();
    let families: Vec<String> = ('a'..='z').take(count).map(|letter| format!("mesai{letter}")).collect();
    let mut rows = Vec::new();
    for (n, family) in families.iter().enumerate() {
        let nid = national_id(1_000 + n as u32);
        rows.extend(hr.says(&format!("M{n:03}: given=Ad; family={family}; nid={nid}; unit=20000006; start=2020-01-01; reason=1")));
    }
    deliver(folder, "staff-delta-20260101T0003.csv", &format!("{STAFF_HEADER}\n{}\n", rows.join("\n")));
    sync(folder);
    for n in 0..count {
        let dn = samba.value(&format!("(employeeID=M{n:03})"), "distinguishedName").unwrap();
        samba.admin_modify(&format!("dn: {dn}\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {}\n", quoted()));
    }
    families.iter().map(|family| format!("ad.{family}")).collect()
}

/// The password as the directory takes it.
fn quoted() -> String {
    base64(&format!("\"{PASSWORD}\"").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    octets
        .chunks(3)
        .flat_map(|chunk| {
            let whole = chunk.iter().chain(&[0, 0]).take(3).fold(0_u32, |sum, octet| sum << 8 | u32::from(*octet));
            (0..4).map(move |n| if n > chunk.len() { '=' } else { char::from(LETTERS[(whole >> (18 - 6 * n) & 63) as usize]) })
        })
        .collect()
}

/// Ended with the measurement.
pub struct Serving(pub Child);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

pub fn serve(folder: &Path) -> (Serving, String) {
    let mut child = command(folder).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (say, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if let Some(address) = line.split("listen=").nth(1).and_then(|rest| rest.split_whitespace().next()) {
                say.send(address.to_owned()).ok();
            }
        }
    });
    let address = heard.recv_timeout(Duration::from_secs(60)).expect("the program says where it listens");
    (Serving(child), address)
}

/// One answer: what of it is the same for everybody, and how long it took.
async fn answered(client: &reqwest::Client, address: &str, username: &str) -> (String, Duration) {
    let body = json!({ "query": START, "variables": { "input": { "username": username } } }).to_string();
    let request = client.post(format!("http://{address}/graphql")).header("content-type", "application/json").body(body);
    let began = Instant::now();
    let answer = request.send().await.unwrap();
    let headers: BTreeSet<String> =
        answer.headers().iter().filter(|(name, _)| *name != "date").map(|(name, value)| format!("{name}: {value:?}")).collect();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    let took = began.elapsed();
    let parsed: Value = serde_json::from_str(&text).unwrap();
    let challenge = &parsed["data"]["passwordResetStart"]["challenge"];
    let length = text.len();
    let mut shape = text;
    for key in ["id", "expiresAt", "resendAfter"] {
        shape = shape.replace(challenge[key].as_str().unwrap_or_else(|| panic!("{parsed}")), key);
    }
    (format!("{status} {headers:?} {length} {shape}"), took)
}

/// Of two sorted samples of one size: the largest distance of their distributions, and how probable one as large is by chance.
fn kolmogorov_smirnov(a: &[Duration], b: &[Duration]) -> (f64, f64) {
    let share = |of: &[Duration], at: &Duration| of.partition_point(|t| t <= at) as f64 / of.len() as f64;
    let distance = a.iter().chain(b).map(|at| (share(a, at) - share(b, at)).abs()).fold(0.0, f64::max);
    let size = ((a.len() * b.len()) as f64 / (a.len() + b.len()) as f64).sqrt();
    let lambda = (size + 0.12 + 0.11 / size) * distance;
    let terms = (1..=100).map(|k| {
        let k = f64::from(k);
        (if k % 2.0 == 1.0 { 2.0 } else { -2.0 }) * (-2.0 * k * k * lambda * lambda).exp()
    });
    // Why apart: where there is no distance at all the series does not end.
    (distance, if distance == 0.0 { 1.0 } else { terms.sum::<f64>().clamp(0.0, 1.0) })
}

pub async fn compare() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let samba = Samba::start();
    let folder = tempfile::tempdir().unwrap();
    ministry(&samba, folder.path());
    let (_serving, address) = serve(folder.path());
    let client = reqwest::Client::new();
    for (_, name) in CLASSES.iter().cycle().take(90) {
        answered(&client, &address, name).await;
    }
    let mut times: [Vec<Duration>; 9] = Default::default();
    let mut shapes = BTreeSet::new();
    let mut seed = 0x2026_1128_u64;
    for _ in 0..ANSWERS {
        // In an order of chance: what the program does behind one answer falls upon whichever comes next.
        let mut order: Vec<usize> = (0..CLASSES.len()).collect();
        for at in (1..order.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(at, (seed >> 33) as usize % (at + 1));
        }
        for class in order {
            let (shape, took) = answered(&client, &address, CLASSES[class].1).await;
            shapes.insert(shape);
            times[class].push(took);
        }
    }
    times.iter_mut().for_each(|times| times.sort());
    let median = |class: usize| times[class][ANSWERS / 2].as_secs_f64() * 1_000.0;
    println!("\npasswordResetStart, {ANSWERS} answers a class; octets and headers: {} different", shapes.len());
    println!("| class | median ms | to nobody's | KS distance | p |\n|---|---|---|---|---|");
    let mut worst = (0.0_f64, 1.0_f64);
    for (class, (name, _)) in CLASSES.iter().enumerate() {
        let (distance, p) = kolmogorov_smirnov(&times[0], &times[class]);
        let ratio = median(class) / median(0);
        println!("| {name} | {:.2} | {ratio:.3} | {distance:.3} | {p:.3} |", median(class));
        worst = (worst.0.max((ratio - 1.0).abs()), worst.1.min(p));
    }
    println!("wanted: one shape (is {}), medians within 5 % (is {:.1} %), p above 0.01 (is {:.3})", shapes.len(), worst.0 * 100.0, worst.1);
}
