//! A server that misbehaves as it is told, always in the same way for the same seed.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The certificate of the server, which it has signed itself.
pub(crate) const CERTIFICATE: &str = include_str!("faults/certificate.pem");
/// Of no worth: only this server has it.
const KEY: &str = include_str!("faults/key.pem");

/// Where the server listens, and how it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Plain,
    Tls,
    /// Has only an address of the sixth version.
    V6,
    /// Takes connections, and never says a word.
    Mute,
    /// Nobody listens.
    Closed,
}

/// What the server does with one request.
pub(crate) type Serve = dyn Fn(&mut Exchange<'_>) -> io::Result<()> + Send + Sync;

/// One request, and the connection it came by; there is no second one on it.
pub(crate) struct Exchange<'a> {
    /// Of how many requests, on all connections, this is the last.
    pub(crate) number: usize,
    /// Where the server is, for URLs.
    pub(crate) authority: SocketAddr,
    /// Method, path, and query.
    pub(crate) target: String,
    pub(crate) authorization: Option<String>,
    /// Whether answers repeat what was heard.
    pub(crate) repeats: bool,
    /// The same for all requests with the same number and seed.
    pub(crate) random: StdRng,
    body_len: usize,
    socket: &'a mut dyn Socket,
}

/// What can be read from and written to.
trait Socket: Read + Write {}

impl<T: Read + Write> Socket for T {}

/// Serves until it is dropped.
pub(crate) struct FaultServer {
    authority: SocketAddr,
    is_over: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FaultServer {
    /// Starts to serve, with the chance of `seed`.
    pub(crate) fn start(
        door: Door,
        seed: u64,
        serve: impl Fn(&mut Exchange<'_>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let host: IpAddr = match door {
            Door::V6 => Ipv6Addr::LOCALHOST.into(),
            _ => Ipv4Addr::LOCALHOST.into(),
        };
        let listener = TcpListener::bind((host, 0)).unwrap();
        let authority = listener.local_addr().unwrap();
        let (is_over, asked) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let server = Self { authority, is_over: Arc::clone(&is_over), asked: Arc::clone(&asked) };
        if door == Door::Closed {
            return server;
        }
        let serve: Arc<Serve> = Arc::new(serve);
        let n_asked = Arc::new(AtomicUsize::new(0));
        thread::spawn(move || {
            for connection in listener.incoming() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let (serve, n_asked) = (Arc::clone(&serve), Arc::clone(&n_asked));
                let asked = Arc::clone(&asked);
                let visit = Visit { authority, seed, n_asked, asked };
                // A client that leaves early wants no answer.
                thread::spawn(move || match (connection, door) {
                    (Ok(connection), Door::Tls) => visit.take(&mut tls(connection), &*serve),
                    (Ok(mut connection), Door::Mute) => silence(&mut connection),
                    (Ok(mut connection), _) => visit.take(&mut connection, &*serve),
                    (Err(err), _) => Err(err),
                });
            }
        });
        server
    }

    /// Where it is.
    pub(crate) fn authority(&self) -> SocketAddr {
        self.authority
    }

    /// What was asked so far: method, path, and query.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // The listener looks up from its waiting, and sees that it is over.
        let _ = TcpStream::connect(self.authority);
    }
}

/// Keeps silent until the client has left.
fn silence(socket: &mut dyn Socket) -> io::Result<()> {
    while socket.read(&mut [0; 1024])? > 0 {}
    Ok(())
}

fn tls(connection: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), connection)
}

/// What is known of a connection before anything came by it.
struct Visit {
    authority: SocketAddr,
    seed: u64,
    n_asked: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Visit {
    /// Takes all of a request but its last bytes: a connection that is closed with something
    /// unread in it is reset.
    fn take(self, socket: &mut dyn Socket, serve: &Serve) -> io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r") {
            let mut byte = [0];
            socket.read_exact(&mut byte)?;
            head.extend(byte);
            if !head[0].is_ascii_uppercase() {
                return socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            }
        }
        // Header fields have no other character set.
        let head: String = head.into_iter().map(char::from).collect();
        let field = |name: &str| {
            let mut fields = head.lines().filter_map(|line| line.split_once(": "));
            fields
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
        };
        let target = head.rsplit_once(" HTTP/").unwrap_or_default().0;
        let target = target.lines().next().unwrap_or_default().to_owned();
        let number = self.n_asked.fetch_add(1, Ordering::Relaxed) + 1;
        self.asked.lock().unwrap().push(target.clone());
        serve(&mut Exchange {
            number,
            authority: self.authority,
            target,
            authorization: field("authorization"),
            repeats: false,
            random: StdRng::seed_from_u64(self.seed ^ (number as u64) << 32),
            body_len: field("content-length").map_or(0, |len| len.parse().unwrap()),
            socket,
        })
    }
}

impl Exchange<'_> {
    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.socket.write_all(bytes.as_ref())?;
        self.socket.flush()
    }

    /// Reads the rest of the request, so that the end of the connection is no reset.
    pub(crate) fn take_all(&mut self) -> io::Result<()> {
        self.socket.read_exact(&mut vec![0; 1 + self.body_len])
    }

    /// Sends an answer as it should be, but for what `headers` say; each ends in `\r\n`.
    pub(crate) fn answer(
        &mut self,
        status: &str,
        headers: &str,
        body: impl AsRef<[u8]>,
    ) -> io::Result<()> {
        let heard = format!("{} {}", self.target, self.authorization.as_deref().unwrap_or("-"));
        let error = serde_json::json!({"error": {"message": heard}, "errors": [heard]}).to_string();
        let is_error = self.repeats && !status.starts_with(['2', '3']);
        let body = if is_error { error.as_bytes() } else { body.as_ref() };
        let repeated = if self.repeats { format!("X-Heard: {heard}\r\n") } else { String::new() };
        self.take_all()?;
        let length = format!("Content-Length: {}\r\n", body.len());
        let length = if headers.contains("Content-Length") { "" } else { &length };
        self.send(format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\n{length}{headers}{repeated}\r\n"
        ))?;
        self.send(body)
    }

    /// Keeps silent until the client has left.
    pub(crate) fn hang(&mut self) -> io::Result<()> {
        silence(self.socket)
    }

    /// A part of `bytes`, from one of them to all but one.
    pub(crate) fn part<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        &bytes[..self.random.random_range(1..bytes.len())]
    }
}
