use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Digest, Invalid};

/// What is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// A face.
    Face,
    /// An iris.
    Iris,
    /// A fingerprint.
    Fingerprint,
}

impl Modality {
    /// Every modality.
    pub const ALL: [Self; 3] = [Self::Face, Self::Iris, Self::Fingerprint];

    /// The name in files and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Iris => "iris",
            Self::Fingerprint => "fingerprint",
        }
    }

    /// The RFC 8176 `amr` value.
    pub const fn amr(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Iris => "iris",
            Self::Fingerprint => "fpt",
        }
    }
}

impl fmt::Display for Modality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Modality {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|modality| modality.as_str() == text)
            .ok_or(Invalid::new("modality", "face, iris or fingerprint"))
    }
}

/// Error rates measured at a profile's threshold, in the terms of ISO/IEC 19795-1.
/// `docs/benchmarks.md` gives intervals; `make bench` prints them again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperatingPoint {
    /// False match rate: impostor comparisons that match.
    pub fmr: f64,
    /// False non-match rate: genuine comparisons that do not match.
    pub fnmr: f64,
    /// The data that both were measured on.
    pub dataset: &'static str,
}

/// How one modality and model become a code, and how close two codes must be.
///
/// A profile never changes once it is published: another threshold is another profile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Profile {
    /// Its name.
    pub id: &'static str,
    /// What is captured.
    pub modality: Modality,
    /// The model that makes the embedding.
    pub model: &'static str,
    /// Values per embedding.
    pub dimension: u16,
    /// Standard deviation s of the projection weights: the code's distance saturates where
    /// embeddings lie about 1/s apart.
    pub scale: f64,
    /// Whether embeddings are scaled to unit length before they are encoded.
    pub normalise: bool,
    /// The largest Hamming distance, of 2048, at which captures match; see [`Profile::matches`].
    pub tau: u16,
    /// What was measured at `tau`; `None` for a modality nobody has rated here yet.
    pub operating_point: Option<OperatingPoint>,
}

/// The table that the enclave attests. Thresholds come from here and from nowhere else.
static PROFILES: &[Profile] = &[
    Profile {
        id: "face-dlib128-v1",
        modality: Modality::Face,
        model: "dlib-resnet-128",
        dimension: 128,
        scale: 3.0,
        normalise: false,
        tau: 692,
        operating_point: Some(OperatingPoint {
            fmr: 0.000_013,
            fnmr: 0.0062,
            dataset: "london_canada_lisa: 143 people, 252 captures, probes under the target's key",
        }),
    },
    Profile {
        id: "iris-bits2048-v1",
        modality: Modality::Iris,
        model: "iriscode-2048",
        dimension: 2048,
        scale: 1.0,
        normalise: true,
        tau: 640,
        operating_point: None,
    },
    Profile {
        id: "fingerprint-vector512-v1",
        modality: Modality::Fingerprint,
        model: "fixed-length-512",
        dimension: 512,
        scale: 1.0,
        normalise: true,
        tau: 640,
        operating_point: None,
    },
];

/// Every profile that this build knows.
pub fn profiles() -> &'static [Profile] {
    PROFILES
}

/// The digest of the profile table, covered by the enclave's attestation.
pub fn profile_table_digest() -> Digest {
    let rows: Vec<String> = PROFILES.iter().map(Profile::canonical).collect();
    Digest::of("blindprint/profiles/v1", rows.join("\n").as_bytes())
}

impl Profile {
    /// Whether codes at this Hamming distance match.
    ///
    /// The encrypted comparison counts modulo 2048 and splits the circle into halves, so that
    /// codes which differ in more than τ + 1024 bits match as well. No two captures do: codes of unrelated
    /// captures differ in about half of their bits, never in many more. Whoever can make such a
    /// code on purpose can make its complement too, which lies closer than τ.
    pub const fn matches(&self, distance: u16) -> bool {
        distance <= self.tau || distance > self.tau + 1024
    }

    /// What decides codes and verdicts, on one line.
    fn canonical(&self) -> String {
        format!(
            "{} {} {} {} {:016x} {} {}",
            self.id,
            self.modality.amr(),
            self.model,
            self.dimension,
            self.scale.to_bits(),
            self.normalise,
            self.tau
        )
    }

    /// This profile's name.
    pub const fn id(&'static self) -> ProfileId {
        ProfileId(self)
    }
}

/// The name of a profile that exists in [`profiles`].
#[derive(Clone, Copy)]
pub struct ProfileId(&'static Profile);

impl ProfileId {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        self.0.id
    }

    /// What it names.
    pub const fn profile(self) -> &'static Profile {
        self.0
    }
}

impl PartialEq for ProfileId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ProfileId {}

impl std::hash::Hash for ProfileId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ProfileId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        PROFILES
            .iter()
            .find(|profile| profile.id == text)
            .map(Self)
            .ok_or(Invalid::new("profile", "a name from GET /v1/profiles"))
    }
}

impl Serialize for ProfileId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ProfileId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
mod openapi {
    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{ObjectBuilder, RefOr, schema},
    };

    impl PartialSchema for super::ProfileId {
        fn schema() -> RefOr<schema::Schema> {
            ObjectBuilder::new()
                .schema_type(schema::Type::String)
                .enum_values(Some(super::PROFILES.iter().map(|profile| profile.id)))
                .description(Some("The name of a profile"))
                .into()
        }
    }

    impl ToSchema for super::ProfileId {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_leave_room_on_both_sides() {
        for profile in profiles() {
            // Half of the circle is a match, and what lies beyond τ + 1024 lies further from the
            // code than its complement.
            assert!((512..1024).contains(&profile.tau), "{}", profile.id);
            let matching = (0..=2048).filter(|distance| profile.matches(*distance));
            assert_eq!(matching.count(), 1024 + 1, "0 and 2048 are the same");
            assert_eq!(
                profile.id.parse::<ProfileId>().map(ProfileId::as_str),
                Ok(profile.id)
            );
        }
        assert!("face-unknown-v9".parse::<ProfileId>().is_err());
    }
}
