//! A receiver of webhooks over plain HTTP that behaves as it is told to, and remembers what it was told. Speaks HTTP by itself,
//! so that it can also speak nonsense.
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Takes,
    Answers(u16),
    /// Asks for so many seconds.
    Busy(u32),
    /// Takes it, after so long.
    Slow(Duration),
    Garbage,
    /// Reads the message and hangs up.
    HangsUp,
    Redirects,
}

/// One message as it came.
#[derive(Clone, Debug)]
pub struct Heard {
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: String,
    /// It was answered with 200.
    pub took: bool,
}

impl Heard {
    pub fn event(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
    pub fn id(&self) -> String {
        self.headers.get("webhook-id").cloned().unwrap_or_default()
    }
}

pub struct Receiver {
    pub address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    heard: Arc<Mutex<Vec<Heard>>>,
    stop: Arc<AtomicBool>,
}

impl Receiver {
    pub fn start(manner: Manner) -> Receiver {
        Receiver::start_at("127.0.0.1:0", manner).expect("a free port")
    }

    pub fn start_at(address: &str, manner: Manner) -> std::io::Result<Receiver> {
        let listener = TcpListener::bind(address)?;
        let (manner, heard, stop) = (Arc::new(Mutex::new(manner)), Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let receiver = Receiver { address: listener.local_addr()?, manner: manner.clone(), heard: heard.clone(), stop: stop.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (manner, heard, stop) = (manner.clone(), heard.clone(), stop.clone());
                std::thread::spawn(move || serve(stream, &manner, &heard, &stop));
            }
        });
        Ok(receiver)
    }

    pub fn url(&self) -> String {
        format!("http://{}/kimlik", self.address)
    }
    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().expect("no test panicked meanwhile") = manner;
    }
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("no test panicked meanwhile").clone()
    }
    pub fn took(&self) -> Vec<Heard> {
        self.heard().into_iter().filter(|h| h.took).collect()
    }
    pub fn forget(&self) {
        self.heard.lock().expect("no test panicked meanwhile").clear();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address).ok();
    }
}

fn serve(mut stream: TcpStream, manner: &Mutex<Manner>, heard: &Mutex<Vec<Heard>>, stop: &AtomicBool) {
    let Ok(read) = stream.try_clone() else { return };
    let mut lines = BufReader::new(read);
    while let Some(mut one) = request(&mut lines) {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let manner = *manner.lock().expect("no test panicked meanwhile");
        if let Manner::Slow(time) = manner {
            std::thread::sleep(time);
        }
        let answer = match manner {
            Manner::Takes | Manner::Slow(_) => "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(),
            Manner::Answers(status) => format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n"),
            Manner::Busy(seconds) => format!("HTTP/1.1 503 Busy\r\nretry-after: {seconds}\r\ncontent-length: 0\r\n\r\n"),
            Manner::Garbage => "\u{1}\u{2}<<< this is not HTTP >>>\r\n\r\n".to_owned(),
            Manner::HangsUp => String::new(),
            Manner::Redirects => "HTTP/1.1 307 There\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_owned(),
        };
        one.took = answer.starts_with("HTTP/1.1 200");
        heard.lock().expect("no test panicked meanwhile").push(one);
        if stream.write_all(answer.as_bytes()).is_err() || matches!(manner, Manner::Garbage | Manner::HangsUp) {
            return;
        }
    }
}

fn request(lines: &mut BufReader<TcpStream>) -> Option<Heard> {
    let mut first = String::new();
    lines.read_line(&mut first).ok().filter(|n| *n > 0)?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    lines.read_exact(&mut body).ok()?;
    Some(Heard { path, headers, body: String::from_utf8_lossy(&body).into_owned(), took: false })
}

const VERIFY: &str = r#"
const { createHmac, timingSafeEqual } = require("node:crypto");
const { secret, messages } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
if (key.length < 24) throw new Error("a short key");
for (const m of messages) {
  const expected = createHmac("sha256", key).update(`${m.id}.${m.timestamp}.${m.body}`).digest();
  const [version, given] = m.signature.split(",");
  if (version !== "v1" || !timingSafeEqual(expected, Buffer.from(given, "base64"))) { console.log(`wrong ${m.id}`); process.exit(1); }
}
console.log(`right ${messages.length}`);
"#;

/// As a receiver would that was written by somebody else: Node's own HMAC. `right 3`, or `wrong <id>`.
pub fn verified(secret: &str, messages: &[Heard]) -> String {
    let header = |m: &Heard, name: &str| m.headers.get(name).cloned().unwrap_or_default();
    let messages: Vec<serde_json::Value> = messages
        .iter()
        .map(|m| {
            let (timestamp, signature) = (header(m, "webhook-timestamp"), header(m, "webhook-signature"));
            serde_json::json!({ "id": m.id(), "timestamp": timestamp, "signature": signature, "body": m.body })
        })
        .collect();
    let text = serde_json::json!({ "secret": secret, "messages": messages }).to_string();
    let mut node = Command::new("node")
        .args(["-e", VERIFY])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is installed: tests/run installs it");
    node.stdin.take().expect("piped").write_all(text.as_bytes()).expect("node reads");
    let out = node.wait_with_output().expect("node ends");
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}
