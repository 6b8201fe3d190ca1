-- When a session ends by itself: at a moment, which silence of so many seconds puts off, and for how many seconds
-- before it nothing may be said. Of what ended, the number after which messages are still to be erased.
alter table sessions add column ends_at bigint;
alter table sessions add column silence_s bigint;
alter table sessions add column read_only_s bigint;
alter table sessions add column erasing_after bigint;
create index sessions_by_end on sessions (ends_at) where ends_at is not null;
create index sessions_to_erase on sessions (no) where erasing_after is not null;
-- A session that has ended keeps its name and its dates, and nothing that was said in it.
update sessions set erasing_after = 0 where ended_at is not null;
