//! A host that runs the real process over a real socket, and everybody who talks to it.

use std::{
    borrow::Borrow,
    fs,
    io::{self, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use blindprint_core::{
    Clock as _, ConsentId, Digest, EnrolmentId, Jws, Nonce, ServiceId, SubjectId, SystemClock,
    SystemEntropy, UnixTime, profile_table_digest, profiles,
    statement::{
        Consent, Decision, Enrolment, Evaluation, Probe, Purpose, Statement, SubjectErasure,
        TemplateCheck, Withdrawal,
    },
};
use blindprint_did::{KeyType, SigningKey, jws_digest, sign};
use blindprint_enclave::{Config, install_keys};
use blindprint_nsm::{Mode, Nsm};
use blindprint_protocol::{
    attestation::MatcherClaims,
    frame,
    message::{EnclaveRequest, EnclaveResponse, Refusal, SignedEvaluation},
};
use blindprint_template::{PARAMETERS, header, pack};
use serde_bytes::ByteBuf;

pub const SERVICE: &str = "https://blindprint.example";
const BINARY: &str = env!("CARGO_BIN_EXE_blindprint-enclave");

pub fn now() -> UnixTime {
    SystemClock.now()
}

/// A disk and simulated hardware.
pub struct Host {
    _folder: tempfile::TempDir,
    pub config: Config,
    socket: PathBuf,
    pub key: Digest,
}

impl Host {
    /// With the shared test keys, because generating some takes long.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hardware = folder.path().join("hardware");
        let nsm = Nsm::open(&hardware, Mode::Production, &SystemEntropy).unwrap();
        let config = Config {
            data: folder.path().join("enclave"),
            nvram: hardware.join("nvram"),
            hardware,
            service: SERVICE.parse().unwrap(),
            matchers: 1,
            // The tests are the matcher.
            accepted_matchers: vec![nsm.measurement()],
            recompute: false,
            log: None,
            restore: false,
        };
        let keys = blindprint_keys::fixture::keys();
        let key = keys.1.digests().key();
        install_keys(&config, keys, &SystemEntropy).unwrap();
        let socket = folder.path().join("enclave.sock");
        Self {
            _folder: folder,
            config,
            socket,
            key,
        }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.config.data.join(name)
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    fn arguments(&self) -> Vec<String> {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let mut arguments = vec![
            format!("--data={}", path(&self.config.data)),
            format!("--socket={}", path(&self.socket)),
            format!("--simulated-root={}", path(&self.config.hardware)),
            format!("--service={}", self.config.service),
            format!("--matchers={}", self.config.matchers),
        ];
        let accepted = self.config.accepted_matchers.iter();
        arguments.extend(accepted.map(|measurement| format!("--accept-matcher={measurement}")));
        if self.config.recompute {
            arguments.push("--recompute".to_owned());
        }
        if let Some(terms) = &self.config.log {
            arguments.push(format!("--log={}", terms.log));
            let witness = terms.witness.iter();
            arguments.extend(witness.map(|witness| format!("--witness={witness}")));
            arguments.push(format!("--witness-period={}", terms.period));
        }
        if self.config.restore {
            arguments.push("--restore".to_owned());
        }
        arguments
    }

    /// Starts the process and waits until it serves.
    pub fn start(&self) -> Process {
        self.wait(Command::new(BINARY).args(self.arguments()))
    }

    /// The same on a disk where no file may grow beyond `blocks` of 512 bytes. The process sees
    /// failing writes, because the signal that would kill it is ignored by the shell before.
    pub fn start_with_file_limit(&self, blocks: u32) -> Process {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        self.wait(
            Command::new("sh")
                .args(["-c", &script, BINARY])
                .args(self.arguments()),
        )
    }

    fn wait(&self, command: &mut Command) -> Process {
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut process = Process {
            child,
            socket: self.socket.clone(),
        };
        let deadline = Instant::now() + Duration::from_mins(2);
        while UnixStream::connect(&self.socket).is_err() {
            let ended = process.child.try_wait().unwrap();
            assert!(ended.is_none(), "the enclave ended: {ended:?}");
            assert!(Instant::now() < deadline, "the enclave does not start");
            thread::sleep(Duration::from_millis(5));
        }
        process
    }

    /// Starts the process, which must end by itself with a plain error. Returns what it says.
    pub fn fail(&self) -> String {
        let output = Command::new(BINARY)
            .args(self.arguments())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        said
    }
}

pub struct Process {
    child: Child,
    socket: PathBuf,
}

impl Process {
    pub fn connect(&self) -> Client {
        Client(UnixStream::connect(&self.socket).unwrap())
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and returns its exit status.
    pub fn stop(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Client(pub UnixStream);

impl Client {
    pub fn try_ask(&mut self, request: &EnclaveRequest) -> io::Result<EnclaveResponse> {
        self.0
            .write_all(&frame::encode(request, frame::MAX_REQUEST).unwrap())?;
        self.receive()
    }

    pub fn receive(&mut self) -> io::Result<EnclaveResponse> {
        let mut prefix = [0; 4];
        self.0.read_exact(&mut prefix)?;
        let mut body = vec![0; frame::length(prefix, frame::MAX_RESPONSE).unwrap()];
        self.0.read_exact(&mut body)?;
        Ok(frame::decode(&body).unwrap())
    }

    pub fn ask(&mut self, request: impl Borrow<EnclaveRequest>) -> EnclaveResponse {
        self.try_ask(request.borrow()).unwrap()
    }

    pub fn nonce(&mut self, subject: &SubjectId) -> Nonce {
        match self.ask(EnclaveRequest::IssueNonce {
            subject: subject.clone(),
        }) {
            EnclaveResponse::Nonce { nonce, .. } => nonce,
            other => panic!("{other:?}"),
        }
    }

    /// The one receipt, or the refusal.
    pub fn receipt<T: Statement>(&mut self, request: EnclaveRequest) -> Result<T, Refusal> {
        match self.ask(request) {
            EnclaveResponse::Receipt { receipt } => Ok(read(&receipt)),
            EnclaveResponse::Refused(refusal) => Err(refusal),
            other => panic!("{other:?}"),
        }
    }
}

pub fn read<T: Statement>(jws: &Jws) -> T {
    blindprint_did::verify::<T>(jws).unwrap().into_statement()
}

/// An attested matcher that says what it is told.
pub struct Matcher {
    nsm: Nsm,
    pub key: SigningKey,
    claims: MatcherClaims,
}

impl Matcher {
    pub fn new(host: &Host) -> Self {
        Self {
            nsm: Nsm::open(&host.config.hardware, Mode::Production, &SystemEntropy).unwrap(),
            key: SigningKey::generate(KeyType::Ed25519, &SystemEntropy),
            claims: MatcherClaims {
                parameters: PARAMETERS.name.to_owned(),
                key: host.key,
                profiles: profile_table_digest(),
            },
        }
    }

    pub fn enter(&self, client: &mut Client) -> EnclaveResponse {
        let EnclaveResponse::Nonce { nonce, .. } = client.ask(EnclaveRequest::MatcherNonce) else {
            panic!("no nonce")
        };
        let key = self.key.public().uri();
        let document = self
            .nsm
            .attest(&key, &self.claims, nonce.as_bytes(), now(), &SystemEntropy)
            .unwrap();
        client.ask(EnclaveRequest::AdmitMatcher {
            nonce,
            document: ByteBuf::from(document),
        })
    }

    pub fn check(&self, enrolment: &Enrolment) -> Jws {
        self.check_stored(
            enrolment,
            Digest::of("blindprint/template/v1", enrolment.submission.as_bytes()),
        )
    }

    pub fn check_stored(&self, enrolment: &Enrolment, template: Digest) -> Jws {
        sign(
            &self.key,
            &TemplateCheck {
                binding: enrolment.binding().digest(),
                submission: enrolment.submission,
                template,
                parameters: PARAMETERS.name.to_owned(),
                key: enrolment.key,
            },
        )
        .unwrap()
    }

    pub fn evaluate(&self, probe: &Probe, verdict: Vec<u8>) -> SignedEvaluation {
        let evaluation = Evaluation {
            binding: probe.binding().digest(),
            submission: probe.submission,
            template: probe.template,
            verdict: Digest::of("blindprint/verdict-ciphertext/v1", &verdict),
            profile: probe.profile,
            tau: probe.profile.profile().tau,
            parameters: PARAMETERS.name.to_owned(),
            key: probe.key,
        };
        let evaluation = sign(&self.key, &evaluation).unwrap();
        SignedEvaluation {
            evaluation,
            verdict: ByteBuf::from(verdict),
        }
    }
}

/// A verdict ciphertext without noise or mask, which opens to `bit` under any key.
pub fn trivial_verdict(key: Digest, bit: bool) -> Vec<u8> {
    let mut words = vec![0; PARAMETERS.lwe_dimension + 1];
    words[PARAMETERS.lwe_dimension] = if bit {
        1 << 62
    } else {
        (1_u64 << 62).wrapping_neg()
    };
    let packed = pack(&words, PARAMETERS.verdict_bits);
    let mut bytes = header(*b"BPvd", 8 + 32 + packed.len());
    bytes.extend(key.as_bytes());
    bytes.extend(packed);
    bytes
}

pub struct Wallet {
    pub device: SigningKey,
    pub paper: SigningKey,
    pub subject: SubjectId,
}

impl Wallet {
    pub fn new() -> Self {
        let device = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
        let paper = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
        let subject = device.public().subject();
        Self {
            device,
            paper,
            subject,
        }
    }

    fn service() -> ServiceId {
        SERVICE.parse().unwrap()
    }

    pub fn consent(&self) -> (ConsentId, Jws) {
        let given = now();
        let consent = Consent {
            id: ConsentId::random(&SystemEntropy),
            sub: self.subject.clone(),
            service: Self::service(),
            decision: Decision::Given,
            purpose: Purpose::Authentication,
            recipient: None,
            record: Digest::of("record", b"text"),
            previous: None,
            notice: Digest::of("notice", b"text"),
            given,
            expires: given.plus(3600),
        };
        (consent.id, sign(&self.device, &consent).unwrap())
    }

    pub fn withdrawal(&self, consent: ConsentId) -> Jws {
        let withdrawal = Withdrawal {
            sub: self.subject.clone(),
            service: Self::service(),
            consent,
            iat: now(),
        };
        sign(&self.device, &withdrawal).unwrap()
    }

    pub fn subject_erasure(&self) -> Jws {
        let erasure = SubjectErasure {
            sub: self.subject.clone(),
            service: Self::service(),
            iat: now(),
        };
        sign(&self.device, &erasure).unwrap()
    }

    pub fn enrolment(&self, consent: &Jws, key: Digest, nonce: Nonce) -> (Enrolment, Jws) {
        let enrolment = EnrolmentId::random(&SystemEntropy);
        self.sign_enrolment(Enrolment {
            sub: self.subject.clone(),
            service: Self::service(),
            enrolment,
            replaces: None,
            consent: jws_digest(consent),
            purpose: Purpose::Authentication,
            profile: profiles()[0].id(),
            key,
            submission: Digest::of("blindprint/submission/v1", enrolment.0.as_bytes()),
            nonce,
            recovery_key: self.paper.public().uri(),
            iat: now(),
        })
    }

    pub fn sign_enrolment(&self, enrolment: Enrolment) -> (Enrolment, Jws) {
        let jws = sign(&self.device, &enrolment).unwrap();
        (enrolment, jws)
    }

    pub fn probe(&self, enrolment: &Enrolment, template: Digest, challenge: Nonce) -> Probe {
        Probe {
            sub: self.subject.clone(),
            service: Self::service(),
            enrolment: enrolment.enrolment,
            template,
            challenge,
            audience: AUDIENCE.parse().unwrap(),
            purpose: Purpose::Authentication,
            profile: enrolment.profile,
            key: enrolment.key,
            submission: Digest::of("blindprint/submission/v1", challenge.as_bytes()),
            iat: now(),
        }
    }
}

pub const AUDIENCE: &str = "https://shop.example";

/// Bytes of a file, and that they stay as they are.
pub struct Untouched(PathBuf, Vec<u8>);

impl Untouched {
    pub fn file(path: PathBuf) -> Self {
        let bytes = fs::read(&path).unwrap();
        Self(path, bytes)
    }

    pub fn check(&self) {
        assert!(
            fs::read(&self.0).unwrap() == self.1,
            "{} was overwritten",
            self.0.display()
        );
    }
}
