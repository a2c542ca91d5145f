use blindprint_tests::Service;
use serde_json::Value;

use crate::Node;

const SCOPES: [&str; 5] = [
    "credentials:issue",
    "credentials:verify",
    "credentials:status",
    "presentations:verify",
    "presentations:request",
];

/// A machine client that the operator let in, at work over HTTPS.
pub struct Machine<'a> {
    service: &'a Service,
    id: String,
    secret: String,
}

/// What the service answers.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u64,
    /// `Content-Type`.
    pub media_type: String,
    /// JSON, or text.
    pub body: Value,
}

impl<'a> Machine<'a> {
    /// With every scope.
    pub fn new(service: &'a Service) -> Self {
        let mut arguments = vec!["client", "add", "shop", "--json"];
        for scope in SCOPES {
            arguments.extend(["--scope", scope]);
        }
        let made: Value = serde_json::from_str(&service.operate(&arguments)).unwrap();
        Self {
            service,
            id: made["client_id"].as_str().unwrap().to_owned(),
            secret: made["client_secret"].as_str().unwrap().to_owned(),
        }
    }

    /// Asks with a token for `scope`; an empty `body` is none.
    pub fn ask(&self, scope: &str, method: &str, path: &str, body: &Value) -> Reply {
        let issuer = self.service.public_url.as_str();
        let credentials = [
            ["--issuer", issuer],
            ["--client", &self.id],
            ["--secret", &self.secret],
            ["--scope", scope],
        ];
        let text = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        call(
            self.service,
            method,
            path,
            &text,
            credentials.as_flattened(),
        )
    }
}

/// Asks without any credentials.
pub fn get(service: &Service, path: &str, accept: &str) -> Reply {
    call(service, "GET", path, "", &["--accept", accept])
}

fn call(service: &Service, method: &str, path: &str, body: &str, more: &[&str]) -> Reply {
    let url = format!("{}{path}", service.public_url);
    let answer = Node::program("call")
        .args(&[method, &url])
        .args(more)
        .trusting(&service.authority())
        .run(body)
        .ok();
    Reply {
        status: answer["status"].as_u64().unwrap(),
        media_type: answer["type"].as_str().unwrap_or_default().to_owned(),
        body: answer["body"].clone(),
    }
}
