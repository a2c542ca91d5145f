use alloy::rpc::client::RpcClient;
use axum::{Router, http::StatusCode, routing::post};
use blindprint_reader::egress_to;

use super::*;

/// What a client makes of a node that answers with `status` and `body`.
async fn asked(status: StatusCode, body: String) -> Result<String, TransportError> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(post(async move || (status, body)));
    let server = tokio::spawn(async { axum::serve(listener, router).await });
    let url: Url = format!("http://{address}/secret-key").parse().unwrap();
    let node = Node::new(egress_to([&url], None).unwrap(), url);
    let answer = RpcClient::new(node, true).request("eth_chainId", ()).await;
    server.abort();
    answer
}

#[tokio::test]
async fn answers_and_errors_come_back_as_the_node_gives_them() {
    let answer = r#"{"jsonrpc":"2.0","id":0,"result":"0x1"}"#.to_owned();
    assert_eq!(asked(StatusCode::OK, answer).await.unwrap(), "0x1");
    let refusal = r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"no"}}"#;
    for status in [StatusCode::OK, StatusCode::BAD_REQUEST] {
        let error = asked(status, refusal.to_owned()).await.unwrap_err();
        assert_eq!(error.as_error_resp().unwrap().message, "no");
    }
}

#[tokio::test]
async fn what_is_no_answer_or_too_long_is_an_error_without_the_address() {
    let long = format!("\"{}\"", "a".repeat(MAX_ANSWER));
    for body in ["<html>secret-key</html>".to_owned(), long] {
        let error = asked(StatusCode::BAD_GATEWAY, body).await.unwrap_err();
        assert!(!error.to_string().contains("secret-key"), "{error}");
    }
}
