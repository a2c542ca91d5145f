//! Everything that `blindprint serve` starts, in the order in which it depends on one another,
//! and stops again.

mod admin;
mod chores;
mod connections;
mod ledger;
mod processes;
mod publishing;
mod rights;
mod sockets;

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::http::Uri;
use axum_server::{Handle, tls_rustls::RustlsConfig};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{Clock, Entropy, ServiceId, SystemClock, SystemEntropy};
use blindprint_protocol::attestation::Trust;
use secrecy::{SecretBox, SecretString, zeroize::Zeroizing};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::{
    Error, Result,
    backend::{Enclave, Matchers, MaterialStore},
    config::{Config, Loaded, Setting},
    domain::{
        Buckets, InvitationKey, Issuer, Locks, Notices, OpenId, OpenIdParts, OpenIdTerms, Parts,
        Places, ProtocolKey, Rate, Service, Terms,
        sign_in::{SignInParts, SignIns},
    },
    folder::{self, DataFolder, Occupied},
    http::{self, App, Operators, OwnPage, TOKEN_RATE},
    process::Supervisor,
    store::{SqliteStore, Store},
    telemetry, trust,
};
use chores::{Certificate, forget, lapse, settle};
use processes::Backends;
pub use publishing::Identity;
use sockets::{Sockets, listening};

/// Where a running service is found.
#[derive(Debug, Clone, Serialize)]
pub struct Announcement {
    /// The name that statements are addressed to.
    pub service: ServiceId,
    /// HTTPS.
    pub https: String,
    /// Plain HTTP on loopback, if it is on.
    pub http: Option<String>,
    /// The certificate to trust for HTTPS; `None` with an operator's own.
    pub ca: Option<PathBuf>,
    /// What wallets pin. The file appears once the enclave has started for the first time; `None`
    /// if an enclave elsewhere keeps its root to itself.
    pub trust: Option<PathBuf>,
    /// The operator's bearer token.
    pub operator_token: Option<PathBuf>,
    /// The dashboard.
    pub dashboard: String,
    /// By which the first administrator joins it, while there is none. It is a secret: people see it,
    /// files do not.
    #[serde(skip)]
    pub first_administrator: Option<String>,
    /// The data folder.
    pub data: PathBuf,
    /// This process.
    pub pid: u32,
}

impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Blindprint serves {}", self.service)?;
        writeln!(f, "  HTTPS           {}", self.https)?;
        if let Some(http) = &self.http {
            writeln!(f, "  HTTP            {http}  (this machine only)")?;
            writeln!(f, "  API             {http}/docs")?;
        }
        writeln!(f, "  dashboard       {}", self.dashboard)?;
        if let Some(link) = &self.first_administrator {
            writeln!(f, "  first operator  {link}  (once, within a day)")?;
        }
        if let Some(ca) = &self.ca {
            writeln!(f, "  CA certificate  {}", ca.display())?;
        }
        if let Some(trust) = &self.trust {
            writeln!(f, "  trust file      {}", trust.display())?;
        }
        if let Some(token) = &self.operator_token {
            writeln!(f, "  operator token  {}", token.display())?;
        }
        write!(f, "  data folder     {}", self.data.display())
    }
}

/// Serves until `stop` ends. `announce` hears where, once the sockets are bound.
pub async fn run(
    loaded: Loaded,
    announce: impl FnOnce(&Announcement) -> Result<()>,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let running = Running::start(loaded).await?;
    let announced = announce(&running.announcement);
    if announced.is_ok() {
        stop.await;
    }
    tracing::info!("stopping: requests under way are finished first");
    running.stop().await.and(announced)
}

/// A service that runs.
pub struct Running {
    /// Where it is found.
    pub announcement: Announcement,
    servers: JoinSet<std::io::Result<()>>,
    handles: Vec<Handle<SocketAddr>>,
    chores: JoinSet<()>,
    supervisor: Option<Supervisor>,
    store: SqliteStore,
    grace: Duration,
    _occupied: Occupied,
}

impl Running {
    /// Starts everything. Returns as soon as requests are taken; enclave and matchers may take
    /// longer, and `/readyz` tells when they are there.
    pub async fn start(loaded: Loaded) -> Result<Self> {
        let settings = loaded.settings();
        let config = loaded.config;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let folder = DataFolder::open(&config.data)?;
        let occupied = folder.occupy()?;
        let sockets = Sockets::bind(&config)?;
        let service = service_id(&config, &folder, sockets.https_address)?;

        let store = SqliteStore::open(&folder.database()).await?;
        // Whatever was deleted just before a crash.
        store.purge().await?;
        let terms = ledger::log_terms(&config, &folder, &service, &*entropy)?;
        let backends = Backends::prepare(&config, &folder, &service, terms).await?;
        let identity = Identity::of(&config, &folder, &service);
        let issuer = identity.settle(&store, &*entropy, &*clock).await?;
        let app = assemble(
            (&config, settings, sockets.http_address),
            &folder,
            (&service, issuer),
            &store,
            &backends,
            (&clock, &entropy),
        )?;
        let certificate = Certificate {
            section: config.tls.clone(),
            host: host(&service),
            clock,
            entropy,
        };
        let tls = RustlsConfig::from_config(certificate.load(&folder)?);

        let mut announcement = announcement(&config, &folder, &service, &sockets)?;
        let origin = admin::origin(&service, sockets.http_address);
        announcement.first_administrator = admin::first_link(&app, &origin).await?;
        let text = serde_json::to_vec_pretty(&announcement)
            .map_err(|error| Error::broken("writing where this runs")(error.into()))?;
        folder::write_atomically(&folder.running(), &text, 0o600)?;

        app.service.publish_notices().await?;
        let supervisor = backends.supervise(&folder)?;
        let mut chores = JoinSet::new();
        chores.spawn(settle(Arc::clone(&app.service)));
        chores.spawn(lapse(Arc::clone(&app.service)));
        let remembered = i64::from(config.limits.idempotency_seconds);
        chores.spawn(forget(Arc::clone(&app), remembered));
        ledger::log_configuration(&app.ledger, &config).await?;
        let credentials = Arc::clone(&app.public.credentials);
        let enclave = app.service.enclave();
        ledger::start(&app.ledger, &folder, &credentials, enclave, &mut chores);
        rights::start(
            &config,
            &app.rights,
            &app.service,
            &credentials,
            &mut chores,
        )?;
        admin::start(&app, &mut chores);
        chores.spawn(identity.follow(credentials));
        chores.spawn(backends.write_trust(folder.trust(), service));
        chores.spawn(certificate.keep(folder, tls.clone()));
        let mut servers = JoinSet::new();
        let handles = sockets.serve(&http::router(&app), tls, &mut servers)?;
        let grace = Duration::from_secs(u64::from(config.listen.shutdown_seconds));
        Ok(Self {
            announcement,
            servers,
            handles,
            chores,
            supervisor,
            store,
            grace,
            _occupied: occupied,
        })
    }

    /// Takes no more requests, finishes those under way, stops the processes, closes the database.
    pub async fn stop(mut self) -> Result<()> {
        for handle in &self.handles {
            handle.graceful_shutdown(Some(self.grace));
        }
        let mut outcome = Ok(());
        while let Some(ended) = self.servers.join_next().await {
            if let Ok(Err(error)) = ended {
                outcome = Err(listening(error));
            }
        }
        self.chores.shutdown().await;
        if let Some(supervisor) = self.supervisor {
            supervisor.stop().await;
        }
        self.store.close().await;
        outcome
    }
}

/// The rules and everything that handlers reach, over what was prepared.
fn assemble(
    (config, settings, http): (&Config, Vec<Setting>, Option<SocketAddr>),
    folder: &DataFolder,
    (service, issuer): (&ServiceId, Issuer),
    store: &SqliteStore,
    backends: &Backends,
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
) -> Result<Arc<App>> {
    let limits = &config.limits;
    let store: Arc<dyn Store> = Arc::new(store.clone());
    let enclave = Arc::new(Enclave::at(backends.enclave.clone()));
    let terms = Terms {
        service: service.clone(),
        open_enrolment: config.service.open_enrolment,
        subject_rate: Rate {
            per_minute: limits.subject_per_minute,
            burst: limits.subject_burst,
        },
        remembered: limits.remembered,
        comparisons: limits.comparisons,
    };
    let parts = Parts {
        store: Arc::clone(&store),
        enclave: Arc::clone(&enclave),
        matchers: Arc::new(Matchers::at(backends.matchers.iter().cloned())),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        invitations: invitation_key(folder, &**entropy)?,
        notices: notices(config, service)?,
    };
    let ledger = ledger::ledger(config, folder, service, &store, (clock, entropy))?;
    let public = publishing::public(
        config,
        service,
        issuer,
        (&store, &enclave),
        (clock, entropy),
    )?;
    let openid = OpenIdParts {
        store: Arc::clone(&store),
        credentials: Arc::clone(&public.credentials),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        protocol: protocol_key(folder, &**entropy)?,
    };
    let openid_terms = OpenIdTerms {
        service: service.clone(),
        batch_size: limits.batch_size as usize,
    };
    let operator = operator_token(config, folder, &**entropy)?;
    let resolution_rate = Rate {
        per_minute: config.resolver.address_per_minute,
        burst: config.resolver.address_burst,
    };
    let resolutions = config.resolver.at_once;
    let address_rate = Rate {
        per_minute: limits.address_per_minute,
        burst: limits.address_burst,
    };
    let dashboard = admin::dashboard(config, service, http, &store, (clock, entropy));
    let own_page = SignIns::new(SignInParts {
        store: Arc::clone(&store),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        service: service.clone(),
        waiting: limits.remembered,
    });
    let own_page = OwnPage::new(own_page, limits.remembered);
    let service = Arc::new(Service::new(terms, parts));
    let openid = Arc::new(OpenId::new(openid_terms, openid));
    let ledger = Arc::new(ledger);
    let rights = rights::rights(config, &service, &public.credentials, &openid, &ledger);
    Ok(Arc::new(App {
        service,
        openid,
        public,
        ledger,
        rights,
        dashboard,
        own_page,
        resolution_rate: Buckets::new(resolution_rate, limits.remembered),
        // One address never has all places.
        resolutions: Places::new(resolutions, (resolutions / 4).max(1)),
        material: MaterialStore::new(folder.material(), enclave, store),
        operators: Operators::new(&operator, &config.operator.enrolment_keys()?),
        address_rate: App::address_rate(address_rate, limits.remembered),
        token_rate: Buckets::new(TOKEN_RATE, limits.remembered),
        trusted_proxies: config.listen.trusted_proxies.clone(),
        keys_in_use: Locks::default(),
        metrics: telemetry::start_metrics()?,
        settings,
        request_seconds: config.listen.request_seconds,
        body_seconds: limits.body_seconds,
    }))
}

/// What people are told, and by whom.
fn notices(config: &Config, service: &ServiceId) -> Result<Notices> {
    let section = &config.controller;
    Ok(Notices::new(
        section.library()?,
        service.clone(),
        section.controller(service)?,
        section.reconsent_days,
    )
    .keeping(&config.retention.policy()))
}

fn announcement(
    config: &Config,
    folder: &DataFolder,
    service: &ServiceId,
    sockets: &Sockets,
) -> Result<Announcement> {
    let url = |scheme, address| format!("{scheme}://{}", host_and_port(address));
    let own_certificate = config.tls.certificate_file.is_some();
    let own_token = config.operator.token()?.is_some();
    Ok(Announcement {
        service: service.clone(),
        https: url("https", sockets.https_address),
        http: sockets.http_address.map(|address| url("http", address)),
        ca: (!own_certificate).then(|| folder.ca_certificate()),
        trust: (config.enclave.socket.is_none() || config.enclave.simulated_root.is_some())
            .then(|| folder.trust()),
        operator_token: (!own_token).then(|| folder.operator_token()),
        dashboard: format!("{}/admin", admin::origin(service, sockets.http_address)),
        first_administrator: None,
        data: folder.path().to_owned(),
        pid: std::process::id(),
    })
}

/// The configured name, or the one chosen at the first start, or the local address. Once chosen
/// it stays: everything that wallets sign and the enclave seals is addressed to it.
fn service_id(config: &Config, folder: &DataFolder, https: SocketAddr) -> Result<ServiceId> {
    let refused = |why: &dyn fmt::Display| Error::Setup(format!("service.public_url: {why}"));
    let chosen = match &config.service.public_url {
        Some(service) => service.clone(),
        None => format!("https://{}", host_and_port(https))
            .parse()
            .map_err(|error| refused(&error))?,
    };
    let uri = chosen
        .as_str()
        .parse::<Uri>()
        .map_err(|error| refused(&error))?;
    if uri.host().is_none_or(str::is_empty) {
        return Err(refused(&"an origin has a host"));
    }
    let known = folder::secret_or_else(&folder.service(), || chosen.to_string())?;
    let known: ServiceId = known.trim().parse().map_err(|error| refused(&error))?;
    if config.service.public_url.is_some() && chosen != known {
        return Err(refused(&format!(
            "this data folder belongs to {known}, and whoever enrolled there signed that name"
        )));
    }
    Ok(known)
}

/// The identity of the service that a data folder belongs to.
pub fn identity(config: &Config, folder: &DataFolder) -> Result<Identity> {
    let service = service_id(config, folder, config.listen.https)?;
    Ok(Identity::of(config, folder, &service))
}

/// Where browsers reach the dashboard of the service that a data folder belongs to.
pub fn dashboard_origin(config: &Config, folder: &DataFolder) -> Result<String> {
    let service = service_id(config, folder, config.listen.https)?;
    let http = config.listen.http_enabled.then_some(config.listen.http);
    Ok(admin::origin(&service, http))
}

/// `localhost` for loopback and unspecified addresses, which certificates and browsers know.
fn host_and_port(address: SocketAddr) -> String {
    if address.ip().is_loopback() || address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}

/// The host in an origin.
fn host(service: &ServiceId) -> Option<String> {
    let uri: Uri = service.as_str().parse().ok()?;
    let host = uri.host()?;
    Some(
        host.trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned(),
    )
}

/// The trust file's content for this configuration. The enclave must have started once.
pub async fn trust(config: &Config, folder: &DataFolder) -> Result<Trust> {
    let measured = processes::measured(config).await?;
    let root = config.enclave.simulated_root.clone();
    let root = root.unwrap_or_else(|| folder.simulated_root());
    let service = service_id(config, folder, config.listen.https)?;
    let log = ledger::log_terms(config, folder, &service, &SystemEntropy)?;
    trust::build(&root, service, measured, log)
}

fn random_text(entropy: &dyn Entropy) -> String {
    URL_SAFE_NO_PAD.encode(entropy.bytes::<32>())
}

fn operator_token(
    config: &Config,
    folder: &DataFolder,
    entropy: &dyn Entropy,
) -> Result<SecretString> {
    if let Some(token) = config.operator.token()? {
        return Ok(token);
    }
    let token = folder::secret_or_else(&folder.operator_token(), || random_text(entropy))?;
    Ok(SecretString::from(token.trim()))
}

/// The key that invitations are made with, drawn at its first use.
pub fn invitation_key(folder: &DataFolder, entropy: &dyn Entropy) -> Result<InvitationKey> {
    key_in(&folder.invitation_key(), entropy).map(InvitationKey::new)
}

/// The key that codes and nonces are made with, drawn at its first use.
fn protocol_key(folder: &DataFolder, entropy: &dyn Entropy) -> Result<ProtocolKey> {
    key_in(&folder.protocol_key(), entropy).map(ProtocolKey::new)
}

fn key_in(file: &Path, entropy: &dyn Entropy) -> Result<SecretBox<[u8; 32]>> {
    let text = folder::secret_or_else(file, || random_text(entropy))?;
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.trim()).unwrap_or_default());
    let key = <[u8; 32]>::try_from(bytes.as_slice())
        .map_err(|_| Error::Setup(format!("{} is damaged", file.display())))?;
    Ok(SecretBox::new(Box::new(key)))
}
