-- What people do with what was said: reactions, threads, pins, forwards; and what they have not said
-- yet. A message says by `extras` what else there is of it, so that one of which there is nothing
-- costs nothing more: 1 reactions, 2 a thread that it began, 4 a pin, 8 whose words they are.
alter table messages add column extras bigint not null default 0;
-- The message that began the thread that this one is in.
alter table messages add column thread_id uuid;
-- How many messages of the session, up to this one, are in threads: what is unread in the timeline
-- is then a difference between two rows.
alter table messages add column threaded bigint not null default 0;
alter table heads add column threaded bigint not null default 0;
create index messages_in_threads on messages (thread_id, number) where thread_id is not null;
-- Saying something in a thread reads nothing of the timeline: the index knows which it was.
drop index messages_by_sender;
create index messages_by_sender on messages (sender_no, no, session_no, number, thread_id);

create table reactions (
    message_no bigint not null,
    emoji text collate "C" not null,
    user_no bigint not null,
    at bigint not null,
    primary key (message_no, emoji, user_no)
);
create index reactions_by_user on reactions (user_no, message_no);
-- Finds what is told of a message's reactions, to take the emoji out when the message is deleted.
create index events_of_reactions on events (message_no) where kind = 5;

create table pins (
    session_no bigint not null,
    message_no bigint not null,
    by_no bigint not null,
    at bigint not null,
    primary key (session_no, message_no)
);

-- Whose words a message passes on.
create table forwards (
    message_no bigint primary key,
    sender_no bigint not null,
    sent_at bigint not null
);

-- What became of a message that began a thread. `last_no`, `last_number` and `last_at` are those of
-- the newest message in it.
create table threads (
    root_no bigint primary key,
    root_id uuid not null,
    session_no bigint not null,
    replies bigint not null,
    last_no bigint not null,
    last_number bigint not null,
    last_at bigint not null
);
create index threads_by_session on threads (session_no);

-- Somebody and a thread: whether they follow it, what they have read of it, and the number of what
-- they said in it last; 0: nothing.
create table followers (
    root_no bigint not null,
    user_no bigint not null,
    session_no bigint not null,
    following boolean not null,
    read_number bigint not null,
    said_number bigint not null default 0,
    primary key (root_no, user_no)
);
create index followers_by_user on followers (user_no, session_no, root_no);

-- Whom a message names: 0 stands for everybody in the session. `root_no` is the thread that it is in.
alter table mentions add column root_no bigint;

-- What somebody has begun to write: in a session (`root_no` is 0) or in a thread of it.
create table drafts (
    user_no bigint not null,
    session_no bigint not null,
    root_no bigint not null,
    content text not null,
    reply_to uuid,
    updated_at bigint not null,
    primary key (user_no, session_no, root_no)
);
