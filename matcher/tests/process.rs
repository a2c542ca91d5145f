//! The matcher's process beside a real enclave: mutual attestation, service, restarts, an end.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, Weak},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use blindprint_core::{
    Binding, Digest, EnrolmentId, Nonce, Role, SystemClock, SystemEntropy,
    statement::{Evaluation, Purpose, TemplateCheck},
};
use blindprint_did::verify;
use blindprint_enclave::{Config as EnclaveConfig, Enclave, Transport, install_keys, serve};
use blindprint_matcher::process::{Config, ProcessError, Stop, run};
use blindprint_nsm::measure_executable;
use blindprint_protocol::{
    attestation::{AttestationError, Measurement},
    frame::{self, MAX_REQUEST, MAX_RESPONSE},
    message::{
        EnclaveRequest, EnclaveResponse, MatcherRefusal, MatcherRequest, MatcherResponse, Refusal,
    },
};
use blindprint_template::{BiometricCode, Crs, PARAMETERS, seal};
use common::{Setup, at_distance, random_code};
use serde::{Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

const PATIENCE: Duration = Duration::from_mins(1);

fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(Setup::new)
}

/// A socket that can be broken off as if its process were killed.
#[derive(Clone)]
struct Wire {
    listener: Arc<UnixListener>,
    open: Arc<Mutex<Vec<UnixStream>>>,
}

impl Transport for Wire {
    type Connection = UnixStream;

    fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept()?;
        self.open.lock().unwrap().push(stream.try_clone()?);
        // Whoever connects says something at once, except who comes to kill.
        let (said, _) = rustix::net::recv(&stream, &mut [0], rustix::net::RecvFlags::PEEK)?;
        if said == 0 {
            std::panic::resume_unwind(Box::new("killed"));
        }
        Ok(stream)
    }
}

/// A real enclave in this process, so that its measurement is this executable's.
struct RunningEnclave {
    enclave: Weak<Enclave>,
    socket: PathBuf,
    wire: Wire,
    thread: JoinHandle<()>,
}

impl RunningEnclave {
    fn start(config: &EnclaveConfig, socket: &Path) -> Self {
        let enclave = Enclave::start(
            config,
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
            &|_| (),
        );
        let enclave = Arc::new(enclave.unwrap());
        let _ = fs::remove_file(socket);
        let listener = Arc::new(UnixListener::bind(socket).unwrap());
        let wire = Wire {
            listener,
            open: Arc::default(),
        };
        let served = wire.clone();
        let weak = Arc::downgrade(&enclave);
        let thread = thread::spawn(move || serve(&enclave, &served));
        Self {
            enclave: weak,
            socket: socket.to_owned(),
            wire,
            thread,
        }
    }

    fn kill(self) {
        drop(UnixStream::connect(&self.socket).unwrap());
        assert!(self.thread.join().is_err());
        for stream in self.wire.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        until("the enclave's threads end", || {
            self.enclave.strong_count() == 0
        });
        fs::remove_file(&self.socket).unwrap();
    }
}

struct Scene {
    _directory: tempfile::TempDir,
    enclave: EnclaveConfig,
    matcher: Config,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let enclave = EnclaveConfig {
            data: path("enclave"),
            hardware: path("hardware"),
            nvram: path("hardware").join("nvram"),
            service: "https://blindprint.example".parse().unwrap(),
            matchers: 1,
            accepted_matchers: vec![measure_executable().unwrap()],
            recompute: false,
            log: None,
            restore: false,
        };
        install_keys(&enclave, blindprint_keys::fixture::keys(), &SystemEntropy).unwrap();
        let matcher = Config {
            enclave_socket: path("enclave.sock"),
            socket: path("matcher.sock"),
            simulated_root: path("hardware"),
            accepted_enclaves: vec![measure_executable().unwrap()],
            workers: 2,
            queue: 8,
        };
        Self {
            _directory: directory,
            enclave,
            matcher,
        }
    }

    fn start_enclave(&self) -> RunningEnclave {
        RunningEnclave::start(&self.enclave, &self.matcher.enclave_socket)
    }

    fn run_matcher(&self, stop: &Stop) -> Result<(), ProcessError> {
        run(
            &self.matcher,
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
            stop,
        )
    }

    fn ask(&self, request: &MatcherRequest) -> MatcherResponse {
        ask(&self.matcher.socket, request).unwrap()
    }

    fn matchers_admitted(&self) -> Option<u32> {
        match ask(&self.matcher.enclave_socket, &EnclaveRequest::Health) {
            Ok(EnclaveResponse::Healthy { matchers, .. }) => Some(matchers),
            _ => None,
        }
    }

    fn until_serving(&self) {
        until("the matcher serves", || {
            matches!(
                ask(&self.matcher.socket, &MatcherRequest::Health),
                Ok(MatcherResponse::Healthy { .. })
            )
        });
    }
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn ask<Q: Serialize, A: Serialize + DeserializeOwned>(socket: &Path, request: &Q) -> io::Result<A> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&frame::encode(request, MAX_REQUEST).unwrap())?;
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix)?;
    let mut body = vec![0; frame::length(prefix, MAX_RESPONSE).unwrap()];
    stream.read_exact(&mut body)?;
    frame::decode(&body).map_err(io::Error::other)
}

fn binding(template: Option<Digest>) -> Binding {
    Binding {
        role: if template.is_some() {
            Role::Probe
        } else {
            Role::Template
        },
        subject: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
            .parse()
            .unwrap(),
        service: "https://blindprint.example".parse().unwrap(),
        enrolment: EnrolmentId::random(&SystemEntropy),
        template,
        challenge: Nonce::random(&SystemEntropy),
        purpose: Purpose::Authentication,
        audience: template.map(|_| "https://dapp.example".parse().unwrap()),
        profile: "face-dlib128-v1".parse().unwrap(),
        key: setup().matcher.digests().key(),
    }
}

fn sealed(code: &BiometricCode, binding: &Binding) -> ByteBuf {
    static CRS: OnceLock<Crs> = OnceLock::new();
    let crs = CRS.get_or_init(|| Crs::decode(&setup().material.crs).unwrap());
    let sealed = seal(code, &setup().public_key, crs, binding, &SystemEntropy).unwrap();
    ByteBuf::from(sealed.encode())
}

fn refused(refusal: MatcherRefusal) -> MatcherResponse {
    MatcherResponse::Refused(refusal)
}

#[test]
fn it_serves_what_the_enclave_admits_across_restarts() {
    let scene = Scene::new();
    let stop = Stop::default();
    thread::scope(|scope| {
        // Started first: it waits for its enclave.
        let matcher = scope.spawn(|| scene.run_matcher(&stop));
        let enclave = scene.start_enclave();
        scene.until_serving();
        assert_eq!(scene.matchers_admitted(), Some(1));
        compare_through(&scene);

        enclave.kill();
        until("it notices that the enclave is gone", || {
            scene.ask(&MatcherRequest::Health) == refused(MatcherRefusal::NotReady)
        });
        let enclave = scene.start_enclave();
        scene.until_serving();
        assert_eq!(scene.matchers_admitted(), Some(1));

        stop.stop();
        matcher.join().unwrap().unwrap();
        assert!(!scene.matcher.socket.exists());
        enclave.kill();
    });
}

/// A template and probes through the socket; what comes back is signed, exact and opens.
fn compare_through(scene: &Scene) {
    let code = random_code();
    let enrolment = binding(None);
    let submission = sealed(&code, &enrolment);
    let request = MatcherRequest::CheckTemplate {
        binding: enrolment.clone(),
        submission: submission.clone(),
    };
    let MatcherResponse::TemplateChecked { check, template } = scene.ask(&request) else {
        panic!("an honest template is taken");
    };
    let check = verify::<TemplateCheck>(&check).unwrap();
    let digest = Digest::of("blindprint/template/v1", &template);
    assert_eq!(
        check.statement(),
        &TemplateCheck {
            binding: enrolment.digest(),
            submission: Digest::of("blindprint/submission/v1", &submission),
            template: digest,
            parameters: PARAMETERS.name.to_owned(),
            key: enrolment.key,
        }
    );

    let tau = usize::from(enrolment.profile.profile().tau);
    for (distance, matched) in [(0, true), (tau, true), (tau + 1, false), (1024, false)] {
        let binding = binding(Some(digest));
        let submission = sealed(&at_distance(&code, distance), &binding);
        let request = MatcherRequest::Evaluate {
            binding: binding.clone(),
            submission: submission.clone(),
            template: template.clone(),
        };
        let MatcherResponse::Evaluated(signed, timings) = scene.ask(&request) else {
            panic!("an honest probe is compared");
        };
        assert_eq!(
            setup().secret.open(&signed.verdict),
            Ok(matched),
            "distance {distance}"
        );
        assert!(timings.proof > 0 && timings.evaluation > 0, "{timings:?}");
        let evaluation = verify::<Evaluation>(&signed.evaluation).unwrap();
        assert_eq!(evaluation.key(), check.key());
        assert_eq!(
            evaluation.statement(),
            &Evaluation {
                binding: binding.digest(),
                submission: Digest::of("blindprint/submission/v1", &submission),
                template: digest,
                verdict: Digest::of("blindprint/verdict-ciphertext/v1", &signed.verdict),
                profile: binding.profile,
                tau: binding.profile.profile().tau,
                parameters: PARAMETERS.name.to_owned(),
                key: binding.key,
            }
        );
    }
    refuse_through(scene, digest, &template);
}

/// What is not exactly a request with its proof is refused, and the next one is served.
fn refuse_through(scene: &Scene, digest: Digest, template: &ByteBuf) {
    let good = binding(Some(digest));
    let submission = sealed(&random_code(), &good);
    let evaluate = |binding: &Binding, submission: &[u8], template: &[u8]| {
        scene.ask(&MatcherRequest::Evaluate {
            binding: binding.clone(),
            submission: ByteBuf::from(submission),
            template: ByteBuf::from(template),
        })
    };
    let other = Binding {
        challenge: Nonce::random(&SystemEntropy),
        ..good.clone()
    };
    assert_eq!(
        evaluate(&other, &submission, template),
        refused(MatcherRefusal::ProofRejected)
    );
    let other = Binding {
        key: digest,
        ..good.clone()
    };
    assert_eq!(
        evaluate(&other, &submission, template),
        refused(MatcherRefusal::WrongKey)
    );
    assert_eq!(
        evaluate(&good, &submission, &submission),
        refused(MatcherRefusal::Malformed)
    );
    assert_eq!(
        evaluate(&good, &[], template),
        refused(MatcherRefusal::Malformed)
    );
    assert_eq!(
        evaluate(&good, &submission[1..], template),
        refused(MatcherRefusal::Malformed)
    );
    assert_eq!(
        evaluate(&binding(None), &submission, template),
        refused(MatcherRefusal::Malformed)
    );
    assert_eq!(
        scene.ask(&MatcherRequest::CheckTemplate {
            binding: good.clone(),
            submission: submission.clone(),
        }),
        refused(MatcherRefusal::Malformed)
    );
    assert!(matches!(
        evaluate(&good, &submission, template),
        MatcherResponse::Evaluated(..)
    ));
}

#[test]
fn neither_side_takes_a_stranger() {
    let mut scene = Scene::new();
    let stranger = vec![Measurement::from_bytes([1; 48])];

    let accepted = std::mem::replace(&mut scene.matcher.accepted_enclaves, stranger.clone());
    let enclave = scene.start_enclave();
    assert!(matches!(
        scene.run_matcher(&Stop::default()),
        Err(ProcessError::Attestation(AttestationError::Measurement))
    ));
    enclave.kill();

    scene.matcher.accepted_enclaves = accepted;
    scene.enclave.accepted_matchers = stranger;
    let enclave = scene.start_enclave();
    assert!(matches!(
        scene.run_matcher(&Stop::default()),
        Err(ProcessError::NotAdmitted(Refusal::Attestation))
    ));
    assert_eq!(scene.matchers_admitted(), Some(0));
    assert!(!scene.matcher.socket.exists());
    enclave.kill();
}

#[test]
fn it_ends_while_it_waits_for_its_enclave() {
    let scene = Scene::new();
    let stop = Stop::default();
    thread::scope(|scope| {
        let matcher = scope.spawn(|| scene.run_matcher(&stop));
        thread::sleep(Duration::from_millis(200));
        stop.stop();
        matcher.join().unwrap().unwrap();
    });
    assert!(!scene.matcher.socket.exists());
}
