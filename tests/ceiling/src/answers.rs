//! The constants: one whole answer for each size, made when it is first asked for.

use std::{collections::HashMap, fmt::Write as _, rc::Rc, time::SystemTime};

/// The largest body.
const LARGEST: usize = 64 << 20;
/// So many sizes are kept; further ones are refused.
const SIZES: usize = 64;

/// Answers by size of body.
pub struct Answers {
    made: HashMap<usize, Rc<[u8]>>,
    refusal: Rc<[u8]>,
}

impl Answers {
    /// None yet.
    pub fn new() -> Self {
        let refusal = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        Self { made: HashMap::new(), refusal: Rc::from(refusal.as_slice()) }
    }

    /// The answer to a head that begins with `GET /BYTES/`; 404 to all others.
    pub fn to(&mut self, head: &[u8]) -> Rc<[u8]> {
        let size = size(head).filter(|size| *size <= LARGEST);
        let Some(size) = size else {
            return self.refusal.clone();
        };
        if let Some(made) = self.made.get(&size) {
            return made.clone();
        }
        if self.made.len() == SIZES {
            return self.refusal.clone();
        }
        let made: Rc<[u8]> = Rc::from(whole(size));
        self.made.insert(size, made.clone());
        made
    }
}

fn size(head: &[u8]) -> Option<usize> {
    let rest = head.strip_prefix(b"GET /")?;
    let digits = rest.split(|byte| *byte == b'/').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn whole(size: usize) -> Vec<u8> {
    let mut head = String::from("HTTP/1.1 200 OK\r\n");
    let date = httpdate::fmt_http_date(SystemTime::now());
    let _ = write!(head, "Date: {date}\r\nContent-Type: application/octet-stream\r\n");
    let _ = write!(head, "Content-Length: {size}\r\nCache-Control: public, max-age=86400\r\n\r\n");
    let mut whole = head.into_bytes();
    whole.extend((0..size).map(|at| b"0123456789abcdef".get(at % 16).copied().unwrap_or_default()));
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_how_many_bytes_come() {
        let mut answers = Answers::new();
        for (path, bytes) in [("/1024/a?x=1", 1024), ("/0/", 0), ("/102400/some/where", 102_400)] {
            let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
            let text = String::from_utf8(answers.to(head.as_bytes()).to_vec()).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"));
            assert!(head.contains(&format!("Content-Length: {bytes}\r\n")));
            assert_eq!(body.len(), bytes);
        }
    }

    #[test]
    fn what_is_no_size_or_too_many_sizes_is_refused() {
        let mut answers = Answers::new();
        let too_large = format!("GET /{}/a HTTP/1.1\r\n\r\n", LARGEST + 1);
        for head in
            ["GET / HTTP/1.1\r\n\r\n", "POST /5/a HTTP/1.1\r\n\r\n", "GET /5x/ H\r\n", &too_large]
        {
            assert!(answers.to(head.as_bytes()).starts_with(b"HTTP/1.1 404"));
        }
        for size in 0..SIZES {
            assert!(answers.to(format!("GET /{size}/a").as_bytes()).starts_with(b"HTTP/1.1 200"));
        }
        assert!(answers.to(b"GET /1000/a").starts_with(b"HTTP/1.1 404"));
        assert!(answers.to(b"GET /1/a").starts_with(b"HTTP/1.1 200"));
    }
}
