use blindprint_core::{Audience, Clock as _, SystemClock, SystemEntropy};
use blindprint_server::{
    Error, Result,
    config::Config,
    domain::relying_parties::{NewRelyingParty, RelyingPartyId, add_relying_party},
    folder::DataFolder,
    store::{RelyingPartyStore as _, SqliteStore},
};
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum RelyingParty {
    /// Add one
    Add {
        /// Its name for people
        name: String,
        /// The name that verdicts are for
        #[arg(long)]
        audience: Audience,
        /// Where it takes Security Event Tokens (RFC 8935)
        #[arg(long, value_name = "URL")]
        webhook: Option<String>,
        /// A person to write to
        #[arg(long)]
        contact: Option<String>,
        /// Your own remark
        #[arg(long)]
        notes: Option<String>,
    },
    /// List them: id, name, audience, webhook
    List,
    /// Forget one, and what it was still to be told
    Remove {
        /// Its id
        id: RelyingPartyId,
    },
}

impl RelyingParty {
    pub(crate) async fn run(self, config: &Config) -> Result<String> {
        let folder = DataFolder::existing(&config.data)?;
        let store = SqliteStore::open(&folder.database()).await?;
        let done = self.run_in(&store).await;
        store.close().await;
        done
    }

    async fn run_in(self, store: &SqliteStore) -> Result<String> {
        match self {
            Self::Add {
                name,
                audience,
                webhook,
                contact,
                notes,
            } => {
                let known = NewRelyingParty {
                    name,
                    audience,
                    webhook,
                    contact,
                    notes,
                };
                let now = SystemClock.now();
                let party = add_relying_party(store, known, &SystemEntropy, now).await?;
                Ok(party.id.to_string())
            }
            Self::List => {
                let lines = store.relying_parties().await?.into_iter().map(|party| {
                    let webhook = party.known.webhook.unwrap_or_else(|| "-".to_owned());
                    let (name, audience) = (party.known.name, party.known.audience);
                    format!("{}  {name}  {audience}  {webhook}", party.id)
                });
                Ok(lines.collect::<Vec<_>>().join("\n"))
            }
            Self::Remove { id } => {
                if store.remove_relying_party(id).await? {
                    Ok(format!("{id} is forgotten"))
                } else {
                    Err(Error::Setup(format!("there is no relying party {id}")))
                }
            }
        }
    }
}
