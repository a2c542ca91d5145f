//! How a browser asks a wallet to sign it in on the subject's own page.

use std::{fmt, str::FromStr};

use crate::{Entropy, Invalid, Nonce, ServiceId};

/// No characters that look alike: 32 of them, so that a random byte chooses one evenly.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const HALF: usize = 4;
const PREFIX: &str = "blindprint:sign-in?service=";

/// What page and wallet both show, for the person to compare: `XXXX-XXXX`, 40 random bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInCode(String);

impl SignInCode {
    /// A random one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut code = String::new();
        for (at, byte) in entropy.bytes::<{ 2 * HALF }>().into_iter().enumerate() {
            if at == HALF {
                code.push('-');
            }
            code.push(char::from(ALPHABET[usize::from(byte % 32)]));
        }
        Self(code)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SignInCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SignInCode {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_half =
            |half: &str| half.len() == HALF && half.bytes().all(|b| ALPHABET.contains(&b));
        match text.split_once('-') {
            Some((first, second)) if is_half(first) && is_half(second) => Ok(Self(text.to_owned())),
            _ => Err(Invalid::new(
                "code",
                "two groups of four letters and digits, joined by a dash",
            )),
        }
    }
}

/// The link that a page shows, also as a QR code: `blindprint:sign-in?service=…&session=…&code=…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInLink {
    /// Whose page it is.
    pub service: ServiceId,
    /// The browser's session. Used once.
    pub session: Nonce,
    /// What the page shows beside the link.
    pub code: SignInCode,
}

impl fmt::Display for SignInLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            service,
            session,
            code,
        } = self;
        write!(f, "{PREFIX}{service}&session={session}&code={code}")
    }
}

impl FromStr for SignInLink {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("link", "blindprint:sign-in?service=…&session=…&code=…");
        let rest = text.strip_prefix(PREFIX).ok_or_else(invalid)?;
        let (rest, code) = rest.rsplit_once("&code=").ok_or_else(invalid)?;
        let (service, session) = rest.rsplit_once("&session=").ok_or_else(invalid)?;
        Ok(Self {
            service: service.parse()?,
            session: session.parse()?,
            code: code.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn a_link_is_read_as_it_was_written() {
        let link = SignInLink {
            service: "https://localhost:8443".parse().unwrap(),
            session: Nonce::random(&SystemEntropy),
            code: SignInCode::random(&SystemEntropy),
        };
        assert_eq!(link.to_string().parse::<SignInLink>().unwrap(), link);
    }

    #[test]
    fn what_is_no_link_is_refused() {
        let nonce = "A".repeat(43);
        for text in [
            String::new(),
            "https://id.example/me/sign-in".to_owned(),
            format!("blindprint:sign-in?service=https://id.example&session={nonce}"),
            format!("blindprint:sign-in?service=https://id.example&session={nonce}&code=ABCD-EFG1"),
            format!(
                "blindprint:sign-in?service=https://id.example/x&session={nonce}&code=ABCD-EFGH"
            ),
            "blindprint:sign-in?service=https://id.example&session=short&code=ABCD-EFGH".to_owned(),
        ] {
            assert!(text.parse::<SignInLink>().is_err(), "{text}");
        }
    }
}
