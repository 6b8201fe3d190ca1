-- Nothing here: one number says the schema of both stores, and PostgreSQL's has a step of its own.
select 1;
