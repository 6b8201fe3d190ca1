//! What this system asks of a new password, in its words.

use parlor_domain::Limits;

use crate::error::Faults;

/// Passwords that everybody tries first, in lower case.
const COMMON: [&str; 84] = [
    "00000000",
    "11111111",
    "11223344",
    "12121212",
    "123123123",
    "12341234",
    "12345678",
    "123456789",
    "1234567890",
    "1234qwer",
    "147258369",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "22222222",
    "55555555",
    "66666666",
    "77777777",
    "87654321",
    "88888888",
    "987654321",
    "99999999",
    "a1b2c3d4",
    "aa123456",
    "abc12345",
    "abcd1234",
    "abcdefgh",
    "access14",
    "admin123",
    "administrator",
    "alexander",
    "asdf1234",
    "asdfasdf",
    "asdfghjk",
    "asdfghjkl",
    "baseball",
    "basketball",
    "butterfly",
    "changeme",
    "charlie1",
    "chocolate",
    "computer",
    "corvette",
    "dragon123",
    "einstein",
    "elephant",
    "football",
    "football1",
    "hello123",
    "iloveyou",
    "iloveyou1",
    "internet",
    "jennifer",
    "letmein1",
    "letmein123",
    "liverpool",
    "michelle",
    "mustang1",
    "p@ssw0rd",
    "p@ssword",
    "pa$$word",
    "passw0rd",
    "password",
    "password!",
    "password1",
    "password12",
    "password123",
    "password1234",
    "passwort",
    "princess",
    "q1w2e3r4",
    "qazwsxedc",
    "qwer1234",
    "qwerty12",
    "qwerty123",
    "qwertyui",
    "qwertyuiop",
    "starwars",
    "sunshine",
    "superman",
    "trustno1",
    "welcome1",
    "welcome123",
    "zaq12wsx",
];

/// Notes what is wrong with a password.
pub(crate) fn check(password: &str, limits: &Limits, faults: &mut Faults) {
    let least = limits.password_chars_min;
    if (password.chars().count() as u64) < least {
        let text =
            format!("This password is too short. It must contain at least {least} characters.");
        faults.add("password", text);
    }
    if COMMON.contains(&&*password.trim().to_lowercase()) {
        faults.add("password", "This password is too common.");
    }
    if password.chars().all(|c| c.is_ascii_digit()) {
        faults.add("password", "This password is entirely numeric.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_passwords_that_would_be_long_enough_are_listed_and_each_once() {
        assert!(COMMON.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(COMMON.iter().all(|password| password.len() >= 8));
    }
}
