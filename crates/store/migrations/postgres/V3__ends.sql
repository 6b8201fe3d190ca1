-- What is over is found by when it ended.
create index logins_by_end on logins (expires_at);
create index codes_by_end on codes (expires_at);
