//! An issuer and verifier on this machine, out of the same parts that the service is made of.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use blindprint_core::{
    Clock as _, Digest, ManualClock, ServiceId, SystemEntropy, UnixTime, profiles,
};
use blindprint_credentials::{
    Claims, Contexts, Credential, Date, Deployment, EnrolmentClaims, Signer, Suite,
    sd_jwt::SdJwtClaims,
};
use blindprint_did::{KeyType, SigningKey};
use blindprint_openid4vc::{
    Code, Error, ErrorBody, dpop,
    jwe::{DecryptionKey, SealedJwe},
    vci::{
        Client, CredentialRequest, CredentialResponse, Grant, HolderKey, Notification,
        NotificationEvent, ProofRules, TokenRequest, Wanted, verify_proofs,
    },
    vp::{AuthorizationRequest, AuthorizationResponse, DirectPost, RequestUriPost},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(super) const NOW: UnixTime = UnixTime(1_795_341_600);
const NONCE: &str = "dpop-nonce-of-the-issuer";

/// What happened, and how the party misbehaves.
#[derive(Default)]
pub(super) struct Record {
    /// Codes of the requests that were refused.
    pub(super) refused: Vec<&'static str>,
    pub(super) notified: Vec<NotificationEvent>,
    pub(super) shown: Vec<AuthorizationResponse>,
    pub(super) declined: Vec<String>,
    pub(super) request_encrypted: bool,
    nonces: u32,
    proofs: BTreeSet<Digest>,
    /// Defers so many times.
    pub(super) deferrals: u32,
    /// Binds credentials to a key of its own.
    pub(super) binds_elsewhere: bool,
    /// Sends in the clear what was to come encrypted.
    pub(super) sends_openly: bool,
}

pub(super) struct Party {
    pub(super) url: String,
    pub(super) clock: Arc<ManualClock>,
    key: SigningKey,
    p256: SigningKey,
    decryption: DecryptionKey,
    contexts: Contexts,
    deployment: Deployment,
    pub(super) record: Mutex<Record>,
    /// The verifier's question, as it is signed.
    pub(super) question: Mutex<Option<AuthorizationRequest>>,
    pub(super) metadata: Mutex<Value>,
    pub(super) server_metadata: Mutex<Value>,
}

impl Party {
    pub(super) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service: ServiceId = url.parse().unwrap();
        let deployment = Deployment::new(&service);
        let decryption = DecryptionKey::generate(&SystemEntropy).named("issuer");
        let party = Arc::new(Self {
            clock: Arc::new(ManualClock::at(NOW)),
            key: SigningKey::generate(KeyType::Ed25519, &SystemEntropy),
            p256: SigningKey::generate(KeyType::P256, &SystemEntropy),
            contexts: Contexts::standard().with(&deployment),
            metadata: Mutex::new(metadata(&url, &decryption)),
            server_metadata: Mutex::new(json!({
                "issuer": url,
                "token_endpoint": format!("{url}/token"),
                "dpop_signing_alg_values_supported": ["ES256", "EdDSA"],
                "pre-authorized_grant_anonymous_access_supported": true,
            })),
            decryption,
            deployment,
            record: Mutex::default(),
            question: Mutex::default(),
            url,
        });
        let router = Router::new()
            .route("/.well-known/openid-credential-issuer", get(issuer))
            .route("/.well-known/oauth-authorization-server", get(server))
            .route(
                "/offer",
                get(|State(party): Shared| async move { Json(party.offer()) }),
            )
            .route("/token", post(token))
            .route("/nonce", post(nonce))
            .route("/credential", post(credential))
            .route("/deferred", post(deferred))
            .route("/notification", post(notification))
            .route("/request", get(signed_question).post(fresh_question))
            .route("/response", post(response))
            .with_state(Arc::clone(&party));
        tokio::spawn(async move { axum::serve(listener, router).await });
        party
    }

    pub(super) fn offer(&self) -> Value {
        json!({
            "credential_issuer": self.url,
            "credential_configuration_ids": ["enrolment_ldp_vc", "enrolment_ldp_vc_rdfc", "enrolment_jwt_vc_json", "enrolment_dc+sd-jwt", "enrolment_dc+sd-jwt_es256"],
            "grants": {"urn:ietf:params:oauth:grant-type:pre-authorized_code": {
                "pre-authorized_code": "the-code", "tx_code": {"length": 6}
            }},
        })
    }

    pub(super) fn record(&self) -> std::sync::MutexGuard<'_, Record> {
        self.record.lock().unwrap()
    }

    pub(super) fn did(&self) -> String {
        self.key.public().subject().to_string()
    }

    pub(super) fn vct(&self) -> String {
        self.deployment.vct(claims().credential_type())
    }

    fn sign_question(&self, wallet_nonce: Option<&str>) -> String {
        let question = self.question.lock().unwrap();
        let question = question.as_ref().unwrap();
        question
            .sign(
                &self.key,
                &method(&self.key),
                wallet_nonce,
                self.clock.now(),
                300,
            )
            .unwrap()
    }

    /// The token's proof, if it comes with one of this issuer's nonces and for the first time.
    fn spend(
        &self,
        headers: &HeaderMap,
        path: &str,
        token: Option<&str>,
    ) -> Result<String, Refused> {
        let proof = headers.get("dpop").and_then(|proof| proof.to_str().ok());
        let request = dpop::Request {
            method: "POST",
            url: &format!("{}{path}", self.url),
            access_token: token,
        };
        let unspent = dpop::verify(proof.unwrap_or_default(), &request, self.clock.now())?;
        if unspent.nonce() != Some(NONCE) {
            return Err(Refused(Error::new(Code::UseDpopNonce, "with this nonce")));
        }
        let first = self.record().proofs.insert(unspent.id());
        Ok(unspent.spend(first)?.thumbprint())
    }

    fn authorized(&self, headers: &HeaderMap, path: &str) -> Result<(), Refused> {
        let header = headers.get(header::AUTHORIZATION);
        let token = header.and_then(|value| value.to_str().ok()?.strip_prefix("DPoP "));
        let token = token.ok_or(Error::new(Code::InvalidToken, "no token"))?;
        let thumbprint = self.spend(headers, path, Some(token))?;
        if token == format!("token-of-{thumbprint}") {
            Ok(())
        } else {
            Err(Error::new(Code::InvalidToken, "another key's").into())
        }
    }

    fn issue(&self, configuration: &str, holder: &HolderKey) -> Value {
        let key = if configuration.ends_with("es256") {
            &self.p256
        } else {
            &self.key
        };
        let method = method(key);
        let signer = Signer::new(key, &method, &self.contexts).unwrap();
        let issued = self.clock.now();
        let credential = || {
            Credential::builder(&self.deployment, signer.controller(), &claims())
                .held_by(holder.did().as_str())
                .valid_from(issued)
                .valid_until(issued.plus(86_400))
                .build()
                .unwrap()
        };
        match configuration {
            "enrolment_ldp_vc" => signer
                .credential(credential(), Suite::EddsaJcs2022, issued)
                .unwrap(),
            "enrolment_ldp_vc_rdfc" => signer
                .credential(credential(), Suite::EddsaRdfc2022, issued)
                .unwrap(),
            "enrolment_jwt_vc_json" => signer.credential_jwt(&credential()).unwrap().into(),
            _ => {
                let mut claims =
                    SdJwtClaims::of(&self.deployment, signer.controller(), &claims(), issued)
                        .unwrap();
                claims.holder = Some(holder.public());
                claims.expires = Some(issued.plus(86_400));
                signer
                    .sd_jwt(&claims, &SystemEntropy)
                    .unwrap()
                    .to_text()
                    .into()
            }
        }
    }
}

/// The DID URL of a did:key's only key.
fn method(key: &SigningKey) -> String {
    let did = key.public().subject();
    format!("{did}#{}", did.as_str().trim_start_matches("did:key:"))
}

fn claims() -> Claims {
    Claims::Enrolment(EnrolmentClaims {
        modality: profiles()[0].modality,
        profile: profiles()[0].id(),
        parameter_set: "set".to_owned(),
        enrolled_since: Date::of(NOW),
    })
}

fn metadata(url: &str, decryption: &DecryptionKey) -> Value {
    let described = |format: &str| {
        json!({
            "format": format,
            "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256", "EdDSA"]}},
            "credential_metadata": {"display": [
                {"name": "Anmeldung", "locale": "de"}, {"name": "Enrolment\u{1b}[31m", "locale": "en-GB"}
            ]},
        })
    };
    let mut es256 = described("dc+sd-jwt");
    es256["credential_signing_alg_values_supported"] = json!(["ES256"]);
    json!({
        "credential_issuer": url,
        "credential_endpoint": format!("{url}/credential"),
        "nonce_endpoint": format!("{url}/nonce"),
        "deferred_credential_endpoint": format!("{url}/deferred"),
        "notification_endpoint": format!("{url}/notification"),
        "batch_credential_issuance": {"batch_size": 3},
        "credential_request_encryption": {
            "jwks": {"keys": [decryption.public().to_jwk()]},
            "enc_values_supported": ["A128GCM"],
            "encryption_required": true,
        },
        "credential_response_encryption": {
            "alg_values_supported": ["ECDH-ES"],
            "enc_values_supported": ["A256GCM"],
            "encryption_required": true,
        },
        "display": [{"name": "An issuer"}],
        "credential_configurations_supported": {
            "enrolment_ldp_vc": described("ldp_vc"),
            "enrolment_ldp_vc_rdfc": described("ldp_vc"),
            "enrolment_jwt_vc_json": described("jwt_vc_json"),
            "enrolment_dc+sd-jwt": described("dc+sd-jwt"),
            "enrolment_dc+sd-jwt_es256": es256,
        },
    })
}

type Shared = State<Arc<Party>>;

struct Refused(Error);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let headers = [("dpop-nonce", NONCE)];
        (
            StatusCode::BAD_REQUEST,
            headers,
            Json(ErrorBody::from(self.0)),
        )
            .into_response()
    }
}

/// Notes what was refused.
fn noted<T: IntoResponse>(party: &Party, answer: Result<T, Refused>) -> Response {
    if let Err(refused) = &answer {
        party.record().refused.push(refused.0.code());
    }
    answer.into_response()
}

async fn issuer(State(party): Shared) -> Json<Value> {
    Json(party.metadata.lock().unwrap().clone())
}

async fn server(State(party): Shared) -> Json<Value> {
    Json(party.server_metadata.lock().unwrap().clone())
}

async fn token(State(party): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let answer = || {
        let thumbprint = party.spend(&headers, "/token", None)?;
        let request = TokenRequest::parse(&body)?;
        let Grant::PreAuthorized { code, tx_code } = request.grant else {
            return Err(Error::new(Code::UnsupportedGrantType, "a code is needed").into());
        };
        let tx_code = tx_code.as_ref().map(SecretString::expose_secret);
        if code.expose_secret() != "the-code" || tx_code != Some("493536") {
            return Err(Error::new(Code::InvalidGrant, "wrong code").into());
        }
        let token = format!("token-of-{thumbprint}");
        Ok(Json(
            json!({"access_token": token, "token_type": "DPoP", "expires_in": 300}),
        ))
    };
    noted(&party, answer())
}

async fn nonce(State(party): Shared, headers: HeaderMap) -> Json<Value> {
    assert!(
        !headers.contains_key(header::AUTHORIZATION),
        "nobody asked for the token"
    );
    let mut record = party.record();
    record.nonces += 1;
    Json(json!({"c_nonce": format!("nonce-{}", record.nonces)}))
}

async fn credential(State(party): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let answer = || {
        party.authorized(&headers, "/credential")?;
        let is_jwt = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind == "application/jwt");
        party.record().request_encrypted = is_jwt;
        let request = if is_jwt {
            let text = std::str::from_utf8(&body).unwrap();
            let opened = SealedJwe::parse(text, 1 << 20)?.open(&party.decryption)?;
            CredentialRequest::parse(&opened)?
        } else {
            CredentialRequest::parse(&body)?
        };
        let rules = ProofRules {
            issuer: &party.url,
            key_types: &[KeyType::Ed25519, KeyType::P256],
            client: Client::Anonymous,
            batch_size: 3,
            now: party.clock.now(),
        };
        let proven = verify_proofs(&request.proofs, &rules)?;
        // The first nonce of all is always stale.
        let fresh = !proven.nonces().contains("nonce-1");
        let mut holders = proven.accept(fresh)?;
        if party.record().deferrals > 0 {
            party.record().deferrals -= 1;
            let deferred = CredentialResponse::Deferred {
                transaction_id: "t".to_owned(),
                interval: 1,
            };
            return Ok(deferred.seal(&request.response_encryption.unwrap(), &SystemEntropy));
        }
        let Wanted::Configuration(configuration) = request.wanted else {
            return Err(Error::new(Code::UnknownCredentialIdentifier, "none was named").into());
        };
        if party.record().binds_elsewhere {
            let stranger = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
            let proof =
                blindprint_openid4vc::vci::prove_key(&stranger, &party.url, Some("n"), None, NOW);
            holders = verify_proofs(&[proof?], &rules)?.accept(true)?;
        }
        // Not in the order of the proofs, which a wallet must not count on.
        holders.reverse();
        let issued = CredentialResponse::Issued {
            credentials: holders
                .iter()
                .map(|holder| party.issue(&configuration, holder))
                .collect(),
            notification_id: Some("note".to_owned()),
        };
        Ok(if party.record().sends_openly {
            issued.to_json().to_string()
        } else {
            issued.seal(&request.response_encryption.unwrap(), &SystemEntropy)
        })
    };
    noted(&party, answer())
}

async fn deferred(State(party): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let answer = || {
        party.authorized(&headers, "/deferred")?;
        let text = std::str::from_utf8(&body).unwrap();
        let opened = SealedJwe::parse(text, 1 << 20)?.open(&party.decryption)?;
        let request = blindprint_openid4vc::vci::DeferredRequest::parse(&opened)?;
        assert_eq!(request.transaction_id, "t");
        Err::<(), _>(Refused(Error::new(
            Code::CredentialRequestDenied,
            "not today",
        )))
    };
    noted(&party, answer())
}

async fn notification(State(party): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let answer = || {
        party.authorized(&headers, "/notification")?;
        let notification = Notification::parse(&body)?;
        assert_eq!(notification.notification_id, "note");
        party.record().notified.push(notification.event);
        Ok(StatusCode::NO_CONTENT)
    };
    noted(&party, answer())
}

async fn signed_question(State(party): Shared) -> String {
    party.sign_question(None)
}

async fn fresh_question(State(party): Shared, body: Bytes) -> String {
    let post = RequestUriPost::parse(&body).unwrap();
    let metadata: Value = serde_json::from_str(&post.wallet_metadata.unwrap()).unwrap();
    assert!(metadata["vp_formats_supported"]["dc+sd-jwt"].is_object());
    party.sign_question(post.wallet_nonce.as_deref())
}

async fn response(State(party): Shared, body: Bytes) -> Response {
    match DirectPost::parse(&body).unwrap() {
        DirectPost::Answer(answer) => party.record().shown.push(answer),
        DirectPost::Encrypted(jwe) => {
            let sealed = SealedJwe::parse(&jwe, DirectPost::MAX_LEN).unwrap();
            let answer = DirectPost::open(&sealed, &party.decryption).unwrap();
            party.record().shown.push(answer);
        }
        DirectPost::Refusal { error, .. } => party.record().declined.push(error.error),
    }
    Json(json!({"redirect_uri": "https://shop.example/done#response_code=1"})).into_response()
}

impl Party {
    pub(super) fn encryption_key(&self) -> Value {
        self.decryption.public().to_jwk()
    }
}
