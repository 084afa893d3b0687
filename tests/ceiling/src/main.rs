//! A bare epoll loop that answers a constant.
//!
//! For: `scripts/bench`, twice. As the ceiling that a server on one core can be compared with (one
//! read and one write per request, nothing else), and as an origin that is never the bottleneck.
//! Not for: anything that faces a network. It knows `GET /BYTES/anything` of one request at a time
//! and answers so many bytes, which may be kept for a day.

mod answers;
mod viewer;

use answers::Answers;
use mio::{Events, Interest, Poll, Token, event::Event, net::TcpListener};
use std::{collections::HashMap, io, net::SocketAddr, process::ExitCode};
use viewer::{Next, Viewer};

const LISTENER: Token = Token(usize::MAX);
/// Events that one turn of the loop takes.
const TURN: usize = 256;

fn main() -> ExitCode {
    let Some(address) = std::env::args().nth(1).and_then(|text| text.parse().ok()) else {
        eprintln!("usage: nearfront-ceiling ADDRESS:PORT (port 0: any)");
        return ExitCode::from(2);
    };
    match serve(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("nearfront-ceiling: {address}: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until the process is ended; says on standard output where it listens.
fn serve(address: SocketAddr) -> io::Result<()> {
    let mut listener = TcpListener::bind(address)?;
    println!("{}", listener.local_addr()?);
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut state =
        Loop { poll, listener, viewers: HashMap::new(), last: 0, answers: Answers::new() };
    let mut events = Events::with_capacity(TURN);
    loop {
        match state.poll.poll(&mut events, None) {
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            done => done?,
        }
        for event in &events {
            state.hear(event)?;
        }
    }
}

struct Loop {
    poll: Poll,
    listener: TcpListener,
    viewers: HashMap<Token, Viewer>,
    last: usize,
    answers: Answers,
}

impl Loop {
    fn hear(&mut self, event: &Event) -> io::Result<()> {
        if event.token() == LISTENER {
            return self.accept();
        }
        let Some(viewer) = self.viewers.get_mut(&event.token()) else {
            return Ok(());
        };
        if matches!(viewer.go_on(&mut self.answers), Ok(Next::Wait)) {
            return Ok(());
        }
        if let Some(mut gone) = self.viewers.remove(&event.token()) {
            gone.leave(self.poll.registry())?;
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    self.last += 1;
                    let token = Token(self.last);
                    let viewer = Viewer::new(stream, self.poll.registry(), token)?;
                    self.viewers.insert(token, viewer);
                }
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(why) => return Err(why),
            }
        }
    }
}
