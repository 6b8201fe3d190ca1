-- Ids of the wire are 16-byte blobs; `no` is the small integer id and the key between tables.
-- Times are microseconds since 1970 UTC.

create table meta (
    key text primary key,
    value text not null
) without rowid;

create table users (
    no integer primary key autoincrement,
    id blob not null unique,
    username text not null,
    username_key text not null unique,
    name text not null,
    -- The display name in lower case, to be searched.
    name_key text not null,
    status text not null default '',
    email text unique,
    email_verified_at integer,
    usable integer not null,
    password_hash text not null,
    show_last_seen integer not null default 1,
    last_seen_at integer,
    created_at integer not null,
    log_seq integer not null default 0
);
create index users_by_username on users (username);

create table codes (
    user_no integer not null references users,
    purpose text not null,
    hash blob not null,
    expires_at integer not null,
    tries integer not null default 0,
    primary key (user_no, purpose)
) without rowid;

create table logins (
    id blob primary key,
    user_no integer not null references users,
    device_id blob not null unique,
    device_name text not null,
    refresh_hash blob not null,
    cookie_hash blob not null,
    created_at integer not null,
    last_used_at integer not null,
    expires_at integer not null,
    revoked_at integer
) without rowid;
create index logins_by_user on logins (user_no);

create table rooms (
    no integer primary key autoincrement,
    id blob not null unique,
    name text not null,
    kind text not null,
    description text not null,
    -- Name and description in lower case, to be searched.
    search_key text not null,
    password_hash text,
    main_session_no integer not null,
    lobby integer not null default 0,
    -- The ids of a direct room's people, sorted and joined: one room per exact set.
    direct_key blob unique,
    created_at integer not null,
    archived_at integer,
    member_count integer not null default 0
);
create index rooms_public on rooms (no) where kind = 'public';
create unique index rooms_lobby on rooms (lobby) where lobby = 1;

create table room_members (
    room_no integer not null references rooms,
    user_no integer not null references users,
    role text not null,
    joined_at integer not null,
    primary key (room_no, user_no)
) without rowid;
create index room_members_by_user on room_members (user_no, room_no);
-- Finds the owners, and who would own the room after the last of them.
create index room_members_by_role on room_members (room_no, role desc, joined_at, user_no);

create table bans (
    room_no integer not null references rooms,
    user_no integer not null references users,
    by_no integer,
    reason text not null,
    banned_at integer not null,
    primary key (room_no, user_no)
) without rowid;

create table sessions (
    no integer primary key autoincrement,
    id blob not null unique,
    room_no integer not null references rooms,
    name text not null,
    main integer not null,
    created_by integer,
    created_at integer not null,
    ended_at integer,
    member_count integer not null default 0
);
create index sessions_by_room on sessions (room_no);

create table session_members (
    session_no integer not null references sessions,
    user_no integer not null references users,
    joined_at integer not null,
    read_number integer not null default 0,
    primary key (session_no, user_no)
) without rowid;
create index session_members_by_user on session_members (user_no, session_no);

-- One row per session, written once per batch: the head of its log and its access version.
create table heads (
    session_no integer primary key references sessions,
    seq integer not null default 0,
    number integer not null default 0,
    acl_version integer not null default 0
);

create table messages (
    no integer primary key,
    id blob not null,
    session_no integer not null,
    number integer not null,
    seq integer not null,
    sender_no integer not null,
    client_id blob not null,
    content text not null,
    reply_to blob,
    sent_at integer not null,
    edited_at integer,
    deleted_at integer
);
create unique index messages_by_id on messages (id);
create unique index messages_by_number on messages (session_no, number);
create index messages_by_sender on messages (sender_no, no);

create table revisions (
    message_no integer not null,
    nth integer not null,
    content text not null,
    written_at integer not null,
    primary key (message_no, nth)
) without rowid;

create table mentions (
    session_no integer not null,
    user_no integer not null,
    number integer not null,
    primary key (session_no, user_no, number)
) without rowid;

-- An event refers to its message, never copies it; `data` is small JSON for the other kinds.
create table events (
    session_no integer not null,
    seq integer not null,
    kind integer not null,
    at integer not null,
    message_no integer,
    data text,
    primary key (session_no, seq)
) without rowid;

create table user_events (
    user_no integer not null,
    seq integer not null,
    kind integer not null,
    at integer not null,
    data text not null,
    primary key (user_no, seq)
) without rowid;

-- Exactly once: what a creating request with this key came to. Kept for at least seven days.
create table receipts (
    user_no integer not null,
    key blob not null,
    -- What it made: 1 a message, 2 a room, 3 a session; and its small id.
    kind integer not null,
    made_no integer not null,
    digest blob not null,
    at integer not null,
    primary key (user_no, key)
) without rowid;
-- Messages have the key in their row; rooms and sessions, of which there are few, are found here.
create index receipts_of_places on receipts (made_no) where kind <> 1;
