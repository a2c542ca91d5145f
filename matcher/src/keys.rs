use blindprint_template::{DecodeError, PARAMETERS, Reader};
use tfhe::core_crypto::{
    algorithms::{
        decompress_seeded_glwe_ciphertext_list, par_convert_standard_lwe_bootstrap_key_to_fourier,
        par_decompress_seeded_lwe_bootstrap_key, par_decompress_seeded_lwe_keyswitch_key,
    },
    commons::math::random::{CompressionSeed, DefaultRandomGenerator, Seed},
    fft_impl::fft64::{
        crypto::bootstrap::FourierLweBootstrapKeyOwned, math::polynomial::FourierPolynomialOwned,
    },
    prelude::*,
};

use crate::product::to_fourier;

/// The evaluation keys as they travel: masks as seeds, bodies as words.
///
/// Encoding: header, three 16-byte seeds, then the bodies in the order of the fields.
pub struct EvaluationKeysParts {
    /// Seeds of the masks of bootstrap, key switch and relinearisation key.
    pub seeds: [u128; 3],
    /// Encryptions of the small key's bits under the large key: n·2·N words.
    pub bootstrap: Vec<u64>,
    /// Encryptions of the large key's coefficients under the small key: N·levels words.
    pub key_switch: Vec<u64>,
    /// Encryptions of σ² under σ, scaled for each level: levels·N words.
    pub relinearisation: Vec<u64>,
}

impl EvaluationKeysParts {
    const MAGIC: [u8; 4] = *b"BPek";
    /// Words of the bootstrap key's bodies.
    pub const BOOTSTRAP_WORDS: usize = PARAMETERS.lwe_dimension * PARAMETERS.glwe_words();
    /// Words of the key switch key's bodies.
    pub const KEY_SWITCH_WORDS: usize = PARAMETERS.polynomial_size * PARAMETERS.ks_levels;
    /// Words of the relinearisation key's bodies.
    pub const RELINEARISATION_WORDS: usize = PARAMETERS.relin_levels * PARAMETERS.polynomial_size;
    /// Bytes of the encoding.
    pub const ENCODED_LEN: usize = 8
        + 3 * 16
        + 8 * (Self::BOOTSTRAP_WORDS + Self::KEY_SWITCH_WORDS + Self::RELINEARISATION_WORDS);

    /// The binary form.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = blindprint_template::header(Self::MAGIC, Self::ENCODED_LEN);
        bytes.extend(self.seeds.iter().flat_map(|seed| seed.to_le_bytes()));
        for words in [&self.bootstrap, &self.key_switch, &self.relinearisation] {
            bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        }
        bytes
    }

    /// Reads the binary form.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, Self::MAGIC, Self::ENCODED_LEN)?;
        let mut seeds = [0; 3];
        for seed in &mut seeds {
            *seed = u128::from_le_bytes(reader.array()?);
        }
        let parts = Self {
            seeds,
            bootstrap: reader.words(Self::BOOTSTRAP_WORDS)?,
            key_switch: reader.words(Self::KEY_SWITCH_WORDS)?,
            relinearisation: reader.words(Self::RELINEARISATION_WORDS)?,
        };
        reader.finish()?;
        Ok(parts)
    }
}

/// The evaluation keys ready for use: about 100 MB, read-only, shared by all workers.
pub struct EvaluationKeys {
    pub(crate) bootstrap: FourierLweBootstrapKeyOwned,
    pub(crate) key_switch: LweKeyswitchKeyOwned<u64>,
    /// GLev(σ²) in the Fourier domain: mask and body of each level, most significant first.
    pub(crate) relinearisation: Vec<[FourierPolynomialOwned; 2]>,
    pub(crate) fft: Fft,
}

impl EvaluationKeys {
    /// Expands the keys. Takes a second or two of all cores.
    pub fn new(parts: EvaluationKeysParts) -> Self {
        let size = PolynomialSize(PARAMETERS.polynomial_size);
        let glwe_size = GlweDimension(1).to_glwe_size();
        let native = CiphertextModulus::new_native();
        let [bootstrap_seed, key_switch_seed, relinearisation_seed] =
            parts.seeds.map(|seed| CompressionSeed::from(Seed(seed)));

        let seeded = SeededLweBootstrapKey::from_container(
            parts.bootstrap,
            glwe_size,
            size,
            DecompositionBaseLog(PARAMETERS.pbs_base_log),
            DecompositionLevelCount(1),
            bootstrap_seed,
            native,
        );
        let mut standard = LweBootstrapKey::new(
            0,
            glwe_size,
            size,
            DecompositionBaseLog(PARAMETERS.pbs_base_log),
            DecompositionLevelCount(1),
            LweDimension(PARAMETERS.lwe_dimension),
            native,
        );
        par_decompress_seeded_lwe_bootstrap_key::<_, _, _, DefaultRandomGenerator>(
            &mut standard,
            &seeded,
        );
        let mut bootstrap = FourierLweBootstrapKeyOwned::new(
            LweDimension(PARAMETERS.lwe_dimension),
            glwe_size,
            size,
            DecompositionBaseLog(PARAMETERS.pbs_base_log),
            DecompositionLevelCount(1),
        );
        par_convert_standard_lwe_bootstrap_key_to_fourier(&standard, &mut bootstrap);

        let seeded = SeededLweKeyswitchKey::from_container(
            parts.key_switch,
            DecompositionBaseLog(PARAMETERS.ks_base_log),
            DecompositionLevelCount(PARAMETERS.ks_levels),
            LweDimension(PARAMETERS.lwe_dimension).to_lwe_size(),
            key_switch_seed,
            native,
        );
        let mut key_switch = LweKeyswitchKey::new(
            0,
            DecompositionBaseLog(PARAMETERS.ks_base_log),
            DecompositionLevelCount(PARAMETERS.ks_levels),
            LweDimension(PARAMETERS.polynomial_size),
            LweDimension(PARAMETERS.lwe_dimension),
            native,
        );
        par_decompress_seeded_lwe_keyswitch_key::<_, _, _, DefaultRandomGenerator>(
            &mut key_switch,
            &seeded,
        );

        let seeded = SeededGlweCiphertextList::from_container(
            parts.relinearisation,
            glwe_size,
            size,
            relinearisation_seed,
            native,
        );
        let mut levels = GlweCiphertextList::new(
            0,
            glwe_size,
            size,
            GlweCiphertextCount(PARAMETERS.relin_levels),
            native,
        );
        decompress_seeded_glwe_ciphertext_list::<_, _, _, DefaultRandomGenerator>(
            &mut levels,
            &seeded,
        );
        let fft = Fft::new(size);
        let relinearisation = levels
            .iter()
            .map(|level| {
                let (mask, body) = level.as_ref().split_at(PARAMETERS.polynomial_size);
                [
                    to_fourier(mask, fft.as_view()),
                    to_fourier(body, fft.as_view()),
                ]
            })
            .collect();
        Self {
            bootstrap,
            key_switch,
            relinearisation,
            fft,
        }
    }
}
