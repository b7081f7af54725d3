//! A PostgreSQL server of a test's own: a cluster in a temporary folder, on a socket in it, run by a user without rights.

use crate::env::{PATIENCE, eventually, outer_path};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;

/// The user and group that servers run as where the tests run as root, which PostgreSQL refuses.
const NOBODY: u32 = 65_534;

/// The database user.
const USER: &str = "books";

/// A cluster with its server, which ends with it.
pub(crate) struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    server: Mutex<Option<Child>>,
    port: u16,
}

/// Where PostgreSQL's programs are. Without them the stories about it cannot be told: on a build server that is a
/// failure, and elsewhere it is said.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "whether this is a build server is the machine's, and a person is told what is not tested"
)]
fn programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = outer_path().split(':').map(PathBuf::from).collect();
    // Debian keeps them out of the search path, one folder a version.
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|it| it.path().join("bin")).collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    let whole = |folder: &PathBuf| {
        ["initdb", "postgres", "psql", "pg_basebackup"].iter().all(|it| folder.join(it).exists())
    };
    let found = folders.into_iter().find(whole);
    if found.is_none() {
        let missing =
            "PostgreSQL is missing: apt-get install postgresql, or ./test, which does that";
        assert!(std::env::var_os("CI").is_none_or(|it| it.is_empty()), "{missing}");
        eprintln!("NOT TESTED: {missing}");
    }
    found
}

/// Whether the tests run as root.
fn is_root() -> bool {
    let out = Command::new("id").arg("-u").env("PATH", outer_path()).output().unwrap();
    String::from_utf8_lossy(&out.stdout).trim() == "0"
}

impl Cluster {
    /// A server on a new cluster, or nothing where there is no PostgreSQL.
    pub(crate) fn start(settings: &[&str]) -> Option<Self> {
        let cluster = Self::empty()?;
        let made = cluster.run(
            "initdb",
            &["-D", "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        );
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let small = ["shared_buffers = '16MB'", "max_connections = 60"];
        cluster.configure(&[&small, settings].concat());
        cluster.up();
        Some(cluster)
    }

    fn empty() -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("pg-").tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        Some(Self { folder, programs, server: Mutex::default(), port: 5432 })
    }

    /// A standby of this server, which waits for its commits to be there as well.
    pub(crate) fn standby(&self) -> Self {
        let standby = Self::empty().unwrap();
        let from = format!("host={} user={USER} application_name=standby", self.socket().display());
        let made = standby
            .run("pg_basebackup", &["-D", "data", "-d", &from, "-R", "-X", "stream", "-c", "fast"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let own = format!("unix_socket_directories = '{}'", standby.socket().display());
        standby.configure(&[&own, "synchronous_standby_names = ''"]);
        standby.up();
        self.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
        self.sql("SELECT pg_reload_conf()");
        eventually("the standby is waited for", || {
            let state = self.sql("SELECT sync_state FROM pg_stat_replication");
            (state == "sync").then_some(())
        });
        standby
    }

    /// Puts settings behind those that there are: the last one counts.
    fn configure(&self, settings: &[&str]) {
        let path = self.folder.path().join("data/postgresql.auto.conf");
        let mut text = fs::read_to_string(&path).unwrap();
        let socket = self.socket().display().to_string();
        writeln!(text, "listen_addresses = ''\nunix_socket_directories = '{socket}'").unwrap();
        for setting in settings {
            text += setting;
            text.push('\n');
        }
        fs::write(&path, text).unwrap();
    }

    /// A program of PostgreSQL in the cluster's folder, by the user that it runs as.
    fn command<S: AsRef<OsStr>>(&self, program: &str, args: &[S]) -> Command {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            let id = NOBODY.to_string();
            command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_clear().env("PATH", outer_path()).env("LC_ALL", "C");
        command
    }

    fn run<S: AsRef<OsStr>>(&self, program: &str, args: &[S]) -> Output {
        self.command(program, args).output().unwrap()
    }

    /// Starts the server, and waits until it answers.
    pub(crate) fn up(&self) {
        let path = self.folder.path().join("log");
        let log = fs::File::options().create(true).append(true).open(path).unwrap();
        let begin = || {
            let mut command = self.command("postgres", &["-D", "data"]);
            // Nothing is ever said there: what is open as long as any process of the server lives.
            command.stdout(Stdio::piped()).stderr(log.try_clone().unwrap());
            command.spawn().unwrap()
        };
        let mut server = begin();
        eventually("the server answers", || {
            assert_eq!(server.try_wait().unwrap(), None, "{}", self.log());
            self.run("psql", &self.psql("SELECT 1")).status.success().then_some(())
        });
        *self.server.lock().unwrap() = Some(server);
    }

    /// Ends the server as a power cut would: with it end its own processes, each of which may answer for a moment longer.
    pub(crate) fn kill(&self) {
        let Some(mut server) = self.server.lock().unwrap().take() else { return };
        server.kill().unwrap();
        server.wait().unwrap();
        let mut open = server.stdout.take().unwrap();
        let (tell, told) = mpsc::channel();
        thread::spawn(move || tell.send(open.read_to_end(&mut Vec::new()).is_ok()));
        assert_eq!(told.recv_timeout(PATIENCE), Ok(true), "a process of the server lives on");
    }

    /// Makes a standby the server that is written to.
    pub(crate) fn promote(&self) {
        self.sql("SELECT pg_promote()");
    }

    fn psql(&self, sql: &str) -> Vec<String> {
        self.psql_in("postgres", sql)
    }

    fn psql_in(&self, database: &str, sql: &str) -> Vec<String> {
        let (socket, port) = (self.socket_text(), self.port.to_string());
        let args =
            ["-X", "-q", "-A", "-t", "-h", socket, "-p", &port, "-U", USER, "-c", sql, database];
        args.map(str::to_owned).into()
    }

    /// What a statement says.
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.sql_in("postgres", sql)
    }

    /// The same in another of its databases.
    pub(crate) fn sql_in(&self, database: &str, sql: &str) -> String {
        let ran = self.run("psql", &self.psql_in(database, sql));
        assert!(ran.status.success(), "{sql}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }

    /// What pgbench says of a script.
    #[allow(dead_code, reason = "benches alone ask how fast it is")]
    pub(crate) fn bench(&self, script: &str, more: &[&str]) -> String {
        fs::write(self.folder.path().join("bench.sql"), script).unwrap();
        let port = self.port.to_string();
        let own = ["-f", "bench.sql", "-h", self.socket_text(), "-p", &port, "-U", USER];
        let ran = self.run("pgbench", &[more, &own, &["postgres"]].concat());
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    /// What the server wrote down.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// The socket that its server listens at.
    pub(crate) fn listens(&self) -> PathBuf {
        self.folder.path().join(format!(".s.PGSQL.{}", self.port))
    }

    fn socket(&self) -> &Path {
        self.folder.path()
    }

    fn socket_text(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// The address of a ledger in it.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}@{}/postgres", self.host())
    }

    /// The address of a ledger in another of its databases, which is made.
    pub(crate) fn database(&self, name: &str) -> String {
        self.sql(&format!("CREATE DATABASE {name}"));
        format!("postgres://{USER}@{}/{name}", self.host())
    }

    /// Has the server speak TLS alone at a port, with this certificate and key, and ask for this password there.
    pub(crate) fn over_tls(&mut self, port: u16, (certificate, key): (&str, &str), password: &str) {
        self.sql(&format!("ALTER USER {USER} PASSWORD '{password}'"));
        let data = self.folder.path().join("data");
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let path = data.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            if is_root() {
                chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let rules = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(data.join("pg_hba.conf"), rules).unwrap();
        self.kill();
        let at = format!("port = {port}");
        self.configure(&["listen_addresses = '127.0.0.1'", "ssl = on", &at]);
        self.port = port;
        self.up();
    }

    /// The address of a ledger in whichever of two can be written to.
    pub(crate) fn url_with(&self, other: &Self) -> String {
        format!("postgres://{USER}@{},{}/postgres", self.host(), other.host())
    }

    /// Its socket's folder as a host of an address.
    fn host(&self) -> String {
        self.socket_text().replace('/', "%2F")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let Some(mut server) = self.server.get_mut().unwrap().take() else { return };
        // Its own children end with it: a server that is killed leaves its memory behind.
        let pid = server.id().to_string();
        let asked = Command::new("kill").args(["-QUIT", &pid]).env("PATH", outer_path()).status();
        if asked.is_err() {
            drop(server.kill());
        }
        drop(server.wait());
    }
}
