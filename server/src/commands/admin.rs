use blindprint_core::{Clock as _, SystemClock, SystemEntropy, UnixTime};
use blindprint_server::{
    Error, Result,
    config::Config,
    domain::{
        admin::{
            Act, ActKind, Actor, AdministratorId, LinkId, LinkState, Name, Removal, Role, make_link,
        },
        ledger::Stamp,
    },
    folder::DataFolder,
    serve,
    store::{AdminStore as _, SqliteStore},
};
use clap::Subcommand;
use uuid::Uuid;

#[derive(Subcommand)]
pub(crate) enum Admin {
    /// Make a link by which somebody becomes an administrator. It works once, for a day
    Link {
        /// Whom it is for
        name: Name,
        /// operator, `privacy_officer` or auditor
        #[arg(long, default_value = "operator")]
        role: Role,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List administrators and the links that wait: id, role, name
    List,
    /// Remove an administrator, or take a link back
    Revoke {
        /// Its id
        id: Uuid,
    },
}

impl Admin {
    pub(crate) async fn run(self, config: &Config) -> Result<String> {
        let folder = DataFolder::existing(&config.data)?;
        let store = SqliteStore::open(&folder.database()).await?;
        let origin = serve::dashboard_origin(config, &folder)?;
        let done = self.run_in(&store, &origin).await;
        store.close().await;
        done
    }

    async fn run_in(self, store: &SqliteStore, origin: &str) -> Result<String> {
        let stamp = Stamp {
            at: SystemClock.now(),
            entropy: &SystemEntropy,
        };
        match self {
            Self::Link { name, role, json } => {
                let (link, secret) = make_link(store, Actor::machine(), role, name, stamp).await?;
                let address = format!("{origin}/admin/join/{}", secret.expose());
                Ok(if json {
                    format!(r#"{{"id":"{}","link":"{address}"}}"#, link.id)
                } else {
                    address
                })
            }
            Self::List => list(store, stamp.at).await,
            Self::Revoke { id } => revoke(store, id, stamp).await,
        }
    }
}

async fn list(store: &SqliteStore, now: UnixTime) -> Result<String> {
    let administrators = store.administrators().await?.into_iter();
    let administrators = administrators.filter(|who| who.removed.is_none());
    let links = store.links().await?.into_iter();
    let waiting = links.filter(|link| link.state(now) == LinkState::Waiting);
    let lines = administrators
        .map(|who| format!("{}  {}  {}", who.id, who.role, who.name))
        .chain(waiting.map(|link| format!("{}  {}  {}  (link)", link.id, link.role, link.name)));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

async fn revoke(store: &SqliteStore, id: Uuid, stamp: Stamp<'_>) -> Result<String> {
    let link = LinkId(id);
    let act = Act::done(Actor::machine(), ActKind::RevokeLink, link);
    if store.revoke_link(link, &act, stamp).await? {
        return Ok(format!("the link {id} does not work any more"));
    }
    let who = AdministratorId(id);
    let act = Act::done(Actor::machine(), ActKind::RemoveAdministrator, who);
    match store.remove_administrator(who, &act, stamp).await? {
        Removal::Done => Ok(format!("{id} is removed")),
        Removal::Last => Err(Error::Setup(
            "this is the last operator: make a link for another one first".to_owned(),
        )),
        Removal::Unknown => Err(Error::Setup(format!(
            "there is no administrator and no waiting link {id}"
        ))),
    }
}
