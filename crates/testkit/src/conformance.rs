//! The promises of the repository ports, one test each, for every store alike.
//!
//! The tests are named after the promises in the docs of `chat-ports`. They need no runtime: futures are
//! driven by [`futures_executor::block_on`], parallel ones on threads of their own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "this is test code, although it is compiled as a library"
)]

#[doc(hidden)]
pub mod archive;
#[doc(hidden)]
pub mod archive_reading;
#[doc(hidden)]
pub mod archive_state;
#[doc(hidden)]
pub mod blocks;
#[doc(hidden)]
pub mod changes;
#[doc(hidden)]
pub mod commits;
#[doc(hidden)]
pub mod conversations;
#[doc(hidden)]
pub mod deadlines;
#[doc(hidden)]
pub mod editing;
#[doc(hidden)]
pub mod history;
#[doc(hidden)]
pub mod listing;
#[doc(hidden)]
pub mod reading;
#[doc(hidden)]
pub mod receipts;
#[doc(hidden)]
pub mod repeats;
#[doc(hidden)]
pub mod restart;
#[doc(hidden)]
pub mod sending;
#[doc(hidden)]
pub mod users;
mod world;

/// Makes one `#[test]` of every promise of the repository ports.
///
/// Takes the path of a `fn() -> Fixture` that makes a fresh, empty store at each call.
///
/// ```
/// use chat_testkit::{Fixture, ManualClock, MemoryStore, RecordingListener, StorePorts};
/// use std::sync::Arc;
///
/// fn fixture() -> Fixture {
///     let clock = Arc::new(ManualClock::new());
///     let commits = RecordingListener::new();
///     let store = MemoryStore::new(clock.clone(), commits.clone());
///     Fixture { ports: StorePorts::of(&store), commits, clock, reopen: None }
/// }
///
/// chat_testkit::conformance!(fixture);
/// ```
#[macro_export]
macro_rules! conformance {
    ($fixture:path) => {
        $crate::conformance! { @tests $fixture,
            blocks:
                a_block_stands_until_it_is_taken_back_and_keeps_its_time
                blocks_are_told_in_both_directions_and_of_those_who_were_asked_for
                nobody_blocks_more_than_one_may
                after_a_restart_blocks_stand
                partners_are_those_with_whom_something_was_written;
            changes:
                everything_that_changed_since_a_position_is_met_as_it_is_now
                after_a_walk_the_next_one_has_what_came_since
                who_missed_nothing_gets_a_position_to_go_on_from
                new_messages_are_met_in_the_order_of_their_numbers
                a_page_of_changes_ends_early_when_its_text_is_long
                what_changes_during_a_walk_is_in_the_next_one
                what_changed_before_a_walk_is_in_it_whatever_becomes_of_it_meanwhile
                a_message_that_changed_many_times_is_met_once
                a_walk_goes_through_many_conversations_and_messages
                after_a_restart_positions_are_good
                a_position_that_is_none_is_foreign;
            commits:
                a_stored_message_is_one_commit_before_its_answer
                the_socket_that_need_not_be_told_is_handed_on
                a_reading_that_changes_something_is_one_commit_before_its_answer
                what_changes_nothing_is_no_commit
                copies_that_are_on_their_way_together_are_one_commit
                parallel_sends_are_told_once_each_in_the_order_of_numbers;
            conversations:
                conversations_stand_most_recent_first_with_their_last_message
                each_side_has_the_conversation_in_its_list
                who_never_wrote_has_no_conversation
                the_last_message_has_the_highest_number_whatever_the_clock_says
                at_the_same_time_the_larger_id_comes_first
                a_walk_meets_every_conversation_once
                a_conversation_cursor_is_a_position_whether_or_not_something_stands_there
                unread_counts_what_was_sent_to_the_user_and_not_read
                counting_unread_stops_where_it_is_told
                the_last_message_is_shown_as_it_is_now;
            deadlines:
                a_send_past_its_deadline_fails_and_its_retry_is_stored_once
                a_late_send_leaves_no_gap
                a_reading_past_its_deadline_fails_and_its_retry_reads;
            editing:
                an_edited_message_has_the_new_text_and_keeps_the_rest
                of_two_edits_the_one_that_is_stored_later_has_the_later_time
                an_unknown_message_is_neither_edited_nor_deleted
                a_deleted_message_has_no_text_and_keeps_its_place
                deleting_again_changes_nothing
                a_repeat_is_compared_with_the_text_that_was_first_sent
                any_text_repeats_a_deleted_message
                an_edit_and_a_deletion_are_one_commit_each_before_their_answers
                of_edits_beside_a_deletion_the_deletion_wins
                receipts_and_edits_beside_each_other_all_count
                an_edit_and_a_deletion_past_their_deadlines_fail
                after_a_restart_edits_and_deletions_stand;
            history:
                the_newest_page_is_the_end_of_the_conversation_oldest_first
                skipping_passes_over_the_newest
                skipping_past_the_end_is_an_empty_page
                a_page_before_a_message_ends_just_before_it
                a_page_after_a_message_begins_just_after_it
                walks_in_both_directions_meet_every_message_once
                a_page_ends_early_away_from_the_anchor_when_its_text_is_long
                a_page_has_at_least_one_message_however_long
                both_sides_see_the_same
                a_conversation_without_messages_is_an_empty_page
                a_long_conversation_is_paged_everywhere;
            listing:
                a_walk_meets_every_user_once_in_the_order_of_names
                the_one_who_asks_is_left_out
                a_prefix_is_of_the_folded_name
                a_prefix_is_literal
                a_cursor_is_a_position_whether_or_not_somebody_stands_there
                who_comes_during_a_walk_does_not_disturb_it
                an_empty_list_is_a_page_without_more;
            reading:
                everything_up_to_the_message_becomes_read
                only_what_the_other_side_sent_becomes_read
                reading_again_changes_nothing
                reading_further_counts_what_is_new_and_keeps_what_was_read
                at_most_the_newest_ids_are_answered_and_all_are_counted
                a_message_that_was_not_sent_to_the_reader_is_none
                what_comes_later_and_other_conversations_are_untouched
                parallel_readings_count_each_message_once
                reading_while_others_send_reads_up_to_the_message;
            receipts:
                everything_up_to_the_message_becomes_delivered
                delivering_again_changes_nothing_and_further_keeps_what_was
                what_is_read_is_delivered_with_the_reading
                at_most_the_newest_delivered_ids_are_answered_and_all_are_counted
                nobody_delivers_what_was_sent_to_somebody_else
                a_receipt_is_one_commit_with_its_kind
                parallel_receipts_mark_each_message_once_of_each_kind
                after_a_restart_what_was_delivered_is_delivered;
            repeats:
                a_repeat_is_answered_with_the_stored_message
                a_repeat_shows_the_message_as_it_is_now
                parallel_copies_become_one_message
                copies_that_are_on_their_way_together_become_one_message
                another_text_under_the_same_client_id_is_refused
                another_text_is_refused_while_the_first_is_on_its_way
                the_same_client_id_to_another_receiver_is_another_message
                the_same_client_id_from_the_other_side_is_another_message
                client_ids_differ_by_case_and_are_no_patterns
                a_client_id_may_look_like_a_message_id
                messages_without_a_client_id_are_never_the_same
                a_client_id_is_remembered_after_many_other_messages
                a_message_is_found_by_the_name_that_its_sender_gave_it;
            restart:
                after_a_restart_the_users_are_there_and_unique
                after_a_restart_everything_answered_is_there_and_numbers_go_on
                after_a_restart_repeats_are_known
                after_a_restart_what_was_read_is_read
                after_a_restart_nothing_is_told_again;
            sending:
                a_message_is_stored_as_it_was_given
                a_message_without_a_client_id_has_none
                both_directions_are_numbered_in_one_sequence
                each_conversation_is_numbered_for_itself
                the_clock_does_not_decide_the_order
                parallel_sends_are_numbered_without_gaps
                the_order_of_first_polls_is_the_order_of_numbers
                a_send_that_nobody_waits_for_is_stored_all_the_same
                what_was_answered_is_in_every_later_read
                an_unknown_message_is_not_found;
            users:
                an_inserted_user_is_answered_as_given_and_found
                who_does_not_exist_is_not_found
                a_login_is_compared_ignoring_case
                a_login_is_either_a_name_or_an_address_and_no_pattern
                find_many_gives_those_that_exist
                a_name_is_taken_whatever_its_case
                an_address_is_taken_whatever_its_case
                where_name_and_address_are_taken_the_name_is_told
                a_refused_insert_leaves_nothing_behind
                of_parallel_inserts_of_a_name_one_succeeds
                of_parallel_inserts_of_an_address_one_succeeds
                recorded_presence_is_shown_and_the_latest_counts
                presence_of_unknown_users_is_passed_over
                clearing_presence_leaves_everybody_offline_and_last_seen_as_it_was
                a_store_that_works_is_healthy;
        }
    };
    (@tests $fixture:path, $($module:ident: $($name:ident)*;)*) => {
        $($(
            #[test]
            fn $name() {
                $crate::conformance::$module::$name($fixture());
            }
        )*)*
    };
}

/// Makes one `#[test]` of every promise of the [`Archive`](chat_ports::Archive) port.
///
/// Takes the path of a `fn() -> Fixture` whose ports are [`movable`](crate::StorePorts::movable).
#[macro_export]
macro_rules! archive_conformance {
    ($fixture:path) => {
        $crate::conformance! { @tests $fixture,
            archive:
                an_empty_store_is_an_empty_archive
                everything_is_walked_as_it_stands_in_the_order_of_an_archive
                an_extent_tells_how_much_there_is_and_where_it_ends
                a_page_of_an_archive_ends_early_when_its_text_is_long
                put_users_stand_exactly_as_they_were_given
                another_account_of_the_same_id_is_refused_by_its_field
                accounts_that_differ_by_case_only_both_stand_or_collide
                put_messages_stand_exactly_as_they_were_given
                messages_of_absent_users_and_to_oneself_are_kept
                putting_again_what_stands_there_changes_nothing
                another_message_in_its_place_is_refused_by_its_field
                a_gap_is_refused
                sending_goes_on_after_what_was_put
                what_is_put_is_no_commit
                after_a_restart_what_was_put_is_there
                a_long_archive_is_moved_in_pages;
            archive_state:
                blocks_are_walked_and_put_as_they_stand
                messages_with_all_that_may_have_become_of_them_are_put_exactly;
            archive_reading:
                any_set_of_messages_may_have_been_read
                reading_up_to_a_message_reads_the_unread_ones_before_it_and_no_others
                at_most_the_newest_ids_are_answered_among_what_was_put
                reading_and_sending_go_on_across_restarts;
        }
    };
}

#[cfg(test)]
mod tests;
