//! Nodes that lie or are broken; the honest one is anvil, in `tests/interop`.

use alloy::{
    primitives::{Bytes, U256},
    providers::mock::Asserter,
    sol_types::{SolEvent as _, SolValue as _},
};
use serde_json::{Value, json};

use super::*;

const CONTRACT: Address = Address::repeat_byte(0xcc);
const ORIGIN: B256 = B256::repeat_byte(0x0f);

/// A node that gives these answers, one after the other.
fn node(answers: &[Value]) -> Chain {
    let asserter = Asserter::new();
    for answer in answers {
        asserter.push_success(answer);
    }
    let provider = ProviderBuilder::default()
        .connect_mocked_client(asserter)
        .erased();
    Chain { provider, id: 1 }
}

fn latest(size: u64, block: u64) -> Value {
    let answer = (U256::from(size), root(size), U256::from(block)).abi_encode();
    json!(Bytes::from(answer))
}

fn root(size: u64) -> B256 {
    U256::from(size).into()
}

fn event(at: Address, origin: B256, size: u64, previous: u64, block: u64) -> Value {
    let data = (U256::from(size), root(size), U256::from(previous)).abi_encode();
    json!({
        "address": at,
        "topics": [Event::SIGNATURE_HASH, origin],
        "data": Bytes::from(data),
        "blockNumber": format!("{block:#x}"),
        "blockHash": B256::ZERO,
        "transactionHash": B256::ZERO,
        "transactionIndex": "0x0",
        "logIndex": format!("{size:#x}"),
        "removed": false,
    })
}

fn ours(size: u64, previous: u64, block: u64) -> Value {
    event(CONTRACT, ORIGIN, size, previous, block)
}

async fn sizes(answers: &[Value]) -> Result<Vec<u64>, AnchorError> {
    let history = node(answers).history(CONTRACT, ORIGIN).await?;
    Ok(history.iter().map(|anchored| anchored.size).collect())
}

#[tokio::test]
async fn a_history_is_found_from_block_to_block() {
    assert!(sizes(&[latest(0, 0)]).await.unwrap().is_empty());
    let answers = [
        latest(9, 30),
        json!([ours(9, 30, 30), ours(7, 20, 30)]),
        json!([ours(4, 0, 20)]),
    ];
    assert_eq!(sizes(&answers).await.unwrap(), [9, 7, 4]);
}

#[tokio::test]
async fn what_others_wrote_is_passed_over() {
    let stranger = event(Address::ZERO, ORIGIN, 8, 0, 30);
    let other_log = event(CONTRACT, B256::ZERO, 8, 0, 30);
    let other_block = ours(8, 0, 29);
    let mut removed = ours(8, 0, 30);
    removed["removed"] = json!(true);
    let all = json!([stranger, other_log, other_block, removed, ours(9, 0, 30)]);
    assert_eq!(sizes(&[latest(9, 30), all]).await.unwrap(), [9]);
}

#[tokio::test]
async fn a_history_with_a_hole_a_loop_or_a_contradiction_is_none() {
    let broken = [
        vec![latest(9, 30), json!([])],
        vec![latest(9, 30), json!([ours(9, 20, 30)]), json!([])],
        vec![latest(9, 30), json!([ours(9, 30, 30)])],
        vec![latest(9, 30), json!([ours(9, 40, 30)])],
        vec![latest(9, 30), json!([ours(8, 0, 30)])],
        vec![
            latest(9, 30),
            json!([ours(9, 20, 30)]),
            json!([ours(9, 0, 20)]),
        ],
        vec![
            latest(9, 30),
            json!([ours(9, 20, 30)]),
            json!([ours(10, 0, 20)]),
        ],
    ];
    for answers in broken {
        let error = sizes(&answers).await.unwrap_err();
        assert!(error.passes(), "the node may be behind: {error}");
    }
}

#[tokio::test]
async fn a_node_of_another_chain_or_without_the_contract_is_refused() {
    assert!(node(&[json!("0x1")]).checked().await.is_ok());
    let refused = node(&[json!("0x2")]).checked().await;
    assert!(matches!(refused, Err(AnchorError::Invalid(_))));
    let refused = node(&[json!("0x")]).expect(CONTRACT).await;
    assert!(matches!(refused, Err(AnchorError::Invalid(_))));
}

#[test]
fn gas_beyond_the_bound_is_never_paid() {
    assert_eq!(bounded(Ok(100_000), ANCHOR_GAS).unwrap(), 125_000);
    assert!(bounded(Ok(170_000), ANCHOR_GAS).is_err());
    assert!(bounded(Ok(u64::MAX), ANCHOR_GAS).is_err());
}
