//! Everything has a limit, and every limit is in this one table: the struct, its defaults, the
//! documentation and the tests come from it.

/// One row of the table, for documentation and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The field's name, and the tail of its configuration key.
    pub name: &'static str,
    /// Its default.
    pub default: u64,
    /// What is limited, with the unit.
    pub about: &'static str,
}

macro_rules! limits {
    ($($name:ident = $default:expr, $about:literal;)*) => {
        /// The limits in force.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct Limits {
            $(#[doc = $about] pub $name: u64,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Limits {
            /// The table, in order.
            pub const ROWS: &[Row] = &[
                $(Row { name: stringify!($name), default: $default, about: $about },)*
            ];

            /// Sets a limit by its name; false when there is none of that name.
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) => self.$name = value,)*
                    _ => return false,
                }
                true
            }

            /// A limit by its name.
            pub fn get(&self, name: &str) -> Option<u64> {
                match name {
                    $(stringify!($name) => Some(self.$name),)*
                    _ => None,
                }
            }
        }
    };
}

limits! {
    header_bytes_max = 16 * 1024, "Bytes of a request's header block.";
    header_fields_max = 64, "Fields of a request's header block.";
    header_ms_max = 10_000, "Milliseconds until a request's header block must be complete.";
    first_byte_ms_max = 5_000, "Milliseconds until a new connection must say something.";
    idle_ms_max = 75_000, "Milliseconds of silence after which a connection is closed.";
    answer_ms_max = 10_000, "Milliseconds until the first byte of an answer.";
    query_params_max = 100, "Parameters of a query string.";
    json_bytes_max = 64 * 1024, "Bytes of a request body.";
    json_depth_max = 32, "Nesting of a JSON document.";
    body_ms_max = 30_000, "Milliseconds until a request body must be complete.";
    message_ttl_s_max = 365 * 24 * 3_600, "Seconds that a message may live when it is to decay.";
    retention_s_min = 3_600, "Seconds that a room keeps what is said in it, at least.";
    retention_s_max = 3_650 * 24 * 3_600, "Seconds that a room keeps it, at most, if not for ever.";
    message_bytes_max = 16 * 1024, "Bytes of a message's text.";
    ciphertext_bytes_max = 32 * 1024, "Bytes of an encrypted message, as it is stored.";
    keys_json_bytes_max = 2 * 1024 * 1024, "Bytes of a request body about keys of encryption.";
    one_time_keys_max = 100, "One-time keys kept of one device.";
    claimed_devices_max = 5_000, "Devices of which keys are asked for in one request.";
    one_time_keys_per_hour = 20, "One-time keys of one device that one user is given an hour.";
    to_device_bytes_max = 64 * 1024, "Bytes of one message from device to device.";
    to_device_queue_max = 20_000, "Messages that wait for one device; more are not taken for it.";
    to_device_page_max = 100, "Messages from device to device in one answer or frame.";
    key_wait_ms_max = 30_000, "Milliseconds that a request waits for news about keys.";
    backup_keys_max = 200_000, "Session keys in one backup of keys.";
    account_data_max = 100, "Notes that the devices of one user keep for each other.";
    statements_max = 10_000, "Statements of who was let in that one encrypted session keeps.";
    session_devices_max = 1_000, "Devices up to which people are added to an encrypted session.";
    file_chars_max = 500, "Characters of the place of a file that goes with a message.";
    mentions_max = 50, "People named in one message.";
    reaction_bytes_max = 64, "Bytes of the emoji of a reaction.";
    reactions_max = 20, "Different emoji that people react to one message by.";
    reactions_own_max = 20, "Different emoji that one user reacts to one message by.";
    pins_max = 100, "Pinned messages of one session.";
    room_mention_people_max = 20, "People up to whom anybody may name all by `@room`.";
    drafts_max = 200, "Texts of one user that are not said yet.";
    revisions_max = 100, "Earlier wordings kept of one message; further edits are refused.";
    socket_message_bytes_max = 64 * 1024, "Bytes of a message on a WebSocket.";
    socket_fragments_max = 16, "Fragments of a message on a WebSocket.";
    socket_pings_per_s_max = 20, "Pings a second on one WebSocket.";
    heartbeat_ms = 30_000, "Milliseconds between the server's pings on a WebSocket.";
    commands_in_flight_max = 64, "Commands of one connection that wait for their answer.";
    subscriptions_max = 1_000, "Sessions that one connection hears.";
    stream_sessions_max = 64, "Sessions that one event stream names.";
    replay_page_max = 200, "Events read from the store at once for whoever catches up.";
    backlog_bytes_max = 256 * 1024, "Bytes that a connection may fall behind in a session.";
    backlog_events_max = 512, "Events that a connection may fall behind in a session.";
    telling_pause_ms = 50, "Milliseconds between two tellings of a session; 0: none.";
    telling_held_max = 4, "Messages that wait for its end; with one more, all are told.";
    stall_ms_max = 10_000, "Milliseconds that a connection may take nothing of what is due to it.";
    connections_per_device_max = 10, "Open connections of one device.";
    connections_per_user_max = 100, "Open connections of one user.";
    connections_per_address_max = 1_000, "Open connections of one network address.";
    connections_max = 100_000, "Open connections in all.";
    messages_per_s = 10, "Messages a second of one user.";
    messages_burst = 20, "Messages of one user at once.";
    room_messages_per_s = 100, "Messages a second in one room.";
    commands_per_s = 50, "Other changes a second of one user.";
    login_tries_per_min = 20, "Password tries a minute for one account, and for one address.";
    registrations_per_min = 60, "Registrations a minute from one address.";
    mails_per_hour = 10, "Mails an hour to one address.";
    code_tries_max = 5, "Wrong tries before a mailed code is dead.";
    page_max = 100, "Rows of one page.";
    search_bytes_max = 1_024, "Bytes of a search's query.";
    search_words_max = 32, "Words and operators of a search's query.";
    search_rows_max = 10_000, "Messages that one search looks at; its next page goes on there.";
    search_text_bytes_max = 2 * 1024 * 1024, "Bytes of text that one search looks at.";
    searches_per_s = 10, "Searches a second of one user.";
    first_sessions_max = 10, "Sessions whose newest messages come with the first screen.";
    first_messages_max = 20, "Messages of each of them.";
    username_chars_max = 32, "Characters of a username.";
    name_chars_max = 80, "Characters of a display, room or session name.";
    facade_name_chars_max = 150, "Characters of a name that is chosen by a façade.";
    facade_room_name_chars_max = 255, "Characters of a room's name that is chosen by a façade.";
    guest_name_chars_max = 25, "Characters of the name of somebody without a password.";
    facade_rows_max = 5_000, "Rows of a list that a façade answers whole: its newest.";
    facade_bytes_max = 8 * 1024 * 1024, "Bytes of the texts in such a list.";
    facade_scan_max = 100_000, "Messages that a search of a façade looks at.";
    status_chars_max = 140, "Characters of a status text.";
    description_chars_max = 1_000, "Characters of a room's description.";
    email_bytes_max = 254, "Bytes of an e-mail address.";
    password_chars_min = 8, "Characters of a password, at least.";
    password_bytes_max = 1_024, "Bytes of a password, at most.";
    direct_people_max = 10, "People of one direct room.";
    rooms_owned_max = 1_000, "Rooms that one user owns.";
    sessions_per_room_max = 1_000, "Open sessions of one room.";
    members_added_max = 100, "People added by one request.";
    receipts_kept_days = 7, "Days that the answer to a request is kept for its repetition.";
    sweep_s = 60, "Seconds between two sweeps of what is over: receipts, logins, codes.";
    sweep_rows_max = 200, "Rows that a sweep erases in one commit, which may make sends wait.";
    upload_bytes_max = 5 * 1024 * 1024 * 1024, "Bytes of a file that is sent in several requests.";
    upload_once_bytes_max = 50 * 1024 * 1024, "Bytes of a file that is sent in one request.";
    upload_stall_ms_max = 30_000, "Milliseconds that a request may bring nothing of its file.";
    upload_per_s_min = 1_024, "Bytes of a file that must come each second, on the whole.";
    upload_kept_s = 3_600, "Seconds that an unfinished file is kept after it last grew.";
    uploads_max = 20, "Unfinished files of one user.";
    upload_sync_bytes = 8 * 1024 * 1024, "Bytes of a file that may come between two syncs.";
    file_name_chars_max = 255, "Characters of a file's name; the middle of a longer one is cut.";
    file_unsent_hours = 24, "Hours that a file is kept which no message carries.";
    user_files_bytes_max = 2 * 1024 * 1024 * 1024, "Bytes of all files of one user.";
    all_files_bytes_max = 1024 * 1024 * 1024 * 1024, "Bytes of all files of everybody.";
    preview_links_max = 3, "Links of one message that are looked behind.";
    preview_bytes_max = 1024 * 1024, "Bytes of a page that are read for what it says of itself.";
    preview_image_bytes_max = 5 * 1024 * 1024, "Bytes of the picture that a page has of itself.";
    preview_title_chars_max = 200, "Characters of the title of what is behind a link.";
    preview_description_chars_max = 500, "Characters that say what it is about.";
    preview_site_chars_max = 80, "Characters of the name of its site.";
    files_per_message_max = 10, "Files that one message carries.";
    image_pixels_max = 40_000_000, "Pixels of a picture.";
    image_frames_max = 1_000, "Pictures in one animation.";
    image_memory_bytes_max = 256 * 1024 * 1024, "Bytes of memory that drawing a picture takes.";
    image_tasks_max = 2, "Pictures that are looked into at once.";
    thumbnail_pixels_max = 480, "Pixels of a small picture's longer side.";
    thumbnail_wait_ms_max = 5_000, "Milliseconds that a small picture is waited for.";
    picture_bytes_max = 5 * 1024 * 1024, "Bytes of a picture that a person wants to look like.";
    picture_pixels = 256, "Pixels of each side of what is made of it.";
    job_tasks_max = 4, "Jobs of one kind that a node does at once.";
    job_tries_max = 12, "Tries before a job is given up.";
    jobs_kept_days = 30, "Days that a job is kept which was given up.";
    media_ticket_s = 600, "Seconds that a ticket to fetch files is good.";
    egress_ms_max = 5_000, "Milliseconds until something from elsewhere must be here, all in all.";
    egress_connect_ms_max = 2_000, "Milliseconds until one address elsewhere must answer.";
    egress_redirects_max = 3, "Times that what is fetched may be sent on to elsewhere.";
    egress_url_bytes_max = 2_048, "Bytes of a URL that is fetched.";
    egress_header_bytes_max = 64 * 1024, "Bytes of the header of what is fetched.";
    egress_header_fields_max = 100, "Fields of the header of what is fetched.";
    typing_ms = 3_000, "Milliseconds between two typing notices of one user.";
}

impl Limits {
    /// No limit that a benchmark would meet: rates and counts are lifted, sizes stay.
    pub fn lifted() -> Self {
        Self {
            messages_per_s: u64::from(u32::MAX),
            messages_burst: u64::from(u32::MAX),
            room_messages_per_s: u64::from(u32::MAX),
            commands_per_s: u64::from(u32::MAX),
            searches_per_s: u64::from(u32::MAX),
            login_tries_per_min: u64::from(u32::MAX),
            registrations_per_min: u64::from(u32::MAX),
            connections_per_device_max: u64::from(u32::MAX),
            connections_per_user_max: u64::from(u32::MAX),
            connections_per_address_max: u64::from(u32::MAX),
            backlog_bytes_max: 8 * 1024 * 1024,
            backlog_events_max: 65_536,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_read_and_set_by_its_name() {
        let mut limits = Limits::default();
        for row in Limits::ROWS {
            assert_eq!(limits.get(row.name), Some(row.default), "{}", row.name);
            assert!(limits.set(row.name, row.default + 1), "{}", row.name);
            assert_eq!(limits.get(row.name), Some(row.default + 1), "{}", row.name);
        }
        assert!(!limits.set("no_such_limit", 1));
    }
}
