//! Logins: each of one device, each a family of refresh tokens.

use parlor_domain::{Denied, DeviceId, LoginId, Time, UserEventKind, UserId};
use parlor_store::accounts::{CodeOutcome, Purpose};
use parlor_store::logins::{Login, NewLogin, Rotation, Which};

use crate::world::{World, denied, id};

pub(crate) fn new_login(user: UserId, n: u8, expires: i64) -> NewLogin {
    NewLogin {
        id: LoginId(id()),
        user,
        device: DeviceId(id()),
        device_name: format!("device {n}"),
        refresh_hash: [n; 32],
        cookie_hash: [n + 100; 32],
        expires: Time(expires),
        dialect: None,
        alone: false,
    }
}

/// Signs in with the refresh hash `[n; 32]`.
pub(crate) async fn sign_in(w: &World, user: UserId, n: u8, expires: i64) -> Login {
    w.store.create_login(new_login(user, n, expires), w.now()).await.unwrap()
}

pub(crate) async fn a_login_lives_until_it_ends(mut w: World) {
    let ana = w.account("ana").await;
    let login = sign_in(&w, ana, 1, 2_000_000).await;
    assert_eq!((login.user, login.user_no), (ana, w.user(ana).await.no));
    assert_eq!((login.cookie_hash, login.expires), ([101; 32], Time(2_000_000)));
    let at = |now| w.store.login(login.id, Time(now));
    assert_eq!(at(1_999_999).await.unwrap().as_ref(), Some(&login));
    assert_eq!(at(2_000_000).await.unwrap(), None);
    assert_eq!(w.store.login(LoginId(id()), w.now()).await.unwrap(), None);
    let device = w.store.devices(ana, w.now()).await.unwrap().remove(0);
    assert_eq!((device.id, device.name.as_str()), (login.device, "device 1"));
    let told = w.told_to(ana).await.pop().unwrap();
    assert_eq!(told.kind, UserEventKind::DeviceAdded(Some(device)));
    assert_eq!(w.own_log(ana).await.pop(), Some(told));
    let nobody = new_login(UserId(id()), 9, 2_000_000);
    assert_eq!(denied(w.store.create_login(nobody, w.now()).await), Denied::NotFound);
}

pub(crate) async fn a_refresh_token_is_exchanged_for_the_next(w: World) {
    let ana = w.account("ana").await;
    let login = sign_in(&w, ana, 1, 2_000_000).await;
    let (from, to, until) = ([1; 32], [2; 32], Time(3_000_000));
    let rotated = w.store.rotate(login.id, from, to, until, w.now()).await.unwrap();
    let expected = Login { expires: until, ..login.clone() };
    assert_eq!(rotated, Rotation::Rotated(expected.clone()));
    assert_eq!(w.store.login(login.id, Time(2_500_000)).await.unwrap(), Some(expected));
    let again = w.store.rotate(login.id, to, [3; 32], until, w.now()).await.unwrap();
    assert!(matches!(again, Rotation::Rotated(_)));
}

pub(crate) async fn a_refresh_token_used_twice_revokes_its_login(w: World) {
    let ana = w.account("ana").await;
    let login = sign_in(&w, ana, 1, 2_000_000).await;
    let other = sign_in(&w, ana, 9, 2_000_000).await;
    let until = Time(3_000_000);
    let rotate = |from, to| w.store.rotate(login.id, [from; 32], [to; 32], until, w.now());
    assert!(matches!(rotate(1, 2).await.unwrap(), Rotation::Rotated(_)));
    assert_eq!(rotate(1, 3).await.unwrap(), Rotation::Reused(login.id));
    assert_eq!(rotate(2, 4).await.unwrap(), Rotation::Dead, "the whole family is dead");
    assert_eq!(w.store.login(login.id, w.now()).await.unwrap(), None);
    assert!(w.store.login(other.id, w.now()).await.unwrap().is_some());
    let newest = w.own_log(ana).await.pop().unwrap();
    assert_eq!(newest.kind, UserEventKind::DeviceRemoved(login.device));
}

pub(crate) async fn a_dead_login_is_neither_rotated_nor_extended(w: World) {
    let ana = w.account("ana").await;
    let over = sign_in(&w, ana, 1, 2_000_000).await;
    let gone = sign_in(&w, ana, 2, 2_000_000).await;
    w.store.revoke(Which::Login(gone.id), w.now()).await.unwrap();
    let (late, until) = (Time(2_000_001), Time(9_000_000));
    for (login, n, now) in [(over.id, 1, late), (gone.id, 2, w.now()), (LoginId(id()), 3, w.now())]
    {
        let dead = w.store.rotate(login, [n; 32], [8; 32], until, now).await.unwrap();
        assert_eq!(dead, Rotation::Dead);
        w.store.extend(login, until, now).await.unwrap();
        assert_eq!(w.store.login(login, now).await.unwrap(), None);
    }
    let alive = sign_in(&w, ana, 4, 2_000_000).await;
    w.store.extend(alive.id, until, w.now()).await.unwrap();
    let seen = w.store.login(alive.id, Time(8_999_999)).await.unwrap().unwrap();
    assert_eq!(seen.expires, until);
}

pub(crate) async fn devices_are_listed_by_last_use(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let first = sign_in(&w, ana, 1, 9_000_000).await;
    let second = sign_in(&w, ana, 2, 9_000_000).await;
    sign_in(&w, ana, 3, w.now().0 + 1).await;
    sign_in(&w, bo, 4, 9_000_000).await;
    let list = async || {
        let devices = w.store.devices(ana, w.now()).await.unwrap();
        devices.into_iter().map(|device| device.id).collect::<Vec<_>>()
    };
    assert_eq!(list().await, [second.device, first.device]);
    w.store.extend(first.id, Time(9_000_000), w.now()).await.unwrap();
    assert_eq!(list().await, [first.device, second.device]);
}

pub(crate) async fn a_device_is_signed_out_by_its_user_only(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let login = sign_in(&w, ana, 1, 9_000_000).await;
    let revoke = |user| w.store.revoke(Which::Device(user, login.device), w.now());
    assert_eq!(revoke(bo).await.unwrap(), []);
    assert!(w.store.login(login.id, w.now()).await.unwrap().is_some());
    assert_eq!(revoke(ana).await.unwrap(), [login.id]);
    assert_eq!(revoke(ana).await.unwrap(), [], "it is signed out once");
    assert_eq!(w.store.login(login.id, w.now()).await.unwrap(), None);
    let own = w.own_log(ana).await;
    assert_eq!(own.last().unwrap().kind, UserEventKind::DeviceRemoved(login.device));
    let added = &own[own.len() - 2].kind;
    assert_eq!(*added, UserEventKind::DeviceAdded(None), "a device that is gone is not shown");
}

pub(crate) async fn signing_out_everywhere_names_each_login_that_was_alive(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let mut alive = Vec::new();
    for n in 1..=3 {
        alive.push(sign_in(&w, ana, n, 9_000_000).await.id);
    }
    let others = sign_in(&w, bo, 4, 9_000_000).await;
    let revoked = w.store.revoke(Which::Login(alive.remove(0)), w.now()).await.unwrap();
    assert_eq!(revoked.len(), 1);
    let mut revoked = w.store.revoke(Which::All(ana), w.now()).await.unwrap();
    revoked.sort_unstable();
    assert_eq!(revoked, alive);
    assert!(w.store.login(others.id, w.now()).await.unwrap().is_some());
    assert_eq!(w.store.revoke(Which::All(ana), w.now()).await.unwrap(), []);
    assert_eq!(w.store.revoke(Which::All(UserId(id())), w.now()).await.unwrap(), []);
}

pub(crate) async fn what_is_over_is_forgotten(w: World) {
    let new = w.new_account("ana", Some("ana@x.org"));
    let ana = w.store.create_account(new, w.now()).await.unwrap().id;
    let [over, gone, alive] = [
        sign_in(&w, ana, 1, 2_000_000).await,
        sign_in(&w, ana, 2, 2_000_000).await,
        sign_in(&w, ana, 3, 2_000_001).await,
    ];
    w.store.revoke(Which::Login(gone.id), w.now()).await.unwrap();
    w.store.put_code(ana, Purpose::Reset, [1; 32], Time(2_000_000)).await.unwrap();
    w.store.put_code(ana, Purpose::Verify, [1; 32], Time(2_000_001)).await.unwrap();
    for (now, left) in [(1_999_999, [0, 0, 0]), (2_000_000, [1, 1, 0])] {
        for expected in left {
            assert_eq!(w.store.forget_logins(Time(now), 1).await.unwrap(), expected, "{now}");
        }
    }
    assert_eq!(w.store.forget_codes(Time(1_999_999), 9).await.unwrap(), 0);
    assert_eq!(w.store.forget_codes(Time(2_000_000), 9).await.unwrap(), 1);
    let late = Time(2_000_000);
    assert!(w.store.login(alive.id, late).await.unwrap().is_some());
    assert_eq!(w.store.login(over.id, late).await.unwrap(), None);
    let verify = ("ana@x.org".to_owned(), Purpose::Verify);
    let tried = w.store.try_code(verify.0, verify.1, [1; 32], 5, late).await.unwrap();
    assert_eq!(tried, CodeOutcome::Right(ana));
}

pub(crate) async fn the_dead_are_told_from_the_living(w: World) {
    let ana = w.account("ana").await;
    let alive = sign_in(&w, ana, 1, 3_000_000).await.id;
    let over = sign_in(&w, ana, 2, 2_000_000).await.id;
    let revoked = sign_in(&w, ana, 3, 3_000_000).await.id;
    w.store.revoke(Which::Login(revoked), w.now()).await.unwrap();
    let unknown = LoginId(id());
    let mut dead =
        w.store.dead(vec![revoked, alive, over, unknown], Time(2_000_000)).await.unwrap();
    let mut expected = [revoked, over, unknown];
    dead.sort();
    expected.sort();
    assert_eq!(dead, expected);
    assert_eq!(w.store.dead(vec![], w.now()).await.unwrap(), []);
}
