package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

type postgresStore struct{ pool *pgxpool.Pool }

func openPostgres(url string) (Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 32
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	return postgresStore{pool}, err
}

// One statement: one round trip and one commit.
const startSQL = `
WITH u AS (INSERT INTO users (user_id, created_at) VALUES ($2, $3) ON CONFLICT DO NOTHING),
c AS (INSERT INTO calls (call_id, caller_id, status, started_at, token_issued_at) VALUES ($1, $2, 'active', $3, $3)),
s AS (INSERT INTO sessions (session_id, call_id, user_id, name, status, created_at, token_expires_at)
  VALUES ($4, $1, $2, $5, 'pending', $3, $6))
INSERT INTO timeline (call_id, seq, at, type, cause, actor, actor_type, session_id) VALUES
  ($1, 1, $3, 'call.started', 'api', $7, 'service', NULL),
  ($1, 2, $3, 'session.created', 'api', $7, 'service', $4)`

func (p postgresStore) Start(ctx context.Context, c Call, s Session) error {
	_, err := p.pool.Exec(ctx, startSQL, c.CallID, c.CallerID, c.StartedAt, s.SessionID, s.Name, s.TokenExpiresAt, actor)
	return err
}

const (
	lockSQL    = `SELECT status FROM calls WHERE call_id = $1 FOR UPDATE`
	pendingSQL = `UPDATE sessions SET token_expires_at = $3 WHERE call_id = $1 AND user_id = $2 AND status = 'pending'
RETURNING session_id, name`
	joinSQL = `
WITH u AS (INSERT INTO users (user_id, created_at) VALUES ($3, $4) ON CONFLICT DO NOTHING),
s AS (INSERT INTO sessions (session_id, call_id, user_id, name, status, created_at, token_expires_at)
  VALUES ($1, $2, $3, $5, 'pending', $4, $6)),
t AS (INSERT INTO timeline (call_id, seq, at, type, cause, actor, actor_type, session_id)
  SELECT $2, max(seq) + 1, $4, 'session.created', 'api', $7, 'service', $1 FROM timeline WHERE call_id = $2)
UPDATE calls SET version = version + 1, token_issued_at = $4 WHERE call_id = $2`
)

func (p postgresStore) Join(ctx context.Context, s Session) (Session, error) {
	err := pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		var status string
		err := tx.QueryRow(ctx, lockSQL, s.CallID).Scan(&status)
		if errors.Is(err, pgx.ErrNoRows) {
			return callNotFound
		}
		if err != nil {
			return err
		}
		if status != "active" {
			return callEnded
		}
		err = tx.QueryRow(ctx, pendingSQL, s.CallID, s.UserID, s.TokenExpiresAt).Scan(&s.SessionID, &s.Name)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		_, err = tx.Exec(ctx, joinSQL, s.SessionID, s.CallID, s.UserID, s.CreatedAt, s.Name, s.TokenExpiresAt, actor)
		return err
	})
	return s, err
}

// The call ends with all its sessions, and the deletion of its room is asked for. Nothing happens if it has ended.
const endSQL = `
WITH c AS (UPDATE calls SET status = 'ended', end_reason = 'ended', ended_by = $3, ended_by_type = 'service',
    room_deletion = 'pending', participant_count = 0, version = version + 1, ended_at = greatest($2, started_at)
  WHERE call_id = $1 AND status = 'active' RETURNING *),
s AS (UPDATE sessions s SET status = 'ended', end_reason = 'call_ended', end_evidence = 'api', left_at = c.ended_at
  FROM c WHERE s.call_id = c.call_id AND s.status <> 'ended' RETURNING s.session_id, s.left_at, s.created_at),
numbered AS (SELECT session_id, row_number() OVER (ORDER BY created_at, session_id) AS place FROM s),
last AS (SELECT max(seq) AS seq FROM timeline WHERE call_id = $1),
left_entries AS (INSERT INTO timeline (call_id, seq, at, type, cause, actor, actor_type, session_id)
  SELECT c.call_id, last.seq + 1 + n.place, $2, 'session.left', 'api', $3, 'service', n.session_id FROM c, last, numbered n),
entries AS (INSERT INTO timeline (call_id, seq, at, type, cause, actor, actor_type, session_id)
  SELECT c.call_id, last.seq + 1, $2, 'call.ended', 'api', $3, 'service', NULL::uuid FROM c, last
  UNION ALL SELECT c.call_id, last.seq + 2 + (SELECT count(*) FROM numbered), $2, 'room.deletion_requested', 'api', $3,
    'service', NULL::uuid FROM c, last),
o AS (INSERT INTO outbox (intent_id, call_id, kind, created_at, due_at)
  SELECT $4, c.call_id, 'delete_room', $2, $2 FROM c)
SELECT call_id, caller_id, room_name, status, started_at, ended_at, end_reason, ended_by, ended_by_type,
  participant_count, room_deletion FROM c`

const findSQL = `SELECT call_id, caller_id, room_name, status, started_at, ended_at, end_reason, ended_by, ended_by_type,
  participant_count, room_deletion FROM calls WHERE call_id = $1`

func (p postgresStore) End(ctx context.Context, callID, intentID uuid.UUID, now time.Time) (Call, error) {
	call, err := scanCall(p.pool.QueryRow(ctx, endSQL, callID, now, actor, intentID))
	if errors.Is(err, pgx.ErrNoRows) {
		call, err = scanCall(p.pool.QueryRow(ctx, findSQL, callID))
	}
	if errors.Is(err, pgx.ErrNoRows) {
		err = callNotFound
	}
	return call, err
}

func scanCall(row interface{ Scan(...any) error }) (c Call, err error) {
	err = row.Scan(&c.CallID, &c.CallerID, &c.RoomName, &c.Status, &c.StartedAt, &c.EndedAt, &c.EndReason, &c.EndedBy,
		&c.EndedByType, &c.ParticipantCount, &c.RoomDeletion)
	return
}

func asTime(at time.Time) any { return at }

func numbered(sql string) string { return strings.ReplaceAll(sql, "?", "$") }

func (p postgresStore) Apply(ctx context.Context, callID uuid.UUID, e Event, now time.Time) (result string, err error) {
	err = pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) (err error) {
		var status string
		err = tx.QueryRow(ctx, lockSQL, callID).Scan(&status)
		if errors.Is(err, pgx.ErrNoRows) {
			result = "ignored"
			return nil
		}
		if err != nil {
			return err
		}
		run := func(s statement) (int64, error) {
			done, err := tx.Exec(ctx, numbered(s.sql), s.args...)
			return done.RowsAffected(), err
		}
		runAll := func(all []statement) error { // one round trip
			var batch pgx.Batch
			for _, s := range all {
				batch.Queue(numbered(s.sql), s.args...)
			}
			return tx.SendBatch(ctx, &batch).Close()
		}
		result, err = applyEvent(callID, e, now, asTime, status, run, runAll)
		return err
	})
	return result, err
}
