//! The façades, row by row: every request, answer, event and close code that `docs/compat/` lists
//! is a test here. A doc comment `Row: …` above a test says which; `cargo xtask reference` makes
//! the table in `docs/compat/rows.md` of them.

mod chat;
mod choice;
mod chorus;
mod crossing;
mod groups;
mod mrsambosk;
mod post;
mod rei;
mod room;
mod seat;
mod security;
mod shh;
mod superset;
