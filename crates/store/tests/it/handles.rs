//! Things by the names that other systems have for them, and the ends of accounts.

use parlor_domain::{Denied, EventKind, Role, RoomKind, Time, UserId};
use parlor_store::accounts::NewAccount;
use parlor_store::handles::{Listing, Which};
use parlor_store::logins::Rotation;
use parlor_store::rooms::RoomDraft;

use crate::logins::{new_login, sign_in};
use crate::world::{World, denied};

async fn listed(w: &World, user: UserId, listing: Listing) -> (Vec<String>, u64) {
    let (found, total) = w.store.listing(user, listing, 1_000, 1 << 20).await.unwrap();
    (found.into_iter().map(|placed| placed.message.content).collect(), total)
}

pub(crate) async fn a_guest_has_a_name_of_their_own_and_is_not_in_the_lobby(w: World) {
    let ana = w.account("ana").await;
    let guest = |handle: &str, name: &str| NewAccount {
        guest: true,
        usable: true,
        name: name.to_owned(),
        password_hash: String::new(),
        ..w.new_account(handle, None)
    };
    let gus = w.store.create_account(guest("gus", "Gus"), w.now()).await.unwrap();
    let found = w.store.guest("Gus".to_owned()).await.unwrap().unwrap();
    assert_eq!((found.user.id, found.guest), (gus.id, true));
    assert_eq!(w.store.guest("ana".to_owned()).await.unwrap(), None, "she is no guest");
    let twin = w.store.create_account(guest("other", "Gus"), w.now()).await;
    assert_eq!(denied(twin), Denied::Taken("username"));
    assert!(w.store.rooms_of(gus.id).await.unwrap().is_empty());
    assert_eq!(w.store.rooms_of(ana).await.unwrap().len(), 1);
    let everybody = w.store.everybody(10).await.unwrap();
    assert_eq!(everybody.len(), 1, "only an account that can be used is shown");
}

pub(crate) async fn people_are_found_by_their_small_id(w: World) {
    let new = NewAccount { shows_email: true, ..w.new_account("ana", Some("ana@x.org")) };
    let ana = w.store.create_account(new, w.now()).await.unwrap();
    let bo = w.store.create_account(w.new_account("bo", Some("bo@x.org")), w.now()).await.unwrap();
    let found = w.store.person_by_no(ana.no).await.unwrap().unwrap();
    assert_eq!((found.user.id, found.email.as_deref()), (ana.id, Some("ana@x.org")));
    let found = w.store.people(vec![bo.id, UserId(crate::world::id())]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].email, None, "he does not show it");
    assert_eq!(w.store.person_by_no(999).await.unwrap(), None);
    assert!(!w.store.are_acquainted(ana.id, bo.id).await.unwrap(), "the lobby does not count");
    w.room(ana.id, RoomKind::Private, &[bo.id]).await;
    assert!(w.store.are_acquainted(ana.id, bo.id).await.unwrap());
    let known = w.store.acquaintances(bo.id).await.unwrap();
    assert!(known.contains(&ana.id));
}

pub(crate) async fn a_room_goes_by_its_slug_or_its_id(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let draft = |slug: &str, kind| RoomDraft {
        slug: Some(slug.to_owned()),
        ..w.draft_room(ana, kind, slug, &[])
    };
    let den = w.create(draft("den", RoomKind::Public)).await.unwrap().value;
    assert_eq!(denied(w.create(draft("den", RoomKind::Public)).await), Denied::Taken("room id"));
    let unique = RoomDraft { unique: true, ..w.draft_room(ana, RoomKind::Public, "den", &[]) };
    assert_eq!(denied(w.create(unique).await), Denied::Taken("room name"));
    let bare = w.room(ana, RoomKind::Private, &[]).await;
    let by = async |user, slug: String| w.store.cards(user, Which::Slug(slug)).await.unwrap();
    assert_eq!(by(bo, "den".to_owned()).await[0].room.id, den.id);
    let simple = bare.id.0.simple().to_string();
    assert_eq!(by(ana, simple.clone()).await[0].slug, simple);
    assert!(by(bo, simple).await.is_empty(), "what one may not see is not there");
    assert!(by(ana, den.id.0.simple().to_string()).await.is_empty(), "it goes by its slug alone");
    let visible = w.store.cards(bo, Which::Visible).await.unwrap();
    let slugs: Vec<_> = visible.iter().map(|card| &*card.slug).collect();
    assert_eq!(slugs, ["lobby", "den"]);
    assert_eq!(visible[1].owner, Some(ana));
    assert!(visible[1].people.is_empty(), "who is in it, members know");
    let mine = w.store.cards(ana, Which::Mine).await.unwrap();
    assert_eq!(mine.len(), 3);
    assert_eq!(mine[0].people, [ana, bo]);
}

pub(crate) async fn messages_are_listed_over_all_rooms_of_the_reader(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let den = w.room(ana, RoomKind::Private, &[]).await;
    let lobby = w.lobby(ana).await;
    w.say(ana, lobby.main_session, "one").await;
    w.say(bo, lobby.main_session, "TWO Äpfel").await;
    w.say(ana, den.main_session, "three").await;
    let aside = w.session(ana, den.id, &[]).await;
    let hidden = w.say(ana, aside.id, "aside").await;
    let gone = w.say(ana, den.main_session, "gone").await;
    w.unsay(ana, gone.id).await.unwrap();
    let all = Listing { limit: 10, ..Listing::default() };
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    assert_eq!(listed(&w, ana, all.clone()).await, (texts(&["three", "TWO Äpfel", "one"]), 3));
    assert_eq!(listed(&w, bo, all.clone()).await, (texts(&["TWO Äpfel", "one"]), 2));
    let page = Listing { limit: 1, offset: 1, ..Listing::default() };
    assert_eq!(listed(&w, ana, page).await, (texts(&["TWO Äpfel"]), 3));
    let of_den = Listing { room: Some(den.id), ..all.clone() };
    assert_eq!(listed(&w, ana, of_den.clone()).await, (texts(&["three"]), 1));
    assert_eq!(listed(&w, bo, of_den).await, (vec![], 0));
    let by_bo = Listing { sender: Some(bo), ..all.clone() };
    assert_eq!(listed(&w, ana, by_bo).await.0, texts(&["TWO Äpfel"]));
    let with = |text: &str| Listing { containing: Some(text.to_owned()), ..all.clone() };
    assert_eq!(listed(&w, ana, with("äPF")).await, (texts(&["TWO Äpfel"]), 1));
    assert_eq!(listed(&w, ana, with("e")).await.0, texts(&["three", "TWO Äpfel", "one"]));
    assert!(w.store.message_by_no(ana, hidden.no).await.unwrap().is_none(), "of no main session");
    let deleted = w.store.message_by_no(ana, gone.no).await.unwrap().unwrap();
    assert_eq!((deleted.room, deleted.message.content.as_str()), (den.id, ""));
    assert_eq!(w.store.message_by_no(bo, gone.no).await.unwrap(), None);
    let session_no = w.store.sessions_of(ana, Some(den.id)).await.unwrap()[0].no;
    let found = w.store.session_by_no(ana, session_no).await.unwrap();
    assert_eq!(found, Some(den.main_session));
    assert_eq!(w.store.session_by_no(bo, session_no).await.unwrap(), None);
}

pub(crate) async fn a_deleted_account_leaves_numbers_only(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let den = w.room(bo, RoomKind::Private, &[ana]).await;
    let lobby = w.lobby(ana).await.main_session;
    sign_in(&w, bo, 1, 9_000_000).await;
    for n in 0..5 {
        w.say(bo, den.main_session, &format!("text {n}")).await;
    }
    let head = w.log(den.main_session).await.len() as i64;
    let revoked = w.store.delete_account(bo, w.now()).await.unwrap();
    assert_eq!(revoked.len(), 1);
    assert_eq!(denied(w.store.delete_account(bo, w.now()).await), Denied::NotFound);
    let mut rounds = 0;
    while w.store.erase_deleted(2, w.now()).await.unwrap() >= 2 {
        rounds += 1;
    }
    assert!(rounds >= 3, "few at a time: {rounds}");
    let page = w.store.page(ana, den.main_session, parlor_store::messages::Page::Newest, 10).await;
    let page = page.unwrap().unwrap();
    assert_eq!(page.messages.len(), 5);
    assert!(page.messages.iter().all(|m| m.content.is_empty() && m.deleted_at.is_some()));
    let kinds = w.kinds_after(den.main_session, head).await;
    assert!(matches!(kinds[0], EventKind::Left { user, .. } if user == bo), "{kinds:?}");
    assert!(matches!(kinds[1], EventKind::RoleChanged { role: Role::Owner, .. }), "{kinds:?}");
    assert_eq!(kinds.len(), 2 + 5);
    let left = w.user(bo).await;
    assert!(left.username.starts_with("deleted-"), "{left:?}");
    assert_eq!(w.store.credentials("bo".to_owned()).await.unwrap(), None);
    assert_eq!(w.store.person_by_no(left.no).await.unwrap(), None);
    assert!(w.store.session_as_seen_by(bo, lobby).await.unwrap().is_none());
    assert_eq!(denied(w.add(ana, den.id, &[bo]).await), Denied::NotFound);
    let direct = w.draft_room(ana, RoomKind::Direct, "", &[bo]);
    assert_eq!(denied(w.create(direct).await), Denied::NotFound);
    let login = w.store.create_login(new_login(bo, 2, 9_000_000), w.now()).await;
    assert_eq!(denied(login), Denied::NotFound);
    w.account("bo").await;
}

pub(crate) async fn a_pending_account_gives_way_to_a_new_one_with_its_address(w: World) {
    let first = w.new_account("ana", Some("ana@x.org"));
    w.store.create_account(first.clone(), w.now()).await.unwrap();
    let again = NewAccount { replaces_pending: true, ..w.new_account("ana", Some("ana@x.org")) };
    let second = w.store.create_account(again.clone(), w.now()).await.unwrap();
    let found = w.store.credentials("ana@x.org".to_owned()).await.unwrap().unwrap();
    assert_eq!(found.user, second.id);
    let usable = NewAccount { usable: true, ..w.new_account("bo", Some("bo@x.org")) };
    w.store.create_account(usable, w.now()).await.unwrap();
    let taken = NewAccount { replaces_pending: true, ..w.new_account("cyn", Some("bo@x.org")) };
    let refused = w.store.create_account(taken, w.now()).await;
    assert_eq!(denied(refused), Denied::Taken("mail address"));
}

pub(crate) async fn a_facades_refresh_token_stays_good_until_the_next_login(w: World) {
    let ana = w.account("ana").await;
    let new = |n: u8| parlor_store::logins::NewLogin {
        dialect: Some("rei"),
        alone: true,
        ..crate::logins::new_login(ana, n, 9_000_000)
    };
    let first = w.store.create_login(new(1), Time(1_000)).await.unwrap();
    let renew = async |login, dialect, n: u8| {
        let renewed = w.store.renew(login, dialect, [n; 32], Time(9_500_000), Time(2_000));
        renewed.await.unwrap().map(|login| login.expires)
    };
    assert_eq!(renew(first.id, "rei", 1).await, Some(Time(9_500_000)));
    assert_eq!(renew(first.id, "rei", 1).await, Some(Time(9_500_000)), "it is not used up");
    assert_eq!(renew(first.id, "rei", 2).await, None, "another token");
    assert_eq!(renew(first.id, "shh", 1).await, None, "another façade");
    let rotated = w.store.rotate(first.id, [1; 32], [9; 32], Time(9_500_000), Time(2_000));
    assert_eq!(rotated.await.unwrap(), Rotation::Dead, "it is none of ours, and not revoked");
    let second = w.store.create_login(new(2), Time(3_000)).await.unwrap();
    assert_eq!(renew(first.id, "rei", 1).await, None, "the next login has voided it");
    assert_eq!(renew(second.id, "rei", 2).await, Some(Time(9_500_000)));
    let alive = w.store.login(first.id, Time(4_000)).await.unwrap();
    assert!(alive.is_some(), "its access lives on until it is over");
    let ours = sign_in(&w, ana, 7, 9_000_000).await;
    assert_eq!(renew(ours.id, "rei", 7).await, None, "a login of ours is renewed by rotation");
}
