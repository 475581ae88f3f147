//! A real mail server (aiosmtpd) on loopback, with TLS and passwords as asked for; letters are read by Python's mail library.
use crate::kannel::free_port;
use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

pub const USER: &str = "kimlik";
pub const PASSWORD: &str = "posta-sifresi";

/// A letter as its reader sees it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    pub sender: String,
    pub subject: String,
    pub text: String,
    pub id: String,
    pub headers: Vec<String>,
    pub defects: Vec<String>,
    pub tls: bool,
    pub user: Option<String>,
}

pub struct MailServer {
    child: Child,
    /// It runs as long as this is open: also a test that is killed leaves none behind.
    _stdin: Option<ChildStdin>,
    pub port: u16,
    security: &'static str,
    received: Arc<Mutex<Vec<Received>>>,
    folder: Arc<TempDir>,
}

impl MailServer {
    /// `security`: `tls`, `start_tls` or `none`, as in mail.smtp.security. With a password except on `none`.
    pub fn start(security: &'static str) -> MailServer {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        std::fs::write(folder.path().join("server.pem"), made.cert.pem()).expect("its certificate");
        std::fs::write(folder.path().join("server.key"), made.signing_key.serialize_pem()).expect("its key");
        std::fs::write(folder.path().join("password"), PASSWORD).expect("a password");
        MailServer::on(free_port(), security, Arc::new(folder), Arc::default())
    }

    fn on(port: u16, security: &'static str, folder: Arc<TempDir>, received: Arc<Mutex<Vec<Received>>>) -> MailServer {
        let file = |name: &str| folder.path().join(name).display().to_string();
        let settings = serde_json::json!({
            "port": port,
            "security": security,
            "user": if security == "none" { "" } else { USER },
            "password": PASSWORD,
            "certificate": file("server.pem"),
            "key": file("server.key"),
        });
        let mut child = Command::new("/usr/bin/python3")
            .args(["-c", include_str!("mail_server.py"), &settings.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 and aiosmtpd; scripts/install-test-packages.sh installs them");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let ready = lines.next().and_then(Result::ok);
        assert_eq!(ready.as_deref(), Some("{}"), "the mail server did not start");
        let read = received.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let letter: Received = serde_json::from_str(&line).expect("a letter");
                read.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(letter);
            }
        });
        let stdin = child.stdin.take();
        MailServer { child, _stdin: stdin, port, security, received, folder }
    }

    /// The same one again, after a stop.
    pub fn again(self) -> MailServer {
        let (port, security) = (self.port, self.security);
        let (folder, received) = (self.folder.clone(), self.received.clone());
        drop(self);
        MailServer::on(port, security, folder, received)
    }

    /// Ends; what it has received can still be read.
    pub fn stop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    pub fn certificate(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("server.pem")).expect("its certificate")
    }

    /// The sections of kimlik.toml.
    pub fn settings(&self) -> String {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let access = if self.security == "none" {
            String::new()
        } else {
            format!("user = \"{USER}\"\npassword_file = \"{}\"\nca_file = \"{}\"\n", file("password"), file("server.pem"))
        };
        format!(
            "[mail]\ngateway = \"smtp\"\nfrom = \"kimlik@csb.test\"\nfrom_name = \"Bakanlık Kimlik\"\n[mail.smtp]\nhost = \"127.0.0.1\"\nport = {}\n\
             security = \"{}\"\n{access}",
            self.port, self.security
        )
    }

    /// In the order of arrival.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.stop();
    }
}
