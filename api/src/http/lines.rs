//! How many lasting connections somebody may hold at once: a line that is not given back cannot be taken by colleagues.
use super::auth::ClientAddress;
use kimlik_domain::access::{Caller, Who};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Of one caller (or, before anybody is known, of one address).
pub const EACH: usize = 20;
const IN_ALL: usize = 5_000;

#[derive(Default)]
pub struct Lines(Mutex<HashMap<Arc<str>, usize>>);

/// Given back when dropped.
pub struct Line {
    lines: Arc<Lines>,
    of: Arc<str>,
}

/// Under whose name a line is counted.
pub fn holder(caller: &Caller, address: &ClientAddress) -> String {
    match caller.who {
        Who::Nobody => format!("address:{}", address.0),
        _ => caller.actor(),
    }
}

impl Lines {
    pub fn take(self: &Arc<Lines>, of: &str) -> Option<Line> {
        let mut held = self.0.lock().ok()?;
        if held.values().sum::<usize>() >= IN_ALL || held.get(of).is_some_and(|n| *n >= EACH) {
            return None;
        }
        let of: Arc<str> = of.into();
        *held.entry(of.clone()).or_default() += 1;
        Some(Line { lines: self.clone(), of })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Ok(mut held) = self.lines.0.lock() else { return };
        if let Some(n) = held.get_mut(&self.of) {
            *n -= 1;
            if *n == 0 {
                held.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_takes_no_line_from_another_and_gives_them_back() {
        let lines = Arc::new(Lines::default());
        let taken: Vec<_> = (0..EACH).map(|_| lines.take("a").unwrap()).collect();
        assert!(lines.take("a").is_none());
        assert!(lines.take("b").is_some());
        drop(taken);
        assert!(lines.take("a").is_some());
        assert!(lines.0.lock().unwrap().is_empty());
    }
}
