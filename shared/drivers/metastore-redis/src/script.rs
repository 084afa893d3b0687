//! Our Lua scripts, each atomic in Redis.

use redis::{Cmd, ToRedisArgs, cmd};
use std::sync::LazyLock;

/// One script.
pub struct Script {
    /// Its text.
    pub text: &'static str,
    hash: LazyLock<String>,
}

macro_rules! script {
    ($(#[$about:meta])* $name:ident, $file:literal) => {
        $(#[$about])*
        pub static $name: Script = Script {
            text: include_str!($file),
            hash: LazyLock::new(|| redis::Script::new(include_str!($file)).get_hash().to_owned()),
        };
    };
}
script!(
    /// A commit.
    COMMIT,
    "scripts/commit.lua"
);
script!(
    /// Some entries.
    PAGE,
    "scripts/page.lua"
);
script!(
    /// Some changes.
    CHANGES,
    "scripts/changes.lua"
);
script!(
    /// An edge is alive.
    BEAT,
    "scripts/beat.lua"
);
script!(
    /// An edge leaves.
    LEAVE,
    "scripts/leave.lua"
);
script!(
    /// Who is alive.
    ALIVE,
    "scripts/alive.lua"
);

impl Script {
    /// The command that runs it, once Redis has it.
    pub fn command(&self, keys: &[impl ToRedisArgs], arguments: &[impl ToRedisArgs]) -> Cmd {
        let mut command = cmd("EVALSHA");
        command.arg(&*self.hash).arg(keys.len()).arg(keys).arg(arguments);
        command
    }

    /// The command that gives it to Redis.
    pub fn load(&self) -> Cmd {
        let mut command = cmd("SCRIPT");
        command.arg("LOAD").arg(self.text);
        command
    }
}
