-- What is done later, such as drawing small pictures. One job of a kind for one thing. `worker` has it
-- until `leased_until`; `asked` counts how often it was asked for, so that what is asked for again while
-- it is being done is done again. What was tried in vain too often is given up, and stays for a while for
-- an operator to see.
create table jobs (
    id uuid primary key,
    kind text collate "C" not null,
    about uuid not null,
    created_at bigint not null,
    due_at bigint not null,
    asked bigint not null default 1,
    worker uuid,
    leased_until bigint not null default 0,
    tries bigint not null default 0,
    error text,
    given_up boolean not null default false
);
create unique index jobs_by_thing on jobs (kind, about);
create index jobs_due on jobs (kind, due_at) where not given_up;
create index jobs_given_up on jobs (due_at) where given_up;

-- Pictures that were sent before anybody drew small ones of them.
insert into jobs (id, kind, about, created_at, due_at)
    select gen_random_uuid(), 'thumbnail', id, created_at, created_at from files
    where width is not null and thumbnail is null and not encrypted;

-- What a person looks like: a file of theirs, which is carried as by a message. It refers to no table,
-- since files refer to users.
alter table users add column picture uuid;
