-- Words are indexed anew, by stretches of small ids: as `s<stretch>.<word>`, of 2,048 small ids and all
-- sessions, and as `<session>.<stretch>.<word>`, of 1,048,576 small ids; who said them stands there as
-- `@<user>`. So few questions find what is newest in many sessions.
truncate search;
alter table search add column session_no bigint not null;
delete from meta where key = 'search_indexed_to';
