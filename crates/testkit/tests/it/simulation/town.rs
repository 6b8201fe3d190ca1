//! A town: one database with the real parts around it, a clock that stands still, and people who
//! live there. Many schedules are played in it, each in a room of its own.

use std::future::Future;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parlor_app::mail::FolderMail;
use parlor_app::{Actor, App, Parts, Secret, Settings};
use parlor_blobs::Disk;
use parlor_domain::room::NewRoom;
use parlor_domain::{
    DeviceId, Limits, LoginId, Role, RoomChange, RoomFacts, RoomId, RoomKind, Rules, SessionId,
    UserId, name,
};
use parlor_hub::Hub;
use parlor_store::accounts::NewAccount;
use parlor_store::rooms::RoomDraft;
use parlor_store::sessions::NewSession;
use parlor_store::sqlite::{Manual, SqliteStore};
use parlor_store::{Accounts as _, Batch, Rooms as _, Sessions as _};
use parlor_testkit::VirtualClock;
use tempfile::TempDir;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// People of a town.
pub(crate) const PEOPLE: usize = 4;

/// Connections of a town: one device each, people have one or two.
pub(crate) const DEVICES: usize = 5;

/// A future that is polled by hand.
pub(crate) type Doing<T> = Pin<Box<dyn Future<Output = T>>>;

pub(crate) struct Town {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) manual: Manual,
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<VirtualClock>,
    /// One for each device.
    pub(crate) actors: Vec<Actor>,
    rooms: u128,
    _folder: TempDir,
}

/// The room of one schedule, with its main session and another one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) room: RoomId,
    pub(crate) sessions: [SessionId; 2],
}

impl Town {
    pub(crate) fn new() -> Self {
        let folder = folder();
        let path = folder.path().join("parlor.sqlite");
        let (store, manual) = SqliteStore::open_manual(&path).expect("a new database opens");
        let (store, clock) = (Arc::new(store), Arc::new(VirtualClock::new()));
        let limits = limits();
        let mail = FolderMail::new(folder.path(), "parlor@localhost").expect("an address");
        let app = App::new(Parts {
            store: Arc::clone(&store) as _,
            egress: None,
            blobs: Arc::new(Disk::open(folder.path()).expect("a folder")),
            hub: Hub::new(limits),
            bus: Arc::new(parlor_bus::Local),
            shared: false,
            clock: Arc::clone(&clock) as _,
            limits,
            secret: Secret::new(vec![7; 32]).expect("long enough"),
            mail: Some(Arc::new(mail)),
            settings: Settings::default(),
            tasks: TaskTracker::new(),
        });
        let actors = vec![];
        let mut town = Self { store, manual, app, clock, actors, rooms: 0, _folder: folder };
        town.settle();
        town
    }

    /// Puts the people in.
    fn settle(&mut self) {
        let limits = Limits::default();
        let people: Vec<_> = (0..PEOPLE).map(|n| self.account(n, &limits)).collect();
        for device in 0..DEVICES {
            let (user, user_no) = people[device % PEOPLE];
            let id = Uuid::from_u128(1_000 + device as u128);
            let (login, device) = (LoginId(id), DeviceId(id));
            self.actors.push(Actor { user, user_no, login, device });
        }
    }

    fn account(&mut self, n: usize, limits: &Limits) -> (UserId, i64) {
        let new = NewAccount {
            id: UserId(Uuid::from_u128(1 + n as u128)),
            username: name::username(&format!("person{n}"), limits).expect("a name"),
            name: format!("Person {n}"),
            email: None,
            password_hash: String::new(),
            usable: true,
            discreet: false,
            guest: false,
            shows_email: false,
            replaces_pending: false,
        };
        let (store, now) = (Arc::clone(&self.store), self.app.now());
        let user = self.run(async move { store.create_account(new, now).await });
        let user = user.expect("an account can be made");
        (user.id, user.no)
    }

    pub(crate) fn people(&self) -> Vec<UserId> {
        self.actors[..PEOPLE].iter().map(|actor| actor.user).collect()
    }

    /// Makes a room that the first person owns and all are in; the other session has two of them.
    pub(crate) fn place(&mut self) -> Place {
        self.rooms += 1;
        let id = |kind: u128| Uuid::from_u128(kind << 64 | self.rooms);
        let (room, sessions) = (RoomId(id(1)), [SessionId(id(2)), SessionId(id(3))]);
        let people = self.people();
        let draft = RoomDraft {
            id: room,
            main_session: sessions[0],
            creator: people[0],
            room: NewRoom {
                encryption: None,
                rules: Rules::default(),
                name: "room".to_owned(),
                kind: RoomKind::Public,
                description: String::new(),
                members: people[1..].to_vec(),
            },
            password_hash: None,
            key: None,
            slug: None,
            unique: false,
        };
        let new = NewSession {
            encryption: None,
            id: sessions[1],
            room,
            name: "aside".to_owned(),
            creator: people[0],
            people: vec![people[1]],
            message_ttl: None,
            ending: None,
            key: None,
        };
        let (store, now, pair) = (Arc::clone(&self.store), self.app.now(), people[..2].to_vec());
        let moderator = people[3];
        let made = self.run(async move {
            store.create_room(draft, u64::MAX, now).await?;
            let raise = move |_: &RoomFacts| {
                Ok(vec![RoomChange::SetRole { user: moderator, role: Role::Moderator }])
            };
            store.change_room(people[0], room, vec![], now, Box::new(raise)).await?;
            store.create_session(new, now, Box::new(move |_, _| Ok(pair))).await
        });
        made.expect("a room and a session can be made");
        Place { room, sessions }
    }

    /// Does something to its end, committing whatever it waits for.
    pub(crate) fn run<T: 'static>(&mut self, doing: impl Future<Output = T> + 'static) -> T {
        let mut doing: Doing<T> = Box::pin(doing);
        loop {
            if let Some(done) = poll(&mut doing) {
                return done;
            }
            if let Some(batch) = self.manual.step(usize::MAX) {
                self.tell_at_once(batch);
            }
        }
    }

    fn tell_at_once(&self, batch: Batch) {
        let mut telling = pin!(self.app.tell(batch));
        let mut context = Context::from_waker(Waker::noop());
        while telling.as_mut().poll(&mut context).is_pending() {}
    }
}

/// One step of something; its outcome, when that was the last one.
pub(crate) fn poll<T>(doing: &mut Doing<T>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    match doing.as_mut().poll(&mut context) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

/// Small backlogs and pages, so that a short schedule meets their ends.
fn limits() -> Limits {
    Limits { backlog_events_max: 6, replay_page_max: 3, ..Limits::lifted() }
}

/// A folder in memory where there is one: the simulation is not about the disk.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = match memory.is_dir() {
        true => TempDir::new_in(memory),
        false => TempDir::new(),
    };
    made.expect("a temporary folder can be made")
}
