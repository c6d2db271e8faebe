package main

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	_ "github.com/mattn/go-sqlite3"
)

// One connection writes, as everybody is told to do it with SQLite: nobody meets SQLITE_BUSY.
type sqliteStore struct{ db *sql.DB }

func openSqlite(path string) (Store, error) {
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_foreign_keys=on&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return sqliteStore{db}, db.Ping()
}

func text(at time.Time) string { return at.Format("2006-01-02T15:04:05.000Z") }

type statement struct {
	sql  string
	args []any
}

func runAll(ctx context.Context, tx *sql.Tx, statements []statement) error {
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s.sql, s.args...); err != nil {
			return err
		}
	}
	return nil
}

func (s sqliteStore) transaction(ctx context.Context, body func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := body(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

const (
	insertUser    = `INSERT INTO users (user_id, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING`
	insertCall    = `INSERT INTO calls (call_id, caller_id, status, started_at, token_issued_at) VALUES (?, ?, 'active', ?, ?)`
	insertSession = `INSERT INTO sessions (session_id, call_id, user_id, name, status, created_at, token_expires_at)
VALUES (?, ?, ?, ?, 'pending', ?, ?)`
	insertEntry = `INSERT INTO timeline (call_id, seq, at, type, cause, actor, actor_type, session_id)
SELECT ?1, COALESCE(max(seq), 0) + 1, ?2, ?3, 'api', ?4, 'service', ?5 FROM timeline WHERE call_id = ?1`
)

func entry(callID uuid.UUID, at time.Time, kind string, sessionID any) statement {
	return statement{insertEntry, []any{callID.String(), text(at), kind, actor, sessionID}}
}

func (s Session) inserts() []statement {
	now := text(s.CreatedAt)
	return []statement{
		{insertSession, []any{s.SessionID.String(), s.CallID.String(), s.UserID, s.Name, now, text(s.TokenExpiresAt)}},
		entry(s.CallID, s.CreatedAt, "session.created", s.SessionID.String())}
}

func (s sqliteStore) Start(ctx context.Context, c Call, session Session) error {
	now := text(c.StartedAt)
	return s.transaction(ctx, func(tx *sql.Tx) error {
		return runAll(ctx, tx, append([]statement{
			{insertUser, []any{c.CallerID, now}},
			{insertCall, []any{c.CallID.String(), c.CallerID, now, now}},
			entry(c.CallID, c.StartedAt, "call.started", nil)}, session.inserts()...))
	})
}

func (s sqliteStore) Join(ctx context.Context, wanted Session) (Session, error) {
	err := s.transaction(ctx, func(tx *sql.Tx) error {
		var status string
		err := tx.QueryRowContext(ctx, `SELECT status FROM calls WHERE call_id = ?`, wanted.CallID.String()).Scan(&status)
		if errors.Is(err, sql.ErrNoRows) {
			return callNotFound
		}
		if err != nil {
			return err
		}
		if status != "active" {
			return callEnded
		}
		err = tx.QueryRowContext(ctx, `UPDATE sessions SET token_expires_at = ? WHERE call_id = ? AND user_id = ?
			AND status = 'pending' RETURNING session_id, name`, text(wanted.TokenExpiresAt), wanted.CallID.String(),
			wanted.UserID).Scan(&wanted.SessionID, &wanted.Name)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		now := text(wanted.CreatedAt)
		return runAll(ctx, tx, append(append([]statement{{insertUser, []any{wanted.UserID, now}}}, wanted.inserts()...),
			statement{`UPDATE calls SET version = version + 1, token_issued_at = ? WHERE call_id = ?`,
				[]any{now, wanted.CallID.String()}}))
	})
	return wanted, err
}

func (s sqliteStore) End(ctx context.Context, callID, intentID uuid.UUID, now time.Time) (call Call, err error) {
	err = s.transaction(ctx, func(tx *sql.Tx) error {
		if call, err = findSqliteCall(ctx, tx, callID); err != nil || call.Status == "ended" {
			return err
		}
		if err := runAll(ctx, tx, []statement{
			{`UPDATE calls SET status = 'ended', end_reason = 'ended', ended_by = ?, ended_by_type = 'service',
				room_deletion = 'pending', participant_count = 0, version = version + 1, ended_at = ? WHERE call_id = ?`,
				[]any{actor, text(now), callID.String()}},
			entry(callID, now, "call.ended", nil),
			{`INSERT INTO timeline (call_id, seq, at, type, cause, actor, actor_type, session_id)
				SELECT s.call_id, (SELECT max(seq) FROM timeline WHERE call_id = ?1) + row_number() OVER (ORDER BY s.created_at),
				?2, 'session.left', 'api', ?3, 'service', s.session_id FROM sessions s WHERE s.call_id = ?1 AND s.status <> 'ended'`,
				[]any{callID.String(), text(now), actor}},
			{`UPDATE sessions SET status = 'ended', end_reason = 'call_ended', end_evidence = 'api', left_at = ?
				WHERE call_id = ? AND status <> 'ended'`, []any{text(now), callID.String()}},
			entry(callID, now, "room.deletion_requested", nil),
			{`INSERT INTO outbox (intent_id, call_id, kind, created_at, due_at) VALUES (?, ?, 'delete_room', ?, ?)`,
				[]any{intentID.String(), callID.String(), text(now), text(now)}},
		}); err != nil {
			return err
		}
		call, err = findSqliteCall(ctx, tx, callID)
		return err
	})
	return call, err
}

func findSqliteCall(ctx context.Context, tx *sql.Tx, callID uuid.UUID) (c Call, err error) {
	var started string
	var ended *string
	err = tx.QueryRowContext(ctx, `SELECT call_id, caller_id, room_name, status, started_at, ended_at, end_reason, ended_by,
		ended_by_type, participant_count, room_deletion FROM calls WHERE call_id = ?`, callID.String()).Scan(&c.CallID,
		&c.CallerID, &c.RoomName, &c.Status, &started, &ended, &c.EndReason, &c.EndedBy, &c.EndedByType,
		&c.ParticipantCount, &c.RoomDeletion)
	if errors.Is(err, sql.ErrNoRows) {
		return c, callNotFound
	}
	if err != nil {
		return c, err
	}
	if c.StartedAt, err = time.Parse(time.RFC3339, started); err != nil || ended == nil {
		return c, err
	}
	at, err := time.Parse(time.RFC3339, *ended)
	c.EndedAt = &at
	return c, err
}

func asText(at time.Time) any { return text(at) }

func (s sqliteStore) Apply(ctx context.Context, callID uuid.UUID, e Event, now time.Time) (result string, err error) {
	err = s.transaction(ctx, func(tx *sql.Tx) error {
		var status string
		err := tx.QueryRowContext(ctx, `SELECT status FROM calls WHERE call_id = ?`, callID.String()).Scan(&status)
		if errors.Is(err, sql.ErrNoRows) {
			result = "ignored"
			return nil
		}
		if err != nil {
			return err
		}
		run := func(s statement) (int64, error) {
			done, err := tx.ExecContext(ctx, s.sql, s.args...)
			if err != nil {
				return 0, err
			}
			return done.RowsAffected()
		}
		result, err = applyEvent(callID, e, now, asText, status, run, func(all []statement) error { return runAll(ctx, tx, all) })
		return err
	})
	return result, err
}
