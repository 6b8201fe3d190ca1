//! Accounts: who there is, and how they prove it.

use parlor_domain::{Denied, EventKind, Limits, Role, Time, UserEventKind, UserId, name};
use parlor_store::accounts::{CodeOutcome, NewAccount, ProfileChange, Purpose};

use crate::logins::sign_in;
use crate::world::{World, denied};

pub(crate) async fn the_first_account_owns_the_lobby_and_the_next_are_members(w: World) {
    let ana = w.account("ana").await;
    let lobby = w.lobby(ana).await;
    assert!(lobby.lobby && lobby.name == "Lobby" && lobby.kind.is_open());
    assert_eq!((lobby.my_role, lobby.member_count), (Some(Role::Owner), 1));
    assert!(lobby.created_at > Time(0), "the lobby is as old as its first member");
    let bo = w.account("bo").await;
    let seen = w.lobby(bo).await;
    assert_eq!((seen.my_role, seen.member_count), (Some(Role::Member), 2));
    assert_eq!((seen.id, seen.created_at), (lobby.id, lobby.created_at));
    let (ana, bo) = (w.user(ana).await, w.user(bo).await);
    assert!(ana.no < bo.no);
    assert_eq!((bo.username.as_str(), bo.name.as_str()), ("bo", "bo of Parlor"));
}

pub(crate) async fn a_new_account_hears_of_the_lobby_in_its_own_log(mut w: World) {
    w.account("ana").await;
    let bo = w.account("bo").await;
    let lobby = w.lobby(bo).await;
    let log = w.log(lobby.main_session).await;
    let newest = log.last().unwrap();
    assert_eq!(
        newest.kind,
        EventKind::Joined {
            user: bo,
            username: "bo".to_owned(),
            name: "bo of Parlor".to_owned(),
            by: None,
        }
    );
    for own in [w.own_log(bo).await, w.told_to(bo).await] {
        let UserEventKind::Added { room, session, by } = &own[0].kind else {
            panic!("{own:?}");
        };
        let session = session.as_ref().unwrap();
        assert_eq!((own.len(), own[0].seq, *by), (1, 1, None));
        assert_eq!(room.as_deref(), Some(&lobby));
        assert_eq!((session.id, session.head_seq), (lobby.main_session, newest.seq));
        assert_eq!(session.member_count, 2);
    }
}

pub(crate) async fn a_taken_handle_or_address_is_refused_and_told_apart(w: World) {
    let first = w.new_account("admin", Some("a@x.org"));
    w.store.create_account(first, w.now()).await.unwrap();
    let mut texts = Vec::new();
    // The second letter is Cyrillic in the third one.
    for (handle, email) in [("Admin", None), ("other", Some("a@x.org")), ("аdmin", None)] {
        let twin = w.new_account(handle, email);
        let twin_id = twin.id;
        let Denied::Taken(text) = denied(w.store.create_account(twin, w.now()).await) else {
            panic!("{handle} is not a conflict");
        };
        texts.push(text);
        assert_eq!(w.store.user(twin_id).await.unwrap(), None);
    }
    assert_eq!(texts[0], texts[2]);
    assert_ne!(texts[0], texts[1]);
    let lobby = w.account("bo").await;
    assert_eq!(w.lobby(lobby).await.member_count, 2, "the refused are not in the lobby");
}

pub(crate) async fn a_discreet_account_does_without_a_taken_address(w: World) {
    let first = w.new_account("ana", Some("a@x.org"));
    let ana = w.store.create_account(first, w.now()).await.unwrap();
    let discreet = |handle, email| NewAccount {
        discreet: true,
        usable: true,
        ..w.new_account(handle, Some(email))
    };
    let twin = w.store.create_account(discreet("bo", "a@x.org"), w.now()).await.unwrap();
    let credentials = w.store.credentials_of(twin.id).await.unwrap().unwrap();
    assert_eq!((credentials.email, credentials.usable), (None, false));
    let owner = w.store.credentials("a@x.org".to_owned()).await.unwrap().unwrap();
    assert_eq!(owner.user, ana.id);
    assert_eq!(w.lobby(twin.id).await.member_count, 2, "it looks like any other");
    let free = w.store.create_account(discreet("cy", "c@x.org"), w.now()).await.unwrap();
    let credentials = w.store.credentials_of(free.id).await.unwrap().unwrap();
    assert_eq!((credentials.email.as_deref(), credentials.usable), (Some("c@x.org"), true));
    let refused = w.store.create_account(discreet("ana", "d@x.org"), w.now()).await;
    assert!(matches!(denied(refused), Denied::Taken(_)), "a handle is seen by everybody");
}

pub(crate) async fn people_are_found_by_the_beginning_of_their_handle_or_name(w: World) {
    for handle in ["bo", "ana", "anders", "b_o"] {
        w.account(handle).await;
    }
    let mut zoe = w.new_account("zoe", None);
    zoe.name = "Änne 100%".to_owned();
    w.store.create_account(zoe, w.now()).await.unwrap();
    let find = async |query: &str, limit| {
        let found = w.store.find_users(query.to_owned(), limit).await.unwrap();
        found.into_iter().map(|user| user.username).collect::<Vec<_>>()
    };
    assert_eq!(find("", 10).await, ["ana", "anders", "b_o", "bo", "zoe"]);
    assert_eq!(find("", 2).await, ["ana", "anders"]);
    assert_eq!(find("AN", 10).await, ["ana", "anders"]);
    assert_eq!(find("änne", 10).await, ["zoe"]);
    assert_eq!(find("änne 100%", 10).await, ["zoe"]);
    for literal in ["%", "_", "b%", "%o", "\\", "' or 1=1 --"] {
        assert!(find(literal, 10).await.is_empty(), "{literal}");
    }
    assert_eq!(find("b_", 10).await, ["b_o"]);
}

pub(crate) async fn credentials_are_found_by_handle_address_and_id(w: World) {
    let new = w.new_account("Ana", Some("ana@x.org"));
    let ana = new.id;
    w.store.create_account(new, w.now()).await.unwrap();
    let by_id = w.store.credentials_of(ana).await.unwrap().unwrap();
    assert_eq!((by_id.user, by_id.usable), (ana, false));
    assert_eq!(by_id.password_hash, "hash of Ana");
    assert_eq!(by_id.email.as_deref(), Some("ana@x.org"));
    for login in ["ana", " ANA ", "ana@x.org", " Ana@X.org"] {
        let found = w.store.credentials(login.to_owned()).await.unwrap();
        assert_eq!(found.as_ref(), Some(&by_id), "{login}");
    }
    for login in ["", "an", "an@x.org", "ana@x.org' --"] {
        assert_eq!(w.store.credentials(login.to_owned()).await.unwrap(), None, "{login}");
    }
    assert_eq!(w.store.credentials_of(UserId(crate::world::id())).await.unwrap(), None);
}

pub(crate) async fn a_profile_changes_where_asked_and_its_owner_hears_of_it(mut w: World) {
    let ana = w.account("ana").await;
    let change = ProfileChange { status: Some("away".to_owned()), ..ProfileChange::default() };
    let profile = w.store.change_profile(ana, change, w.now()).await.unwrap();
    assert_eq!(profile.user.status, "away");
    assert_eq!((profile.user.username.as_str(), profile.email_verified), ("ana", false));
    let change = ProfileChange {
        username: Some(name::username("Anna", &Limits::default()).unwrap()),
        name: Some("Anna B".to_owned()),
        show_last_seen: Some(false),
        ..ProfileChange::default()
    };
    let profile = w.store.change_profile(ana, change, w.now()).await.unwrap();
    let user = &profile.user;
    assert_eq!((user.username.as_str(), user.name.as_str()), ("Anna", "Anna B"));
    assert_eq!((user.status.as_str(), user.show_last_seen), ("away", false));
    assert_eq!(w.store.profile(ana).await.unwrap().as_ref(), Some(&profile));
    let told = w.told_to(ana).await.pop().unwrap();
    assert_eq!(told.kind, UserEventKind::Settings(Box::new(profile)));
    assert_eq!(w.own_log(ana).await.pop(), Some(told));
    assert_eq!(w.store.find_users("anna b".to_owned(), 9).await.unwrap().len(), 1);
    assert!(w.store.find_users("ana".to_owned(), 9).await.unwrap().is_empty());
}

pub(crate) async fn a_taken_handle_refuses_a_profile_change(w: World) {
    w.account("ana").await;
    let bo = w.account("bo").await;
    let rename = |to: &str| ProfileChange {
        username: Some(name::username(to, &Limits::default()).unwrap()),
        ..ProfileChange::default()
    };
    let refused = w.store.change_profile(bo, rename("ANA"), w.now()).await;
    assert!(matches!(denied(refused), Denied::Taken(_)));
    assert_eq!(w.user(bo).await.username, "bo");
    w.store.change_profile(bo, rename("Bo"), w.now()).await.unwrap();
    assert_eq!(w.user(bo).await.username, "Bo", "one's own key is not taken");
    let nobody = UserId(crate::world::id());
    let refused = w.store.change_profile(nobody, rename("x"), w.now()).await;
    assert_eq!(denied(refused), Denied::NotFound);
}

pub(crate) async fn a_new_password_revokes_every_other_login(w: World) {
    let new = w.new_account("ana", Some("ana@x.org"));
    let (ana, email) = (new.id, "ana@x.org".to_owned());
    w.store.create_account(new, w.now()).await.unwrap();
    let mut logins = Vec::new();
    for n in 1..=3 {
        logins.push(sign_in(&w, ana, n, 9_000_000).await);
    }
    let over = sign_in(&w, ana, 4, w.now().0 + 1).await;
    w.store.put_code(ana, Purpose::Reset, [5; 32], Time(9_000_000)).await.unwrap();
    let keep = logins.remove(1);
    let hash = "new hash".to_owned();
    let mut revoked = w.store.set_password(ana, hash, Some(keep.id), w.now()).await.unwrap();
    revoked.sort_unstable();
    let mut expected: Vec<_> = logins.iter().map(|login| login.id).collect();
    expected.sort_unstable();
    assert_eq!(revoked, expected, "not {:?}, which had ended", over.id);
    assert!(w.store.login(keep.id, w.now()).await.unwrap().is_some());
    let removed = w.own_log(ana).await.into_iter().filter_map(|entry| match entry.kind {
        UserEventKind::DeviceRemoved(device) => Some(device),
        _ => None,
    });
    let mut removed: Vec<_> = removed.collect();
    removed.sort_unstable();
    let mut devices: Vec<_> = logins.iter().map(|login| login.device).collect();
    devices.sort_unstable();
    assert_eq!(removed, devices);
    let credentials = w.store.credentials_of(ana).await.unwrap().unwrap();
    assert_eq!(credentials.password_hash, "new hash");
    let late = w.store.try_code(email, Purpose::Reset, [5; 32], 5, w.now()).await.unwrap();
    assert_eq!(late, CodeOutcome::Missing, "a code for the old password is void");
}

pub(crate) async fn a_right_code_is_used_up_and_proves_the_address(w: World) {
    for (handle, purpose) in [("ana", Purpose::Verify), ("bo", Purpose::Reset)] {
        let email = format!("{handle}@x.org");
        let new = w.new_account(handle, Some(&email));
        let user = new.id;
        w.store.create_account(new, w.now()).await.unwrap();
        w.store.put_code(user, purpose, [1; 32], Time(9_000_000)).await.unwrap();
        let other = if purpose == Purpose::Verify { Purpose::Reset } else { Purpose::Verify };
        let attempt = |purpose| w.store.try_code(email.clone(), purpose, [1; 32], 5, w.now());
        assert_eq!(attempt(other).await.unwrap(), CodeOutcome::Missing, "it has one purpose");
        assert!(!w.store.credentials_of(user).await.unwrap().unwrap().usable);
        assert_eq!(attempt(purpose).await.unwrap(), CodeOutcome::Right(user));
        assert!(w.store.credentials_of(user).await.unwrap().unwrap().usable);
        assert!(w.store.profile(user).await.unwrap().unwrap().email_verified);
        assert_eq!(attempt(purpose).await.unwrap(), CodeOutcome::Missing, "it is used up");
        let own = w.own_log(user).await;
        assert!(matches!(own.last().unwrap().kind, UserEventKind::Settings(_)));
    }
}

pub(crate) async fn wrong_codes_count_until_the_code_is_dead(w: World) {
    let new = w.new_account("ana", Some("ana@x.org"));
    let ana = new.id;
    w.store.create_account(new, w.now()).await.unwrap();
    let attempt =
        |hash| w.store.try_code("ana@x.org".to_owned(), Purpose::Verify, hash, 3, w.now());
    let put = || w.store.put_code(ana, Purpose::Verify, [1; 32], Time(9_000_000));
    put().await.unwrap();
    for _ in 0..3 {
        assert_eq!(attempt([2; 32]).await.unwrap(), CodeOutcome::Wrong);
    }
    assert_eq!(attempt([1; 32]).await.unwrap(), CodeOutcome::Over, "it is dead");
    put().await.unwrap();
    for _ in 0..2 {
        assert_eq!(attempt([2; 32]).await.unwrap(), CodeOutcome::Wrong);
    }
    assert_eq!(attempt([1; 32]).await.unwrap(), CodeOutcome::Right(ana));
}

pub(crate) async fn a_code_ends_in_time_and_is_replaced_by_the_next(w: World) {
    let new = w.new_account("ana", Some("ana@x.org"));
    let ana = new.id;
    w.store.create_account(new, w.now()).await.unwrap();
    let attempt = |email: &str, hash, now| {
        w.store.try_code(email.to_owned(), Purpose::Verify, hash, 5, Time(now))
    };
    let put = |hash| w.store.put_code(ana, Purpose::Verify, hash, Time(5_000_000));
    put([1; 32]).await.unwrap();
    assert_eq!(attempt("ana@x.org", [1; 32], 5_000_000).await.unwrap(), CodeOutcome::Over);
    assert_eq!(attempt("bo@x.org", [1; 32], 4_000_000).await.unwrap(), CodeOutcome::Missing);
    put([2; 32]).await.unwrap();
    assert_eq!(attempt("ana@x.org", [1; 32], 4_000_000).await.unwrap(), CodeOutcome::Wrong);
    let right = attempt("ana@x.org", [2; 32], 4_999_999).await.unwrap();
    assert_eq!(right, CodeOutcome::Right(ana));
    let nobody = UserId(crate::world::id());
    let refused = w.store.put_code(nobody, Purpose::Verify, [1; 32], Time(5_000_000)).await;
    assert_eq!(denied(refused), Denied::NotFound);
}

pub(crate) async fn who_hides_when_they_were_here_is_not_shown(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    assert_eq!(w.user(ana).await.last_seen_at, None);
    let nobody = (UserId(crate::world::id()), Time(9));
    w.store.touch_users(vec![(ana, Time(50)), (bo, Time(60)), nobody]).await.unwrap();
    w.store.touch_users(vec![(ana, Time(40))]).await.unwrap();
    assert_eq!(w.user(ana).await.last_seen_at, Some(Time(50)), "never backwards");
    let hide = ProfileChange { show_last_seen: Some(false), ..ProfileChange::default() };
    w.store.change_profile(bo, hide, w.now()).await.unwrap();
    assert_eq!(w.user(bo).await.last_seen_at, None);
    assert_eq!(w.own_log(ana).await.len(), 1, "being here is not logged");
}
