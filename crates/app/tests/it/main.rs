//! Use cases over a real store, with a clock that moves when it is told to.

mod accounts;
mod house;
