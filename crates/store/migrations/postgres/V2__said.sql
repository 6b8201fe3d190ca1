-- Finds what somebody said last in each session without looking at the messages.
drop index messages_by_sender;
create index messages_by_sender on messages (sender_no, no, session_no, number);
