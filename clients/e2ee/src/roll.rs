//! The roll: who is let in to a session, as this client knows it.
//!
//! Owns the rules by which somebody comes onto it. Refuses the server's word for it: who is in a
//! session is on the roll only once somebody who is on it has signed so, and what was signed before
//! somebody left does not bring them back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::statement::Statement;

/// Who is in a session, and which state of the list that is: by the server's word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    /// Who; whether oneself is among them makes no difference.
    pub user_ids: Vec<String>,
    /// The list's `membership_version`.
    pub version: i64,
}

/// Who is let in. Oneself always is, and never on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Roll {
    /// What was said of an earlier state counts for nobody.
    since: i64,
    let_in: BTreeSet<String>,
    /// Who was let in and then gone, by the state in which that was noticed.
    gone: BTreeMap<String, i64>,
    /// Who was said to be let in by somebody who is, and of which state.
    vouched: BTreeMap<String, i64>,
    /// The number of the last statement that was read.
    pub(crate) read: i64,
}

impl Roll {
    /// At the first sight of a session everybody in it is let in: there is nothing to know better
    /// by.
    pub(crate) fn at_first_sight(others: &BTreeSet<String>, version: i64) -> Self {
        Self { since: version, let_in: others.clone(), ..Self::default() }
    }

    /// In a session that oneself makes, exactly those are let in whom one named.
    pub(crate) fn of_ones_own(named: BTreeSet<String>) -> Self {
        Self { let_in: named, ..Self::default() }
    }

    /// Of those whom this client found there, none but who was named is let in.
    pub(crate) fn only(mut self, named: &BTreeSet<String>) -> Self {
        self.let_in.retain(|user| named.contains(user));
        self
    }

    /// Takes those off who are gone, and gives who was on it until now: what they said meanwhile
    /// counts.
    pub(crate) fn strike_out(
        &mut self,
        others: &BTreeSet<String>,
        version: i64,
    ) -> BTreeSet<String> {
        let before = self.let_in.clone();
        for user in before.difference(others) {
            self.let_in.remove(user);
            // What was said of them is over in any case: whoever said it may have been told of a
            // state that is still to come.
            let after = self.vouched.get(user).map_or(version, |vouched| vouched + 1);
            self.gone.insert(user.clone(), version.max(after));
        }
        before
    }

    /// Whether somebody is there whom nobody let in, as far as was read.
    pub(crate) fn misses(&self, others: &BTreeSet<String>) -> bool {
        !others.is_subset(&self.let_in)
    }

    /// Takes in a statement that holds, if whoever made it is let in; `before` are those who were
    /// when this look began.
    pub(crate) fn take(&mut self, said: &Statement, before: &BTreeSet<String>, own: &str) {
        let counts = said.by == own || before.contains(&said.by) || self.is_vouched(&said.by);
        if counts && self.is_current(said) {
            let vouched = self.vouched.entry(said.user_id.clone()).or_insert(i64::MIN);
            *vouched = said.membership_version.max(*vouched);
        }
    }

    /// Puts everybody on it who is there and was vouched for, and gives who is on it.
    pub(crate) fn settle(&mut self, others: &BTreeSet<String>) -> &BTreeSet<String> {
        let vouched = others.iter().filter(|user| self.is_vouched(user)).cloned();
        let there = self.let_in.intersection(others).cloned();
        self.let_in = there.chain(vouched).collect();
        &self.let_in
    }

    /// Whether what is said is not over by now.
    pub(crate) fn is_current(&self, said: &Statement) -> bool {
        said.membership_version >= self.floor(&said.user_id)
    }

    /// The first state of which a statement about somebody counts.
    fn floor(&self, user: &str) -> i64 {
        self.since.max(self.gone.get(user).copied().unwrap_or_default())
    }

    fn is_vouched(&self, user: &str) -> bool {
        self.vouched.get(user).is_some_and(|version| *version >= self.floor(user))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whose roll it is.
    const OWN: &str = "me";

    fn set(users: &[&str]) -> BTreeSet<String> {
        users.iter().map(|user| (*user).to_owned()).collect()
    }

    /// That somebody lets somebody in.
    fn says(by: &str, user: &str, version: i64) -> Statement {
        Statement::new("s", (user, by), version, None)
    }

    /// Looks at a session, in which these statements were not read yet; gives who is let in.
    fn look(
        roll: &mut Roll,
        users: &[&str],
        version: i64,
        statements: &[Statement],
    ) -> BTreeSet<String> {
        let others = set(users);
        let before = roll.strike_out(&others, version);
        if roll.misses(&others) {
            for said in statements {
                roll.take(said, &before, OWN);
            }
        }
        roll.settle(&others).clone()
    }

    fn seen(users: &[&str], version: i64) -> Roll {
        Roll::at_first_sight(&set(users), version)
    }

    #[test]
    fn whoever_is_added_without_a_statement_is_not_let_in() {
        let mut roll = seen(&["ana"], 10);
        assert_eq!(look(&mut roll, &["ana", "ghost"], 11, &[]), set(&["ana"]));
        assert!(roll.misses(&set(&["ana", "ghost"])), "it is asked again at the next look");
        assert_eq!(look(&mut roll, &["ana", "ghost"], 11, &[]), set(&["ana"]));
    }

    #[test]
    fn whoever_is_let_in_by_a_member_or_by_oneself_is() {
        let mut roll = seen(&["ana"], 10);
        let said = [says("ana", "bo", 10), says(OWN, "cy", 11)];
        assert_eq!(look(&mut roll, &["ana", "bo", "cy"], 12, &said), set(&["ana", "bo", "cy"]));
        assert!(!roll.misses(&set(&["ana", "bo", "cy"])), "and no more is asked for");
    }

    #[test]
    fn in_a_session_of_ones_own_those_are_let_in_whom_one_named() {
        let mut roll = Roll::of_ones_own(set(&["ana"]));
        assert_eq!(look(&mut roll, &["ana", "ghost"], 1, &[]), set(&["ana"]));
        assert_eq!(
            look(&mut roll, &["ana", "bo"], 3, &[says("ana", "bo", 2)]),
            set(&["ana", "bo"])
        );
    }

    #[test]
    fn a_session_that_is_made_and_was_seen_already_keeps_what_is_known_of_it() {
        let mut roll = seen(&["ana", "ghost"], 10);
        look(&mut roll, &["ana", "ghost", "bo"], 11, &[says("ana", "bo", 10)]);
        look(&mut roll, &["ana", "ghost"], 12, &[]);
        let mut made = roll.only(&set(&["ana"]));
        let old = [says("ana", "bo", 11)];
        assert_eq!(look(&mut made, &["ana", "ghost", "bo"], 13, &old), set(&["ana"]));
    }

    #[test]
    fn an_old_statement_does_not_bring_somebody_back() {
        let old = [says("ana", "bo", 10)];
        let mut roll = seen(&["ana"], 10);
        look(&mut roll, &["ana", "bo"], 11, &old);
        assert_eq!(look(&mut roll, &["ana"], 12, &[]), set(&["ana"]));
        assert_eq!(look(&mut roll, &["ana", "bo"], 13, &old), set(&["ana"]));
        assert_eq!(look(&mut roll, &["ana", "bo"], 13, &old), set(&["ana"]));
        let new = says("ana", "bo", 12);
        assert_eq!(look(&mut roll, &["ana", "bo"], 13, &[new]), set(&["ana", "bo"]));
    }

    #[test]
    fn a_statement_of_a_state_that_the_server_made_up_does_not_bring_somebody_back() {
        let mut roll = seen(&["ana"], 10);
        let far = [says("ana", "bo", 1 << 40)];
        assert_eq!(look(&mut roll, &["ana", "bo"], 11, &far), set(&["ana", "bo"]));
        look(&mut roll, &["ana"], 12, &[]);
        assert_eq!(look(&mut roll, &["ana", "bo"], 13, &far), set(&["ana"]));
    }

    #[test]
    fn what_was_said_before_the_first_sight_does_not_count() {
        let mut roll = seen(&["ana"], 10);
        let said = [says("ana", "bo", 9)];
        assert_eq!(look(&mut roll, &["ana", "bo"], 11, &said), set(&["ana"]));
    }

    #[test]
    fn what_somebody_says_who_is_not_let_in_does_not_count() {
        let mut roll = seen(&["ana"], 10);
        let said = [says("ghost", "ghost", 11), says("ghost", "eve", 11), says("eve", "ghost", 11)];
        assert_eq!(look(&mut roll, &["ana", "ghost", "eve"], 12, &said), set(&["ana"]));
    }

    #[test]
    fn a_chain_counts_whose_middle_came_and_left_while_one_was_away() {
        let mut roll = seen(&["ana"], 10);
        let said = [says("ana", "bo", 10), says("bo", "cy", 11)];
        assert_eq!(look(&mut roll, &["ana", "cy"], 13, &said), set(&["ana", "cy"]));
        let mut turned = seen(&["ana"], 10);
        let said = [says("bo", "cy", 11), says("ana", "bo", 10)];
        assert_eq!(look(&mut turned, &["ana", "cy"], 13, &said), set(&["ana"]), "not backwards");
    }

    #[test]
    fn what_a_member_said_counts_although_they_are_gone_by_now() {
        let mut roll = seen(&["ana", "bo"], 10);
        let said = [says("bo", "cy", 10)];
        assert_eq!(look(&mut roll, &["ana", "cy"], 12, &said), set(&["ana", "cy"]));
    }

    #[test]
    fn what_somebody_said_once_they_were_known_to_be_gone_does_not_count() {
        let mut roll = seen(&["ana", "bo"], 10);
        look(&mut roll, &["ana"], 11, &[]);
        let said = [says("bo", "cy", 11), says("bo", "bo", 11)];
        assert_eq!(look(&mut roll, &["ana", "cy", "bo"], 13, &said), set(&["ana"]));
    }

    #[test]
    fn oneself_is_let_in_also_after_having_been_away() {
        let mut roll = seen(&["ana"], 10);
        // While one was out, somebody came whom ana let in.
        let said = [says("ana", "bo", 14), says("ana", OWN, 15)];
        assert_eq!(look(&mut roll, &["ana", "bo"], 16, &said), set(&["ana", "bo"]));
        let said = [says(OWN, "cy", 16)];
        assert_eq!(look(&mut roll, &["ana", "bo", "cy"], 17, &said), set(&["ana", "bo", "cy"]));
    }

    #[test]
    fn the_latest_state_that_was_vouched_for_holds() {
        let mut roll = seen(&["ana"], 10);
        let said = [says("ana", "bo", 14), says("ana", "bo", 12)];
        look(&mut roll, &["ana", "bo"], 15, &said);
        assert_eq!(roll.vouched["bo"], 14);
    }
}
