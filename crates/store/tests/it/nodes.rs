//! Several nodes on one database: whatever two of them do at the same moment comes out as if one
//! had been first, and who comes second is told so in the same words as on one node.

use std::collections::HashSet;

use futures_util::future::join_all;
use parlor_domain::room::Settings;
use parlor_domain::{
    Denied, EventKind, Limits, Role, RoomId, RoomKind, Time, UserId, name, room, session,
};
use parlor_store::accounts::{CodeOutcome, NewAccount, ProfileChange, Purpose};
use parlor_store::logins::Rotation;
use parlor_store::rooms::RoomDraft;
use parlor_store::sessions::NewSession;
use parlor_store::{Changed, StoreError};

use crate::logins::sign_in;
use crate::postgres::{Beside, node, pair};
use crate::world::{World, denied, id, key};

/// How often the same race is run: it has more than one way to go.
const ROUNDS: u8 = 12;

/// The one of two that was carried out, and the refusal of the other.
fn one_of<T: std::fmt::Debug>(
    a: Result<T, StoreError>,
    b: Result<T, StoreError>,
) -> (T, StoreError) {
    match (a, b) {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
        other => panic!("not one of two: {other:?}"),
    }
}

/// Asserts that nobody is counted twice, or not at all, and that the log of a room's main session
/// tells who is in it.
async fn assert_counted(w: &World, reader: UserId, room: RoomId) {
    let seen = w.store.room(reader, room).await.unwrap().unwrap();
    let members = w.store.room_members(reader, room, None, 1_000).await.unwrap().unwrap();
    assert_eq!(seen.member_count, members.len() as i64);
    let main = w.store.session(reader, seen.main_session).await.unwrap().unwrap();
    assert_eq!(main.member_count, seen.member_count);
    let log = w.log(seen.main_session).await;
    assert!(log.iter().map(|event| event.seq).eq(1..=log.len() as i64), "there is a hole");
    let mut present = HashSet::new();
    for event in &log {
        match &event.kind {
            EventKind::Joined { user, .. } => assert!(present.insert(*user), "joined twice"),
            EventKind::Left { user, .. } => assert!(present.remove(user), "left twice"),
            _ => {}
        }
    }
    let members: HashSet<UserId> = members.iter().map(|member| member.user.id).collect();
    assert_eq!(present, members);
}

#[tokio::test]
async fn a_handle_is_given_once() {
    let (a, b) = pair().await;
    a.account("first").await;
    for n in 0..ROUNDS {
        let handle = format!("ana{n}");
        let (one, two) = (a.new_account(&handle, None), b.new_account(&handle, None));
        let made = tokio::join!(
            a.store.create_account(one, a.now()),
            b.store.create_account(two, b.now()),
        );
        let (won, lost) = one_of(made.0, made.1);
        assert!(matches!(lost, StoreError::Denied(Denied::Taken("username"))), "{lost:?}");
        assert_eq!(b.user(won.id).await, won);
    }
    let (bo, lobby) = (a.account("bo").await, a.lobby(a.account("cy").await).await);
    assert_counted(&b, bo, lobby.id).await;
}

#[tokio::test]
async fn a_handle_that_is_taken_meanwhile_refuses_a_profile_change() {
    let (a, b) = pair().await;
    let bo = a.account("bo").await;
    for n in 0..ROUNDS {
        let handle = format!("ana{n}");
        let new = b.new_account(&handle, None);
        let username = Some(new.username.clone());
        let rename = ProfileChange { username, ..ProfileChange::default() };
        let changed = tokio::join!(
            a.store.change_profile(bo, rename, a.now()),
            b.store.create_account(new, b.now()),
        );
        let refused = match changed {
            (Ok(_), Err(lost)) | (Err(lost), Ok(_)) => lost,
            other => panic!("not one of two: {other:?}"),
        };
        assert!(matches!(refused, StoreError::Denied(Denied::Taken("username"))), "{refused:?}");
    }
}

#[tokio::test]
async fn an_address_is_of_one_account() {
    let (a, b) = pair().await;
    a.account("first").await;
    for n in 0..ROUNDS {
        let email = format!("{n}@x.org");
        let one = a.new_account(&format!("ana{n}"), Some(&email));
        let two = b.new_account(&format!("bo{n}"), Some(&email));
        let made = tokio::join!(
            a.store.create_account(one, a.now()),
            b.store.create_account(two, b.now()),
        );
        let (_, lost) = one_of(made.0, made.1);
        assert!(matches!(lost, StoreError::Denied(Denied::Taken("mail address"))), "{lost:?}");
    }
    for n in 0..ROUNDS {
        let email = format!("{n}@y.org");
        let discreet = |w: &World, handle: &str| NewAccount {
            discreet: true,
            usable: true,
            ..w.new_account(&format!("{handle}{n}"), Some(&email))
        };
        let (one, two) = (discreet(&a, "cy"), discreet(&b, "di"));
        let made = tokio::join!(
            a.store.create_account(one, a.now()),
            b.store.create_account(two, b.now()),
        );
        let mut usable = Vec::new();
        for user in [made.0.unwrap(), made.1.unwrap()] {
            usable.push(a.store.credentials_of(user.id).await.unwrap().unwrap());
        }
        usable.sort_by_key(|credentials| credentials.usable);
        assert_eq!((usable[0].usable, usable[0].email.as_deref()), (false, None));
        assert_eq!((usable[1].usable, usable[1].email.as_deref()), (true, Some(&*email)));
    }
}

#[tokio::test]
async fn a_guests_name_is_given_once() {
    let (a, b) = pair().await;
    for n in 0..ROUNDS {
        let guest = |w: &World, handle: &str| NewAccount {
            guest: true,
            usable: true,
            name: format!("Gus {n}"),
            ..w.new_account(&format!("{handle}{n}"), None)
        };
        let (one, two) = (guest(&a, "gus"), guest(&b, "other"));
        let made = tokio::join!(
            a.store.create_account(one, a.now()),
            b.store.create_account(two, b.now()),
        );
        let (_, lost) = one_of(made.0, made.1);
        assert!(matches!(lost, StoreError::Denied(Denied::Taken("username"))), "{lost:?}");
    }
}

#[tokio::test]
async fn the_first_account_is_one() {
    for _ in 0..3 {
        let (a, b) = pair().await;
        let (ana, bo) = tokio::join!(a.account("ana"), b.account("bo"));
        let mut roles = Vec::new();
        for user in [ana, bo] {
            roles.push(a.lobby(user).await.my_role.unwrap());
        }
        roles.sort_unstable();
        assert_eq!(roles, [Role::Member, Role::Owner]);
        let lobby = a.lobby(ana).await.id;
        assert_counted(&a, ana, lobby).await;
    }
}

#[tokio::test]
async fn a_direct_room_is_made_once() {
    let (a, b) = pair().await;
    let ana = a.account("ana").await;
    for n in 0..ROUNDS {
        let bo = b.account(&format!("bo{n}")).await;
        let made = tokio::join!(
            a.create(a.draft_room(ana, RoomKind::Direct, "", &[bo])),
            b.create(b.draft_room(bo, RoomKind::Direct, "", &[ana])),
        );
        let (one, two) = (made.0.unwrap(), made.1.unwrap());
        assert!(one.fresh != two.fresh, "made once and found once");
        assert_eq!(one.value.id, two.value.id);
        assert_eq!((one.value.member_count, two.value.people.len()), (2, 2));
        assert_counted(&a, ana, one.value.id).await;
    }
}

#[tokio::test]
async fn a_rooms_own_names_are_given_once() {
    let (a, b) = pair().await;
    let (ana, bo) = (a.account("ana").await, b.account("bo").await);
    for n in 0..ROUNDS {
        let slug = |w: &World, by| RoomDraft {
            slug: Some(format!("den{n}")),
            ..w.draft_room(by, RoomKind::Public, "den", &[ana, bo])
        };
        let made = tokio::join!(a.create(slug(&a, ana)), b.create(slug(&b, bo)));
        let (_, lost) = one_of(made.0, made.1);
        assert!(matches!(lost, StoreError::Denied(Denied::Taken("room id"))), "{lost:?}");
        let unique = |w: &World, by| RoomDraft {
            unique: true,
            ..w.draft_room(by, RoomKind::Public, &format!("lair {n}"), &[ana, bo])
        };
        let made = tokio::join!(a.create(unique(&a, ana)), b.create(unique(&b, bo)));
        let (_, lost) = one_of(made.0, made.1);
        assert!(matches!(lost, StoreError::Denied(Denied::Taken("room name"))), "{lost:?}");
    }
}

#[tokio::test]
async fn nobody_owns_more_rooms_by_asking_two_nodes() {
    let (a, b) = pair().await;
    let (_, ana) = (a.account("first").await, a.account("ana").await);
    for most in 1..=u64::from(ROUNDS) {
        let draft = |w: &World| w.draft_room(ana, RoomKind::Private, "den", &[]);
        let made = tokio::join!(
            a.store.create_room(draft(&a), most, a.now()),
            b.store.create_room(draft(&b), most, b.now()),
        );
        let (_, lost) = one_of(made.0, made.1);
        assert!(matches!(lost, StoreError::Denied(Denied::Conflict(_))), "{lost:?}");
    }
}

/// Asserts that of two answers to one request one is the first, and both are the same.
fn assert_once<T: PartialEq + std::fmt::Debug>(
    one: Result<Changed<T>, StoreError>,
    two: Result<Changed<T>, StoreError>,
) {
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(one.fresh != two.fresh, "{one:?} {two:?}");
    assert_eq!(one.value, two.value);
}

#[tokio::test]
async fn a_creating_request_is_carried_out_once_by_whichever_node() {
    let (a, b) = pair().await;
    let (ana, bo) = (a.account("ana").await, b.account("bo").await);
    let den = a.room(ana, RoomKind::Private, &[]).await;
    for n in 0..ROUNDS {
        let once = key(n);
        let draft = |w: &World| RoomDraft {
            key: Some(once),
            ..w.draft_room(ana, RoomKind::Private, "den", &[bo])
        };
        let made = tokio::join!(a.create(draft(&a)), b.create(draft(&b)));
        assert_once(made.0, made.1);
        let once = key(n);
        let new = |w: &World| NewSession { key: Some(once), ..w.draft_session(ana, den.id, &[]) };
        let made = tokio::join!(a.open(new(&a)), b.open(new(&b)));
        assert_once(made.0, made.1);
    }
    let rooms = a.store.rooms_of(ana).await.unwrap();
    assert_eq!(rooms.len(), 2 + usize::from(ROUNDS));
    let sessions = a.store.sessions_of(ana, Some(den.id)).await.unwrap();
    assert_eq!(sessions.len(), 1 + usize::from(ROUNDS));
}

#[tokio::test]
async fn a_post_precedes_a_removal_by_another_node_or_is_refused() {
    let (a, b) = pair().await;
    let (ana, bo) = (a.account("ana").await, b.account("bo").await);
    let den = a.room(ana, RoomKind::Public, &[]).await;
    let (mut before, mut refused) = (0, 0);
    for n in 0..4 * ROUNDS {
        b.join(bo, den.id).await.unwrap();
        let mut sends = Vec::new();
        for m in 0..3 {
            let draft = b.draft(bo, den.main_session, &format!("{n}.{m}")).await;
            sends.push(b.store.append(draft).await);
        }
        let kick = a.kick(ana, den.id, bo);
        let sent = async {
            let mut sent = Vec::new();
            for send in sends {
                sent.push(send.unwrap().await.unwrap());
            }
            sent
        };
        let (kicked, sent) = tokio::join!(kick, sent);
        kicked.unwrap();
        let left = a.log(den.main_session).await.pop().unwrap();
        assert_eq!(left.takes_out(), Some(bo), "nothing of theirs comes after {left:?}");
        for result in sent {
            match result {
                Ok(posted) => before += i32::from(posted.seq < left.seq),
                Err(StoreError::Stale(_)) => refused += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(before + refused, 3 * 4 * i32::from(ROUNDS));
}

#[tokio::test]
async fn comings_and_goings_on_two_nodes_are_counted_right() {
    let (a, b) = pair().await;
    let ana = a.account("ana").await;
    let den = a.room(ana, RoomKind::Public, &[]).await;
    let corner = a.session(ana, den.id, &[]).await;
    let mut people = Vec::new();
    for n in 0..8 {
        people.push(a.account(&format!("bo{n}")).await);
    }
    let comes_and_goes = async |n: usize, user: UserId| {
        for turn in n..n + 6 {
            let (here, there) = if turn % 2 == 0 { (&a, &b) } else { (&b, &a) };
            let (one, two) = tokio::join!(here.join(user, den.id), there.join(user, den.id));
            assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
            there.change_session(ana, corner.id, &[user], session::add).await.unwrap();
            let gone = if turn % 3 == 0 {
                tokio::join!(here.kick(ana, den.id, user), there.kick(ana, den.id, user))
            } else {
                tokio::join!(here.leave(user, den.id), there.leave(user, den.id))
            };
            let (_, lost) = one_of(gone.0, gone.1);
            assert!(matches!(lost, StoreError::Denied(_)), "{lost:?}");
        }
        a.join(user, den.id).await.unwrap();
    };
    join_all(people.iter().enumerate().map(|(n, &user)| comes_and_goes(n, user))).await;
    assert_counted(&a, ana, den.id).await;
    let seen = a.store.room(ana, den.id).await.unwrap().unwrap();
    assert_eq!(seen.member_count, 9);
    let corner = a.store.session(ana, corner.id).await.unwrap().unwrap();
    let members = a.store.session_members(ana, corner.id, None, 99).await.unwrap().unwrap();
    assert_eq!((corner.member_count, members.len()), (1, 1), "who left a room is in none of it");
    for user in people {
        let own = a.own_log(user).await;
        assert!(own.iter().map(|entry| entry.seq).eq(1..=own.len() as i64), "there is a hole");
    }
}

#[tokio::test]
async fn a_room_keeps_an_owner_when_two_go_at_once() {
    let (a, b) = pair().await;
    let (ana, bo, cy) = (a.account("ana").await, a.account("bo").await, a.account("cy").await);
    for n in 0..ROUNDS {
        let den = a.room(ana, RoomKind::Private, &[bo, cy]).await;
        a.set_role(ana, den.id, bo, Role::Owner).await.unwrap();
        if n % 2 == 0 {
            let left = tokio::join!(a.leave(ana, den.id), b.leave(bo, den.id));
            assert!(left.0.is_ok() && left.1.is_ok());
            let seen = a.store.room(cy, den.id).await.unwrap().unwrap();
            assert_eq!(seen.my_role, Some(Role::Owner));
        } else {
            let down = Role::Member;
            let set =
                tokio::join!(a.set_role(ana, den.id, ana, down), b.set_role(bo, den.id, bo, down),);
            let (_, lost) = one_of(set.0, set.1);
            assert_eq!(denied::<()>(Err(lost)), Denied::Conflict("a room needs an owner"));
        }
    }
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_by_one_node() {
    let (a, b) = pair().await;
    let ana = a.account("ana").await;
    for n in 1..=ROUNDS {
        let login = sign_in(&a, ana, n, 9_000_000).await;
        let rotate = |w: &World, next: u8| {
            let (store, now) = (std::sync::Arc::clone(&w.store), w.now());
            async move {
                let until = Time(9_500_000);
                store.rotate(login.id, [n; 32], [next; 32], until, now).await.unwrap()
            }
        };
        let (one, two) = tokio::join!(rotate(&a, 201), rotate(&b, 202));
        let exchanged = |rotation: &Rotation| matches!(rotation, Rotation::Rotated(_));
        assert!(exchanged(&one) != exchanged(&two), "{one:?} {two:?}");
        assert!([one, two].contains(&Rotation::Reused(login.id)));
        assert_eq!(a.store.login(login.id, a.now()).await.unwrap(), None, "the family is dead");
    }
}

#[tokio::test]
async fn guesses_on_two_nodes_count_together() {
    let (a, b) = pair().await;
    let email = "ana@x.org";
    let new = a.new_account("ana", Some(email));
    let ana = a.store.create_account(new, a.now()).await.unwrap().id;
    let late = Time(9_000_000);
    a.store.put_code(ana, Purpose::Verify, [1; 32], late).await.unwrap();
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        let guess = |w: &World| {
            let (store, now) = (std::sync::Arc::clone(&w.store), w.now());
            async move {
                let guess = store.try_code(email.to_owned(), Purpose::Verify, [2; 32], 5, now);
                guess.await.unwrap()
            }
        };
        let (one, two) = tokio::join!(guess(&a), guess(&b));
        outcomes.extend([one, two]);
    }
    let count = |outcome| outcomes.iter().filter(|one| **one == outcome).count();
    assert_eq!((count(CodeOutcome::Wrong), count(CodeOutcome::Over)), (5, 1), "{outcomes:?}");
    a.store.put_code(ana, Purpose::Verify, [1; 32], late).await.unwrap();
    let right = |w: &World| {
        let (store, now) = (std::sync::Arc::clone(&w.store), w.now());
        async move {
            let right = store.try_code(email.to_owned(), Purpose::Verify, [1; 32], 5, now);
            right.await.unwrap()
        }
    };
    let (one, two) = tokio::join!(right(&a), right(&b));
    let mut used = [one == CodeOutcome::Right(ana), two == CodeOutcome::Right(ana)];
    used.sort_unstable();
    assert_eq!(used, [false, true], "it is used once: {one:?} {two:?}");
}

#[tokio::test]
async fn a_deleted_account_is_nowhere_even_if_it_is_added_meanwhile() {
    let (a, b) = pair().await;
    let ana = a.account("ana").await;
    for n in 0..ROUNDS {
        let bo = b.account(&format!("bo{n}")).await;
        let (den, lair) = (
            a.room(ana, RoomKind::Private, &[bo]).await,
            a.room(ana, RoomKind::Private, &[]).await,
        );
        let named = [bo];
        let (gone, added) =
            tokio::join!(b.store.delete_account(bo, b.now()), a.add(ana, lair.id, &named));
        if let Err(error) = added {
            let too_late = matches!(error, StoreError::Denied(Denied::NotFound)) && gone.is_ok();
            assert!(too_late, "{error:?}");
        }
        if let Err(error) = gone {
            assert!(matches!(error, StoreError::Busy), "{error:?}");
            assert!(!a.user(bo).await.username.starts_with("deleted"), "nothing was done");
            b.store.delete_account(bo, b.now()).await.unwrap();
        }
        assert!(a.user(bo).await.username.starts_with("deleted-"));
        for place in [&den, &lair] {
            assert_counted(&a, ana, place.id).await;
        }
        assert!(
            !a.store
                .room_members(ana, den.id, None, 9)
                .await
                .unwrap()
                .unwrap()
                .iter()
                .any(|member| member.user.id == bo)
        );
    }
}

#[tokio::test]
async fn a_room_is_deleted_once_while_people_come() {
    let (a, b) = pair().await;
    let (ana, bo) = (a.account("ana").await, b.account("bo").await);
    for _ in 0..ROUNDS {
        let den = a.room(ana, RoomKind::Public, &[]).await;
        let draft = a.draft(ana, den.main_session, "last words").await;
        let (gone, joined, said) = tokio::join!(
            a.change(ana, den.id, &[], room::delete),
            b.change(bo, den.id, &[], |facts| room::join(facts, None)),
            b.append(draft),
        );
        assert_eq!(gone.unwrap(), None);
        assert!(matches!(joined, Ok(_) | Err(StoreError::Denied(Denied::NotFound))), "{joined:?}");
        assert!(matches!(said, Ok(_) | Err(StoreError::Denied(Denied::NotFound))), "{said:?}");
        assert!(a.log(den.main_session).await.is_empty());
        assert_eq!(a.store.rooms_of(bo).await.unwrap().len(), 1);
        assert_eq!(a.store.sessions_of(bo, None).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_one_node_does_the_other_reads_at_once() {
    let (a, b) = pair().await;
    let ana = a.account("ana").await;
    assert_eq!(b.user(ana).await.id, ana);
    let den = a.room(ana, RoomKind::Private, &[]).await;
    for n in 1..=i64::from(ROUNDS) {
        let (here, there) = if n % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let said = here.say(ana, den.main_session, "hi").await;
        assert_eq!(said.number, n);
        let seen = there.store.session(ana, den.main_session).await.unwrap().unwrap();
        assert_eq!((seen.head_number, seen.read_number), (n, n));
        let asked = Settings { description: Some(format!("about {n}")), ..Settings::default() };
        here.set(ana, den.id, asked).await.unwrap();
        let seen = there.store.room(ana, den.id).await.unwrap().unwrap();
        assert_eq!(seen.description, format!("about {n}"));
        let handle = format!("ana{n}");
        let username = Some(name::username(&handle, &Limits::default()).unwrap());
        let change = ProfileChange { username, ..ProfileChange::default() };
        here.store.change_profile(ana, change, here.now()).await.unwrap();
        assert_eq!(there.user(ana).await.username, handle);
    }
    assert_eq!(b.store.user(UserId(id())).await.unwrap(), None);
}

/// A node, and somebody beside it who can keep a row locked.
async fn watched() -> (World, Beside) {
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    let beside = Beside::of(&url).await;
    (node(&url, Box::new(database)).await, beside)
}

/// How many wait for a lock.
const WAITING: &str = "select count(*) from pg_stat_activity \
    where datname = current_database() and wait_event_type = 'Lock'";

#[tokio::test]
async fn who_is_added_to_a_room_while_their_account_goes_is_not_left_behind_in_it() {
    let (w, beside) = watched().await;
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let den = w.room(ana, RoomKind::Private, &[bo]).await;
    let lair = w.room(ana, RoomKind::Private, &[]).await;
    let before = w.log(den.main_session).await;
    beside.client.batch_execute("begin; select 1 from rooms where lobby for update").await.unwrap();
    let meanwhile = async {
        beside.comes_to(WAITING, 1).await;
        w.add(ana, lair.id, &[bo]).await.unwrap();
        beside.client.batch_execute("commit").await.unwrap();
    };
    let (gone, ()) = tokio::join!(w.store.delete_account(bo, w.now()), meanwhile);
    assert!(matches!(gone, Err(StoreError::Busy)), "{gone:?}");
    assert_eq!(w.user(bo).await.username, "bo");
    assert_eq!(w.log(den.main_session).await, before, "nothing was done");
    w.store.delete_account(bo, w.now()).await.unwrap();
    for room in [den, lair] {
        assert_counted(&w, ana, room.id).await;
        assert_eq!(w.store.room(ana, room.id).await.unwrap().unwrap().member_count, 1);
    }
}

#[tokio::test]
async fn an_account_that_is_proved_while_it_is_to_be_replaced_stays() {
    let (w, beside) = watched().await;
    let (ana, email) = (w.account("ana").await, "bo@x.org");
    let new = w.new_account("bo", Some(email));
    let bo = w.store.create_account(new, w.now()).await.unwrap().id;
    w.store.put_code(bo, Purpose::Verify, [1; 32], Time(9_000_000)).await.unwrap();
    w.room(ana, RoomKind::Private, &[bo]).await;
    let hold = "begin; select 1 from rooms where not lobby for update";
    beside.client.batch_execute(hold).await.unwrap();
    let meanwhile = async {
        beside.comes_to(WAITING, 1).await;
        let tried = w.store.try_code(email.to_owned(), Purpose::Verify, [1; 32], 5, w.now());
        assert_eq!(tried.await.unwrap(), CodeOutcome::Right(bo));
        beside.client.batch_execute("commit").await.unwrap();
    };
    let again = NewAccount { replaces_pending: true, ..w.new_account("other", Some(email)) };
    let (replaced, ()) = tokio::join!(w.store.create_account(again, w.now()), meanwhile);
    assert_eq!(denied(replaced), Denied::Taken("mail address"));
    assert!(w.store.credentials_of(bo).await.unwrap().unwrap().usable);
}

#[tokio::test]
async fn a_change_that_waits_too_long_can_be_asked_for_again() {
    let (w, beside) = watched().await;
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let den = w.room(ana, RoomKind::Public, &[]).await;
    let hold = "begin; select 1 from rooms where not lobby for update";
    beside.client.batch_execute(hold).await.unwrap();
    let refused = w.join(bo, den.id).await;
    assert!(matches!(refused, Err(StoreError::Busy)), "{refused:?}");
    beside.client.batch_execute("commit").await.unwrap();
    w.join(bo, den.id).await.unwrap();
    assert_counted(&w, ana, den.id).await;
}

#[tokio::test]
async fn a_crowd_is_paged_like_a_few() {
    let (w, beside) = watched().await;
    let ana = w.account("ana").await;
    let lobby = w.lobby(ana).await;
    let crowd = "with new as (insert into users (id, username, username_key, name, name_key, \
                 usable, password_hash, created_at, show_last_seen) select gen_random_uuid(), \
                 'b' || n, 'b' || n, '', '', true, '', 1, n % 2 = 0 from generate_series(10001, \
                 15000) n returning no), room as (insert into room_members select 1, no, 'member', \
                 1 from new), main as (insert into session_members select 1, no, 1, 7 from new) \
                 select 1";
    beside.client.batch_execute(crowd).await.unwrap();
    for table in ["rooms", "sessions"] {
        let count = format!("update {table} set member_count = 5001 where no = 1");
        beside.client.batch_execute(&count).await.unwrap();
    }
    let bo = w.account("bo").await;
    let (mut after, mut names) = (None, Vec::new());
    loop {
        let page = w.store.room_members(bo, lobby.id, after, 999).await.unwrap().unwrap();
        let same = w.store.session_members(bo, lobby.main_session, names.last().cloned(), 999);
        let same = same.await.unwrap().unwrap();
        let ids = |members: &[parlor_domain::Member]| {
            members.iter().map(|member| (member.user.id, member.role)).collect::<Vec<_>>()
        };
        assert_eq!(ids(&page), ids(&same));
        let shown = |member: &parlor_domain::Member| member.user.show_last_seen;
        assert!(same.iter().all(|member| member.read_number.is_some() == shown(member)));
        let Some(last) = page.last() else { break };
        after = Some(last.user.username.clone());
        names.extend(page.into_iter().map(|member| member.user.username));
    }
    assert_eq!(names.len(), 5_002);
    assert!(names.is_sorted() && names[0] == "ana" && names[5_001] == "bo");
    let gus = w.new_account("gus", None);
    let gus = w.store.create_account(NewAccount { guest: true, ..gus }, w.now()).await.unwrap().id;
    assert_eq!(w.store.room_members(gus, lobby.id, None, 9).await.unwrap(), None);
    assert_eq!(w.store.session_members(gus, lobby.main_session, None, 9).await.unwrap(), None);
}
