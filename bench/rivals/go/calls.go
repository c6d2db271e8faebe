package main

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

const tokenLifetime = 10 * time.Minute

// actor is the name of the service key that all requests come with.
const actor = "backend"

// Store keeps calls. Each method is durable when it returns.
type Store interface {
	Start(ctx context.Context, call Call, session Session) error
	// Join answers the user's pending session, else the wanted one.
	Join(ctx context.Context, wanted Session) (Session, error)
	// End answers the call; only the first one ends it.
	End(ctx context.Context, callID, intentID uuid.UUID, now time.Time) (Call, error)
	// Apply answers applied, duplicate, or ignored if there is no such call.
	Apply(ctx context.Context, callID uuid.UUID, event Event, now time.Time) (string, error)
}

type Call struct {
	CallID           uuid.UUID  `json:"call_id"`
	CallerID         string     `json:"caller_id"`
	RoomName         string     `json:"room_name"`
	Status           string     `json:"status"`
	StartedAt        time.Time  `json:"started_at"`
	EndedAt          *time.Time `json:"ended_at"`
	EndReason        *string    `json:"end_reason"`
	EndedBy          *string    `json:"ended_by"`
	EndedByType      *string    `json:"ended_by_type"`
	UserIDs          []string   `json:"user_ids"`
	MaxParticipants  *int       `json:"max_participants"`
	Metadata         any        `json:"metadata"`
	ParticipantCount int        `json:"participant_count"`
	RoomDeletion     *string    `json:"room_deletion"`
}

type Session struct {
	SessionID      uuid.UUID
	CallID         uuid.UUID
	UserID         string
	Name           string
	CreatedAt      time.Time
	TokenExpiresAt time.Time
}

type Ticket struct {
	Token     string    `json:"livekit_token"`
	ExpiresAt time.Time `json:"livekit_token_expires_at"`
	URL       string    `json:"livekit_url"`
}

// A refusal that the client is told of.
type problem struct {
	status int
	code   string
}

func (p problem) Error() string { return p.code }

var (
	callNotFound = problem{404, "call_not_found"}
	callEnded    = problem{409, "call_ended"}
)

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func newSession(callID uuid.UUID, userID string, name *string, now time.Time) Session {
	session := Session{SessionID: newID(), CallID: callID, UserID: userID, Name: userID, CreatedAt: now}
	session.TokenExpiresAt = now.Add(tokenLifetime)
	if name != nil {
		session.Name = *name
	}
	return session
}

func isUserID(id string) bool {
	length := utf8.RuneCountInString(id)
	return length >= 1 && length <= 128 && utf8.ValidString(id) && id != "." && id != ".."
}

type tokenMaker struct {
	key    string
	secret []byte
	url    string
}

func (t tokenMaker) ticket(s Session) (Ticket, error) {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss":        t.key,
		"sub":        s.UserID,
		"nbf":        s.CreatedAt.Unix(),
		"exp":        s.TokenExpiresAt.Unix(),
		"name":       s.Name,
		"attributes": map[string]string{"call_id": s.CallID.String(), "session_id": s.SessionID.String()},
		"video": map[string]any{"room": "call_" + s.CallID.String(), "roomJoin": true, "canPublish": true,
			"canSubscribe": true, "canPublishData": true},
		"roomConfig": map[string]any{"departureTimeout": 60, "emptyTimeout": 1560},
	}).SignedString(t.secret)
	return Ticket{token, s.TokenExpiresAt, t.url}, err
}
