-- Messages whose time is over one day, and how long those of a session live. A message that has decayed is
-- a deleted one with an `expires_at`.
alter table messages add column expires_at integer;
alter table sessions add column message_ttl_s integer;
create index messages_by_end on messages (expires_at) where expires_at is not null and deleted_at is null;
-- Finds whom a message names when it goes.
create index mentions_by_message on mentions (session_no, number);
