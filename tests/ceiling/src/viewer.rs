//! One connection: reads a head, writes the answer, and goes on.

use crate::answers::Answers;
use mio::{Interest, Registry, Token, net::TcpStream};
use std::{
    io::{self, Read as _, Write as _},
    rc::Rc,
};

/// The longest head; a longer one ends the connection.
const HEAD: usize = 8 << 10;

/// What becomes of a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// It goes on when the kernel says so.
    Wait,
    /// It is over.
    End,
}

/// A connection.
pub struct Viewer {
    stream: TcpStream,
    head: Box<[u8; HEAD]>,
    filled: usize,
    answer: Option<(Rc<[u8]>, usize)>,
}

impl Viewer {
    /// Watches a new connection for both directions.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(mut stream: TcpStream, registry: &Registry, token: Token) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { stream, head: Box::new([0; HEAD]), filled: 0, answer: None })
    }

    /// Stops watching.
    ///
    /// # Errors
    /// The kernel's.
    pub fn leave(&mut self, registry: &Registry) -> io::Result<()> {
        registry.deregister(&mut self.stream)
    }

    /// Does what can be done now: one read and one write where the kernel takes a whole answer.
    /// Events come once for each change, so an answer that had to wait is followed by a read.
    ///
    /// # Errors
    /// The kernel's; the connection is over then.
    pub fn go_on(&mut self, answers: &mut Answers) -> io::Result<Next> {
        if self.answer.is_some() && !self.write()? {
            return Ok(Next::Wait);
        }
        loop {
            match self.read() {
                Ok(0) => return Ok(Next::End),
                Ok(read) => self.filled += read,
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Ok(Next::Wait),
                Err(why) => return Err(why),
            }
            let head = self.head.get(..self.filled).unwrap_or_default();
            if head.ends_with(b"\r\n\r\n") {
                self.answer = Some((answers.to(head), 0));
                self.filled = 0;
                self.write()?;
                return Ok(Next::Wait);
            }
        }
    }

    /// Zero: the viewer has ended its side, or its head is too long.
    fn read(&mut self) -> io::Result<usize> {
        let space = self.head.get_mut(self.filled..).unwrap_or_default();
        if space.is_empty() { Ok(0) } else { self.stream.read(space) }
    }

    /// Whether the whole answer is with the kernel.
    fn write(&mut self) -> io::Result<bool> {
        while let Some((answer, sent)) = &mut self.answer {
            let rest = answer.get(*sent..).unwrap_or_default();
            if rest.is_empty() {
                self.answer = None;
                break;
            }
            match self.stream.write(rest) {
                Ok(written) => *sent += written,
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(why) => return Err(why),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll};
    use std::{
        net::{TcpListener, TcpStream as Client},
        thread,
    };

    /// Serves one connection until it is over.
    fn serve(listener: &TcpListener) {
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut poll = Poll::new().unwrap();
        let mut viewer =
            Viewer::new(TcpStream::from_std(stream), poll.registry(), Token(0)).unwrap();
        let (mut answers, mut events) = (Answers::new(), Events::with_capacity(8));
        loop {
            poll.poll(&mut events, None).unwrap();
            for _ in &events {
                if viewer.go_on(&mut answers).unwrap() == Next::End {
                    return viewer.leave(poll.registry()).unwrap();
                }
            }
        }
    }

    fn body(client: &mut Client, size: usize) -> Vec<u8> {
        let mut answer = Vec::new();
        let mut space = [0; 4096];
        loop {
            let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(head) = head.filter(|head| answer.len() >= head + 4 + size) {
                return answer.split_off(head + 4);
            }
            let read = client.read(&mut space).unwrap();
            assert!(read > 0, "the connection ended early");
            answer.extend_from_slice(&space[..read]);
        }
    }

    #[test]
    fn small_and_large_answers_come_whole_on_one_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = Client::connect(listener.local_addr().unwrap()).unwrap();
        let server = thread::spawn(move || serve(&listener));
        for size in [1024, 20 << 20, 0, 512] {
            client.write_all(format!("GET /{size}/a HTTP/1.1\r\nHost:").as_bytes()).unwrap();
            client.write_all(b" a\r\n\r\n").unwrap();
            assert_eq!(body(&mut client, size).len(), size);
        }
        drop(client);
        server.join().unwrap();
    }

    #[test]
    fn a_head_without_end_ends_the_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = Client::connect(listener.local_addr().unwrap()).unwrap();
        let server = thread::spawn(move || serve(&listener));
        client.write_all(&[b'a'; HEAD]).unwrap();
        server.join().unwrap();
        let mut rest = Vec::new();
        assert_eq!(client.read_to_end(&mut rest).unwrap_or_default(), 0);
    }
}
