-- Files whose bytes are kept sealed: `name` is empty, and the key of the bytes stands with it in each attachment,
-- under the key of a message that is kept sealed itself, or as it is.
alter table files add column sealed boolean not null default false;
alter table attachments add column sealed bytea;
alter table attachments add column opened text;
-- Those that are with what is sealed already.
insert into jobs (id, kind, about, created_at, due_at)
    select gen_random_uuid(), 'seal', f.id, f.created_at, f.created_at from files f where not f.encrypted and f.id in
    (select a.file_id from attachments a join messages m on m.no = a.message_no where m.sealed is not null);
