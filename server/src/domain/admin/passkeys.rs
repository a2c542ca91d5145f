//! Passkeys (WebAuthn): how administrators prove who they are. User verification is always asked for, so
//! a passkey is two factors: something they have, and what unlocks it.

use blindprint_core::{ServiceId, UnixTime, problem::ProblemCode};
use serde_json::{Value, json};
use url::Url;
use webauthn_rs::prelude::{
    CredentialID, Passkey, PublicKeyCredential, RegisterPublicKeyCredential, Webauthn,
    WebauthnBuilder, WebauthnError,
};

use super::{
    Act, ActKind, Actor, Admin, AdministratorId, AdministratorRecord, Ceremony, CeremonyId,
    LinkSecret, Name, Removal, SessionSecret, SignedIn,
};
use crate::{Error, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Passkeys of one administrator at most.
const MOST_PASSKEYS: usize = 10;

/// Who asks for passkeys: the service's host, at the addresses under which browsers reach it.
pub struct Relying(Webauthn);

impl Relying {
    /// The host of the public address. Plain HTTP on this machine is an address too if the public one is
    /// `localhost`, which browsers trust without a certificate. `None` if the host is an IP address: no
    /// browser takes passkeys for those.
    pub fn new(service: &ServiceId, http: Option<&str>) -> Option<Self> {
        let origin = Url::parse(service.as_str()).ok()?;
        let host = origin.domain()?.to_owned();
        let mut builder = WebauthnBuilder::new(&host, &origin)
            .ok()?
            .rp_name("Blindprint");
        let http = http.and_then(|http| Url::parse(http).ok());
        if let Some(http) = http.filter(|http| http.domain() == Some(&host)) {
            builder = builder.append_allowed_origin(&http);
        }
        builder.build().ok().map(Self)
    }

    /// Whether requests of this `Origin` may come from the dashboard's own pages.
    pub fn is_own(&self, origin: &str) -> bool {
        let origins = self.0.get_allowed_origins().iter();
        origins
            .map(|own| own.origin().ascii_serialization())
            .any(|own| own == origin)
    }
}

/// A passkey as it is kept.
#[derive(Debug, Clone)]
pub struct PasskeyRecord {
    /// The credential's id, base64url.
    pub id: String,
    /// Whose it is.
    pub administrator: AdministratorId,
    /// What they call it.
    pub name: Name,
    /// Its public key with its counter.
    pub passkey: Passkey,
    /// Since when.
    pub created: UnixTime,
    /// When it was last used.
    pub used: Option<UnixTime>,
}

/// The text form of a credential's id.
fn named(id: &CredentialID) -> String {
    let bytes: &[u8] = id.as_ref();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whatever is wrong with an answer, it is told in one way: nobody learns which credentials exist.
fn refused(error: &WebauthnError) -> Error {
    tracing::info!(%error, "a passkey's answer was refused");
    Error::Refused(ProblemCode::Refused)
}

fn over() -> Error {
    Error::Refused(ProblemCode::Refused)
}

fn broken(doing: &'static str) -> impl FnOnce(WebauthnError) -> Error {
    move |error| Error::broken(doing)(error.to_string().into())
}

fn as_json(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|error| Error::broken("writing a passkey's challenge")(error.into()))
}

impl Admin {
    fn relying(&self) -> Result<&Webauthn> {
        let relying = self.relying.as_ref().map(|relying| &relying.0);
        relying.ok_or_else(|| Error::unavailable(3600))
    }

    /// Whether passkeys can be asked for at all.
    pub const fn has_passkeys(&self) -> bool {
        self.relying.is_some()
    }

    /// Whether requests of this `Origin` may come from the dashboard's own pages.
    pub fn is_own(&self, origin: &str) -> bool {
        self.relying
            .as_ref()
            .is_some_and(|relying| relying.is_own(origin))
    }

    fn begin(&self, ceremony: Ceremony) -> CeremonyId {
        self.ceremonies
            .begin(ceremony, self.clock.now(), &*self.entropy)
    }

    fn finish(&self, id: CeremonyId) -> Result<Ceremony> {
        self.ceremonies
            .finish(id, self.clock.now())
            .ok_or_else(over)
    }

    /// What the browser is asked for a new passkey: one that names its owner by itself.
    fn creation(
        &self,
        id: AdministratorId,
        owner: &Name,
        known: &[PasskeyRecord],
    ) -> Result<(Value, webauthn_rs::prelude::PasskeyRegistration)> {
        let known = known
            .iter()
            .map(|record| record.passkey.cred_id().clone())
            .collect();
        let (options, state) = self
            .relying()?
            .start_passkey_registration(id.0, owner.as_str(), owner.as_str(), Some(known))
            .map_err(broken("asking for a passkey"))?;
        let mut options = as_json(&options)?;
        let selection = &mut options["publicKey"]["authenticatorSelection"];
        selection["residentKey"] = json!("required");
        selection["requireResidentKey"] = json!(true);
        Ok((options, state))
    }

    /// Begins to join by a link, under a name of one's own.
    pub async fn begin_joining(
        &self,
        secret: &LinkSecret,
        name: Name,
        passkey: Name,
    ) -> Result<(CeremonyId, Value)> {
        let link = self.waiting_link(secret).await?.ok_or_else(over)?;
        let id = AdministratorId::random(&*self.entropy);
        let (options, state) = self.creation(id, &name, &[])?;
        let ceremony = self.begin(Ceremony::Joining {
            link: link.id,
            id,
            name,
            passkey,
            state,
        });
        Ok((ceremony, options))
    }

    /// Joins: the link is used, the administrator has their first passkey and a session.
    pub async fn join(
        &self,
        ceremony: CeremonyId,
        answer: &RegisterPublicKeyCredential,
        agent: &str,
    ) -> Result<SessionSecret> {
        let Ceremony::Joining {
            link,
            id,
            name,
            passkey: passkey_name,
            state,
        } = self.finish(ceremony)?
        else {
            return Err(over());
        };
        let passkey = self
            .relying()?
            .finish_passkey_registration(answer, &state)
            .map_err(|error| refused(&error))?;
        let now = self.clock.now();
        let links = self.store.links().await?;
        let link = links
            .into_iter()
            .find(|known| known.id == link)
            .ok_or_else(over)?;
        let administrator = AdministratorRecord {
            id,
            name,
            role: link.role,
            created: now,
            removed: None,
            passkeys: 1,
            seen: Some(now),
        };
        let record = PasskeyRecord {
            id: named(passkey.cred_id()),
            administrator: id,
            name: passkey_name,
            passkey,
            created: now,
            used: None,
        };
        let (session, secret) = self.open_session(id, agent);
        let actor = Actor {
            id: Some(id),
            name: administrator.name.to_string(),
            role: Some(link.role),
        };
        let act = Act::done(actor, ActKind::Join, link.id);
        let joined = self
            .store
            .join(
                &link,
                (&administrator, &record, &session),
                &act,
                self.stamp(),
            )
            .await?;
        if joined { Ok(secret) } else { Err(over()) }
    }

    /// Begins to sign in. Nobody is named: the passkey says whose it is.
    pub fn begin_signing_in(&self) -> Result<(CeremonyId, Value)> {
        let (options, state) = self
            .relying()?
            .start_discoverable_authentication()
            .map_err(broken("asking for a passkey"))?;
        // The library means it for autofill; here somebody pressed a button.
        let mut options = as_json(&options)?;
        if let Some(options) = options.as_object_mut() {
            options.remove("mediation");
        }
        Ok((self.begin(Ceremony::SigningIn(state)), options))
    }

    /// Signs in.
    pub async fn sign_in(
        &self,
        ceremony: CeremonyId,
        answer: &PublicKeyCredential,
        agent: &str,
    ) -> Result<SessionSecret> {
        let Ceremony::SigningIn(state) = self.finish(ceremony)? else {
            return Err(over());
        };
        let relying = self.relying()?;
        let (user, credential) = relying
            .identify_discoverable_authentication(answer)
            .map_err(|error| refused(&error))?;
        let credential = URL_SAFE_NO_PAD.encode(credential);
        let Some((mut record, administrator)) = self.store.passkey(&credential).await? else {
            return Err(over());
        };
        let actor = Actor {
            id: Some(administrator.id),
            name: administrator.name.to_string(),
            role: Some(administrator.role),
        };
        let act = Act::done(actor, ActKind::SignIn, &record.id);
        let verified =
            relying.finish_discoverable_authentication_v2(answer, state, &record.passkey);
        let verified = match verified {
            Ok(verified) if verified.user_verified() && user == administrator.id.0 => verified,
            Ok(_) => {
                self.record(&act.refused()).await?;
                return Err(over());
            }
            Err(error) => {
                // A counter that went back tells of a copied passkey: it is said aloud.
                let why = json!({ "why": error.to_string() });
                self.record(&act.with(why).refused()).await?;
                return Err(refused(&error));
            }
        };
        record.passkey.update_credential(&verified);
        record.used = Some(self.clock.now());
        let (session, secret) = self.open_session(administrator.id, agent);
        let signed_in = self
            .store
            .begin_session(&record, &session, &act, self.stamp());
        if signed_in.await? {
            Ok(secret)
        } else {
            Err(over())
        }
    }

    /// Begins to prove again that it is the same administrator.
    pub async fn begin_proving(&self, who: &SignedIn) -> Result<(CeremonyId, Value)> {
        let passkeys = self.passkeys_of(who.administrator.id).await?;
        let passkeys: Vec<Passkey> = passkeys.into_iter().map(|it| it.passkey).collect();
        let (options, state) = self
            .relying()?
            .start_passkey_authentication(&passkeys)
            .map_err(broken("asking for a passkey"))?;
        let session = who.session.id;
        let ceremony = self.begin(Ceremony::Proving { session, state });
        Ok((ceremony, as_json(&options)?))
    }

    /// Proves again that it is the same administrator.
    pub async fn prove(
        &self,
        who: &SignedIn,
        ceremony: CeremonyId,
        answer: &PublicKeyCredential,
    ) -> Result<()> {
        let Ceremony::Proving { session, state } = self.finish(ceremony)? else {
            return Err(over());
        };
        if session != who.session.id {
            return Err(over());
        }
        let verified = self
            .relying()?
            .finish_passkey_authentication(answer, &state)
            .map_err(|error| refused(&error))?;
        let known = self.passkeys_of(who.administrator.id).await?;
        let record = known
            .into_iter()
            .find(|record| record.passkey.cred_id() == verified.cred_id());
        let Some(mut record) = record.filter(|_| verified.user_verified()) else {
            return Err(over());
        };
        record.passkey.update_credential(&verified);
        record.used = Some(self.clock.now());
        let act = Act::done(Actor::from(who), ActKind::ProveAgain, &record.id);
        self.store
            .prove_session(&record, session, &act, self.stamp())
            .await
    }

    /// An administrator's passkeys, oldest first.
    pub async fn passkeys_of(&self, who: AdministratorId) -> Result<Vec<PasskeyRecord>> {
        self.store.passkeys_of(who).await
    }

    /// Begins to add a passkey.
    pub async fn begin_adding(&self, who: &SignedIn, name: Name) -> Result<(CeremonyId, Value)> {
        let known = self.passkeys_of(who.administrator.id).await?;
        if known.len() >= MOST_PASSKEYS {
            return Err(Error::because(
                ProblemCode::QuotaReached,
                "remove a passkey first",
            ));
        }
        let administrator = &who.administrator;
        let (options, state) = self.creation(administrator.id, &administrator.name, &known)?;
        let ceremony = self.begin(Ceremony::Adding {
            session: who.session.id,
            passkey: name,
            state,
        });
        Ok((ceremony, options))
    }

    /// Adds a passkey.
    pub async fn add_passkey(
        &self,
        who: &SignedIn,
        ceremony: CeremonyId,
        answer: &RegisterPublicKeyCredential,
    ) -> Result<()> {
        let Ceremony::Adding {
            session,
            passkey: name,
            state,
        } = self.finish(ceremony)?
        else {
            return Err(over());
        };
        if session != who.session.id {
            return Err(over());
        }
        let passkey = self
            .relying()?
            .finish_passkey_registration(answer, &state)
            .map_err(|error| refused(&error))?;
        let record = PasskeyRecord {
            id: named(passkey.cred_id()),
            administrator: who.administrator.id,
            name,
            passkey,
            created: self.clock.now(),
            used: None,
        };
        let act = Act::done(Actor::from(who), ActKind::AddPasskey, &record.id)
            .with(json!({ "name": record.name.as_str() }));
        if self.store.add_passkey(&record, &act, self.stamp()).await? {
            Ok(())
        } else {
            Err(Error::Refused(ProblemCode::Conflict))
        }
    }

    /// Gives one of one's own passkeys another name.
    pub async fn rename_passkey(&self, who: &SignedIn, id: &str, name: &Name) -> Result<()> {
        let act = Act::done(Actor::from(who), ActKind::RenamePasskey, id)
            .with(json!({ "name": name.as_str() }));
        let own = (who.administrator.id, id);
        let renamed = self.store.rename_passkey(own, name, &act, self.stamp());
        if renamed.await? {
            Ok(())
        } else {
            Err(Error::Refused(ProblemCode::NotFound))
        }
    }

    /// Removes one of one's own passkeys, but not the last.
    pub async fn remove_passkey(&self, who: &SignedIn, id: &str) -> Result<()> {
        let act = Act::done(Actor::from(who), ActKind::RemovePasskey, id);
        let own = (who.administrator.id, id);
        let removed: Removal = self.store.remove_passkey(own, &act, self.stamp()).await?;
        removed.settled("the last passkey stays: add another one first")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relying(service: &str, http: Option<&str>) -> Option<Relying> {
        Relying::new(&service.parse().unwrap(), http)
    }

    #[test]
    fn passkeys_are_for_the_public_address_and_for_this_machine() {
        let local = relying("https://localhost:8443", Some("http://localhost:8080")).unwrap();
        assert!(local.is_own("https://localhost:8443") && local.is_own("http://localhost:8080"));
        assert!(!local.is_own("https://localhost:8080") && !local.is_own("null"));
        let public = relying("https://id.example.org", Some("http://localhost:8080")).unwrap();
        assert!(public.is_own("https://id.example.org"));
        assert!(!public.is_own("http://localhost:8080"));
    }

    #[test]
    fn addresses_without_a_name_take_no_passkeys() {
        assert!(relying("https://192.0.2.1:8443", None).is_none());
    }
}
