-- Whether senders in an encrypted session give keys to those only whom they have verified.
alter table sessions add column verified_only boolean not null default false;
