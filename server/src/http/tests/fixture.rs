use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use blindprint_consent::record::{self, Fields};
use blindprint_core::{
    Clock, Digest, Jws, ManualClock, Nonce, ServiceId, SystemEntropy, UnixTime,
    statement::{Consent, Enrolment, Purpose, RequestProof},
    wire::{NoticeSummary, PROOF_HEADER, Recipient, STATEMENT_HEADER, SUBMISSION_MEDIA_TYPE},
};
use blindprint_did::{KeyType, SigningKey, sign};
use blindprint_egress::Egress;
use blindprint_log::LogKey;
use secrecy::{SecretBox, SecretString};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{
    backend::{Enclave, Matchers, MaterialStore},
    config::{AdminSection, RightsSection},
    domain::{
        Buckets, InvitationKey, Issuer, IssuerMethod, Locks, MOST_COPIES, Notices, OpenId,
        OpenIdParts, OpenIdTerms, Parts, Places, ProtocolKey, Public, PublicParts, PublicTerms,
        Rate, Service, Terms,
        admin::{Admin, AdminParts, Relying},
        ledger::{Ledger, LedgerParts, Stamp},
        rights::{Rights, RightsParts},
        sign_in::{SignInParts, SignIns},
    },
    http::{App, Dashboard, Operators, OwnPage, TOKEN_RATE, router},
    store::{SqliteStore, Store},
    telemetry,
};

pub(in crate::http) const OPERATOR: &str = "operator-token-operator-token-operator";
pub(in crate::http) const ENROLMENT_KEY: &str = "enrolment-key-enrolment-key-enrolment";
pub(in crate::http) const SERVICE: &str = "https://id.example.org";

/// A router and what stands behind it.
pub(in crate::http) struct Fixture {
    pub app: Arc<App>,
    pub clock: Arc<ManualClock>,
    pub store: Arc<SqliteStore>,
    router: Router,
    _folder: tempfile::TempDir,
}

/// An answer, read.
pub(in crate::http) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The last part of a problem's type.
    pub fn problem(&self) -> String {
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
        let body = self.json();
        let kind = body["type"].as_str().unwrap();
        kind.strip_prefix("urn:blindprint:problem:")
            .unwrap()
            .to_owned()
    }
}

/// What entries of the log get here.
pub(in crate::http) fn stamp() -> Stamp<'static> {
    Stamp {
        at: UnixTime(1_800_000_000),
        entropy: &SystemEntropy,
    }
}

/// What is changed about an otherwise good request proof.
pub(in crate::http) type Forgery = fn(&mut RequestProof);

impl Fixture {
    pub async fn new() -> Self {
        let many = Rate {
            per_minute: 1_000_000,
            burst: 1_000_000,
        };
        Self::with_rates(many, many).await
    }

    pub async fn with_rates(address_rate: Rate, subject_rate: Rate) -> Self {
        Self::with_all_rates(address_rate, subject_rate, address_rate).await
    }

    pub async fn with_resolutions(many: Rate, resolutions: Rate) -> Self {
        Self::with_all_rates(many, many, resolutions).await
    }

    async fn with_all_rates(address_rate: Rate, subject_rate: Rate, resolutions: Rate) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("db.sqlite"))
            .await
            .unwrap();
        let store = Arc::new(store);
        let clock = Arc::new(ManualClock::at(UnixTime(1_800_000_000)));
        let enclave = Arc::new(Enclave::at(folder.path().join("nobody.sock")));
        let service = Service::new(
            Terms {
                service: SERVICE.parse().unwrap(),
                open_enrolment: false,
                subject_rate,
                remembered: 100,
                comparisons: 1,
            },
            Parts {
                store: Arc::clone(&store) as Arc<dyn Store>,
                enclave: Arc::clone(&enclave),
                matchers: Arc::new(Matchers::at([folder.path().join("nobody-either.sock")])),
                clock: Arc::clone(&clock) as Arc<dyn Clock>,
                entropy: Arc::new(SystemEntropy),
                invitations: InvitationKey::new(SecretBox::new(Box::new([7; 32]))),
                notices: Notices::embedded(&service()),
            },
        );
        let public = public(&store, &enclave, &clock);
        let ledger = ledger(&store, &clock);
        let openid = OpenId::new(
            OpenIdTerms {
                service: SERVICE.parse().unwrap(),
                batch_size: MOST_COPIES,
            },
            OpenIdParts {
                store: Arc::clone(&store) as Arc<dyn Store>,
                credentials: Arc::clone(&public.credentials),
                clock: Arc::clone(&clock) as Arc<dyn Clock>,
                entropy: Arc::new(SystemEntropy),
                protocol: ProtocolKey::new(SecretBox::new(Box::new([8; 32]))),
            },
        );
        let (service, openid, ledger) = (Arc::new(service), Arc::new(openid), Arc::new(ledger));
        let rights = rights(&service, &openid, &ledger, &public);
        let app = Arc::new(App {
            service,
            openid,
            public,
            ledger,
            rights,
            dashboard: dashboard(&store, &clock),
            own_page: own_page(&store, &clock),
            resolution_rate: Buckets::new(resolutions, 100),
            resolutions: Places::new(4, 1),
            material: MaterialStore::new(
                folder.path().join("material"),
                enclave,
                Arc::clone(&store) as Arc<dyn Store>,
            ),
            operators: Operators::new(
                &SecretString::from(OPERATOR),
                &[SecretString::from(ENROLMENT_KEY)],
            ),
            address_rate: App::address_rate(address_rate, 100),
            token_rate: Buckets::new(TOKEN_RATE, 100),
            trusted_proxies: Vec::new(),
            keys_in_use: Locks::default(),
            metrics: telemetry::start_metrics().unwrap(),
            settings: Vec::new(),
            request_seconds: 20,
            body_seconds: 5,
        });
        Self {
            router: router(&app),
            app,
            clock,
            store,
            _folder: folder,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 16 << 20).await.unwrap().to_vec();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    pub async fn operate(&self, method: &str, path: &str, body: &str, key: Option<&str>) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {OPERATOR}"))
            .header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }

    pub fn proof(&self, key: &SigningKey, request: (&str, &str, &[u8]), forge: Forgery) -> Jws {
        let (method, path, body) = request;
        let mut proof = RequestProof {
            sub: key.public().subject(),
            aud: service(),
            htm: method.to_owned(),
            htu: path.to_owned(),
            body: Digest::of("blindprint/body/v1", body),
            jti: Nonce::random(&SystemEntropy),
            iat: self.clock.now(),
        };
        forge(&mut proof);
        sign(key, &proof).unwrap()
    }

    /// A request with a good proof.
    pub async fn signed(&self, key: &SigningKey, method: &str, path: &str, body: &str) -> Reply {
        self.forged(key, method, path, body, |_| {}).await
    }

    /// A request whose proof was tampered with before it was signed.
    pub async fn forged(
        &self,
        key: &SigningKey,
        method: &str,
        path: &str,
        body: &str,
        forge: Forgery,
    ) -> Reply {
        let proof = self.proof(key, (method, path, body.as_bytes()), forge);
        self.proven(&proof, method, path, body).await
    }

    /// A request with this proof.
    pub async fn proven(&self, proof: &Jws, method: &str, path: &str, body: &str) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("blindprint-proof", proof.as_str())
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.send(request).await
    }

    /// A notice in force.
    pub fn notice(
        &self,
        purpose: Purpose,
        language: &str,
        recipient: Option<&Recipient>,
    ) -> NoticeSummary {
        let notices = self.app.service.notices();
        let notices = notices.in_force(recipient, self.clock.now()).unwrap();
        notices
            .into_iter()
            .map(|notice| notice.summary)
            .find(|notice| notice.purpose == purpose && notice.language == language)
            .unwrap()
    }

    /// The record that an honest wallet sends with this consent.
    pub fn record(&self, consent: &Consent) -> Value {
        let notices = self.app.service.notices();
        let recipient = consent.recipient.as_ref().map(|audience| Recipient {
            audience: audience.clone(),
            name: audience.to_string(),
        });
        let now = self.clock.now();
        let notice = notices.find(consent.notice, recipient.as_ref(), now);
        let notice = notice.unwrap().unwrap().summary;
        record::render(&Fields::from(consent), &notice, notices.controller()).unwrap()
    }

    /// Gives a consent, with such headers besides.
    pub async fn give(&self, key: &SigningKey, consent: &Jws, headers: &[(&str, &str)]) -> Reply {
        let path = "/v1/consents";
        let statement = blindprint_did::verify::<Consent>(consent).unwrap();
        let record = self.record(statement.statement());
        let body = serde_json::json!({ "consent": consent, "record": record }).to_string();
        let proof = self.proof(key, ("POST", path, body.as_bytes()), |_| {});
        let mut request = Request::post(path)
            .header(PROOF_HEADER, proof.as_str())
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Sends `body` as the ciphertext of an enrolment, with such headers besides.
    pub async fn enrol(
        &self,
        key: &SigningKey,
        statement: &Enrolment,
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> Reply {
        let path = "/v1/enrolments";
        let proof = self.proof(key, ("POST", path, body), |_| {});
        let mut request = Request::post(path)
            .header(PROOF_HEADER, proof.as_str())
            .header(STATEMENT_HEADER, sign(key, statement).unwrap().as_str())
            .header("content-type", SUBMISSION_MEDIA_TYPE);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }
}

/// Nothing is fetched from anywhere: there is no address that egress allows, and nobody who answers.
fn public(store: &Arc<SqliteStore>, enclave: &Arc<Enclave>, clock: &Arc<ManualClock>) -> Public {
    let issuer =
        Issuer::create(&service(), IssuerMethod::Web, &SystemEntropy, clock.now()).unwrap();
    Public::new(
        PublicTerms {
            service: service(),
            verdict_seconds: 300,
            status_ttl: 60,
            resolver: blindprint_resolver::Config::default(),
        },
        PublicParts {
            store: Arc::clone(store) as Arc<dyn Store>,
            enclave: Arc::clone(enclave),
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            entropy: Arc::new(SystemEntropy),
            issuer,
            egress: Egress::new(&blindprint_egress::Config::default()).unwrap(),
        },
    )
}

pub(in crate::http) fn service() -> ServiceId {
    SERVICE.parse().unwrap()
}

pub(in crate::http) fn wallet() -> SigningKey {
    SigningKey::generate(KeyType::Ed25519, &SystemEntropy)
}

fn rights(
    service: &Arc<Service>,
    openid: &Arc<OpenId>,
    ledger: &Arc<Ledger>,
    public: &Public,
) -> Arc<Rights> {
    let parts = RightsParts {
        service: Arc::clone(service),
        openid: Arc::clone(openid),
        ledger: Arc::clone(ledger),
        credentials: Arc::clone(&public.credentials),
    };
    Arc::new(Rights::new(RightsSection::default().terms(), parts))
}

fn dashboard(store: &Arc<SqliteStore>, clock: &Arc<ManualClock>) -> Dashboard {
    let parts = AdminParts {
        store: Arc::clone(store) as Arc<dyn Store>,
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        entropy: Arc::new(SystemEntropy),
        relying: Relying::new(&service(), None),
    };
    let terms = AdminSection::default().terms();
    Dashboard::new(Admin::new(parts, terms), None, 100)
}

fn own_page(store: &Arc<SqliteStore>, clock: &Arc<ManualClock>) -> OwnPage {
    let parts = SignInParts {
        store: Arc::clone(store) as Arc<dyn Store>,
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        entropy: Arc::new(SystemEntropy),
        service: service(),
        waiting: 100,
    };
    OwnPage::new(SignIns::new(parts), 100)
}

fn ledger(store: &Arc<SqliteStore>, clock: &Arc<ManualClock>) -> Ledger {
    let origin = Ledger::origin(&service());
    Ledger::new(LedgerParts {
        store: Arc::clone(store) as Arc<dyn Store>,
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        entropy: Arc::new(SystemEntropy),
        key: LogKey::generate(&origin, &SystemEntropy).unwrap(),
        egress: Egress::new(&blindprint_egress::Config::default()).unwrap(),
        witnesses: Vec::new(),
        known: None,
    })
}
