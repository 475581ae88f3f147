//! A real Kannel (bearerbox, smsbox) on loopback with its fake message centre; what reaches the centre's phones is read from it.
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const USER: &str = "kimlik";
pub const PASSWORD: &str = "kannel-sifresi";

pub struct Kannel {
    boxes: Vec<Child>,
    pub url: String,
    received: Arc<Mutex<Vec<(String, String)>>>,
    _folder: TempDir,
}

/// Free a moment ago; whoever takes it meanwhile makes the start fail aloud.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port()
}

fn start(program: &str, folder: &Path, log: &str) -> Child {
    let log = std::fs::File::create(folder.join(log)).expect("a log");
    let mut command = Command::new(program);
    command.arg("kannel.conf").current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().unwrap_or_else(|e| panic!("{program}: {e}; scripts/install-test-packages.sh installs it"))
}

fn reach(port: u16) -> TcpStream {
    let began = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => return stream,
            Err(e) => assert!(began.elapsed() < Duration::from_secs(30), "port {port} of Kannel: {e}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Kannel {
    pub fn start() -> Kannel {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [admin, boxes, centre, send] = [(); 4].map(|()| free_port());
        let conf = format!(
            "group = core\nadmin-port = {admin}\nadmin-interface = 127.0.0.1\nadmin-password = x\nsmsbox-port = {boxes}\n\
             smsbox-interface = 127.0.0.1\nbox-deny-ip = \"*.*.*.*\"\nbox-allow-ip = \"127.0.0.1\"\ndlr-storage = internal\n\n\
             group = smsc\nsmsc = fake\nsmsc-id = fake\nport = {centre}\nconnect-allow-ip = 127.0.0.1\n\n\
             group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {send}\nsendsms-interface = 127.0.0.1\n\n\
             group = sendsms-user\nusername = {USER}\npassword = {PASSWORD}\nmax-messages = 10\nconcatenation = true\n\n\
             group = sms-service\nkeyword = default\ntext = yok\n"
        );
        std::fs::write(folder.path().join("kannel.conf"), conf).expect("its settings");
        let bearer = start("/usr/sbin/bearerbox", folder.path(), "bearerbox.log");
        let phones = reach(centre);
        let smsbox = start("/usr/sbin/smsbox", folder.path(), "smsbox.log");
        let received = Arc::new(Mutex::new(Vec::new()));
        let read = received.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(phones).lines().map_while(Result::ok) {
                read.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(message(&line));
            }
        });
        drop(reach(send));
        Kannel { boxes: vec![smsbox, bearer], url: format!("http://127.0.0.1:{send}"), received, _folder: folder }
    }

    /// (number, text) in the order of arrival.
    pub fn received(&self) -> Vec<(String, String)> {
        self.received.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// `sender number text Hello` or `sender number ucs-2 %00H…`; long ones come with a header: `sender number udh %05… text …`.
fn message(line: &str) -> Option<(String, String)> {
    let mut words = line.splitn(4, ' ');
    let (_, number, kind, rest) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let text = match kind {
        "text" => rest.to_owned(),
        "ucs-2" => utf16(rest),
        _ => format!("{kind} {rest}"),
    };
    Some((number.to_owned(), text))
}

fn utf16(escaped: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = escaped.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            b'%' => {
                let hex: Vec<u8> = rest.by_ref().take(2).collect();
                u8::from_str_radix(&String::from_utf8_lossy(&hex), 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    let units: Vec<u16> = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

impl Drop for Kannel {
    fn drop(&mut self) {
        for child in &mut self.boxes {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
