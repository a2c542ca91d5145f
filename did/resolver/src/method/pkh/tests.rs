use super::*;

fn resolve_text(did: &str) -> Result<Document, ResolutionError> {
    resolve(&did.parse()?)
}

/// The examples of the did:pkh specification.
#[test]
fn the_specifications_accounts() {
    for account in [
        "bip122:000000000019d6689c085ae165831e93:128Lkh3S7CkDTBZ8W7BbpsN3YYizJMp8p6",
        "bip122:1a91e3dace36e2be3bf030a65679fe82:DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L",
        "eip155:1:0xb9c5714089478a327f09197987f16f9e5d936e8a",
        "eip155:42220:0xa0ae58da58dfa46fa55c3b86545e7065f90ff011",
        "eip155:137:0x4e90e8a8191c1c23a24a598c3ab4fb47ce926ff5",
    ] {
        let did = format!("did:pkh:{account}");
        let name = format!("{did}#blockchainAccountId");
        let document = resolve_text(&did).unwrap().to_value();
        let expected = json!({
            "@context": ["https://www.w3.org/ns/did/v1", {
                "blockchainAccountId": "https://w3id.org/security#blockchainAccountId",
                "EcdsaSecp256k1RecoveryMethod2020": "https://identity.foundation/EcdsaSecp256k1RecoverySignature2020#EcdsaSecp256k1RecoveryMethod2020",
            }],
            "id": did,
            "verificationMethod": [{
                "id": name,
                "type": "EcdsaSecp256k1RecoveryMethod2020",
                "controller": did,
                "blockchainAccountId": account,
            }],
            "authentication": [name],
            "assertionMethod": [name],
        });
        assert_eq!(document, expected);
    }
    let segwit = "did:pkh:bip122:000000000019d6689c085ae165831e93:bc1qwz2lhc40s8ty3l5jg3plpve3y3l82x9l42q7fk";
    assert!(resolve_text(segwit).is_ok());
}

#[test]
fn a_solana_account_is_a_key() {
    const ACCOUNT: &str =
        "solana:4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZ:CKg5d12Jhpej1JqtmxLJgaFqqeYjxgPqToJ4LBdvG9Ev";
    let document = resolve_text(&format!("did:pkh:{ACCOUNT}")).unwrap();
    let [controller, solana] = document.verification_method.as_slice() else {
        panic!("two methods")
    };
    assert!(controller.key().is_some());
    let jwk = solana.jwk().unwrap();
    assert_eq!(jwk["x"], "qDkywhH-S6nNxQhA6SHKsoFW7A2gX-X0b3TtwVBMHm8");
    assert_eq!(
        controller.key(),
        blindprint_did::PublicKey::from_jwk(jwk).ok()
    );
    assert_eq!(document.assertion_method.len(), 2);
}

#[test]
fn accounts_that_cannot_be_are_no_dids() {
    for bad in [
        "did:pkh:eip155:1",
        "did:pkh:eip155:1:0xb9c5714089478a327f09197987f16f9e5d936e8a:x",
        "did:pkh:eip155:one:0xb9c5714089478a327f09197987f16f9e5d936e8a",
        "did:pkh:eip155:01:0xb9c5714089478a327f09197987f16f9e5d936e8a",
        "did:pkh:eip155:1:b9c5714089478a327f09197987f16f9e5d936e8a",
        "did:pkh:eip155:1:0xb9c5714089478a327f09197987f16f9e5d936e8",
        // Mixed case that is not the address's checksum (EIP-55).
        "did:pkh:eip155:1:0xB9c5714089478a327f09197987f16f9e5d936e8a",
        "did:pkh:bip122:000000000019d6689c085ae165831e93:128Lkh3S7CkDTBZ8W7BbpsN3YYizJMp8p7",
        "did:pkh:solana:4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZ:CKg5d12Jhpej1JqtmxLJgaFqqeYjxgPqToJ4LBdvG9",
    ] {
        assert_eq!(resolve_text(bad), Err(ResolutionError::InvalidDid), "{bad}");
    }
    let checksummed = "did:pkh:eip155:1:0xB9C5714089478a327F09197987f16f9E5d936E8a";
    assert!(resolve_text(checksummed).is_ok());
    let tezos = "did:pkh:tezos:NetXdQprcVkpaWU:tz1TzrmTBSuiVHV2VfMnGRMYvTEPCP42oSM8";
    assert!(matches!(
        resolve_text(tezos),
        Err(ResolutionError::FeatureNotSupported(_))
    ));
}
