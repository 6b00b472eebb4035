//! Refusals as problems of RFC 9457, and bodies that are read as strictly as frames.
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tongdao_protocol::console::MESSAGE_BYTES_MAX;
use tongdao_protocol::console::codes::{Code, ErrorBody, Problem};
use tongdao_protocol::console::strict::{self, BadArgs};
use tongdao_protocol::wire::Wire;

/// A refusal on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused(pub ErrorBody);

impl From<ErrorBody> for Refused {
    fn from(error: ErrorBody) -> Self {
        Self(error)
    }
}
impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        Self(code.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let retry_ms = self.0.params.get("retry_ms").and_then(serde_json::Value::as_u64);
        let problem = Problem::from(self.0);
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let text = serde_json::to_string(&problem).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], text).into_response();
        if let Some(ms) = retry_ms {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000)));
        }
        response
    }
}

/// A body of JSON that is this type and nothing more.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: for<'de> Wire<'de> + Send> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
            return Err(bad("content-type", "application/json"));
        }
        let body = Bytes::from_request(request, state).await.map_err(|_| bad("", "at most 64 KiB"))?;
        if body.len() > MESSAGE_BYTES_MAX {
            return Err(bad("", "at most 64 KiB"));
        }
        let value = strict::json(&body).map_err(|bad| ErrorBody::from(&bad))?;
        Ok(Self(strict::from_value(&value).map_err(|bad| ErrorBody::from(&bad))?))
    }
}

fn bad(field: &str, expected: &'static str) -> Refused {
    ErrorBody::from(&BadArgs::bad(field, expected)).into()
}

/// No such thing.
pub fn not_found() -> Refused {
    Code::NotFound.into()
}
