//! PostgreSQL and the databases on it.

use parlor_parts::{Database, Postgres};

use crate::sql;

#[test]
fn what_was_committed_outlives_an_immediate_stop() {
    let mut postgres = Postgres::start().unwrap();
    let url = postgres.url();
    assert_eq!(sql(&url, "select current_setting('fsync')"), "on");
    sql(&url, "create table kept (n int); insert into kept values (7)");
    postgres.stop_immediate();
    assert!(!crate::listens(postgres.address()));
    postgres.start_again().unwrap();
    assert_eq!(sql(&url, "select n from kept"), "7");
    assert!(postgres.log().contains("not properly shut down"), "{}", postgres.log());
}

#[test]
fn nobody_comes_in_without_the_password() {
    let postgres = Postgres::start_with(&["fsync=off"]).unwrap();
    assert_eq!(sql(&postgres.url(), "show fsync"), "off");
    let guessed = format!("postgres://postgres:guess@{}/postgres", postgres.address());
    assert!(sql(&guessed, "select 1").contains("password authentication failed"));
}

#[test]
fn a_setting_that_postgresql_refuses_is_an_error_with_its_words() {
    let told = Postgres::start_with(&["fsync=perhaps"]).map(drop).unwrap_err().to_string();
    assert!(told.contains("fsync"), "{told}");
}

#[test]
fn every_database_is_empty_unless_it_is_a_copy_and_is_dropped_in_the_end() {
    let postgres = Postgres::start().unwrap();
    let first = Database::on(&postgres).unwrap();
    sql(&first.url(), "create table mine (n int)");
    let (other, copy) = (Database::on(&postgres).unwrap(), first.copy().unwrap());
    let tables = "select count(*) from information_schema.tables where table_name = 'mine'";
    assert_eq!(sql(&other.url(), tables), "0");
    assert_eq!(sql(&copy.url(), tables), "1");
    let names = "select count(*) from pg_database where datname like 'test\\_%'";
    assert_eq!(sql(&postgres.url(), names), "3");
    drop((first, other, copy));
    // Nobody waits for that, but it is done a moment later.
    assert!((0..500).any(|_| sql(&postgres.url(), names) == "0"), "they are not dropped");
}

#[test]
fn one_whose_speed_is_measured_has_its_data_on_a_disk_and_answers_in_rows() {
    let postgres = Postgres::start_on_disk().unwrap();
    let rows = postgres.ask("select n, n * n from generate_series(1, 2) n order by n").unwrap();
    assert_eq!(rows, "1,1\n2,4\n");
    let place = postgres.ask("show data_directory").unwrap();
    assert!(place.starts_with("/var/tmp/"), "{place}");
    assert!(postgres.ask("select nothing").unwrap_err().to_string().contains("nothing"));
}
