//! Makes a crowd, so that another client can be tried against very many devices: signs in as often
//! as it is told, gives every login keys that the account's identity has signed, and ends.
//!
//! The server is `PARLOR_URL`, the accounts' password `PARLOR_PASSWORD`; the accounts are lines of
//! a name and a number of devices. The server must not limit, as with `PARLOR_LIMITS=off`.

use std::env::var;
use std::error::Error;
use std::io::{Write as _, stdin, stdout};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use parlor_e2ee::{Account, Carrier, CarryError, Machine};
use serde_json::{Value, json};

/// How many accounts are worked for at a time: while the server checks a password of one, another
/// makes its keys.
const AT_A_TIME: usize = 8;

type Failure = Box<dyn Error + Send + Sync>;

/// The way to the server, for one device or for none yet.
#[derive(Clone)]
struct Line {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    token: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let line = Line { client, base: format!("{}/api/v1", var("PARLOR_URL")?), token: None };
    let password = var("PARLOR_PASSWORD")?;
    let accounts = stdin().lines().collect::<Result<Vec<_>, _>>()?;
    let made = stream::iter(&accounts)
        .map(|account| devices(&line, account, &password))
        .buffer_unordered(AT_A_TIME)
        .try_fold(0, async |sum, made| Ok(sum + made));
    Ok(writeln!(stdout(), "{} devices", made.await?)?)
}

/// Signs in to an account, `bo 3` for three times; gives how often that was.
async fn devices(line: &Line, account: &str, password: &str) -> Result<usize, Failure> {
    let (name, count) = account.split_once(' ').ok_or("not a name and a number of devices")?;
    let count = count.parse()?;
    let mut key: Option<String> = None;
    for n in 0..count {
        let (line, machine) = device(line, name, password).await?;
        match &key {
            Some(key) => drop(machine.recover(&line, key).await?),
            None => {
                machine.set_up_identity(&line).await?;
                if n + 1 < count {
                    key = Some(machine.set_up_recovery(&line).await?.text());
                }
            }
        }
    }
    Ok(count)
}

/// One login, whose keys the server has; its account's identity has not signed them yet.
async fn device(line: &Line, name: &str, password: &str) -> Result<(Line, Machine), Failure> {
    let body = json!({ "login": name, "password": password, "device_name": "crowd" });
    let login = line.ask("POST", "/auth/login", &body).await?;
    let token = login["access_token"].as_str().map(str::to_owned);
    let line = Line { token, ..line.clone() };
    let account = Account::from_answer(&line.ask("GET", "/e2ee", &Value::Null).await?)?;
    let machine = Machine::in_memory(account).await?;
    machine.flush(&line).await?;
    Ok((line, machine))
}

impl Line {
    async fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, CarryError> {
        let bytes = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !body.is_null() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(bytes)).map_err(refused)?;
        let answer = self.client.request(request).await.map_err(refused)?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.map_err(refused)?.to_bytes();
        if !status.is_success() {
            let message = format!("{method} {path}: {status} {}", String::from_utf8_lossy(&bytes));
            return Err(CarryError { status: status.as_u16(), message, temporary: false });
        }
        if bytes.is_empty() {
            Ok(Value::Null)
        } else {
            serde_json::from_slice(&bytes).map_err(refused)
        }
    }
}

fn refused(error: impl std::fmt::Display) -> CarryError {
    CarryError { status: 0, message: error.to_string(), temporary: false }
}

impl Carrier for Line {
    async fn carry(&self, request: &parlor_e2ee::Request) -> Result<Value, CarryError> {
        self.ask(request.method, &request.path, &request.body).await
    }
}
