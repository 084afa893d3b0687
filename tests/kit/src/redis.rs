//! Redis for tests: one server, a master with a replica and a sentinel, or a cluster of three.
//!
//! For: real processes on free ports of 127.0.0.1, each with an append-only file in a folder of its
//! own; they end with their owner.
//! Not for: what is asked of them (the drivers' tests).
#![expect(clippy::expect_used, clippy::panic, reason = "a test without its server ends here")]
#![expect(clippy::missing_panics_doc, reason = "every function here panics without its server")]

use std::{fmt::Write as _, net::TcpListener, path::PathBuf, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// What a server says once it listens.
const READY: &str = "Ready to accept connections";
const SENTINEL_READY: &str = "+monitor master";
/// Another process may take a free port before the server does.
const ATTEMPTS: usize = 5;

/// One `redis-server`, killed when dropped.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    options: Vec<String>,
    folder: TempDir,
    child: Option<Child>,
}

impl Redis {
    /// A server that writes an append-only file.
    pub async fn start() -> Self {
        Self::start_with(&["--appendonly", "yes"]).await
    }

    /// A server with these options: `["--requirepass", "secret"]`.
    pub async fn start_with(options: &[&str]) -> Self {
        for _ in 0..ATTEMPTS {
            let mut server = Self {
                port: free_port(),
                options: options.iter().map(ToString::to_string).collect(),
                folder: tempfile::tempdir().expect("a folder for redis"),
                child: None,
            };
            if server.run().await {
                return server;
            }
        }
        panic!("redis-server does not start: is it installed (apt-get install redis-server)?")
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where its files are.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Kills it, as `kill -9` does; returns once it is gone.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.expect("redis can be killed");
        }
    }

    /// Starts it again on the same port with the same files; returns once it listens.
    pub async fn start_again(&mut self) {
        assert!(self.child.is_none(), "redis runs already");
        assert!(self.run().await, "redis does not start again on port {}", self.port);
    }

    /// Stops or continues its process without closing anything: `STOP`, `CONT`.
    pub async fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().and_then(Child::id).expect("redis runs");
        let (signal, pid) = (format!("-{signal}"), pid.to_string());
        run("kill", &[&signal, &pid]).await;
    }

    /// What `redis-cli` says when it is asked this.
    pub async fn cli(&self, arguments: &[&str]) -> String {
        cli(self.port, arguments).await
    }

    async fn run(&mut self) -> bool {
        let folder = self.folder.path().display().to_string();
        let port = self.port.to_string();
        let fixed = ["--port", &port, "--bind", "127.0.0.1", "--dir", &folder, "--save", ""];
        let mut command = Command::new("redis-server");
        command.args(fixed).args(&self.options);
        self.child = ready(command, READY).await;
        self.child.is_some()
    }
}

/// A master, its replica, and a sentinel that watches both under the name [`Sentinel::MASTER`].
#[derive(Debug)]
pub struct Sentinel {
    master: Redis,
    replica: Redis,
    port: u16,
    _folder: TempDir,
    _child: Child,
}

impl Sentinel {
    /// The name under which the sentinel knows the pair.
    pub const MASTER: &str = "nearfront-test";

    /// Starts all three; a master that says nothing for `patience` is given up by the sentinel.
    pub async fn start(patience: Duration) -> Self {
        let master = Redis::start().await;
        let of = master.port.to_string();
        let replica =
            Redis::start_with(&["--appendonly", "yes", "--replicaof", "127.0.0.1", &of]).await;
        let folder = tempfile::tempdir().expect("a folder for the sentinel");
        for _ in 0..ATTEMPTS {
            let port = free_port();
            if let Some(child) = sentinel(&folder, port, master.port, patience).await {
                let started = Self { master, replica, port, _folder: folder, _child: child };
                started.knows_its_replica().await;
                return started;
            }
        }
        panic!("redis-sentinel does not start: is it installed (apt-get install redis-sentinel)?")
    }

    /// `redis+sentinel://127.0.0.1:PORT/MASTER`.
    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/{}", self.port, Self::MASTER)
    }

    /// The first master.
    pub fn master(&mut self) -> &mut Redis {
        &mut self.master
    }

    /// The replica that takes over.
    pub fn replica(&self) -> &Redis {
        &self.replica
    }

    /// A sentinel finds replicas by asking the master every ten seconds, or when told to forget.
    async fn knows_its_replica(&self) {
        while !self.replica.cli(&["info", "replication"]).await.contains("master_link_status:up") {
            tokio::task::yield_now().await;
        }
        while !cli(self.port, &["sentinel", "master", Self::MASTER]).await.contains("num-slaves\n1")
        {
            cli(self.port, &["sentinel", "reset", Self::MASTER]).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

async fn sentinel(folder: &TempDir, port: u16, master: u16, patience: Duration) -> Option<Child> {
    let patience = patience.as_millis();
    let name = Sentinel::MASTER;
    let mut settings = format!("port {port}\nbind 127.0.0.1\ndir {}\n", folder.path().display());
    let _ = write!(
        settings,
        "sentinel monitor {name} 127.0.0.1 {master} 1\n\
         sentinel down-after-milliseconds {name} {patience}\nsentinel failover-timeout {name} 2000\n"
    );
    let file = folder.path().join("sentinel.conf");
    std::fs::write(&file, settings).expect("the sentinel's settings");
    let mut command = Command::new("redis-sentinel");
    command.arg(file);
    ready(command, SENTINEL_READY).await
}

/// Three masters that share the slots.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Redis>,
}

impl Cluster {
    /// Starts them and makes them one cluster; returns once every node says that all is well.
    pub async fn start() -> Self {
        let mut nodes = Vec::new();
        for _ in 0..3 {
            nodes.push(cluster_node().await);
        }
        let cluster = Self { nodes };
        let addresses: Vec<_> = cluster.addresses();
        let mut arguments = vec!["--cluster-yes", "--cluster", "create"];
        arguments.extend(addresses.iter().map(String::as_str));
        run("redis-cli", &arguments).await;
        for node in &cluster.nodes {
            while !node.cli(&["cluster", "info"]).await.contains("cluster_state:ok") {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        cluster
    }

    /// `redis+cluster://127.0.0.1:PORT,127.0.0.1:PORT,127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis+cluster://{}", self.addresses().join(","))
    }

    /// The nodes.
    pub fn nodes(&mut self) -> &mut [Redis] {
        &mut self.nodes
    }

    fn addresses(&self) -> Vec<String> {
        self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect()
    }
}

async fn cluster_node() -> Redis {
    let bus = free_port().to_string();
    let timeout = ["--cluster-node-timeout", "2000", "--cluster-port", &bus];
    let fixed = ["--appendonly", "yes", "--cluster-enabled", "yes"];
    Redis::start_with(&[&fixed[..], &timeout[..]].concat()).await
}

/// Starts it and reads what it says until this word comes; none when it ends before.
async fn ready(mut command: Command, word: &str) -> Option<Child> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().ok()?;
    let mut lines = BufReader::new(child.stdout.take()?).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.contains(word) {
            tokio::spawn(drain(lines));
            return Some(child);
        }
    }
    None
}

/// A server whose pipe nobody reads would stop at some point.
async fn drain(mut lines: Lines<BufReader<ChildStdout>>) {
    while let Ok(Some(_)) = lines.next_line().await {}
}

async fn cli(port: u16, arguments: &[&str]) -> String {
    let port = port.to_string();
    run("redis-cli", &[&["-h", "127.0.0.1", "-p", &port], arguments].concat()).await
}

async fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().await.expect("it can be started");
    let said = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    said
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}
