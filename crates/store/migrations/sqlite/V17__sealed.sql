-- Texts that are to disappear soon, kept under keys that go with them and are in no copy of this database:
-- where there is one, `content` is empty (and a message says so by its `extras`, 128).
alter table messages add column sealed blob;
alter table revisions add column sealed blob;
-- Of a session that was given an end, the number after which messages are still to be sealed.
alter table sessions add column sealing_after integer;
-- Finds what no index of words knows.
create index messages_sealed on messages (no, session_no) where sealed is not null;
create index sessions_to_seal on sessions (no) where sealing_after is not null;
update sessions set sealing_after = 0 where ends_at is not null;
