use std::fmt;

use blindprint_core::Entropy;
use blindprint_matcher::EvaluationKeysParts;
use blindprint_template::{CODE_BITS, Crs, MaterialDigests, PARAMETERS, PublicKey};
use tfhe::{
    core_crypto::{
        algorithms::{
            encrypt_seeded_glwe_ciphertext_list, generate_lwe_compact_public_key,
            generate_seeded_lwe_keyswitch_key, par_generate_seeded_lwe_bootstrap_key,
            polynomial_algorithms::polynomial_wrapping_mul,
            slice_algorithms::slice_semi_reverse_negacyclic_convolution,
        },
        commons::{
            generators::EncryptionRandomGenerator,
            math::random::{CompressionSeed, DefaultRandomGenerator, Seed, Seeder},
        },
        prelude::*,
    },
    zk::{CompactPkeCrs, ZkMSBZeroPaddingBitCount},
};
use zeroize::Zeroizing;

use crate::{SecretKeys, spectrum};

/// What is being made; they come in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// σ and the small key.
    SecretKeys,
    /// The key that wallets encrypt under.
    PublicKey,
    /// Bootstrap, key switch and relinearisation keys.
    EvaluationKeys,
    /// The reference string of the proofs, the longest part.
    Crs,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 4] = [
        Self::SecretKeys,
        Self::PublicKey,
        Self::EvaluationKeys,
        Self::Crs,
    ];
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecretKeys => "secret keys",
            Self::PublicKey => "public key",
            Self::EvaluationKeys => "evaluation keys",
            Self::Crs => "reference string for proofs",
        })
    }
}

/// Everything public that belongs to a secret key, encoded.
#[derive(Clone)]
pub struct PublicMaterial {
    /// A [`PublicKey`].
    pub public_key: Vec<u8>,
    /// A [`Crs`].
    pub crs: Vec<u8>,
    /// [`EvaluationKeysParts`].
    pub evaluation_keys: Vec<u8>,
}

impl PublicMaterial {
    /// The digests of all parts.
    pub fn digests(&self) -> MaterialDigests {
        MaterialDigests::of(&self.public_key, &self.crs, &self.evaluation_keys)
    }
}

/// Generates one key epoch. Calls `progress` when a stage begins. Takes tens of seconds.
///
/// # Panics
/// Never: every size is a constant of the parameter set.
pub fn generate(entropy: &dyn Entropy, progress: &dyn Fn(Stage)) -> (SecretKeys, PublicMaterial) {
    let mut seeder = EntropySeeder(entropy);
    let native = CiphertextModulus::new_native();
    let size = PolynomialSize(PARAMETERS.polynomial_size);

    progress(Stage::SecretKeys);
    let small_bits = random_bits(entropy, PARAMETERS.lwe_dimension);
    let secret = SecretKeys::new(flat_key(entropy), small_bits.to_vec());
    let glwe_key = GlweSecretKey::from_container(secret.expose_large(), size);
    let large_key = LweSecretKey::from_container(secret.expose_large());
    let small_key = LweSecretKey::from_container(secret.expose_small());

    progress(Stage::PublicKey);
    let public_key = flat_public_key(&large_key, &mut seeder);

    progress(Stage::EvaluationKeys);
    let seeds: [Seed; 3] = std::array::from_fn(|_| seeder.seed());
    let [bootstrap_seed, key_switch_seed, relinearisation_seed] = seeds.map(CompressionSeed::from);
    let mut bootstrap = SeededLweBootstrapKey::new(
        0,
        GlweDimension(1).to_glwe_size(),
        size,
        DecompositionBaseLog(PARAMETERS.pbs_base_log),
        DecompositionLevelCount(1),
        small_key.lwe_dimension(),
        bootstrap_seed,
        native,
    );
    par_generate_seeded_lwe_bootstrap_key(
        &small_key,
        &glwe_key,
        &mut bootstrap,
        PARAMETERS.glwe_noise_distribution(),
        &mut seeder,
    );
    let mut key_switch = SeededLweKeyswitchKey::new(
        0,
        DecompositionBaseLog(PARAMETERS.ks_base_log),
        DecompositionLevelCount(PARAMETERS.ks_levels),
        large_key.lwe_dimension(),
        small_key.lwe_dimension(),
        key_switch_seed,
        native,
    );
    generate_seeded_lwe_keyswitch_key(
        &large_key,
        &small_key,
        &mut key_switch,
        PARAMETERS.lwe_noise_distribution(),
        &mut seeder,
    );
    let mut relinearisation = SeededGlweCiphertextList::new(
        0,
        GlweDimension(1).to_glwe_size(),
        size,
        GlweCiphertextCount(PARAMETERS.relin_levels),
        relinearisation_seed,
        native,
    );
    let scaled_squares = scaled_squares(&secret);
    encrypt_seeded_glwe_ciphertext_list(
        &glwe_key,
        &mut relinearisation,
        &PlaintextList::from_container(scaled_squares.as_slice()),
        PARAMETERS.glwe_noise_distribution(),
        &mut seeder,
    );
    let evaluation_keys = EvaluationKeysParts {
        seeds: seeds.map(|seed| seed.0),
        bootstrap: bootstrap.into_container(),
        key_switch: key_switch.into_container(),
        relinearisation: relinearisation.into_container(),
    };

    progress(Stage::Crs);
    let crs = CompactPkeCrs::new(
        large_key.lwe_dimension(),
        LweCiphertextCount(CODE_BITS),
        PARAMETERS.glwe_noise_distribution(),
        native,
        1 << PARAMETERS.log_plaintext_modulus(),
        ZkMSBZeroPaddingBitCount(u64::from(PARAMETERS.log_plaintext_modulus()) - 1),
        &mut EntropyRng(entropy),
    )
    .expect("constants of the parameter set");
    let material = PublicMaterial {
        public_key: PublicKey::new(public_key).encode(),
        crs: Crs::new(crs)
            .expect("made from the same parameters")
            .encode(),
        evaluation_keys: evaluation_keys.encode(),
    };
    (secret, material)
}

/// σ: ±1 instead of 0/1 centres the carries of the tensor product. One draw in 13 is flat enough.
fn flat_key(entropy: &dyn Entropy) -> Vec<u64> {
    loop {
        let bits = random_bits(entropy, PARAMETERS.polynomial_size);
        let signs: Zeroizing<Vec<u64>> = Zeroizing::new(
            bits.iter()
                .map(|bit| bit.wrapping_mul(2).wrapping_sub(1))
                .collect(),
        );
        if spectrum::peak(&signs, 1.0) <= spectrum::KEY_PEAK {
            return signs.to_vec();
        }
    }
}

/// A public key whose noise is flat enough; two draws in three are.
fn flat_public_key(
    key: &LweSecretKey<&[u64]>,
    seeder: &mut EntropySeeder<'_>,
) -> LweCompactPublicKeyOwned<u64> {
    let mut generator =
        EncryptionRandomGenerator::<DefaultRandomGenerator>::new(seeder.seed(), seeder);
    let noise = PARAMETERS.glwe_noise_distribution();
    loop {
        let mut public_key =
            LweCompactPublicKey::new(0, key.lwe_dimension(), CiphertextModulus::new_native());
        generate_lwe_compact_public_key(key, &mut public_key, noise, &mut generator);
        let mut product = Zeroizing::new(vec![0; PARAMETERS.polynomial_size]);
        slice_semi_reverse_negacyclic_convolution(
            &mut product,
            public_key.get_mask().as_ref(),
            key.as_ref(),
        );
        let error: Zeroizing<Vec<u64>> = Zeroizing::new(
            public_key
                .get_body()
                .as_ref()
                .iter()
                .zip(product.iter())
                .map(|(body, product)| body.wrapping_sub(*product))
                .collect(),
        );
        // A uniform draw from ±2^b has the mean square 2^2b / 3.
        let mean_square = 2_f64.powi(2 * PARAMETERS.glwe_noise.cast_signed()) / 3.0;
        if spectrum::peak(&error, mean_square) <= spectrum::KEY_NOISE_PEAK {
            return public_key;
        }
    }
}

/// σ² times q/B^level for each level, most significant first.
fn scaled_squares(secret: &SecretKeys) -> Zeroizing<Vec<u64>> {
    let sigma = Polynomial::from_container(secret.expose_large());
    let mut square = Polynomial::new(0, PolynomialSize(PARAMETERS.polynomial_size));
    polynomial_wrapping_mul(&mut square, &sigma, &sigma);
    let square = Zeroizing::new(square.into_container());
    let scales = (1..=PARAMETERS.relin_levels).map(|level| 64 - PARAMETERS.relin_base_log * level);
    Zeroizing::new(
        scales
            .flat_map(|shift| square.iter().map(move |word| word << shift))
            .collect(),
    )
}

fn random_bits(entropy: &dyn Entropy, count: usize) -> Zeroizing<Vec<u64>> {
    let mut bytes = Zeroizing::new(vec![0; count.div_ceil(8)]);
    entropy.fill(&mut bytes);
    Zeroizing::new(
        (0..count)
            .map(|i| u64::from(bytes[i / 8] >> (i % 8) & 1))
            .collect(),
    )
}

/// Feeds tfhe's AES-CTR generators.
struct EntropySeeder<'e>(&'e dyn Entropy);

impl Seeder for EntropySeeder<'_> {
    fn seed(&mut self) -> Seed {
        Seed(u128::from_le_bytes(self.0.bytes()))
    }

    fn is_available() -> bool {
        true
    }
}

/// Feeds the CRS generation.
struct EntropyRng<'e>(&'e dyn Entropy);

impl rand_core_06::RngCore for EntropyRng<'_> {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(self.0.bytes())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.0.bytes())
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core_06::CryptoRng for EntropyRng<'_> {}
