//! A line that listens to what the program asks of a server, and counts. Nothing is changed, and nothing held up but what a test names.
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

pub struct Tally {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    gate: Arc<Gate>,
}

/// What is not let through: statements of which this is true.
#[derive(Default)]
struct Gate {
    shut_for: Mutex<Option<Which>>,
    opened: Condvar,
}

type Which = fn(&str) -> bool;

impl Gate {
    fn pass(&self, said: &[String]) {
        let shut = self.shut_for.lock().unwrap();
        drop(self.opened.wait_while(shut, |shut| shut.is_some_and(|which| said.iter().any(|s| which(s)))).unwrap());
    }
}

/// Until it is dropped, connections wait on which something of the kind was said.
pub struct Held(Arc<Gate>);

impl Drop for Held {
    fn drop(&mut self) {
        *self.0.shut_for.lock().unwrap() = None;
        self.0.opened.notify_all();
    }
}

/// What a client sends, cut into what it asks.
type Hear = fn(&mut Vec<u8>, &mut Said) -> Vec<String>;

impl Tally {
    /// Of a server that speaks TLS. What is in a record nobody can hear; each is one request, or a few that were sent as one.
    pub fn of_tls(server: &str) -> Tally {
        Tally::before(server, |octets, _| {
            let mut heard = Vec::new();
            while let [kind, _, _, high, low, ..] = octets[..] {
                let whole = 5 + usize::from(u16::from_be_bytes([high, low]));
                if octets.len() < whole {
                    break;
                }
                const APPLICATION_DATA: u8 = 23;
                heard.extend((kind == APPLICATION_DATA).then(|| "record".to_owned()));
                octets.drain(..whole);
            }
            heard
        })
    }

    /// Of a PostgreSQL without TLS: the statements that are executed, as often as they are.
    /// With the URL by which the database is reached over this line.
    pub fn of_postgresql(url: &str) -> (Tally, String) {
        let (before, behind) = url.rsplit_once('@').unwrap();
        let (server, name) = behind.split_once('/').unwrap();
        let tally = Tally::before(server, Said::statements);
        let url = format!("{before}@{}/{name}", tally.address);
        (tally, url)
    }

    fn before(server: &str, hear: Hear) -> Tally {
        let server: SocketAddr = server.parse().unwrap();
        let listener = TcpListener::bind((server.ip(), 0)).unwrap();
        let tally = Tally { address: listener.local_addr().unwrap(), heard: Arc::default(), gate: Arc::default() };
        let (heard, gate) = (tally.heard.clone(), tally.gate.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(server) else { continue };
                let (from_client, from_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (heard, gate) = (heard.clone(), gate.clone());
                let (mut kept, mut said) = (Vec::new(), Said::default());
                let listen = move |octets: &[u8]| {
                    kept.extend_from_slice(octets);
                    let now = hear(&mut kept, &mut said);
                    heard.lock().unwrap().extend(now.iter().cloned());
                    gate.pass(&now);
                };
                thread::spawn(move || carry(from_client, server, listen));
                thread::spawn(move || carry(from_server, client, |_| ()));
            }
        });
        tally
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on statements of this kind are heard and not let through.
    pub fn hold(&self, which: Which) -> Held {
        *self.gate.shut_for.lock().unwrap() = Some(which);
        Held(self.gate.clone())
    }

    /// What was heard since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, mut listen: impl FnMut(&[u8])) {
    let mut octets = [0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut octets) {
        listen(&octets[..n]);
        if to.write_all(&octets[..n]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Both).ok();
}

/// What a client of PostgreSQL has said so far: its prepared statements by name, and those that portals were bound to.
#[derive(Default)]
struct Said {
    started: bool,
    prepared: std::collections::HashMap<Vec<u8>, String>,
    portals: std::collections::HashMap<Vec<u8>, String>,
}

impl Said {
    /// Messages of the protocol, version 3: before the start without a kind in front.
    fn statements(octets: &mut Vec<u8>, said: &mut Said) -> Vec<String> {
        let mut executed = Vec::new();
        loop {
            let kind = usize::from(said.started);
            let Some(Ok(length)) = octets.get(kind..kind + 4).map(<[u8; 4]>::try_from) else { return executed };
            let whole = kind + u32::from_be_bytes(length) as usize;
            if octets.len() < whole {
                return executed;
            }
            let message: Vec<u8> = octets.drain(..whole).collect();
            if !said.started {
                const SSL_REQUEST: [u8; 4] = 80_877_103_u32.to_be_bytes();
                said.started = message[4..] != SSL_REQUEST;
                continue;
            }
            let mut parts = message[5..].split(|octet| *octet == 0);
            let (first, second) = (parts.next().unwrap_or_default().to_vec(), parts.next().unwrap_or_default().to_vec());
            match message[0] {
                b'P' => drop(said.prepared.insert(first, String::from_utf8_lossy(&second).into_owned())),
                b'B' => drop(said.portals.insert(first, said.prepared.get(&second).cloned().unwrap_or_default())),
                b'E' => executed.extend(said.portals.get(&first).cloned()),
                b'Q' => executed.push(String::from_utf8_lossy(&first).into_owned()),
                _ => {}
            }
        }
    }
}
