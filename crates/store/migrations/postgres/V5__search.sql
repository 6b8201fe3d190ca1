-- The words of what was said, filled behind the messages: `search_indexed_to` in `meta` is the last
-- small id that is in it. Words are cut by the domain and stored as `<session>.<stretch>.<word>`, a
-- stretch being 4,096 numbers of a session: so a search looks only at words of sessions that it may
-- see, the newest stretch first, and never gathers all that was ever said with a common word.
create table search (
    no bigint primary key,
    words tsvector not null
);
-- One job fills it, which also moves what waits into the tree; a short list is quickly searched.
create index search_by_words on search using gin (words) with (gin_pending_list_limit = 1024);
