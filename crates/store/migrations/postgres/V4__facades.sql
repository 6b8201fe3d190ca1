-- What the APIs of other systems need: people without a password, logins whose refresh token stays
-- the same, rooms with a name of their own in a path, files that are named by where they are.
alter table users add column guest boolean not null default false;
alter table users add column shows_email boolean not null default false;
alter table users add column changed_at bigint;
alter table users add column deleted_at bigint;
-- When the last message of a deleted account was erased.
alter table users add column erased_at bigint;
alter table logins add column dialect text;
alter table rooms add column slug text collate "C";
alter table rooms add column changed_at bigint;
alter table messages add column file text;
create unique index rooms_by_slug on rooms (slug) where slug is not null;
create index rooms_by_name on rooms (name);
create index users_to_erase on users (no) where deleted_at is not null and erased_at is null;
-- Finds people without a password by the name that they go by.
create index users_guests on users (name) where guest;
