use blindprint_core::{
    Jws,
    problem::ProblemCode,
    statement::{KeyRotation, Recovery, RecoveryAction},
    wire::{Recover, RotateKey},
};
use blindprint_protocol::message::EnclaveRequest;

use super::{Caller, Service, addressed, signed};
use crate::{Error, Result};

impl Service {
    /// Moves the caller to a new key.
    pub async fn rotate_key(&self, caller: &Caller, body: RotateKey) -> Result<Jws> {
        let rotation = signed::<KeyRotation>(&body.rotation)?;
        let possession = signed::<KeyRotation>(&body.possession)?;
        let statement = rotation.statement();
        if possession.statement() != statement || *possession.key() != statement.new_key {
            return Err(Error::because(
                ProblemCode::Refused,
                "possession: the same payload, signed by the new key",
            ));
        }
        // A repeated request comes from whoever holds the new key by then.
        if caller.key != statement.new_key {
            addressed(
                self.id(),
                caller,
                &rotation,
                &statement.sub,
                &statement.service,
            )?;
        } else if statement.sub != caller.subject {
            return Err(Error::Refused(ProblemCode::Refused));
        }
        let _held = self.changing.hold(&caller.subject).await;
        self.settle(&caller.subject).await?;
        let request = EnclaveRequest::RotateKey {
            rotation: body.rotation,
            possession: body.possession,
        };
        self.change(&caller.subject, request).await
    }

    /// Recovers the caller by their recovery key.
    pub async fn recover(&self, caller: &Caller, body: Recover) -> Result<Jws> {
        let recovery = signed::<Recovery>(&body.recovery)?;
        let statement = recovery.statement();
        if statement.sub != caller.subject || statement.service != *self.id() {
            return Err(Error::because(
                ProblemCode::Refused,
                "the recovery is not the authenticated subject's own, or for another service",
            ));
        }
        let possession = body
            .possession
            .as_ref()
            .map(signed::<Recovery>)
            .transpose()?;
        let fits = match (&statement.action, &possession) {
            (RecoveryAction::Unlock, None) => true,
            (RecoveryAction::ReplaceDevice { new_key, .. }, Some(possession)) => {
                possession.statement() == statement && possession.key() == new_key
            }
            _ => false,
        };
        if !fits {
            return Err(Error::because(
                ProblemCode::Refused,
                "possession: with replace_device only, the same payload, signed by the new key",
            ));
        }
        let _held = self.changing.hold(&caller.subject).await;
        self.settle(&caller.subject).await?;
        let request = EnclaveRequest::Recover {
            recovery: body.recovery,
            possession: body.possession,
        };
        self.change(&caller.subject, request).await
    }
}
