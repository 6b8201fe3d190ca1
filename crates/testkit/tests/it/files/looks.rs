//! What people look like.

use image::{DynamicImage, ImageFormat};
use parlor_testkit::http::Answer;
use parlor_testkit::{Person, TestServer, soon};
use parlor_wire::v1;

use super::{drawn, fetch, inventory, noise, picture, ticket};

async fn look(person: &Person, bytes: Vec<u8>) -> Answer {
    let request = person.request("PUT", "/me/picture").body("application/octet-stream", bytes);
    person.send(request).await
}

/// The picture that somebody sees of another.
async fn seen(by: &Person, whom: &str) -> Option<String> {
    by.get::<v1::User>(&format!("/users/{whom}")).await.unwrap().picture_id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_looks_like_the_middle_of_what_they_sent() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    assert_eq!(seen(&bo, &ana.id).await, None);
    let answer = look(&ana, drawn(&picture(900, 300, 1), ImageFormat::Jpeg)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let me: v1::Me = serde_json::from_slice(&answer.body).unwrap();
    let first = me.user.unwrap().picture_id.expect("she has one");
    assert_eq!(seen(&bo, &ana.id).await.as_ref(), Some(&first));
    let his = ticket(&bo).await;
    let got = fetch(&bo, &first, &his, &[]).await;
    assert_eq!((got.status, got.header("content-type")), (200, Some("image/jpeg")));
    assert!(got.header("content-disposition").unwrap().starts_with("inline"));
    let square = image::load_from_memory(&got.body).unwrap();
    assert_eq!((square.width(), square.height()), (256, 256));
    let left = square.to_rgb8().get_pixel(0, 128).0[0];
    assert!((75..95).contains(&left), "a third is cut off: {left}");
    // Her other devices hear of it as of everything else about her.
    let log: v1::UserEventPage = ana.get("/me/events").await.unwrap();
    let told = serde_json::to_value(log.events.last().unwrap()).unwrap();
    assert_eq!(told["settings"]["user"]["picture_id"].as_str(), Some(&*first), "{told}");

    let clear = DynamicImage::ImageRgba8(picture(300, 300, 2).to_rgba8());
    assert_eq!(look(&ana, drawn(&clear, ImageFormat::Png)).await.status, 200);
    let second = seen(&bo, &ana.id).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(fetch(&bo, &first, &his, &[]).await.status, 404, "at once");
    let got = fetch(&bo, &second, &his, &[]).await;
    assert_eq!(got.header("content-type"), Some("image/webp"), "what is clear stays so");
    let kept = *blake3::hash(&got.body).as_bytes();
    assert_eq!(inventory(server.data_dir()).await.blobs, [kept], "no more than what is shown");
    ana.done("DELETE", "/me/picture").await.unwrap();
    ana.done("DELETE", "/me/picture").await.unwrap();
    assert_eq!(seen(&bo, &ana.id).await, None);
    assert_eq!(fetch(&bo, &second, &his, &[]).await.status, 404);
    let gone = async {
        while !inventory(server.data_dir()).await.blobs.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the bytes", gone).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_can_look_like_is_refused() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let torn = drawn(&picture(300, 300, 1), ImageFormat::Png)[..500].to_vec();
    for (what, bytes, status) in [
        ("nothing", vec![], 422),
        ("words", b"words".to_vec(), 422),
        ("a script", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>".to_vec(), 422),
        ("half a picture", torn, 422),
        ("too many bytes", noise((5 << 20) + 1, 1), 413),
    ] {
        let answer = look(&ana, bytes).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
    }
    assert_eq!(seen(&ana, &ana.id).await, None);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u3_a_line_of_a_picture_is_not_made_thick() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let line = DynamicImage::new_rgb8(65_000, 1);
    assert_eq!(look(&ana, drawn(&line, ImageFormat::Png)).await.status, 200);
    server.stop().await;
}
