-- What a room lays down for its sessions: how many seconds messages live in one that says nothing of its own, for how
-- many anything is kept, and how many may be open. In a session, the number after which messages are still to be kept
-- for no longer than its room does.
alter table rooms add column message_ttl_s bigint;
alter table rooms add column retention_s bigint;
alter table rooms add column sessions_max bigint;
alter table sessions add column shortening_after bigint;
create index sessions_to_shorten on sessions (no) where shortening_after is not null;
