//! Pictures, good and bad.

mod cleaning;
mod drawn;
mod small;
