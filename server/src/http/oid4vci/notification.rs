use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use blindprint_openid4vc::{
    Code,
    vci::{Notification, NotificationEvent},
};

use crate::http::{
    App,
    oauth2::{body::JsonBody, error::ProtocolError, wallet::Redeemer},
    openapi::ProtocolProblems,
};

/// What became of a credential in the wallet (OpenID4VCI section 11). Saying the same again is no error.
#[utoipa::path(
    post, path = "/openid4vci/notification", operation_id = "notify_issuer", tag = "credentials",
    request_body(content = Object, content_type = "application/json"),
    responses((status = NO_CONTENT, description = "Noted"), ProtocolProblems),
    security(("wallet-token" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    redeemer: Redeemer,
    JsonBody(body): JsonBody<{ Notification::MAX_LEN }>,
) -> Result<StatusCode, ProtocolError> {
    let Notification {
        notification_id,
        event,
        ..
    } = Notification::parse(&body)?;
    let event = match event {
        NotificationEvent::CredentialAccepted => "credential_accepted",
        NotificationEvent::CredentialFailure => "credential_failure",
        NotificationEvent::CredentialDeleted => "credential_deleted",
    };
    if app
        .openid
        .notify(redeemer.offer, &notification_id, event)
        .await?
    {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ProtocolError::new(
            Code::InvalidNotificationId,
            "nothing was issued under this notification_id",
        ))
    }
}
