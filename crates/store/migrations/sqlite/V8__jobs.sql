-- What is done later, such as drawing small pictures. One job of a kind for one thing. `worker` has it
-- until `leased_until`; `asked` counts how often it was asked for, so that what is asked for again while
-- it is being done is done again. What was tried in vain too often is given up, and stays for a while for
-- an operator to see.
create table jobs (
    id blob primary key,
    kind text not null,
    about blob not null,
    created_at integer not null,
    due_at integer not null,
    asked integer not null default 1,
    worker blob,
    leased_until integer not null default 0,
    tries integer not null default 0,
    error text,
    given_up integer not null default 0
) without rowid;
create unique index jobs_by_thing on jobs (kind, about);
create index jobs_due on jobs (kind, due_at) where given_up = 0;
create index jobs_given_up on jobs (due_at) where given_up = 1;

-- Pictures that were sent before anybody drew small ones of them.
insert into jobs (id, kind, about, created_at, due_at)
    select randomblob(16), 'thumbnail', id, created_at, created_at from files
    where width is not null and thumbnail is null and encrypted = 0;

-- What a person looks like: a file of theirs, which is carried as by a message. It refers to no table,
-- since files refer to users.
alter table users add column picture blob;
