//! Encrypted sessions: the keys that devices publish, what they send to each other, and what they
//! keep.

use std::collections::HashSet;
use std::sync::Arc;

use parlor_domain::rewording::Rewording;
use parlor_domain::{
    Algorithm, Denied, DeviceId, Draft, Encryption, Limits, Message, RoomKind, Session, SessionId,
    UserId, View, room, session,
};
use parlor_store::e2ee::{
    BackedUp, Claim, Crowd, Key, News, Published, Sending, Signature, Upload, Usage, WhichKeys,
};
use parlor_store::logins::Which;
use parlor_store::sessions::NewSession;
use parlor_store::{Posted, StoreError};
use tokio::task::JoinSet;

use crate::logins::sign_in;
use crate::world::{World, denied, id};

pub(crate) fn megolm() -> Option<Encryption> {
    Encryption::read(Algorithm::Megolm.as_str(), None, None, true).ok()
}

fn key(name: &str) -> Key {
    Key { id: format!("signed_curve25519:{name}"), key: format!("{{\"key\":\"{name}\"}}") }
}

/// A device with keys of its own, and these one-time keys.
pub(crate) async fn device(w: &World, user: UserId, n: u8, one_time: &[&str]) -> DeviceId {
    let login = sign_in(w, user, n, i64::MAX).await;
    let upload = Upload {
        device: Some(format!("{{\"device\":{n}}}")),
        one_time: one_time.iter().map(|name| key(name)).collect(),
        fallback: Some(key("fallback")),
    };
    w.store.publish_keys(user, login.device, upload, 100).await.unwrap();
    login.device
}

/// An encrypted session of two people, in a room of theirs.
pub(crate) async fn secret(w: &World, ana: UserId, bo: UserId) -> Session {
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let new = NewSession { encryption: megolm(), ..w.draft_session(ana, room.id, &[bo]) };
    w.open(new).await.unwrap().value
}

async fn send(w: &World, from: (UserId, DeviceId), txn: &str, to: &[(UserId, Option<DeviceId>)]) {
    let message = |(n, (user, device)): (usize, &(UserId, Option<DeviceId>))| {
        (*user, *device, format!("{{\"n\":{n}}}"))
    };
    let sending = Sending {
        user: from.0,
        device: from.1,
        txn_id: txn.to_owned(),
        kind: "m.room.encrypted".to_owned(),
        messages: to.iter().enumerate().map(message).collect(),
        waiting_max: 3,
    };
    w.store.send_to_devices(sending, w.now()).await.unwrap();
}

async fn news(w: &World, device: DeviceId, taken: i64) -> News {
    w.store.key_news(device, taken, 100).await.unwrap()
}

fn contents(news: &News) -> Vec<&str> {
    news.events.iter().map(|sent| sent.content.as_str()).collect()
}

async fn published(w: &World, reader: UserId, user: UserId) -> Option<Published> {
    w.store.published_keys(reader, vec![user]).await.unwrap().pop()
}

async fn claim(w: &World, reader: UserId, user: UserId, device: DeviceId) -> Option<String> {
    let claim = Claim { user, device, fresh: true };
    let claimed = w.store.claim_keys(reader, vec![claim]).await.unwrap();
    claimed.into_iter().next().map(|claimed| claimed.key.id)
}

pub(crate) async fn the_name_of_an_installation_stays(w: World) {
    let name = w.store.server_name().await.unwrap();
    assert!(name.ends_with(".invalid"), "{name}");
    assert_eq!(w.store.server_name().await.unwrap(), name);
}

pub(crate) async fn keys_of_a_device_are_published_once_and_never_changed(w: World) {
    let (ana, bo, cyn) = (w.account("ana").await, w.account("bo").await, w.account("cyn").await);
    secret(&w, ana, bo).await;
    let phone = device(&w, ana, 1, &["a", "b"]).await;
    let again = Upload { one_time: vec![key("a"), key("c")], ..Upload::default() };
    let left = w.store.publish_keys(ana, phone, again, 3).await.unwrap();
    assert_eq!((left.one_time, left.unused_fallback), (3, true));
    let full = Upload { one_time: vec![key("d")], ..Upload::default() };
    assert_eq!(w.store.publish_keys(ana, phone, full, 3).await.unwrap().one_time, 3);
    let other = Key { key: "{}".to_owned(), ..key("a") };
    let other = Upload { one_time: vec![other], ..Upload::default() };
    let refused = w.store.publish_keys(ana, phone, other, 9).await;
    assert!(matches!(denied(refused), Denied::Malformed(_)));
    let changed = Upload { device: Some("{}".to_owned()), ..Upload::default() };
    let refused = w.store.publish_keys(ana, phone, changed, 9).await;
    assert!(matches!(denied(refused), Denied::Malformed(_)));
    let seen = published(&w, bo, ana).await.unwrap();
    assert_eq!(seen.devices, [(phone, "device 1".to_owned(), "{\"device\":1}".to_owned())]);
    // Everybody meets in the lobby.
    assert!(published(&w, cyn, ana).await.is_some());
    let early = sign_in(&w, bo, 2, i64::MAX).await.device;
    let early = w.store.publish_keys(
        bo,
        early,
        Upload { one_time: vec![key("x")], ..Upload::default() },
        9,
    );
    assert!(matches!(denied(early.await), Denied::Malformed(_)));
}

pub(crate) async fn the_devices_of_a_session_are_counted_with_those_who_are_to_come(w: World) {
    let (ana, bo, cyn) = (w.account("ana").await, w.account("bo").await, w.account("cyn").await);
    let vault = secret(&w, ana, bo).await;
    for (user, devices) in [(ana, 1..3), (bo, 3..4), (cyn, 4..6)] {
        for n in devices {
            device(&w, user, n, &[]).await;
        }
    }
    sign_in(&w, cyn, 6, i64::MAX).await;
    let count = async |crowd, people: &[UserId]| {
        w.store.count_devices(crowd, people.to_vec()).await.unwrap()
    };
    assert_eq!(count(Crowd::Session(vault.id), &[]).await, Some(3));
    assert_eq!(count(Crowd::Session(vault.id), &[cyn]).await, Some(5), "one has no keys");
    assert_eq!(count(Crowd::Session(vault.id), &[bo, cyn]).await, Some(5), "bo is in it already");
    assert_eq!(count(Crowd::New, &[ana, cyn]).await, Some(4));
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    assert_eq!(count(Crowd::Room(room.id), &[cyn]).await, None, "it is not encrypted");
    let plain = w.open(w.draft_session(ana, room.id, &[bo])).await.unwrap().value;
    assert_eq!(count(Crowd::Session(plain.id), &[cyn]).await, None);
}

pub(crate) async fn each_one_time_key_is_given_out_once_and_then_the_fallback(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let phone = device(&w, ana, 1, &["b", "a"]).await;
    let spared = Claim { user: ana, device: phone, fresh: false };
    let claimed = w.store.claim_keys(bo, vec![spared]).await.unwrap();
    assert_eq!(claimed[0].key.id, key("fallback").id, "who takes too many gets no other");
    let ids = [
        claim(&w, bo, ana, phone).await.unwrap(),
        claim(&w, bo, ana, phone).await.unwrap(),
        claim(&w, bo, ana, phone).await.unwrap(),
        claim(&w, bo, ana, phone).await.unwrap(),
    ];
    let wanted = ["b", "a", "fallback", "fallback"].map(|name| key(name).id);
    assert_eq!(ids, wanted, "the oldest first");
    assert!(!news(&w, phone, 0).await.keys.unused_fallback);
    let again = Upload { one_time: vec![key("a"), key("c"), key("b")], ..Upload::default() };
    let left = w.store.publish_keys(ana, phone, again, 9).await.unwrap();
    assert_eq!(left.one_time, 1, "what was given out is not given out again");
    assert_eq!(claim(&w, bo, ana, phone).await, Some(key("c").id));
    assert_eq!(claim(&w, bo, ana, phone).await, Some(key("fallback").id));
    assert_eq!(claim(&w, bo, bo, phone).await, None, "it is not bo's device");
    let next = Upload { fallback: Some(key("next")), ..Upload::default() };
    let left = w.store.publish_keys(ana, phone, next, 9).await.unwrap();
    assert!(left.unused_fallback);
}

/// Line 4 of the contract: 64 claimers and 50 keys.
pub(crate) async fn claimers_at_once_never_get_the_same_key(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let names: Vec<String> = (0..50).map(|n| format!("key {n}")).collect();
    let phone = device(&w, ana, 1, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut claimers = JoinSet::new();
    for _ in 0..64 {
        let store = Arc::clone(&w.store);
        let claim = Claim { user: ana, device: phone, fresh: true };
        claimers.spawn(async move { store.claim_keys(bo, vec![claim]).await.unwrap() });
    }
    let (mut once, mut fallback) = (HashSet::new(), 0);
    for mut claimed in claimers.join_all().await {
        let claimed = claimed.pop().unwrap();
        match claimed.key.id == key("fallback").id {
            true => fallback += 1,
            false => assert!(once.insert(claimed.key.id), "given out twice"),
        }
    }
    assert_eq!(once.len() + fallback, 64);
    // Who comes while all that is left is being given out gets the fallback key a little early.
    let left = usize::try_from(news(&w, phone, 0).await.keys.one_time).unwrap();
    assert_eq!(once.len() + left, 50);
    for _ in 0..left {
        let id = claim(&w, bo, ana, phone).await.unwrap();
        assert!(once.insert(id), "given out twice");
    }
    assert_eq!(claim(&w, bo, ana, phone).await, Some(key("fallback").id));
}

pub(crate) async fn what_waits_for_a_device_comes_in_order_until_it_is_taken(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let (phone, desk) = (device(&w, ana, 1, &[]).await, device(&w, ana, 2, &[]).await);
    let laptop = device(&w, bo, 3, &[]).await;
    let nothing = news(&w, laptop, 0).await;
    let first = nothing.pos;
    send(&w, (ana, phone), "one", &[(bo, Some(laptop)), (bo, Some(laptop))]).await;
    send(&w, (ana, phone), "one", &[(bo, Some(laptop))]).await;
    let both = news(&w, laptop, first).await;
    assert_eq!(contents(&both), ["{\"n\":0}", "{\"n\":1}"], "the same request again does nothing");
    assert_eq!(both.events[0].sender, ana);
    assert_eq!(contents(&news(&w, laptop, first).await), contents(&both), "until it is taken");
    assert_eq!(contents(&news(&w, laptop, first + 1).await), ["{\"n\":1}"]);
    assert!(contents(&news(&w, laptop, both.pos).await).is_empty());
    assert!(contents(&news(&w, laptop, 0).await).is_empty(), "what is taken is gone");
    // To all of somebody's devices but the one that sends; and no more than may wait.
    send(&w, (ana, phone), "two", &[(ana, None), (bo, None)]).await;
    assert_eq!(contents(&news(&w, desk, i64::MAX).await), ["{\"n\":0}"]);
    assert!(contents(&news(&w, phone, 0).await).is_empty());
    send(&w, (ana, phone), "three", &[(bo, None), (bo, None), (bo, None), (bo, None)]).await;
    assert_eq!(news(&w, laptop, 0).await.events.len(), 3);
}

pub(crate) async fn pages_of_a_queue_say_that_there_is_more(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let (phone, laptop) = (device(&w, ana, 1, &[]).await, device(&w, bo, 2, &[]).await);
    let first = news(&w, laptop, 0).await.pos;
    news(&w, laptop, first).await;
    send(&w, (ana, phone), "one", &[(bo, None), (bo, None), (bo, None)]).await;
    let page = w.store.key_news(laptop, first, 2).await.unwrap();
    assert_eq!((page.events.len(), page.more), (2, true));
    let rest = w.store.key_news(laptop, page.pos, 2).await.unwrap();
    assert_eq!((rest.events.len(), rest.more), (1, false));
}

pub(crate) async fn who_shares_an_encrypted_session_hears_whose_keys_have_changed(w: World) {
    let (ana, bo, cyn) = (w.account("ana").await, w.account("bo").await, w.account("cyn").await);
    let (laptop, tablet) = (device(&w, bo, 1, &[]).await, device(&w, cyn, 2, &[]).await);
    let mut at = news(&w, laptop, 0).await.pos;
    let shared = secret(&w, ana, bo).await;
    let told = news(&w, laptop, at).await;
    assert_eq!((&told.changed[..], &told.left[..]), (&[ana][..], &[][..]));
    at = told.pos;
    let phone = device(&w, ana, 3, &[]).await;
    let told = news(&w, laptop, at).await;
    assert_eq!(told.changed, [ana]);
    assert_eq!(news(&w, laptop, at).await.changed, [ana], "until it is taken");
    at = told.pos;
    let master = vec![(Usage::Master, "{\"k\":1}".to_owned())];
    w.store.set_signing_keys(ana, master.clone(), Box::new(|_| Ok(()))).await.unwrap();
    w.store.set_signing_keys(ana, master, Box::new(|_| Ok(()))).await.unwrap();
    let told = news(&w, laptop, at).await;
    assert_eq!(told.changed, [ana], "once");
    at = told.pos;
    w.store.revoke(Which::Device(ana, phone), w.now()).await.unwrap();
    let told = news(&w, laptop, at).await;
    assert_eq!(told.changed, [ana]);
    at = told.pos;
    let nobody = news(&w, tablet, i64::MAX).await;
    assert!(!nobody.changed.contains(&ana), "cyn shares nothing that is encrypted");
    w.change_session(ana, shared.id, &[bo], session::remove).await.unwrap();
    let told = news(&w, laptop, at).await;
    assert_eq!((&told.changed[..], &told.left[..]), (&[][..], &[ana][..]));
}

pub(crate) async fn whoever_signs_somebody_s_keys_hears_of_it_and_nobody_else_does(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    secret(&w, ana, bo).await;
    let (phone, laptop) = (device(&w, ana, 1, &[]).await, device(&w, bo, 2, &[]).await);
    let (at_ana, at_bo) = (news(&w, phone, 0).await.pos, news(&w, laptop, 0).await.pos);
    let sign = async |user, target: DeviceId| {
        let (target, key_id) = (target.to_string(), "ed25519:bo".to_owned());
        let signature = Signature { user, target, signer: bo, key_id, signature: "s".to_owned() };
        w.store.add_signatures(vec![signature]).await.unwrap();
    };
    sign(ana, phone).await;
    let told = news(&w, laptop, at_bo).await;
    assert_eq!(told.changed, [ana], "what Bo thinks of Ana, Bo's devices are to see");
    assert!(news(&w, phone, at_ana).await.changed.is_empty());
    sign(bo, laptop).await;
    assert_eq!(news(&w, laptop, told.pos).await.changed, [bo]);
    assert_eq!(news(&w, phone, at_ana).await.changed, [bo], "Bo's own devices, others see");
}

pub(crate) async fn a_device_that_is_signed_out_leaves_nothing(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    secret(&w, ana, bo).await;
    let (phone, laptop) = (device(&w, ana, 1, &["a"]).await, device(&w, bo, 2, &[]).await);
    send(&w, (bo, laptop), "one", &[(ana, Some(phone))]).await;
    w.store.revoke(Which::Device(ana, phone), w.now()).await.unwrap();
    assert_eq!(claim(&w, bo, ana, phone).await, None);
    assert!(news(&w, phone, 0).await.is_empty());
    assert!(published(&w, bo, ana).await.unwrap().devices.is_empty());
}

pub(crate) async fn signatures_are_added_and_third_parties_do_not_see_them(w: World) {
    let (ana, bo, cyn) = (w.account("ana").await, w.account("bo").await, w.account("cyn").await);
    let phone = device(&w, ana, 1, &[]).await;
    let by = |signer, key_id: &str, signature: &str| Signature {
        user: ana,
        target: phone.to_string(),
        signer,
        key_id: key_id.to_owned(),
        signature: signature.to_owned(),
    };
    let all = vec![by(ana, "ed25519:own", "1"), by(bo, "ed25519:bo", "2")];
    w.store.add_signatures(all.clone()).await.unwrap();
    w.store.add_signatures(all.clone()).await.unwrap();
    let seen = async |reader| published(&w, reader, ana).await.unwrap().signatures.len();
    assert_eq!((seen(ana).await, seen(bo).await, seen(cyn).await), (1, 2, 1));
    let keys = vec![(Usage::Master, "{}".to_owned()), (Usage::UserSigning, "{}".to_owned())];
    w.store.set_signing_keys(ana, keys, Box::new(|_| Ok(()))).await.unwrap();
    let signing = async |reader| published(&w, reader, ana).await.unwrap().signing.len();
    assert_eq!((signing(ana).await, signing(bo).await), (2, 1));
    let decide = Box::new(|known: &[(Usage, String)]| match known.len() {
        2 => Err(Denied::Forbidden("no")),
        _ => Ok(()),
    });
    let refused = w.store.set_signing_keys(ana, vec![], decide).await;
    assert_eq!(denied(refused), Denied::Forbidden("no"));
}

fn backed_up(session: SessionId, id: &str, first: i64, verified: bool) -> BackedUp {
    BackedUp {
        session,
        key_session: id.to_owned(),
        first_index: first,
        forwarded: 0,
        verified,
        data: format!("{{\"first\":{first}}}"),
    }
}

pub(crate) async fn a_backup_keeps_the_better_key(w: World) {
    let ana = w.account("ana").await;
    assert!(w.store.backup(ana, None).await.unwrap().is_none());
    let begin = || w.store.begin_backup(ana, "algorithm".to_owned(), "{}".to_owned());
    assert_eq!(begin().await.unwrap(), 1);
    let (here, there) = (SessionId(id()), SessionId(id()));
    let put = async |keys: Vec<BackedUp>| w.store.back_up(ana, 1, keys, 3).await;
    let first = vec![backed_up(here, "a", 5, false), backed_up(there, "b", 0, false)];
    let kept = put(first).await.unwrap();
    assert_eq!((kept.count, kept.etag), (2, 1));
    let same = put(vec![backed_up(here, "a", 7, false)]).await.unwrap();
    assert_eq!((same.count, same.etag), (2, 1), "one that reads less changes nothing");
    put(vec![backed_up(here, "a", 3, false)]).await.unwrap();
    put(vec![backed_up(here, "a", 9, true)]).await.unwrap();
    let of = |session, key: Option<&str>| WhichKeys {
        session: Some(session),
        key_session: key.map(str::to_owned),
    };
    let found = w.store.backed_up(ana, 1, of(here, Some("a"))).await.unwrap();
    assert_eq!(found, [backed_up(here, "a", 9, true)], "verified is better than early");
    assert_eq!(w.store.backed_up(ana, 1, WhichKeys::default()).await.unwrap().len(), 2);
    let many = vec![backed_up(here, "c", 0, true), backed_up(here, "d", 0, true)];
    assert!(matches!(denied(put(many).await), Denied::NoRoom(_)));
    let left = w.store.forget_backed_up(ana, 1, of(here, None)).await.unwrap();
    assert_eq!(left.count, 1);
    assert_eq!(begin().await.unwrap(), 2);
    assert_eq!(denied(put(vec![]).await), Denied::NotFound, "only the newest is written");
    w.store.change_backup(ana, 2, "{\"signed\":1}".to_owned()).await.unwrap();
    assert_eq!(w.store.backup(ana, None).await.unwrap().unwrap().auth_data, "{\"signed\":1}");
    w.store.delete_backup(ana, 2).await.unwrap();
    assert_eq!(w.store.backup(ana, None).await.unwrap().unwrap().version, 1);
    assert_eq!(begin().await.unwrap(), 3, "a number is not given again");
}

pub(crate) async fn a_note_is_its_writers_alone(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let note = async |user, kind: &str, content: &str, most| {
        w.store.set_account_data(user, kind.to_owned(), content.to_owned(), most).await
    };
    note(ana, "key", "1", 2).await.unwrap();
    note(ana, "key", "2", 1).await.unwrap();
    assert!(matches!(denied(note(ana, "other", "3", 1).await), Denied::NoRoom(_)));
    let read = async |user| w.store.account_data(user, "key".to_owned()).await.unwrap();
    assert_eq!((read(ana).await.as_deref(), read(bo).await), (Some("2"), None));
}

pub(crate) async fn statements_stay_in_order_and_the_newest_are_kept(w: World) {
    let [ana, bo, cy] = [w.account("ana").await, w.account("bo").await, w.account("cy").await];
    let (here, other) = (secret(&w, ana, bo).await.id, secret(&w, ana, bo).await.id);
    let add = async |user, session, texts: &[&str]| {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        w.store.add_statements(user, session, texts, 3).await
    };
    let read = async |user, session, after, limit| {
        let found = w.store.statements(user, session, after, limit).await.unwrap();
        found.map(|all| all.into_iter().map(|s| (s.number, s.statement)).collect::<Vec<_>>())
    };
    let told = |all: &[(i64, &str)]| {
        Some(all.iter().map(|&(n, text)| (n, text.to_owned())).collect::<Vec<_>>())
    };
    add(ana, here, &["a", "b"]).await.unwrap();
    add(bo, here, &["c"]).await.unwrap();
    assert_eq!(read(bo, here, 0, 9).await, told(&[(1, "a"), (2, "b"), (3, "c")]));
    assert_eq!(read(bo, here, 1, 1).await, told(&[(2, "b")]));
    assert_eq!(read(ana, other, 0, 9).await, told(&[]), "those of one session");
    add(bo, here, &["d", "e"]).await.unwrap();
    assert_eq!(read(ana, here, 0, 9).await, told(&[(3, "c"), (4, "d"), (5, "e")]));
    assert_eq!(denied(add(cy, here, &["f"]).await), Denied::NotFound);
    assert_eq!(read(cy, here, 0, 9).await, None);
    assert_eq!(denied(add(ana, SessionId(id()), &["f"]).await), Denied::NotFound);
}

pub(crate) async fn statements_made_at_the_same_time_each_have_a_number(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let here = secret(&w, ana, bo).await.id;
    let mut adding = JoinSet::new();
    for n in 0..20 {
        let store = Arc::clone(&w.store);
        let texts = vec![format!("{n} a"), format!("{n} b")];
        adding.spawn(async move { store.add_statements(ana, here, texts, 100).await });
    }
    while let Some(added) = adding.join_next().await {
        added.unwrap().unwrap();
    }
    let all = w.store.statements(bo, here, 0, 100).await.unwrap().unwrap();
    assert_eq!(all.iter().map(|s| s.number).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
    for pair in all.chunks(2) {
        let of = |at: usize| pair[at].statement.split(' ').next().unwrap().to_owned();
        assert_eq!(of(0), of(1), "what came together stays together");
    }
}

/// What `user` would have stored by saying something encrypted for a membership.
async fn sealed(
    w: &World,
    user: UserId,
    session: SessionId,
    version: i64,
) -> Result<Draft, Denied> {
    let view = w.store.session_as_seen_by(user, session).await.unwrap().unwrap();
    let cmd = parlor_domain::saying::SendMessage {
        encrypted_for: Some(version),
        ..crate::world::saying(session, "{\"ciphertext\":\"needle\"}")
    };
    let message = parlor_domain::MessageId(id());
    view.admit_post(cmd, message, [9; 16], w.now(), &Limits::default())
}

async fn version(w: &World, user: UserId, session: SessionId) -> i64 {
    w.store.session(user, session).await.unwrap().unwrap().membership_version
}

pub(crate) async fn what_is_encrypted_is_for_those_who_are_there(w: World) {
    let (ana, bo, cyn) = (w.account("ana").await, w.account("bo").await, w.account("cyn").await);
    let den = w.room(ana, RoomKind::Private, &[bo, cyn]).await;
    let new = NewSession { encryption: megolm(), ..w.draft_session(ana, den.id, &[bo]) };
    let hidden = w.open(new).await.unwrap().value;
    assert_eq!((hidden.encryption, hidden.membership_version), (megolm(), 2));
    let draft = sealed(&w, ana, hidden.id, 2).await.unwrap();
    let stale = sealed(&w, ana, hidden.id, 2).await.unwrap();
    w.append(draft).await.unwrap();
    w.change_session(ana, hidden.id, &[cyn], session::add).await.unwrap();
    assert!(matches!(w.append(stale).await, Err(StoreError::Stale(_))), "cyn has no key of it");
    let now = version(&w, ana, hidden.id).await;
    assert_eq!(now, 4);
    assert_eq!(sealed(&w, ana, hidden.id, 2).await, Err(Denied::StaleMembership));
    let stale = sealed(&w, ana, hidden.id, now).await.unwrap();
    w.change_session(ana, hidden.id, &[bo], session::remove).await.unwrap();
    assert!(matches!(w.append(stale).await, Err(StoreError::Stale(_))), "bo would have a key");
    // The room's own session is plain, and one that is made with its room can be encrypted.
    assert!(w.store.session(ana, den.main_session).await.unwrap().unwrap().encryption.is_none());
    let mut secret = w.draft_room(ana, RoomKind::Private, "secret", &[bo]);
    secret.room = secret.room.encrypted(megolm()).unwrap();
    let secret = w.create(secret).await.unwrap().value;
    w.change(bo, secret.id, &[], room::leave).await.unwrap();
    let main = w.store.session(ana, secret.main_session).await.unwrap().unwrap();
    assert_eq!((main.encryption, main.membership_version), (megolm(), 3));
}

pub(crate) async fn what_is_encrypted_is_kept_as_it_is_and_found_by_no_word(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let hidden = secret(&w, ana, bo).await;
    let draft = sealed(&w, ana, hidden.id, 2).await.unwrap();
    let said: Posted = w.append(draft).await.unwrap();
    let read: Message = w.message(bo, said.id).await;
    assert!(read.is_encrypted());
    assert_eq!(read.content, "{\"ciphertext\":\"needle\"}");
    assert!(w.find(ana, "needle").await.is_empty());
    assert!(w.find(ana, "ciphertext ").await.is_empty());
    let now = w.now();
    let other = Rewording { encrypted_for: Some(2), ..Rewording::from("{\"c\":2}".to_owned()) };
    let asked = other.clone();
    let decide = Box::new(move |view: &View, message: &Message, revisions| {
        view.admit_edit(message, revisions, &asked, now, &Limits::default())
    });
    let edited = w.store.edit(ana, said.id, other, now, decide).await.unwrap();
    assert!(edited.is_encrypted());
    let before = w.store.revisions(bo, said.id).await.unwrap().unwrap().remove(0);
    assert!(before.encrypted);
    let plain = Rewording::from("plain".to_owned());
    let asked = plain.clone();
    let decide = Box::new(move |view: &View, message: &Message, revisions| {
        view.admit_edit(message, revisions, &asked, now, &Limits::default())
    });
    let refused = w.store.edit(ana, said.id, plain, now, decide).await;
    assert_eq!(denied(refused), Denied::SessionEncrypted);
    w.unsay(ana, said.id).await.unwrap();
    assert!(!w.message(bo, said.id).await.is_encrypted());
}

/// A row in every table of keys, so that moving them is seen.
pub(crate) async fn with_everything(w: &World, ana: UserId, bo: UserId) {
    let session = secret(w, ana, bo).await.id;
    w.store.add_statements(ana, session, vec!["{}".to_owned()], 9).await.unwrap();
    let (phone, laptop) = (device(w, ana, 101, &["a"]).await, device(w, bo, 102, &["b"]).await);
    send(w, (ana, phone), "moved", &[(bo, Some(laptop))]).await;
    let master = vec![(Usage::Master, "{}".to_owned())];
    w.store.set_signing_keys(ana, master, Box::new(|_| Ok(()))).await.unwrap();
    let (target, key_id) = (phone.to_string(), "ed25519:a".to_owned());
    let signature = "s".to_owned();
    let signature = Signature { user: ana, target, signer: ana, key_id, signature };
    w.store.add_signatures(vec![signature]).await.unwrap();
    w.store.begin_backup(ana, "a".to_owned(), "{}".to_owned()).await.unwrap();
    let keys = vec![backed_up(SessionId(id()), "a", 0, true)];
    w.store.back_up(ana, 1, keys, 9).await.unwrap();
    w.store.set_account_data(ana, "note".to_owned(), "{}".to_owned(), 9).await.unwrap();
}
