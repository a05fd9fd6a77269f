-- Once per connection of the sink, which keeps it for itself.
-- Staging tables have no statistics and hold few rows beside large tables: joins go by the large table's index, whatever the planner guesses.
set enable_hashjoin = off;
set enable_mergejoin = off;
set enable_seqscan = off;
set enable_bitmapscan = off;
set jit = off;
set plan_cache_mode = force_generic_plan;
set synchronous_commit = on;
set statement_timeout = 0;
set idle_in_transaction_session_timeout = 0;
set client_min_messages = warning;
set temp_buffers = '64MB';

create temp table staged_latest (like derived.latest) on commit delete rows;
create temp table staged_rollups (level smallint not null, like derived.rollups_1m) on commit delete rows;
create temp table staged_scores (like derived.scores) on commit delete rows;
create temp table staged_scores_1m (like derived.scores_1m) on commit delete rows;
create temp table staged_anomalies (there boolean not null, like derived.anomalies) on commit delete rows;
create temp table staged_alarms (like derived.alarms) on commit delete rows;
create temp table staged_predictions (like derived.predictions) on commit delete rows;
create temp table staged_sla_clocks (like derived.sla_clocks) on commit delete rows;
create temp table staged_compliance (like derived.compliance) on commit delete rows;
create temp table staged_books (like derived.books) on commit delete rows;
create temp table staged_rejects (like derived.rejects) on commit delete rows;
create temp table staged_unknown_points (like derived.unknown_points) on commit delete rows;
create temp table staged_pending_restatements (like derived.pending_restatements) on commit delete rows;
create temp table staged_commands (like derived.commands) on commit delete rows;
-- A staged row without a first tick ends the current row of its key.
alter table staged_alarms alter column from_tick drop not null;
alter table staged_predictions alter column from_tick drop not null;
alter table staged_sla_clocks alter column from_tick drop not null;
alter table staged_compliance alter column from_tick drop not null;
