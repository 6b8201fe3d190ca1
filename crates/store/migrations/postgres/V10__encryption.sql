-- Encrypted sessions, and the keys by which devices encrypt for each other. The server reads none of it:
-- keys, and what devices send to each other, are kept as the text that they came as.

-- How a session is encrypted, for good; null: not.
alter table sessions add column algorithm text;
alter table sessions add column rotation_period_ms bigint;
alter table sessions add column rotation_period_msgs bigint;
-- The `seq` of the last event by which somebody came or went.
alter table heads add column membership_version bigint not null default 0;

-- Devices that take part. `pos` is the place of the last row that came into the device's queue, `taken`
-- up to where it has acknowledged it, `changes_to` how far it was told of `e2ee_changes`. One-time keys are
-- given out in the order of their `nth`.
create table e2ee_devices (
    device_id uuid primary key,
    user_no bigint not null references users,
    keys text not null,
    fallback_id text,
    fallback_key text,
    fallback_used boolean not null default false,
    nth bigint not null default 0,
    pos bigint not null default 0,
    taken bigint not null default 0,
    changes_to bigint not null
);
create index e2ee_devices_by_user on e2ee_devices (user_no);

create table e2ee_one_time_keys (
    device_id uuid not null,
    nth bigint not null,
    key_id text collate "C" not null,
    key text not null,
    primary key (device_id, nth)
);
create unique index e2ee_one_time_keys_by_id on e2ee_one_time_keys (device_id, key_id);

-- What signs a person's devices: `usage` is master, self_signing or user_signing.
create table e2ee_signing_keys (
    user_no bigint not null,
    usage text collate "C" not null,
    key text not null,
    primary key (user_no, usage)
);

-- Who has signed which device (by its id) or signing key (by itself) of a person.
create table e2ee_signatures (
    user_no bigint not null,
    target text collate "C" not null,
    signer_no bigint not null,
    key_id text collate "C" not null,
    signature text not null,
    primary key (user_no, target, signer_no, key_id)
);
create index e2ee_signatures_by_signer on e2ee_signatures (signer_no);

-- What waits for a device until it says that it has it. `kind` 1: a message of `user_no`'s; 2: their keys
-- have changed; 3: no encrypted session is shared with them any more.
create table e2ee_queue (
    device_id uuid not null,
    pos bigint not null,
    kind bigint not null,
    user_no bigint not null,
    type text collate "C",
    content text,
    primary key (device_id, pos)
);
create unique index e2ee_queue_about on e2ee_queue (device_id, user_no) where kind <> 1;

-- Requests by which devices sent something, so that one that comes again does nothing.
create table e2ee_sent (
    device_id uuid not null,
    txn_id text collate "C" not null,
    at bigint not null,
    primary key (device_id, txn_id)
);
create index e2ee_sent_by_time on e2ee_sent (at);

-- Of whom devices are to ask for keys again, by when it was last so. `kind` 1: their keys have changed, in
-- no session (0); 2: they came into an encrypted session; 3: they went out of it.
create table e2ee_changes (
    kind bigint not null,
    user_no bigint not null,
    session_no bigint not null,
    pos bigint not null,
    primary key (kind, user_no, session_no)
);
create unique index e2ee_changes_by_pos on e2ee_changes (pos);

-- Backups of the keys of sessions, encrypted by a key that only their owner has.
create table e2ee_backups (
    user_no bigint not null,
    version bigint not null,
    algorithm text collate "C" not null,
    auth_data text not null,
    etag bigint not null default 0,
    -- A version that is gone: its number is not given again.
    gone boolean not null default false,
    primary key (user_no, version)
);

create table e2ee_backup_keys (
    user_no bigint not null,
    version bigint not null,
    session_id uuid not null,
    key_session text collate "C" not null,
    first_index bigint not null,
    forwarded bigint not null,
    verified boolean not null,
    data text not null,
    primary key (user_no, version, session_id, key_session)
);

-- What the devices of a person keep for each other, encrypted by a key that only they have.
create table e2ee_account_data (
    user_no bigint not null,
    type text collate "C" not null,
    content text not null,
    primary key (user_no, type)
);
