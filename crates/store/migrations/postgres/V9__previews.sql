-- What is behind the links of messages, in their order. A message that has any says so in its `extras`
-- (32). The row 0 says that it is to have none. The picture is a blob, under an id of its own.
create table previews (
    message_no bigint not null,
    nth bigint not null,
    url text not null,
    title text not null,
    description text not null,
    site text not null,
    image_id uuid,
    image bytea references blobs,
    primary key (message_no, nth)
);
create unique index previews_by_image on previews (image_id) where image_id is not null;
