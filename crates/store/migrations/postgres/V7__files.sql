-- Files that people send. The bytes are kept elsewhere, by their BLAKE3 hash. A blob stands here
-- before it is made: with no `refs`, and not `touched_at` for long, it is nobody's. What is doomed
-- is being deleted, and not used any more.
create table blobs (
    hash bytea primary key,
    size bigint not null,
    refs bigint not null default 0,
    touched_at bigint not null,
    doomed boolean not null default false
);
create index blobs_unused on blobs (touched_at) where refs = 0;

create table files (
    id uuid primary key,
    user_no bigint not null references users,
    name text not null,
    media_type text not null,
    size bigint not null,
    width bigint,
    height bigint,
    hash bytea not null references blobs,
    thumbnail bytea references blobs,
    encrypted boolean not null,
    -- How long it was as it was sent: a picture gets shorter.
    length bigint not null,
    created_at bigint not null,
    -- How many messages carry it.
    carried bigint not null default 0
);
create index files_by_user on files (user_no);
create index files_uncarried on files (created_at) where carried = 0;

-- What is still coming; `received` bytes of it are durable. `turn` counts those who write it.
create table uploads (
    id uuid primary key,
    user_no bigint not null references users,
    length bigint not null,
    received bigint not null default 0,
    turn bigint not null default 0,
    name text not null,
    encrypted boolean not null,
    sha256 bytea,
    created_at bigint not null,
    expires_at bigint not null,
    doomed boolean not null default false
);
create index uploads_by_user on uploads (user_no);
create index uploads_by_end on uploads (expires_at);

-- Bytes of the files and uploads of each user, and in the row of user 0 of all.
create table file_bytes (
    user_no bigint primary key,
    bytes bigint not null
);

-- Which messages carry which files, in their order. A message that does says so in its `extras` (16).
create table attachments (
    message_no bigint not null,
    nth bigint not null,
    file_id uuid not null references files,
    primary key (message_no, nth)
);
create index attachments_by_file on attachments (file_id);
