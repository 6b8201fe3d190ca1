-- Whether senders in an encrypted session give keys to those only whom they have verified.
alter table sessions add column verified_only integer not null default 0;
