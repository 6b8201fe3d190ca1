-- The words of what was said, filled behind the messages: `search_indexed_to` in `meta` is the last
-- small id that is in it. A word is stored as `<session>.<word>`, so that a search looks only at the
-- words of sessions that it may see, and a session's words go together. Contentless: the text is in
-- `messages`, and cut into words by the domain. Nothing is ranked, so no sizes are kept.
create virtual table search using fts5 (
    words, content = '', columnsize = 0, tokenize = "ascii tokenchars '.'"
);
-- What is deleted is taken out of the segments at once instead of being marked as deleted.
insert into search (search, rank) values ('secure-delete', 1);
