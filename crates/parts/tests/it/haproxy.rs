//! HAProxy in front of servers that come and go.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use parlor_parts::Haproxy;

/// A server that answers every request with its number; it ends with the test.
fn server(number: u8) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n";
            let _ = stream.write_all(format!("{head}{number}").as_bytes());
        }
    });
    address
}

fn ask(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).unwrap();
    told
}

#[test]
fn requests_are_spread_over_those_servers_that_are_there() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Haproxy::start_checking(&[server(1), nobody, server(2)], "/ready").unwrap();
    let mut told: Vec<_> = (0..20).map(|_| ask(proxy.address())).collect();
    assert!(told.iter().all(|told| told.starts_with("HTTP/1.1 200")), "{told:?} {}", proxy.log());
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(proxy.servers_up() >= 2);
}
