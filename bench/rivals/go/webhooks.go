package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Event is what LiveKit tells, as far as we use it.
type Event struct {
	ID        string `json:"id"`
	Type      string `json:"event"`
	CreatedAt string `json:"createdAt"`
	Room      struct {
		SID            string `json:"sid"`
		Name           string `json:"name"`
		CreationTimeMs string `json:"creationTimeMs"`
	} `json:"room"`
	Participant *struct {
		SID              string            `json:"sid"`
		Identity         string            `json:"identity"`
		JoinedAtMs       string            `json:"joinedAtMs"`
		DisconnectReason string            `json:"disconnectReason"`
		Attributes       map[string]string `json:"attributes"`
	} `json:"participant"`
}

func millis(text string) time.Time {
	value, _ := strconv.ParseInt(text, 10, 64) // 0 if there is none
	return time.UnixMilli(value).UTC()
}

func (s *server) webhook(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
	if err != nil || !s.isSigned(r.Header.Get("Authorization"), body) {
		return problem{http.StatusUnauthorized, "webhook_unauthorized"}
	}
	var event Event
	if err := json.Unmarshal(body, &event); err != nil {
		return err
	}
	result := "ignored"
	id, found := strings.CutPrefix(event.Room.Name, "call_")
	if callID, err := uuid.Parse(id); found && err == nil {
		if result, err = s.store.Apply(r.Context(), callID, event, time.Now().UTC().Truncate(time.Millisecond)); err != nil {
			return err
		}
	}
	answer(w, http.StatusOK, map[string]string{"result": result})
	return nil
}

func (s *server) isSigned(token string, body []byte) bool {
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return s.tokens.secret, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(s.tokens.key), jwt.WithExpirationRequired())
	hash := sha256.Sum256(body)
	told, _ := claims["sha256"].(string)
	return err == nil && subtle.ConstantTimeCompare([]byte(told), []byte(base64.StdEncoding.EncodeToString(hash[:]))) == 1
}

// The parameters are numbered as in SQLite; PostgreSQL writes $1 for ?1.
const (
	insertEventSQL = `INSERT INTO webhook_events (call_id, event_id, type, room_sid, participant_sid, reason, occurred_at, received_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING`
	insertEventEntrySQL = `INSERT INTO timeline (call_id, seq, at, occurred_at, type, cause, session_id, event_id)
SELECT ?1, max(seq) + 1, ?2, ?3, ?4, 'webhook', ?5, ?6 FROM timeline WHERE call_id = ?1`
	roomStartedSQL = `UPDATE calls SET room_sid = ?2, room_created_at = ?3, version = version + 1 WHERE call_id = ?1`
	joinedSQL      = `UPDATE sessions SET status = 'active', joined_at = ?3, participant_sid = ?4, room_sid = ?5
WHERE session_id = ?2 AND call_id = ?1 AND participant_sid IS NULL`
	joinedCallSQL = `UPDATE calls SET participant_count = participant_count + 1, version = version + 1,
entered_at = COALESCE(entered_at, ?2) WHERE call_id = ?1`
	leftSQL = `UPDATE sessions SET status = 'ended', left_at = ?3, disconnect_reason = ?4, end_reason = 'left',
end_evidence = 'departure' WHERE call_id = ?1 AND participant_sid = ?2 AND status <> 'ended'`
	leftCallSQL = `UPDATE calls SET participant_count = participant_count - 1, version = version + 1 WHERE call_id = ?1`
	finishedSQL = `UPDATE calls SET status = 'ended', ended_at = ?2, end_reason = 'room_finished', participant_count = 0,
room_finished_at = ?2, version = version + 1 WHERE call_id = ?1`
	finishedSessionsSQL = `UPDATE sessions SET status = 'ended', left_at = ?2, end_reason = 'call_ended', end_evidence = 'room'
WHERE call_id = ?1 AND status <> 'ended'`
)

// inbox is the row that makes an event apply once. `in` turns a time into what the database keeps.
func (e Event) inbox(callID uuid.UUID, now time.Time, in func(time.Time) any) statement {
	var sid, reason *string
	if e.Participant != nil {
		sid = &e.Participant.SID
		if e.Participant.DisconnectReason != "" {
			lower := strings.ToLower(e.Participant.DisconnectReason)
			reason = &lower
		}
	}
	return statement{insertEventSQL, []any{callID.String(), e.ID, strings.TrimPrefix(e.Type, "participant_"), e.Room.SID, sid,
		reason, in(millis(e.CreatedAt + "000")), in(now)}}
}

// effects are the statements that an active call asks for.
func (e Event) effects(callID uuid.UUID, now time.Time, in func(time.Time) any) []statement {
	id := callID.String()
	entry := func(kind string, session any) statement {
		return statement{insertEventEntrySQL, []any{id, in(now), in(millis(e.CreatedAt + "000")), kind, session, e.ID}}
	}
	switch {
	case e.Type == "room_started":
		return []statement{{roomStartedSQL, []any{id, e.Room.SID, in(millis(e.Room.CreationTimeMs))}}, entry("room.started", nil)}
	case e.Type == "room_finished":
		return []statement{{finishedSQL, []any{id, in(now)}}, {finishedSessionsSQL, []any{id, in(now)}}, entry("call.ended", nil)}
	case e.Participant == nil:
		return nil
	}
	p, session := e.Participant, e.Participant.Attributes["session_id"]
	if e.Type == "participant_joined" {
		joined := in(millis(p.JoinedAtMs))
		return []statement{{joinedSQL, []any{id, session, joined, p.SID, e.Room.SID}}, {joinedCallSQL, []any{id, joined}},
			entry("session.joined", session)}
	}
	return []statement{{leftSQL, []any{id, p.SID, in(now), strings.ToLower(p.DisconnectReason)}}, {leftCallSQL, []any{id}},
		entry("session.left", session)}
}

// applyEvent is the transaction: `run` says how many rows a statement changed, `runAll` runs several at once.
func applyEvent(callID uuid.UUID, e Event, now time.Time, in func(time.Time) any, status string,
	run func(statement) (int64, error), runAll func([]statement) error) (string, error) {
	added, err := run(e.inbox(callID, now, in))
	if err != nil || added == 0 {
		return "duplicate", err
	}
	if status != "active" {
		return "applied", nil
	}
	return "applied", runAll(e.effects(callID, now, in))
}
