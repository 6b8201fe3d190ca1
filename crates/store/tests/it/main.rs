//! What every backend of the store must do: one suite, run on each.
//!
//! A case is a function that is given a [`world::World`] with a fresh store. The table below names
//! every case once; a backend runs them all by one line. What only one backend promises (files,
//! locks, recovery) stands in a module of its own.

#![expect(clippy::unwrap_used, reason = "a case that cannot go on says where")]

mod accounts;
mod concurrency;
mod decay;
mod drafts;
mod encrypted;
mod ending;
mod entries;
mod erasures;
mod filing;
mod handles;
mod index;
mod jobs;
mod lanes;
mod logins;
mod members;
mod messages;
mod model;
mod moves;
mod nodes;
mod paging;
mod pictures;
mod pins;
mod postgres;
mod previews;
mod random;
mod reactions;
mod rooms;
mod rules;
mod sealed;
mod sealed_files;
mod searching;
mod sessions;
mod sqlite;
mod threads;
mod upgrades;
mod world;

macro_rules! suite {
    ($open:path) => {
        suite! { $open =>
            accounts {
                the_first_account_owns_the_lobby_and_the_next_are_members
                a_new_account_hears_of_the_lobby_in_its_own_log
                a_taken_handle_or_address_is_refused_and_told_apart
                a_discreet_account_does_without_a_taken_address
                people_are_found_by_the_beginning_of_their_handle_or_name
                credentials_are_found_by_handle_address_and_id
                a_profile_changes_where_asked_and_its_owner_hears_of_it
                a_taken_handle_refuses_a_profile_change
                a_new_password_revokes_every_other_login
                a_right_code_is_used_up_and_proves_the_address
                wrong_codes_count_until_the_code_is_dead
                a_code_ends_in_time_and_is_replaced_by_the_next
                who_hides_when_they_were_here_is_not_shown
            }
            logins {
                a_login_lives_until_it_ends
                a_refresh_token_is_exchanged_for_the_next
                a_refresh_token_used_twice_revokes_its_login
                a_dead_login_is_neither_rotated_nor_extended
                devices_are_listed_by_last_use
                a_device_is_signed_out_by_its_user_only
                signing_out_everywhere_names_each_login_that_was_alive
                the_dead_are_told_from_the_living
                what_is_over_is_forgotten
            }
            rooms {
                a_new_room_has_its_people_and_tells_them
                a_room_with_a_stranger_is_not_made
                a_person_owns_no_more_rooms_than_the_limit
                a_creating_request_is_carried_out_once
                a_key_is_for_one_kind_of_thing
                a_direct_room_is_one_for_each_set_of_people
                who_left_a_direct_room_is_in_it_again
                a_room_is_seen_by_members_and_when_open_by_everybody
                public_rooms_are_found_by_any_part_of_their_text
                the_rooms_of_a_person_come_in_the_order_of_their_making
                settings_change_where_asked_and_are_logged
                archiving_makes_earlier_decisions_stale
                a_deleted_room_is_gone_for_everybody
            }
            members {
                a_newcomer_has_nothing_unread
                joining_twice_changes_nothing
                people_who_are_added_hear_by_whom
                leaving_logs_left_in_every_session
                an_ex_member_reads_nothing
                the_last_owner_hands_the_room_to_its_heir
                a_draft_decided_before_a_kick_is_stale
                who_is_banned_stays_out_until_unbanned
                a_new_role_is_logged_and_makes_earlier_decisions_stale
                a_refused_change_leaves_no_trace
                members_are_paged_by_username
            }
            sessions {
                a_session_begins_with_its_members
                a_session_takes_only_members_of_its_room
                a_session_in_an_unseen_room_is_not_found
                opening_a_session_is_carried_out_once
                who_is_added_to_a_session_has_nothing_unread
                who_is_removed_from_a_session_stays_in_the_room
                a_renamed_session_says_so_in_its_log
                an_ended_session_is_neither_read_nor_written
                sessions_are_listed_with_the_main_one_first
                a_session_is_seen_by_its_members_only
                sessions_are_found_that_two_people_share
                a_marker_moves_forward_up_to_the_head
                unread_mentions_are_counted
                what_one_says_oneself_is_read
                markers_of_who_hides_are_hidden
            }
            messages {
                a_message_reads_as_it_was_sent
                a_repeated_send_answers_with_the_first_result
                a_client_id_with_another_text_is_refused
                an_answer_is_to_a_message_of_the_same_session
                a_reworded_message_keeps_its_earlier_wordings
                a_deleted_message_keeps_its_number_only
                what_is_not_seen_is_neither_reworded_nor_deleted
                a_refused_rewording_changes_nothing
                messages_of_a_person_are_found_in_shared_sessions_only
                the_newest_messages_come_where_something_was_said_last_first
                a_receipt_is_forgotten_in_its_time
                receipts_of_places_are_forgotten_too
            }
            reactions {
                a_reaction_is_told_and_counted
                a_repeated_reaction_changes_nothing
                people_of_a_reaction_are_named_in_order_and_paged
                reactions_are_seen_wherever_a_message_is_read
                too_many_reactions_are_refused
                reactions_go_with_their_message
                who_cannot_see_a_message_cannot_react_to_it
                a_deleted_account_takes_its_reactions_back
            }
            pins {
                pins_are_told_and_listed_the_last_one_first
                who_may_pin_depends_on_the_place
                a_pin_goes_with_its_message
            }
            previews {
                previews_are_brought_once_and_told
                previews_are_of_the_words_that_are_there
                a_picture_is_for_those_who_see_the_message
                who_takes_previews_off_does_so_for_good
                a_room_goes_with_its_previews
            }
            threads {
                what_is_said_in_a_thread_counts_with_it
                a_thread_is_under_a_message_of_the_timeline_only
                those_concerned_follow_a_thread
                a_thread_is_read_in_pages
                a_thread_outlives_what_began_it
                threads_are_listed_where_something_was_said_last_first
                naming_everybody_is_one_row
                words_that_are_passed_on_keep_their_author
            }
            drafts {
                a_draft_is_kept_for_each_place
                a_draft_is_refused_beyond_the_limit
                drafts_go_when_their_author_goes
            }
            decay {
                what_is_due_goes_with_all_that_there_is_of_it
                what_decays_at_once_is_told_by_runs_of_numbers
                what_a_session_says_holds_for_what_is_said_from_then_on
                files_go_with_the_last_message_and_no_copy_outlives_the_first
            }
            sealed {
                what_is_sealed_reads_as_everything_else_does
                what_is_sealed_is_found_by_its_words
                what_was_said_before_its_session_got_an_end_is_sealed_then
                another_wording_of_what_is_sealed_is_sealed
            }
            sealed_files {
                a_file_is_sealed_with_the_message_that_carries_it
                a_file_that_is_somewhere_for_longer_is_not_sealed
                a_sealed_file_is_read_by_every_message_that_carries_it
                a_file_that_has_changed_meanwhile_is_not_replaced
                files_of_a_session_that_gets_an_end_are_sealed_then
            }
            ending {
                a_session_ends_at_its_moment_and_nothing_that_was_said_is_left
                nothing_of_an_ended_session_is_read_before_it_is_erased
                what_is_said_puts_off_an_end_by_silence
                nothing_is_said_in_the_last_moments_where_that_was_chosen
                who_manages_a_session_says_when_it_ends
                no_copy_of_a_file_outlives_the_session_that_it_is_from
            }
            rules {
                a_session_begins_with_what_its_room_lays_down_unless_it_says_otherwise
                no_more_sessions_are_open_than_the_room_allows
                what_is_said_is_kept_no_longer_than_the_room_keeps_it
                what_was_said_before_is_kept_no_longer_either_a_few_at_a_time
                keeping_for_longer_brings_nothing_back
                what_a_room_keeps_for_a_few_days_only_is_sealed
            }
            encrypted {
                the_name_of_an_installation_stays
                keys_of_a_device_are_published_once_and_never_changed
                the_devices_of_a_session_are_counted_with_those_who_are_to_come
                each_one_time_key_is_given_out_once_and_then_the_fallback
                claimers_at_once_never_get_the_same_key
                what_waits_for_a_device_comes_in_order_until_it_is_taken
                pages_of_a_queue_say_that_there_is_more
                who_shares_an_encrypted_session_hears_whose_keys_have_changed
                a_device_that_is_signed_out_leaves_nothing
                whoever_signs_somebody_s_keys_hears_of_it_and_nobody_else_does
                signatures_are_added_and_third_parties_do_not_see_them
                a_backup_keeps_the_better_key
                a_note_is_its_writers_alone
                statements_stay_in_order_and_the_newest_are_kept
                statements_made_at_the_same_time_each_have_a_number
                what_is_encrypted_is_for_those_who_are_there
                what_is_encrypted_is_kept_as_it_is_and_found_by_no_word
            }
            paging {
                the_newest_page_ends_at_the_head
                a_page_before_or_after_a_number_leaves_it_out
                a_page_around_a_number_holds_it
                an_empty_page_knows_what_is_beside_it
            }
            handles {
                a_guest_has_a_name_of_their_own_and_is_not_in_the_lobby
                people_are_found_by_their_small_id
                a_room_goes_by_its_slug_or_its_id
                messages_are_listed_over_all_rooms_of_the_reader
                a_deleted_account_leaves_numbers_only
                a_pending_account_gives_way_to_a_new_one_with_its_address
                a_facades_refresh_token_stays_good_until_the_next_login
            }
            entries {
                a_log_is_read_from_any_point
                an_entry_shows_its_message_as_it_is_now
                what_is_told_is_what_is_stored
                ones_own_log_has_no_holes
                an_entry_about_what_one_has_left_shows_nothing
                heads_are_told_of_what_exists
                the_store_says_that_it_works
            }
            filing {
                an_upload_grows_in_turns
                a_complete_upload_becomes_a_file
                nobody_keeps_more_than_there_is_room_for
                fifty_at_once_do_not_exceed_a_quota
                the_same_bytes_go_with_the_last_who_has_them
                what_came_to_nothing_is_swept
                what_nobody_was_shown_goes_in_time
                a_file_has_one_thumbnail_which_goes_with_it
                who_goes_takes_along_what_nobody_was_shown
                a_file_is_seen_by_those_who_may_read_a_message_with_it
                nobody_sends_what_they_may_not_have
                a_file_goes_with_the_last_message_that_carries_it
                files_go_with_their_room
            }
            pictures {
                a_picture_is_seen_by_everybody_until_the_next
                a_picture_counts_as_other_files_do
                the_same_picture_again_is_another_file
                a_picture_that_was_passed_on_stays_with_the_message
                a_picture_goes_with_its_account
            }
            jobs {
                a_job_is_there_once_and_done_by_one
                a_job_that_nobody_finished_is_taken_over
                a_job_that_fails_comes_back_when_it_is_due
                what_is_given_up_stays_for_a_while
                what_is_asked_for_meanwhile_is_done_again
                a_worker_gives_back_what_it_has
                no_job_is_given_to_two
                a_picture_is_to_be_drawn
            }
            searching {
                what_was_said_is_found_at_once_newest_first
                nothing_is_found_where_one_is_not
                who_was_sent_away_finds_nothing_any_more
                who_comes_in_finds_what_was_said_before
                a_reworded_message_is_found_by_its_new_words_only
                what_is_deleted_is_not_found
                people_and_places_narrow_a_search
                times_narrow_a_search
                a_message_is_found_by_what_it_has
                a_search_goes_on_where_its_page_ended
                a_search_that_has_looked_enough_goes_on_later
                any_query_is_harmless
            }
            concurrency {
                numbers_have_no_holes_under_concurrent_sends
                a_concurrent_repetition_is_stored_once
                drafts_are_stored_in_the_order_in_which_they_were_queued
                a_send_either_precedes_a_removal_or_is_refused
            }
        }

        #[test]
        fn random_operations_agree_with_a_model() {
            crate::random::random_operations_agree_with_a_model($open);
        }
    };
    ($open:path => $($module:ident { $($case:ident)* })*) => {
        $(mod $module {
            $(#[tokio::test]
            async fn $case() {
                crate::$module::$case($open().await).await;
            })*
        })*
    };
}

mod on_sqlite {
    suite!(crate::sqlite::fresh);
}

mod on_postgres {
    suite!(crate::postgres::fresh);
}
