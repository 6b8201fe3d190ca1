//! Where one may be led: rows S1 and S2 of the catalogue of bad input.

use parlor_domain::Limits;
use parlor_egress::{Egress, EgressError, Rules};

use super::site::{Say, Site};
use super::town::Town;
use super::{OPEN, PAGE, get, town};

/// Every way to say "this machine", its network, or what a tunnel would lead back to it.
const CLOSED: [&str; 24] = [
    "http://127.0.0.1/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::1]/",
    "http://[::]/",
    "http://0/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.0.1./",
    "http://①②⑦.⓪.⓪.①/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://[fd00::1]/",
    "http://[fe80::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    "http://224.0.0.1/",
];

#[tokio::test]
async fn nothing_is_connected_to_that_is_not_public() {
    let town = Town::new();
    for url in CLOSED {
        assert_eq!(get(&town, url, &PAGE).await, Err(EgressError::NotPublic), "{url}");
    }
    for (name, address) in [
        ("localhost", "127.0.0.1"),
        ("localhost.", "127.0.0.1"),
        ("intranet", "10.1.2.3"),
        ("mapped.example.org", "::ffff:10.1.2.3"),
        ("nat64.example.org", "64:ff9b::a01:203"),
        ("six.example.org", "fd00::1"),
    ] {
        town.name(name, &[&[address]]);
        let url = format!("http://{name}/");
        assert_eq!(get(&town, &url, &PAGE).await, Err(EgressError::NotPublic), "{url}");
    }
    assert!(town.connected().is_empty(), "{:?}", town.connected());
}

#[tokio::test]
async fn nothing_is_looked_up_that_may_not_be_asked_for() {
    let town = Town::new();
    for (url, fault) in [
        ("file:///etc/passwd", EgressError::Scheme),
        ("gopher://example.org/", EgressError::Scheme),
        ("ftp://example.org/", EgressError::Scheme),
        ("data:text/html,x", EgressError::Scheme),
        ("http://a@example.org/", EgressError::Credentials),
        ("http://:b@example.org/", EgressError::Credentials),
        ("http://example.org:6379/", EgressError::Port),
        ("https://example.org:8443/", EgressError::Port),
        ("http://exa mple.org/", EgressError::Url),
        ("//example.org/", EgressError::Url),
    ] {
        assert_eq!(get(&town, url, &PAGE).await, Err(fault), "{url}");
    }
    assert!(town.resolved().is_empty() && town.connected().is_empty());
}

#[tokio::test]
async fn a_page_comes_as_it_is_and_the_request_tells_nothing_of_us() {
    let site = Site::open(|_| Say::page("<title>Hello</title>")).await;
    let town = town(&site).await;
    let fetched = get(&town, "http://example.org/a?b=c#d", &PAGE).await.unwrap();
    assert_eq!(fetched.url, "http://example.org/a?b=c");
    assert_eq!(fetched.content_type, "text/html; charset=utf-8");
    assert_eq!(fetched.bytes, b"<title>Hello</title>");
    let request = site.asked().concat();
    assert!(request.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{request}");
    let fields: Vec<_> = request.lines().skip(1).filter_map(|l| l.split(':').next()).collect();
    let expected = ["host", "user-agent", "accept", "accept-encoding", "connection"];
    assert_eq!(fields.iter().filter(|f| !f.is_empty()).collect::<Vec<_>>(), expected.each_ref());
    assert!(request.contains("host: example.org\r\n"), "{request}");
    assert!(request.contains("user-agent: Parlor "), "{request}");
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_its_address_is_kept_to() {
    let site = Site::open(|_| Say::page("x")).await;
    let town = town(&site).await;
    // DNS rebinding: whoever looked it up once more to connect would get to this machine.
    town.name("example.org", &[&[OPEN], &["127.0.0.1"]]);
    assert!(get(&town, "http://example.org/", &PAGE).await.is_ok());
    assert_eq!(town.resolved(), ["example.org"]);
    assert_eq!(town.connected(), [format!("{OPEN}:80")]);
    assert_eq!(get(&town, "http://example.org/", &PAGE).await, Err(EgressError::NotPublic));
}

#[tokio::test]
async fn of_many_addresses_only_public_ones_are_tried() {
    let site = Site::open(|_| Say::page("x")).await;
    let town = town(&site).await;
    town.name("example.org", &[&["127.0.0.1", "1.2.3.4", "10.0.0.1", OPEN]]);
    assert!(get(&town, "http://example.org/", &PAGE).await.is_ok());
    assert_eq!(town.connected(), ["1.2.3.4:80".to_owned(), format!("{OPEN}:80")]);
}

#[tokio::test]
async fn who_is_sent_on_is_asked_everything_again() {
    for (location, fault) in [
        ("http://127.0.0.1/", EgressError::NotPublic),
        ("http://inside.example.org/", EgressError::NotPublic),
        ("//[::1]/", EgressError::NotPublic),
        ("http://example.org:22/", EgressError::Port),
        ("http://a:b@example.org/", EgressError::Credentials),
        ("file:///etc/passwd", EgressError::Scheme),
        ("http://", EgressError::Url),
    ] {
        let site = Site::open(move |_| Say::elsewhere(302, location)).await;
        let town = town(&site).await;
        town.name("inside.example.org", &[&["192.168.0.1"]]);
        assert_eq!(get(&town, "http://example.org/", &PAGE).await, Err(fault), "{location}");
        assert_eq!(town.connected().len(), 1, "{location}");
    }
}

#[tokio::test]
async fn who_is_sent_back_to_a_name_that_now_means_this_machine_does_not_follow() {
    let site = Site::open(|_| Say::elsewhere(307, "/again")).await;
    let town = town(&site).await;
    town.name("example.org", &[&[OPEN], &["127.0.0.1"]]);
    assert_eq!(get(&town, "http://example.org/", &PAGE).await, Err(EgressError::NotPublic));
    assert_eq!(town.connected(), [format!("{OPEN}:80")]);
}

#[tokio::test]
async fn one_is_sent_on_three_times_and_no_more() {
    let site = Site::open(|path| {
        let left: u32 = path[1..].parse().unwrap();
        if left == 0 { Say::page("here") } else { Say::elsewhere(301, &format!("/{}", left - 1)) }
    })
    .await;
    let town = town(&site).await;
    let fetched = get(&town, "http://example.org/3", &PAGE).await.unwrap();
    assert_eq!(fetched.url, "http://example.org/0");
    assert_eq!(get(&town, "http://example.org/4", &PAGE).await, Err(EgressError::Redirects));
    assert_eq!(site.asked().len(), 8);
}

#[tokio::test]
async fn an_intranet_is_reached_where_the_operator_says_so_and_nowhere_else() {
    let site = Site::open(|_| Say::page("inside")).await;
    let town = Town::new();
    town.name("wiki.lan", &[&["10.1.2.3"]]);
    town.name("router.lan", &[&["10.2.0.1"]]);
    town.house("10.1.2.3:8080", site.address());
    let networks = vec!["10.1.0.0/16".parse().unwrap()];
    let rules = Rules { networks, ports: vec![80, 8080] };
    let egress = Egress::new(town.net(), rules, &Limits::default());
    assert_eq!(egress.get("http://wiki.lan:8080/", &PAGE).await.unwrap().bytes, b"inside");
    let get = async |url: &str| egress.get(url, &PAGE).await.unwrap_err();
    assert_eq!(get("http://router.lan:8080/").await, EgressError::NotPublic);
    assert_eq!(get("http://127.0.0.1:8080/").await, EgressError::NotPublic);
    assert_eq!(get("http://wiki.lan:8081/").await, EgressError::Port);
}

#[tokio::test]
async fn a_name_without_an_address_and_a_house_where_nobody_answers_are_told_apart() {
    let town = Town::new();
    town.name("empty.org", &[&[]]);
    town.name("closed.org", &[&[OPEN]]);
    let get = async |url: &str| get(&town, url, &PAGE).await.unwrap_err();
    assert_eq!(get("http://unknown.org/").await, EgressError::Unresolved);
    assert_eq!(get("http://empty.org/").await, EgressError::Unresolved);
    assert_eq!(get("http://closed.org/").await, EgressError::Unreachable);
}
