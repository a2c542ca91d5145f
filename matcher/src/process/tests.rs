use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
};

use blindprint_core::{
    Binding, Digest, EnrolmentId, Nonce, Role, SystemEntropy, profiles, statement::Purpose,
};
use blindprint_protocol::{
    frame::{self, MAX_REQUEST, MAX_RESPONSE},
    message::{MatcherRefusal, MatcherRequest, MatcherResponse},
};
use serde_bytes::ByteBuf;

use super::*;

/// A service on a socket with no worker: what is asked waits until the test takes it.
struct Scene {
    directory: tempfile::TempDir,
    service: Arc<Service>,
    stop: Stop,
}

impl Scene {
    fn new(queue: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let service = Arc::new(Service::new(Digest::of("test", b"key"), queue, 1));
        service.set_ready(true);
        let stop = Stop::default();
        let socket = Socket::bind(&directory.path().join("socket")).unwrap();
        let (served, stopped) = (Arc::clone(&service), stop.clone());
        thread::spawn(move || socket.serve(&served, &stopped));
        Self {
            directory,
            service,
            stop,
        }
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.directory.path().join("socket")).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    fn ask(&self, request: &MatcherRequest) -> MatcherResponse {
        let mut stream = self.connect();
        stream
            .write_all(&frame::encode(request, MAX_REQUEST).unwrap())
            .unwrap();
        read(&mut stream)
    }

    /// Waits until `count` requests wait in the queue.
    fn until_queued(&self, count: usize) {
        let end = Instant::now() + Duration::from_secs(10);
        while self.service.queue().len() != count {
            assert!(Instant::now() < end, "{} wait", self.service.queue().len());
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop.stop();
        drop(self.connect());
    }
}

fn read(stream: &mut UnixStream) -> MatcherResponse {
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix).unwrap();
    let mut body = vec![0; frame::length(prefix, MAX_RESPONSE).unwrap()];
    stream.read_exact(&mut body).unwrap();
    frame::decode(&body).unwrap()
}

/// Whether the other side has hung up, with nothing left to read.
fn hung_up(stream: &mut UnixStream) -> bool {
    stream.read(&mut [0]).is_ok_and(|read| read == 0)
}

fn check_template(bytes: usize) -> MatcherRequest {
    let binding = Binding {
        role: Role::Template,
        subject: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
            .parse()
            .unwrap(),
        service: "https://example.org".parse().unwrap(),
        enrolment: EnrolmentId::random(&SystemEntropy),
        template: None,
        challenge: Nonce::random(&SystemEntropy),
        purpose: Purpose::Authentication,
        audience: None,
        profile: profiles()[0].id(),
        key: Digest::of("test", b"key"),
    };
    MatcherRequest::CheckTemplate {
        binding,
        submission: ByteBuf::from(vec![0; bytes]),
    }
}

const MALFORMED: MatcherResponse = MatcherResponse::Refused(MatcherRefusal::Malformed);

#[test]
fn a_full_queue_refuses_at_once_and_recovers() {
    let scene = Scene::new(2);
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| scene.ask(&check_template(10))))
            .collect();
        scene.until_queued(2);
        for _ in 0..20 {
            let refused = scene.ask(&check_template(10));
            assert!(
                matches!(
                    refused,
                    MatcherResponse::Refused(MatcherRefusal::Busy {
                        retry_after: 1..=60
                    })
                ),
                "{refused:?}"
            );
        }
        let MatcherResponse::Healthy {
            queued,
            capacity,
            workers,
            ..
        } = scene.ask(&MatcherRequest::Health)
        else {
            panic!("a full queue is healthy");
        };
        assert_eq!((queued, capacity, workers), (2, 2, 1));
        for _ in 0..2 {
            let job = scene.service.queue().pop().unwrap();
            job.answer
                .send(MatcherResponse::Refused(MatcherRefusal::ProofRejected))
                .unwrap();
        }
        for asked in waiting {
            assert_eq!(
                asked.join().unwrap(),
                MatcherResponse::Refused(MatcherRefusal::ProofRejected)
            );
        }
        let again = scope.spawn(|| scene.ask(&check_template(10)));
        scene.until_queued(1);
        drop(scene.service.queue().pop());
        assert_eq!(
            again.join().unwrap(),
            MatcherResponse::Refused(MatcherRefusal::NotReady)
        );
    });
}

#[test]
fn frames_are_bounded() {
    let scene = Scene::new(2);
    for length in [MAX_REQUEST + 1, 1 << 31, usize::try_from(u32::MAX).unwrap()] {
        let mut stream = scene.connect();
        stream
            .write_all(&u32::try_from(length).unwrap().to_be_bytes())
            .unwrap();
        assert_eq!(read(&mut stream), MALFORMED);
        assert!(
            hung_up(&mut stream),
            "nothing after an oversized frame can be read"
        );
    }
    assert!(frame::encode(&check_template(MAX_REQUEST), MAX_REQUEST).is_err());
}

#[test]
fn nonsense_in_a_frame_costs_that_request_only() {
    let scene = Scene::new(2);
    let mut stream = scene.connect();
    let good = frame::encode(&MatcherRequest::Health, MAX_REQUEST).unwrap();
    for body in [
        vec![],
        vec![0xff; 64],
        vec![0x81; 5000],
        vec![0x9b; 9],
        [&good[4..], &[0]].concat(),
    ] {
        stream
            .write_all(&u32::try_from(body.len()).unwrap().to_be_bytes())
            .unwrap();
        stream.write_all(&body).unwrap();
        assert_eq!(read(&mut stream), MALFORMED);
        stream.write_all(&good).unwrap();
        assert!(matches!(read(&mut stream), MatcherResponse::Healthy { .. }));
    }
}

#[test]
fn who_leaves_in_the_middle_disturbs_nobody() {
    let scene = Scene::new(2);
    let frame = frame::encode(&check_template(1000), MAX_REQUEST).unwrap();
    for length in [0, 1, 3, 4, 5, 500] {
        scene.connect().write_all(&frame[..length]).unwrap();
    }
    // This one leaves while its request waits; the answer goes nowhere.
    scene.connect().write_all(&frame).unwrap();
    scene.until_queued(1);
    let job = scene.service.queue().pop().unwrap();
    job.answer.send(MALFORMED).unwrap();
    assert!(matches!(
        scene.ask(&MatcherRequest::Health),
        MatcherResponse::Healthy { .. }
    ));
    scene.service.farewell(Duration::from_secs(10));
}

#[test]
fn nothing_is_done_without_the_enclaves_admission() {
    let scene = Scene::new(2);
    scene.service.set_ready(false);
    let refused = MatcherResponse::Refused(MatcherRefusal::NotReady);
    assert_eq!(scene.ask(&check_template(10)), refused);
    assert_eq!(scene.ask(&MatcherRequest::Health), refused);
    scene.service.set_ready(true);
    assert!(matches!(
        scene.ask(&MatcherRequest::Health),
        MatcherResponse::Healthy { .. }
    ));
}

#[test]
fn connections_are_bounded() {
    let scene = Scene::new(2);
    let held: Vec<UnixStream> = (0..MAX_CONNECTIONS)
        .map(|_| {
            let mut stream = scene.connect();
            stream
                .write_all(&frame::encode(&MatcherRequest::Health, MAX_REQUEST).unwrap())
                .unwrap();
            assert!(matches!(read(&mut stream), MatcherResponse::Healthy { .. }));
            stream
        })
        .collect();
    let mut one_more = scene.connect();
    assert_eq!(
        read(&mut one_more),
        MatcherResponse::Refused(MatcherRefusal::Busy { retry_after: 1 })
    );
    assert!(hung_up(&mut one_more));
    drop(held);
    let end = Instant::now() + Duration::from_secs(10);
    while !matches!(
        scene.ask(&MatcherRequest::Health),
        MatcherResponse::Healthy { .. }
    ) {
        assert!(Instant::now() < end, "places are given back");
    }
}

#[test]
fn a_socket_is_taken_over_from_the_dead_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let living = Socket::bind(&path).unwrap();
    assert!(matches!(Socket::bind(&path), Err(ProcessError::InUse(_))));
    drop(living);
    assert!(!path.exists());
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "as after a kill");
    assert!(Socket::bind(&path).is_ok());
    std::fs::write(&path, "not a socket").unwrap();
    assert!(matches!(Socket::bind(&path), Err(ProcessError::Io { .. })));
    assert!(path.exists(), "what is no socket is not removed");
}
