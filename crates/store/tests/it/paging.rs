//! Pages of a session's messages: at the ends, in the middle, and empty ones.

use parlor_domain::{RoomKind, SessionId, UserId};
use parlor_store::messages::Page;

use crate::world::World;

/// A session with messages 1 to 10 and one without any.
async fn sessions(w: &World) -> (UserId, SessionId, SessionId) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    for n in 1..=10 {
        w.say(ana, room.main_session, &n.to_string()).await;
    }
    (ana, room.main_session, w.session(ana, room.id, &[]).await.id)
}

/// The numbers on a page, and whether there is more before and after.
async fn page(
    w: &World,
    user: UserId,
    session: SessionId,
    page: Page,
    limit: u64,
) -> (Vec<i64>, bool, bool) {
    let page = w.store.page(user, session, page, limit).await.unwrap().unwrap();
    for message in &page.messages {
        assert_eq!(message.content, message.number.to_string());
    }
    let numbers = page.messages.iter().map(|message| message.number).collect();
    (numbers, page.more_before, page.more_after)
}

pub(crate) async fn the_newest_page_ends_at_the_head(w: World) {
    let (ana, full, empty) = sessions(&w).await;
    let newest = async |limit| page(&w, ana, full, Page::Newest, limit).await;
    assert_eq!(newest(3).await, (vec![8, 9, 10], true, false));
    assert_eq!(newest(10).await, ((1..=10).collect(), false, false));
    assert_eq!(newest(11).await, ((1..=10).collect(), false, false));
    assert_eq!(newest(u64::MAX).await, ((1..=10).collect(), false, false));
    assert_eq!(page(&w, ana, empty, Page::Newest, 5).await, (vec![], false, false));
    let bo = w.account("bo").await;
    assert_eq!(w.store.page(bo, full, Page::Newest, 5).await.unwrap(), None);
}

pub(crate) async fn a_page_before_or_after_a_number_leaves_it_out(w: World) {
    let (ana, full, _) = sessions(&w).await;
    let before = async |number, limit| page(&w, ana, full, Page::Before(number), limit).await;
    assert_eq!(before(8, 3).await, (vec![5, 6, 7], true, true));
    assert_eq!(before(4, 3).await, (vec![1, 2, 3], false, true));
    assert_eq!(before(11, 2).await, (vec![9, 10], true, false));
    assert_eq!(before(i64::MAX, 2).await, (vec![9, 10], true, false));
    let after = async |number, limit| page(&w, ana, full, Page::After(number), limit).await;
    assert_eq!(after(5, 3).await, (vec![6, 7, 8], true, true));
    assert_eq!(after(7, 3).await, (vec![8, 9, 10], true, false));
    assert_eq!(after(0, 2).await, (vec![1, 2], false, true));
    assert_eq!(after(-9, 2).await, (vec![1, 2], false, true));
}

pub(crate) async fn a_page_around_a_number_holds_it(w: World) {
    let (ana, full, _) = sessions(&w).await;
    let around = async |number, limit| page(&w, ana, full, Page::Around(number), limit).await;
    assert_eq!(around(5, 5).await, (vec![3, 4, 5, 6, 7], true, true));
    assert_eq!(around(1, 4).await, (vec![1, 2, 3, 4], false, true));
    assert_eq!(around(10, 4).await, (vec![8, 9, 10], true, false));
    assert_eq!(around(5, 1).await, (vec![5], true, true));
}

pub(crate) async fn an_empty_page_knows_what_is_beside_it(w: World) {
    let (ana, full, empty) = sessions(&w).await;
    let of = async |session, which| page(&w, ana, session, which, 5).await;
    assert_eq!(of(full, Page::Before(1)).await, (vec![], false, true));
    assert_eq!(of(full, Page::Before(i64::MIN)).await, (vec![], false, true));
    assert_eq!(of(full, Page::After(10)).await, (vec![], true, false));
    assert_eq!(of(full, Page::After(i64::MAX)).await, (vec![], true, false));
    assert_eq!(of(full, Page::Around(99)).await, (vec![], true, false));
    for which in [Page::Before(5), Page::After(5), Page::Around(5), Page::Before(1)] {
        assert_eq!(of(empty, which).await, (vec![], false, false), "{which:?}");
    }
}
