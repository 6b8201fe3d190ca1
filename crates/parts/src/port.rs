//! Where instances listen: on an address of loopback of their own, on ports that the system
//! chooses. Between the choice and the start somebody else may take the port, so whoever starts a
//! program looks whether it came up, and asks for another port if not.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Outgoing connections come from 127.0.0.1. A server on another address of loopback finds its
/// port free when it starts again, and nobody who calls it meanwhile can be connected to himself.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Ports that are tried before a program is said not to start.
pub(crate) const PORTS_TRIED: usize = 5;

/// A place on loopback that was free a moment ago, for a program that is to come back to the same
/// place.
///
/// # Errors
/// When there is none.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((HOST, 0))?.local_addr()
}

/// A port of [`HOST`] that was free a moment ago.
pub(crate) fn free() -> io::Result<u16> {
    Ok(free_address()?.port())
}
