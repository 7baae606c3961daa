//! A `vinod` in the test's process, for `vinoctl` to talk to.

use crate::bench::Bench;

/// A folder with a daemon listening in it.
pub(crate) struct Served {
    /// The folder.
    pub(crate) bench: Bench,
    daemon: Option<vinod::Daemon>,
    runtime: tokio::runtime::Runtime,
}

impl Served {
    /// Starts a daemon on an empty store.
    pub(crate) fn start() -> Served {
        let bench = Bench::new();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let store = bench.path().join("store");
        let config = vinod::Config::new(bench.socket().to_path_buf(), store);
        let daemon = runtime
            .block_on(vinod::Daemon::start(config))
            .expect("the daemon starts");
        Served {
            bench,
            daemon: Some(daemon),
            runtime,
        }
    }
}

impl std::ops::Deref for Served {
    type Target = Bench;

    fn deref(&self) -> &Bench {
        &self.bench
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            self.runtime.block_on(daemon.shutdown());
        }
    }
}
