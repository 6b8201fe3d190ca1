-- What members of encrypted sessions have signed about who was let in, as JSON that is not read here; in
-- each session 1, 2, 3 ….
create table e2ee_statements (
    session_no bigint not null,
    number bigint not null,
    statement text not null,
    primary key (session_no, number)
);
