//! Eight attacks, each against the real service, most with more than one try. The attacker owns
//! the machine of the service, has a wallet of their own and, where said, somebody else's key.

mod audience;
mod evaluation;
mod malformed;
mod replay;
mod scene;
mod stranger;
mod transplant;
mod withdrawn;
mod wrong_wallet;

use blindprint_wallet as wallet;

use self::scene::Scene;
use crate::{Error, Result, people::People, round::Enrolled, say, service::RunningService};

/// How many attacks there are.
pub(crate) const COUNT: usize = 8;

/// Tries all of them; says how many were refused, and why. Gives back somebody who is still enrolled.
pub(crate) async fn try_all(
    service: &RunningService,
    wallets: Vec<Enrolled>,
    people: &People,
) -> Result<(usize, Enrolled)> {
    let mut scene = Scene::set(service, wallets, people).await?;
    let mut refused = 0;
    let mut show = |name: &str, outcome: Result<Vec<String>>| match outcome {
        Ok(reasons) => {
            refused += 1;
            say(&format!("  refused   {name}"));
            for reason in reasons {
                say(&format!("            - {reason}"));
            }
        }
        Err(error) => say(&format!("  NOT REFUSED  {name}: {error}")),
    };
    show("replayed probe", replay::attempt(&scene).await);
    show(
        "probe moved to another subject",
        transplant::attempt(&scene).await,
    );
    show("malformed probe", malformed::attempt(&scene).await);
    show(
        "somebody's template registered under a stranger's name",
        stranger::attempt(&scene).await,
    );
    show("forged evaluation", evaluation::attempt(&scene).await);
    show(
        "verdict for another audience",
        audience::attempt(&scene).await,
    );
    show("wrong wallet", wrong_wallet::attempt(&scene).await);
    show(
        "verdict after a withdrawal",
        withdrawn::attempt(&mut scene).await,
    );
    Ok((refused, scene.alice))
}

/// The reason for which the service refused, which must be one of `wanted`.
fn refused<T>(what: &str, outcome: wallet::Result<T>, wanted: &[&str]) -> Result<String> {
    match outcome {
        Err(error) if wanted.contains(&error.kind()) => Ok(match error {
            wallet::Error::Refused { code, .. } => {
                format!("{what}: the service refused ({})", code.slug())
            }
            other => format!("{what}: {other}"),
        }),
        Err(error) => Err(Error::Broken(format!(
            "{what}: refused, but for another reason: {error}"
        ))),
        Ok(_) => Err(Error::Broken(format!("{what}: accepted"))),
    }
}
