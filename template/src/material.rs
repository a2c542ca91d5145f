use blindprint_core::{Digest, label};
use tfhe::{
    core_crypto::prelude::*,
    safe_serialization::{safe_deserialize, safe_serialize},
    zk::CompactPkeCrs,
};

use crate::{
    DecodeError, PARAMETERS, Reader,
    reader::{HEADER, header, put_words},
};

/// The digests of everything public that belongs to one key epoch. Their combined digest is the
/// `key` of statements, headers and attestations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaterialDigests {
    /// Of [`PublicKey::encode`].
    pub public_key: Digest,
    /// Of [`Crs::encode`].
    pub crs: Digest,
    /// Of the evaluation keys' encoding.
    pub evaluation_keys: Digest,
}

impl MaterialDigests {
    /// The digests of three encodings.
    pub fn of(public_key: &[u8], crs: &[u8], evaluation_keys: &[u8]) -> Self {
        Self {
            public_key: Digest::of(label::PUBLIC_KEY, public_key),
            crs: Digest::of(label::CRS, crs),
            evaluation_keys: Digest::of(label::EVALUATION_KEYS, evaluation_keys),
        }
    }

    /// One digest for the parameter set's name and all three.
    pub fn key(&self) -> Digest {
        Digest::of_parts(
            "blindprint/key/v1",
            &[
                PARAMETERS.name.as_bytes(),
                self.public_key.as_bytes(),
                self.crs.as_bytes(),
                self.evaluation_keys.as_bytes(),
            ],
        )
    }
}

/// The compact public key that wallets encrypt under (Joye, "TFHE public-key encryption
/// revisited", ePrint 2023/603): one GLWE encryption of zero.
///
/// Encoding: header, then 4096 words.
#[derive(Debug, Clone)]
pub struct PublicKey(LweCompactPublicKeyOwned<u64>);

impl PublicKey {
    const MAGIC: [u8; 4] = *b"BPpk";
    /// Bytes of the encoding.
    pub const ENCODED_LEN: usize = HEADER + 8 * PARAMETERS.glwe_words();

    /// Wraps a key made by the enclave.
    pub const fn new(key: LweCompactPublicKeyOwned<u64>) -> Self {
        Self(key)
    }

    /// For encryption and verification.
    pub const fn inner(&self) -> &LweCompactPublicKeyOwned<u64> {
        &self.0
    }

    /// The binary form.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = header(Self::MAGIC, Self::ENCODED_LEN);
        put_words(&mut bytes, self.0.as_ref());
        bytes
    }

    /// Reads the binary form.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, Self::MAGIC, Self::ENCODED_LEN)?;
        let words = reader.words(PARAMETERS.glwe_words())?;
        reader.finish()?;
        Ok(Self(LweCompactPublicKey::from_container(
            words,
            CiphertextModulus::new_native(),
        )))
    }
}

/// The common reference string of the proof system (tfhe-rs' ZK-PoK v2, after Libert, "Vector
/// commitments with proofs of smallness", ePrint 2023/800), for 2048 messages of one bit.
///
/// Encoding: header, then tfhe-rs' versioned serialisation. It is trusted by its digest, which
/// the enclave attests: decoding checks every parameter but not that every point lies in its subgroup.
#[derive(Clone)]
pub struct Crs(CompactPkeCrs);

impl Crs {
    const MAGIC: [u8; 4] = *b"BPcr";
    /// Longest accepted encoding, in bytes.
    pub const MAX_LEN: usize = 8 << 20;

    /// Wraps a CRS made by the enclave.
    pub fn new(crs: CompactPkeCrs) -> Result<Self, DecodeError> {
        let crs = Self(crs);
        if crs.fits() {
            Ok(crs)
        } else {
            Err(DecodeError::Parameters)
        }
    }

    /// For proving and verification.
    pub const fn inner(&self) -> &CompactPkeCrs {
        &self.0
    }

    /// The binary form.
    ///
    /// # Panics
    /// Never for a CRS of this parameter set, which is far below the limit.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = header(Self::MAGIC, 5 << 20);
        safe_serialize(&self.0, &mut bytes, Self::MAX_LEN as u64)
            .expect("a CRS of this parameter set is about 4 MB");
        bytes
    }

    /// Reads the binary form.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut rest = Reader::new(bytes, Self::MAGIC, Self::MAX_LEN)?.rest();
        let crs =
            safe_deserialize(&mut rest, Self::MAX_LEN as u64).map_err(|_| DecodeError::Value)?;
        if rest.is_empty() {
            Self::new(crs)
        } else {
            Err(DecodeError::Length)
        }
    }

    fn fits(&self) -> bool {
        let CompactPkeCrs::PkeV2(params) = &self.0 else {
            return false;
        };
        params.has_valid_params()
            && params.d == PARAMETERS.polynomial_size
            && params.k == crate::CODE_BITS
            && params.q == 0
            && params.t == 1 << PARAMETERS.log_plaintext_modulus()
            && params.B_inf == 1 << PARAMETERS.glwe_noise
            && params.msbs_zero_padding_bit_count
                == u64::from(PARAMETERS.log_plaintext_modulus()) - 1
    }
}
