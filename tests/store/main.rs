//! The conformance suite of the stores: each check is written once and runs on memory, SQLite and PostgreSQL.
//!
//! A check is an `async fn` that takes an empty [`backend::Backend`]. One that is missing below is reported by the
//! compiler as unused.

#![cfg(test)]

mod attempts;
mod audit_trail;
mod backend;
mod email_changes;
mod fixture;
mod identities;
mod keys;
mod late_commit;
mod oauth_flows;
mod one_time_tokens;
mod outbox;
mod own_factor;
mod own_sessions;
mod passwords;
mod postgres_alone;
mod profiles;
mod redis;
mod retention;
mod revocations;
mod rights;
mod roles;
mod rotation;
mod second_factors;
mod service_accounts;
mod sessions;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other test binaries use the rest")]
mod support;
mod trail;
mod unlinked_identities;
mod user_directory;
mod user_list;
mod user_transfer;
mod users;

macro_rules! conformance {
    ($($room:ident { $($check:ident)* })*) => {
        conformance!(@on memory $($room { $($check)* })*);
        conformance!(@on sqlite $($room { $($check)* })*);
        conformance!(@on postgres $($room { $($check)* })*);
    };
    (@on $backend:ident $($room:ident { $($check:ident)* })*) => {
        mod $backend {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $check() {
                    crate::$room::$check(crate::backend::$backend().await).await;
                }
            )*)*
        }
    };
}

conformance! {
    users {
        a_new_account_is_active_and_found
        a_new_account_is_mailed_and_told
        an_address_is_taken_whatever_its_case
        the_owner_of_a_taken_address_is_told_if_asked
        of_parallel_registrations_one_wins
        nobody_is_found_where_nobody_is
    }
    profiles {
        a_change_touches_what_it_names_alone
        a_change_is_told_by_its_actor_with_its_fields
        a_change_decided_on_an_older_revision_is_refused
        what_is_so_already_writes_nothing
        of_parallel_changes_of_one_revision_one_wins
        nobody_is_changed_where_nobody_is
    }
    user_directory {
        an_invited_account_has_no_password_and_gets_a_mail
        an_account_with_a_password_is_verified_and_not_mailed
        an_invitation_needs_its_roles
        an_invitation_to_a_taken_address_is_refused_and_told
        an_update_touches_what_it_names_and_is_told
        of_parallel_updates_of_one_revision_one_wins
        nobody_else_is_updated
        a_new_address_kills_mailed_tokens_and_is_told_to_the_old_one
        a_verified_new_address_is_not_asked
        an_address_of_somebody_else_is_refused_and_told
        of_parallel_moves_to_one_address_one_wins
        a_required_reset_takes_everything_but_the_account
        a_required_reset_leaves_others_alone
        a_required_reset_is_mailed_however_many_were
        no_session_outlives_a_required_reset_that_races_it
    }
    user_list {
        every_order_is_walked_without_loss
        filters_choose_together
        prefixes_are_taken_literally
        prefixes_are_compared_byte_by_byte
        accounts_of_one_moment_are_told_apart
    }
    user_transfer {
        an_import_keeps_all_that_a_row_says_and_mails_nobody
        what_is_there_already_is_left_as_it_is
        an_address_of_somebody_else_is_not_taken_over
        of_two_rows_that_are_the_same_the_first_counts
        a_row_at_fault_hurts_no_other
        of_parallel_imports_of_one_file_each_account_is_made_once
        whole_batches_come_in
        an_export_walks_over_everything_in_order
        a_deleted_account_frees_its_external_id
    }
    own_sessions {
        the_session_used_last_is_listed_first
        sessions_of_one_moment_are_listed_newest_first
        what_has_ended_or_expired_is_not_listed
        a_session_keeps_the_source_that_it_was_opened_from
        an_end_is_told_by_whoever_made_it
    }
    passwords {
        a_change_of_password_does_all_that_it_promises
        a_change_of_password_is_told_by_its_actor
        the_session_that_changed_the_password_goes_on_with_the_next_epoch
        a_change_of_password_kills_mailed_tokens
        a_change_of_password_trusts_no_source_but_its_own
        a_password_that_moved_meanwhile_is_left_alone
        of_parallel_changes_of_one_password_one_wins
        no_sign_in_outlives_a_change_of_password_that_races_it
    }
    attempts {
        parallel_attempts_are_counted_exactly
        unknown_accounts_are_counted_apart
        a_cleared_account_starts_afresh
        a_source_is_known_after_a_sign_in
    }
    sessions {
        a_session_is_found_with_its_user
        a_changed_user_gets_no_session
        a_disabled_user_gets_no_session
        no_session_outlives_a_change_that_races_it
        a_sign_in_clears_the_failures
        an_outdated_hash_is_renewed_if_it_is_still_there
        a_sign_in_from_a_new_source_is_mailed
        the_oldest_sessions_over_the_cap_end
        parallel_sign_ins_keep_the_cap
        scopes_end_what_they_name
        ending_twice_ends_once
        the_sessions_of_others_are_safe
    }
    rotation {
        a_rotation_moves_the_session_on
        of_parallel_rotations_one_wins_and_the_rest_repeat
        strict_parallel_rotations_end_the_session
        the_last_token_repeats_within_the_grace_window_alone
        a_replayed_token_ends_its_session
        an_older_token_is_replayed_even_within_the_grace_window
        a_generation_ahead_opens_nothing
        an_idle_or_old_session_is_gone
        an_ended_session_is_gone
        a_changed_user_cannot_rotate
        the_wrong_user_cannot_rotate
    }
    one_time_tokens {
        a_token_is_found_for_its_purpose_until_it_expires
        a_newer_token_kills_the_older
        a_reset_does_all_that_it_promises
        a_refused_reset_is_told
        of_parallel_resets_one_works
        a_reset_kills_the_other_tokens
        a_reset_forgets_the_sources_that_the_old_password_let_in
        an_address_is_verified_once
        a_disabled_user_is_served_by_no_token
    }
    email_changes {
        a_change_that_waits_dies_with_the_address_that_it_was_asked_under
        a_request_queues_one_mail_and_one_event_for_every_address
        an_ended_session_or_a_disabled_user_requests_nothing
        a_confirmation_does_all_that_it_promises
        of_parallel_confirmations_one_works
        an_address_goes_to_one_of_those_who_confirm_it_at_once
        an_address_that_was_taken_in_between_uses_the_token_up
        a_change_dies_with_time_a_newer_one_a_reset_or_a_raised_epoch
        a_token_of_another_purpose_changes_no_address
        a_sign_in_from_a_new_source_tells_source_and_device
    }
    second_factors {
        a_challenge_is_found_until_it_expires
        a_changed_user_is_not_challenged
        a_challenge_renews_an_outdated_hash
        a_completion_opens_the_session_and_uses_challenge_and_step_up
        of_parallel_completions_with_one_code_one_works
        of_parallel_completions_of_one_challenge_one_works
        a_recovery_code_works_once_and_is_told
        a_challenge_ends_with_the_last_wrong_code_that_it_allows
        no_code_is_right_after_too_many_wrong_ones
        an_enrolment_does_all_that_it_promises
        a_new_authenticator_takes_the_place_of_the_old_one_with_its_codes
        of_parallel_changes_of_one_factor_one_works
        an_enrolment_by_a_challenge_opens_a_session_of_the_next_epoch
        an_ended_session_changes_no_factor
        a_removed_factor_takes_its_codes_along
        new_recovery_codes_take_the_place_of_the_old_ones
    }
    own_factor {
        the_owner_is_warned_of_wrong_codes_once_an_hour_and_the_trail_each_time
        a_factor_is_described_with_its_time_and_the_codes_that_are_left
        a_session_that_goes_on_without_the_factor_no_longer_says_that_it_was_shown
    }
    identities {
        somebody_new_gets_an_account_and_is_known_from_then_on
        of_parallel_arrivals_of_one_identity_one_makes_the_account
        a_verified_address_links_where_both_sides_have_verified_it
        an_address_that_only_one_side_has_verified_links_nothing_of_the_other
        a_name_that_leads_to_another_issuer_hands_no_account_over
        an_account_with_a_second_factor_is_linked_by_its_owner_alone
        an_account_that_has_been_given_roles_is_linked_by_its_owner_alone
        an_account_that_nobody_verified_is_emptied_before_it_is_linked
        an_address_that_only_looks_alike_opens_nothing
        a_disabled_account_and_closed_registration_take_nobody_in
        an_owner_links_what_nobody_else_has
        an_account_with_an_unverified_address_links_nothing
        an_account_has_twenty_identities_at_most
        what_is_unlinked_opens_nothing_and_what_it_opened_ends
        the_last_way_to_sign_in_stays_also_when_two_go_at_once
    }
    unlinked_identities {
        what_was_unlinked_comes_back_by_its_owners_link_alone
        an_administrator_takes_the_last_way_to_sign_in_too
        a_required_reset_takes_identities_for_good
        an_address_that_an_administrator_changes_takes_the_identities_along
        who_proves_an_address_finds_nobody_elses_identity_behind_it
        an_owner_who_changes_the_address_keeps_the_identities
        an_emptied_account_tells_of_all_that_it_loses
    }
    oauth_flows {
        a_flow_gives_back_what_it_was_given_once
        of_parallel_redemptions_and_returns_one_works
        a_flow_comes_back_in_time_to_its_provider_and_in_its_browser_alone
        a_flow_that_is_given_up_has_ended
        a_flow_is_redeemed_by_who_began_it_and_in_time
    }
    outbox {
        a_request_looks_the_same_for_every_address
        two_workers_get_different_mails
        a_lease_hides_and_ends
        a_postponed_mail_comes_back_and_counts
        a_sealed_message_is_kept_until_the_mail_is_removed
        only_so_many_tokens_an_hour
        what_waits_is_counted_leased_or_not
    }
    rights {
        a_grant_takes_effect_once_and_is_told
        a_role_that_is_not_there_is_not_granted
        a_revoked_role_goes_and_the_session_stays
        a_disabled_account_loses_its_sessions
        an_enabled_account_keeps_its_epoch
        the_last_administrator_stays
        a_disabled_administrator_is_none
        an_administrator_without_a_password_is_none
        a_user_has_sixty_four_roles_at_most
        of_two_who_demote_each_other_one_stays
        a_deleted_account_leaves_nothing_but_ids
        the_waiting_mails_of_others_stay
    }
    service_accounts {
        a_secret_opens_its_own_account_alone
        an_account_needs_roles_that_exist
        a_role_of_a_service_account_is_in_use
        two_secrets_are_good_during_the_overlap
        a_secret_lasts_to_the_earliest_overlap_that_it_was_given
        without_overlap_secrets_and_tokens_end_at_once
        an_eleventh_secret_is_refused_unless_it_ends_the_others
        the_roles_of_a_new_account_are_told_as_granted
        a_deleted_account_is_gone_and_its_tokens_revoked
        accounts_are_listed_in_their_order_page_by_page
        users_and_service_accounts_stand_as_they_are
        one_token_of_an_account_is_revoked_alone
    }
    roles {
        three_roles_are_there_from_the_start
        a_role_is_created_once
        there_are_a_thousand_roles_at_most
        a_role_goes_once_nobody_has_it
        a_built_in_role_does_not_go
        no_grant_outlives_the_role_that_it_races
    }
    audit_trail {
        events_are_listed_by_time_and_filter
        pages_of_events_of_one_moment_neither_skip_nor_repeat
        whoever_follows_is_told_everything_once_in_order
        the_end_is_where_new_events_begin
        whoever_follows_parallel_writers_misses_nothing
    }
    revocations {
        every_live_revocation_is_read_from_the_start
        a_cursor_reads_on
        the_expired_are_left_out
        parallel_writers_lose_nothing
        a_gap_is_closed_with_all_that_came_after_the_cursor
        a_gap_wider_than_asked_for_or_of_another_database_is_not_closed
    }
    keys {
        an_empty_store_has_no_keys
        a_swap_replaces_the_set_and_is_told
        a_removed_key_is_revoked_with_its_removal
        of_parallel_swaps_one_wins
        an_event_is_recorded_as_it_was_told
        a_store_that_runs_answers
    }
}
