//! A line between the program and a server that can lose the answers, or hold them up: what is sent arrives and is carried out, and
//! nothing comes back. Why beside freezing the server: what a frozen server does later with what it was sent differs between releases.
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

pub struct Relay {
    address: SocketAddr,
    losing: Arc<AtomicBool>,
    /// In milliseconds.
    late: Arc<AtomicU64>,
}

impl Relay {
    /// Listens on a free port of the server's own address, so that its certificate holds here too.
    pub fn before(server: &str) -> Relay {
        let server: SocketAddr = server.parse().unwrap();
        let listener = TcpListener::bind((server.ip(), 0)).unwrap();
        let (address, losing) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let late = Arc::new(AtomicU64::new(0));
        let (lost, held) = (losing.clone(), late.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(server) else { continue };
                let (from_client, from_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (lost, held) = (lost.clone(), held.clone());
                thread::spawn(move || carry(from_client, server, || true));
                // Why for good: after a gap the rest of a connection means nothing.
                let mut gap = false;
                let passes = move || {
                    thread::sleep(Duration::from_millis(held.load(Ordering::SeqCst)));
                    gap |= lost.load(Ordering::SeqCst);
                    !gap
                };
                thread::spawn(move || carry(from_server, client, passes));
            }
        });
        Relay { address, losing, late }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// From now on, and until `false`: no answer arrives.
    pub fn lose_answers(&self, lose: bool) {
        self.losing.store(lose, Ordering::SeqCst);
    }
    /// From now on each answer is held up for so long.
    pub fn hold_answers(&self, milliseconds: u64) {
        self.late.store(milliseconds, Ordering::SeqCst);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, mut passes: impl FnMut() -> bool) {
    let mut octets = [0; 16 * 1024];
    while let Ok(n @ 1..) = from.read(&mut octets) {
        if passes() && to.write_all(&octets[..n]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Both).ok();
}
