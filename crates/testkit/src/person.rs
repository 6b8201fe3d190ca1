//! Somebody who uses the API: their proofs, and every REST call as one method, in JSON or
//! protobuf.

use std::net::SocketAddr;

use parlor_wire::command::Codec;
use parlor_wire::v1;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::contract::Contract;
use crate::http::{Answer, Request};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";

/// A request that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status; 0 on a socket.
    pub status: u16,
    /// The stable word.
    pub code: String,
}

/// Something that travels in both forms.
pub trait Wire: Message + Serialize + DeserializeOwned + Default {}
impl<T: Message + Serialize + DeserializeOwned + Default> Wire for T {}

/// What answers a call.
pub type Called<T> = Result<T, Refused>;

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Person {
    server: SocketAddr,
    contract: Option<Contract>,
    codec: Codec,
    /// The handle.
    pub username: String,
    /// The id.
    pub id: String,
    /// The device that they signed in from.
    pub device: String,
    /// The access token.
    pub token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// The cookie that signing in gave, as a `Cookie` header has it.
    pub cookie: String,
}

impl Person {
    /// Registers somebody and signs them in.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn new(server: SocketAddr, username: &str, contract: Option<Contract>) -> Self {
        let request = v1::RegisterRequest {
            username: username.to_owned(),
            password: PASSWORD.to_owned(),
            ..v1::RegisterRequest::default()
        };
        let body = serde_json::to_string(&request).expect("a request is JSON");
        let answer = Request::new("POST", "/api/v1/auth/register").json(&body).send(server).await;
        assert_eq!(answer.status, 201, "register {username}: {}", answer.text());
        Self::sign_in(server, username, PASSWORD, contract).await
    }

    /// Signs in somebody who has an account.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn sign_in(
        server: SocketAddr,
        username: &str,
        password: &str,
        contract: Option<Contract>,
    ) -> Self {
        let body = serde_json::json!({"login": username, "password": password}).to_string();
        let answer = Request::new("POST", "/api/v1/auth/login").json(&body).send(server).await;
        assert_eq!(answer.status, 200, "sign in {username}: {}", answer.text());
        let result: v1::LoginResult =
            serde_json::from_slice(&answer.body).expect("the answer is a login");
        let cookie = answer.header("set-cookie").unwrap_or_default();
        Self {
            server,
            contract,
            codec: Codec::Json,
            username: username.to_owned(),
            id: result.user.map(|user| user.id).unwrap_or_default(),
            device: result.device_id,
            token: result.access_token,
            refresh_token: result.refresh_token,
            cookie: cookie.split(';').next().unwrap_or_default().to_owned(),
        }
    }

    /// Speaks this form from now on.
    pub fn speak(&mut self, codec: Codec) {
        self.codec = codec;
    }

    /// Talks to the server by way of another address from now on.
    pub fn reach(&mut self, server: SocketAddr) {
        self.server = server;
    }

    /// Sends a request that may be cut.
    ///
    /// # Errors
    /// When it is.
    pub async fn try_send(&self, request: Request) -> std::io::Result<Answer> {
        crate::http::Wire::connect(self.server).await?.exchange(&request.bytes()).await
    }

    /// The server that they talk to.
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// A request that proves who they are; the path is below `/api/v1`.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, &format!("/api/v1{path}")).bearer(&self.token)
    }

    /// Sends a request and checks the answer against the contract.
    pub async fn send(&self, request: Request) -> Answer {
        let answer = request.send(self.server).await;
        if let Some(contract) = &self.contract {
            contract.check(request.method(), request.path(), &answer);
        }
        answer
    }

    /// Calls a route without a body.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn get<T: Wire>(&self, path: &str) -> Called<T> {
        self.call("GET", path, None::<&v1::Ping>).await
    }

    /// Calls a route, in the form that they speak.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn call<T: Wire>(
        &self,
        method: &str,
        path: &str,
        body: Option<&impl Wire>,
    ) -> Called<T> {
        let mut request = self.request(method, path).header("Accept", self.kind());
        if let Some(body) = body {
            request = request.body(self.kind(), self.written(body));
        }
        let answer = self.send(request).await;
        self.read(&answer)
    }

    fn kind(&self) -> &'static str {
        match self.codec {
            Codec::Json => "application/json",
            Codec::Proto => "application/x-protobuf",
        }
    }

    fn written(&self, body: &impl Wire) -> Vec<u8> {
        match self.codec {
            Codec::Json => serde_json::to_vec(body).expect("our types are JSON"),
            Codec::Proto => body.encode_to_vec(),
        }
    }

    fn read<T: Wire>(&self, answer: &Answer) -> Called<T> {
        if answer.status >= 400 {
            let error: v1::ErrorBody = self.decoded(answer);
            let code = error.error.map(|error| error.code).unwrap_or_default();
            return Err(Refused { status: answer.status, code });
        }
        if answer.body.is_empty() {
            return Ok(T::default());
        }
        Ok(self.decoded(answer))
    }

    fn decoded<T: Wire>(&self, answer: &Answer) -> T {
        let kind = answer.header("content-type");
        assert_eq!(kind, Some(self.kind()), "{} {}", answer.status, answer.text());
        match self.codec {
            Codec::Json => serde_json::from_slice(&answer.body)
                .unwrap_or_else(|e| panic!("{e}: {}", answer.text())),
            Codec::Proto => T::decode(&*answer.body).expect("the answer is of the schema"),
        }
    }

    /// Makes a room.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn make_room(&self, asked: &v1::CreateRoomRequest) -> Called<v1::Room> {
        self.call("POST", "/rooms", Some(asked)).await
    }

    /// Makes a room of this kind with these people.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn room(&self, kind: &str, name: &str, people: &[&Person]) -> v1::Room {
        let asked = v1::CreateRoomRequest {
            name: name.to_owned(),
            kind: Some(kind.to_owned()),
            members: people.iter().map(|person| person.id.clone()).collect(),
            ..v1::CreateRoomRequest::default()
        };
        self.make_room(&asked).await.expect("a room can be made")
    }

    /// Says something by REST.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn say(&self, session: &str, content: &str) -> Called<v1::Message> {
        let asked = v1::SendRequest {
            client_id: fresh_id(),
            content: content.to_owned(),
            ..v1::SendRequest::default()
        };
        self.call("POST", &format!("/sessions/{session}/messages"), Some(&asked)).await
    }

    /// Changes something of which there is nothing to say.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn done(&self, method: &str, path: &str) -> Called<()> {
        self.call::<v1::Ping>(method, path, None::<&v1::Ping>).await.map(drop)
    }
}

/// A new UUID, as a client makes one.
pub fn fresh_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
