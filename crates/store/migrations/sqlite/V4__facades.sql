-- What the APIs of other systems need: people without a password, logins whose refresh token stays
-- the same, rooms with a name of their own in a path, files that are named by where they are.
alter table users add column guest integer not null default 0;
alter table users add column shows_email integer not null default 0;
alter table users add column changed_at integer;
alter table users add column deleted_at integer;
-- When the last message of a deleted account was erased.
alter table users add column erased_at integer;
alter table logins add column dialect text;
alter table rooms add column slug text;
alter table rooms add column changed_at integer;
alter table messages add column file text;
create unique index rooms_by_slug on rooms (slug) where slug is not null;
create index rooms_by_name on rooms (name);
update rooms set slug = 'lobby' where lobby = 1;
create index users_to_erase on users (no) where deleted_at is not null and erased_at is null;
-- Finds people without a password by the name that they go by.
create index users_guests on users (name) where guest = 1;
