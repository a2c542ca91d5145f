/// Whether this process serves. Says nothing about what stands behind it.
#[utoipa::path(
    get, path = "/healthz", operation_id = "healthz", tag = "operation",
    responses((status = OK, body = String, content_type = "text/plain")),
)]
pub(crate) async fn handler() -> &'static str {
    "ok"
}
