-- Files that people send. The bytes are kept elsewhere, by their BLAKE3 hash. A blob stands here
-- before it is made: with no `refs`, and not `touched_at` for long, it is nobody's. What is doomed
-- is being deleted, and not used any more.
create table blobs (
    hash blob primary key,
    size integer not null,
    refs integer not null default 0,
    touched_at integer not null,
    doomed integer not null default 0
) without rowid;
create index blobs_unused on blobs (touched_at) where refs = 0;

create table files (
    id blob primary key,
    user_no integer not null references users,
    name text not null,
    media_type text not null,
    size integer not null,
    width integer,
    height integer,
    hash blob not null references blobs,
    thumbnail blob references blobs,
    encrypted integer not null,
    -- How long it was as it was sent: a picture gets shorter.
    length integer not null,
    created_at integer not null,
    -- How many messages carry it.
    carried integer not null default 0
) without rowid;
create index files_by_user on files (user_no);
create index files_uncarried on files (created_at) where carried = 0;

-- What is still coming; `received` bytes of it are durable. `turn` counts those who write it.
create table uploads (
    id blob primary key,
    user_no integer not null references users,
    length integer not null,
    received integer not null default 0,
    turn integer not null default 0,
    name text not null,
    encrypted integer not null,
    sha256 blob,
    created_at integer not null,
    expires_at integer not null,
    doomed integer not null default 0
) without rowid;
create index uploads_by_user on uploads (user_no);
create index uploads_by_end on uploads (expires_at);

-- Bytes of the files and uploads of each user, and in the row of user 0 of all.
create table file_bytes (
    user_no integer primary key,
    bytes integer not null
) without rowid;

-- Which messages carry which files, in their order. A message that does says so in its `extras` (16).
create table attachments (
    message_no integer not null,
    nth integer not null,
    file_id blob not null references files,
    primary key (message_no, nth)
) without rowid;
create index attachments_by_file on attachments (file_id);
